//! The flags of `cargo xtask bench`. `xtask` and `xtask-bench` both compile this file, so that they cannot disagree:
//! xtask depends on nothing that is heavy, xtask-bench among it.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// What is measured, and against whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchFlags {
    /// What to measure [default: everything, hours of it; with --quick: edit and same]
    #[arg(value_enum)]
    pub(crate) scenarios: Vec<Scenario>,
    /// Who takes part beside galley, with commas between them [default: all that can; with --quick or --against: cargo]
    #[arg(long = "peer", value_enum, value_name = "PEER", value_delimiter = ',')]
    pub(crate) peers: Vec<Peer>,
    /// The profile of the peers besides galley and cargo; may be repeated
    #[arg(
        long = "profile",
        value_enum,
        value_name = "PROFILE",
        value_delimiter = ',',
        default_value = "written"
    )]
    pub(crate) profiles: Vec<Profile>,
    /// How often each is measured, in turn; the median counts [default: 5; with --quick 3]
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<NonZeroU32>,
    /// Few rounds of what takes least, with a service that is not optimised: a first impression, and what CI runs
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measure another revision of this repository as well, in turn, and fail where this one's ratio of galley to cargo is
    /// worse by more than noise
    #[arg(long, value_name = "REF")]
    pub(crate) against: Option<String>,
    /// Where the report goes, as JSON; a page with plots is written beside it [default: target/bench/report.json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
    /// Write each plot as PNG into this folder besides, by Chromium
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) png: Option<PathBuf>,
    /// What stands in for an image that peers start from and that cannot be reached; may be repeated [default: as the
    /// mirrors in config/pipeline.toml have it]
    #[arg(long = "image", value_name = "NAME=REFERENCE")]
    pub(crate) images: Vec<String>,
    /// At the end, remove from the builder's cache whatever came to it meanwhile
    #[arg(long)]
    pub(crate) prune: bool,
}

/// Something that people wait for, or pay for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// An image after one line of the service was edited
    Edit,
    /// An image after nothing changed
    Same,
    /// An image after an edit in a module that all handlers use
    Deep,
    /// Bytes and layers of an image in a registry
    Size,
    /// From the start of a container's process to the first answered request; and with the pull before
    Start,
    /// A push after an edit, at 50 Mbit/s and at 1 Gbit/s
    Push,
    /// Three databases against one
    Backends,
    /// Two platforms against one
    Platforms,
    /// An image from a fresh clone, with no more than the crates' sources there
    Fresh,
    /// An image from a fresh clone at the same path, with what sccache has kept: on the disk, and in Redis
    Cached,
    /// An image after one leaf of the dependencies was changed
    Bump,
    /// An image after `cargo update`
    Lock,
    /// An edit, in workspaces of 1, 10 and 50 crates besides
    Crates,
    /// An edit, for one to six images: databases times platforms
    Matrix,
    /// Nothing changed, in repositories of 100 to 100,000 commits
    History,
    /// A layer of 10 MB to 10 GB
    Payload,
    /// Layers of 1 and 5 GB by level of compression
    Layers,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Peer {
    /// `cargo xtask bd`
    Galley,
    /// `cargo build` of the same service, and no image: the physical limit
    Cargo,
    /// A Dockerfile with one stage
    Single,
    /// A Dockerfile with two stages
    Stages,
    /// Dependencies first, by a dummy program
    Dummy,
    /// cargo-chef, on distroless
    Chef,
    /// BuildKit's cache mounts, and zstd
    Mounts,
    /// zigbuild on the host, strip, UPX, docker build
    Upx,
    /// zigbuild for several platforms in one Dockerfile
    Zig,
}

/// How peers compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Profile {
    /// As their authors write it: release with LTO and one codegen unit
    Written,
    /// As the service's own profile `release` is
    Same,
}
