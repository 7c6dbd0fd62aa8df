//! Every flag: the `--help` contract.

mod engine;
mod output;
// xtask-soak takes the same, and is too heavy to depend on.
#[path = "../../soak/src/flags.rs"]
mod soak_flags;
mod values;

use std::num::NonZeroUsize;

use clap::{Args, Parser, Subcommand};
use image_spec::{Compression, Platform, Reference, Repository, Tag};

use crate::config::Sccache;
use crate::error::did_you_mean;
pub(crate) use engine::{Cache, Engine, EngineFlags, Packaging};
pub(crate) use output::{Output, Store};
pub(crate) use soak_flags::{Format, Scenario, SoakFlags};
pub(crate) use values::{Linker, MessageFormat, Profile, Severity, Variant};

/// Turns the service into minimal, reproducible container images.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Build the service as a static binary under target/dist
    Build(BuildFlags),
    /// Build the service and its image; load it into Docker or podman when one runs
    Bd(BdFlags),
    /// Build the service and its image, and start it in Docker, beside its database
    Up(ImageFlags),
    /// End what `up` started
    Down(DownFlags),
    /// Build the service and its image for every platform, and push it to a registry
    Bdp(BdpFlags),
    /// Print what `bd --engine buildkit` has BuildKit do, for `docker buildx bake --file x.json`
    Bake(BdFlags),
    /// Fetch an image that was pushed, look at all of it, and compare it with what is built from this source again
    Verify(VerifyFlags),
    /// Look for known vulnerabilities in an image, by trivy or grype
    Scan(ScanFlags),
    /// Find out what a registry can do
    Registry {
        #[command(subcommand)]
        task: RegistryTask,
    },
    /// Make, show, start or remove the BuildKit builder that config/pipeline.toml describes
    Builder {
        #[command(subcommand)]
        task: BuilderTask,
    },
    /// Look up again which digests the images in config/pipeline.toml stand for
    Pin,
    /// Run the whole gate for every database: format, clippy, query cache, tests
    Check,
    /// Renew or check the query cache that lets sqlx check SQL without a database
    Sqlx {
        #[command(subcommand)]
        task: SqlxTask,
    },
    /// Put the service under load, and compare what it does with the figures that it is held to
    Soak(SoakFlags),
    /// List the tools that the pipeline can use, and how to install what is missing
    Doctor,
    /// Ends the steps of a run that was killed
    #[command(hide = true)]
    Watchdog,
    /// Brings up sccache's server for the steps that compile
    #[command(hide = true)]
    Sccache {
        /// Where compilations are kept
        cache: Sccache,
    },
}

/// What can be done with a registry.
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryTask {
    /// Push something small, and see whether zstd layers, indexes, referrers and mounts work
    Check {
        /// Where to [default: the repository in config/pipeline.toml]
        repository: Option<Repository>,
    },
}

/// What can be done with the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum BuilderTask {
    /// Make it, or make it anew where its settings have changed; its cache stays
    Create,
    /// Show its nodes, what they build for, and what its cache holds
    Status,
    /// Create it, and start its daemons
    Bootstrap,
    /// Remove it with its cache
    Remove,
}

/// What can be done with sqlx's query cache.
#[derive(Debug, Subcommand)]
pub(crate) enum SqlxTask {
    /// Ask throw-away databases about every query, and put the answers where the build finds them
    Prepare(SqlxFlags),
    /// Compare the cache with what throw-away databases say now
    Check(SqlxFlags),
}

/// Flags of `sqlx`.
#[derive(Debug, Default, Args)]
pub(crate) struct SqlxFlags {
    /// Database backend [default: all in config/pipeline.toml]
    #[arg(long)]
    pub(crate) backend: Option<String>,
}

/// How a plan is run and shown.
#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    /// Print the commands, ready to paste into a shell, and run nothing; bdp builds, and says what a push would upload
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Jobs in all, shared by every compiler [default: the number of cores]
    #[arg(short, long, value_name = "N", global = true)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Show only warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How events are shown; json is described in docs/events.md
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub(crate) message_format: MessageFormat,
}

/// Flags of `build`, and of every task that needs its artifact.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BuildFlags {
    /// Database backends, with commas between them, or `all` [default: the first in config/pipeline.toml]
    #[arg(long = "backend", value_name = "BACKEND", value_delimiter = ',')]
    pub(crate) backends: Vec<String>,
    /// Platforms, such as linux/amd64,linux/arm64 [default: this machine's; bdp: all in config/pipeline.toml]
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform)]
    pub(crate) platforms: Vec<Platform>,
    /// What it is for: debug keeps symbols, and puts a shell into the image
    #[arg(long)]
    pub(crate) variant: Option<Variant>,
    /// Cargo profile: release for every day, dist for what is shipped [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) profile: Option<Profile>,
    /// How the binary is linked statically [default: the first way that works]
    #[arg(long)]
    pub(crate) linker: Option<Linker>,
    /// Pack the binary with UPX; goes on without when that fails
    #[arg(long)]
    pub(crate) upx: bool,
}

/// Flags of every task that makes an image.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ImageFlags {
    #[command(flatten)]
    pub(crate) build: BuildFlags,
    /// Name of the image without a tag [default: from config/pipeline.toml]
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) image: Option<Repository>,
    /// A further tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Layer compression: zstd, zstd:1 to zstd:19, zstd:fast, balanced, small or smallest, gzip, gzip:1 to gzip:9, none
    #[arg(long)]
    pub(crate) compression: Option<Compression>,
    #[command(flatten)]
    pub(crate) engine: EngineFlags,
}

/// Flags of `bd`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BdFlags {
    #[command(flatten)]
    pub(crate) image: ImageFlags,
    /// Where the image goes, as buildx spells it: docker, podman, containerd[,namespace=NAME], kind[,name=CLUSTER], k3s,
    /// oci[,dest=FILE], oci,tar=false[,dest=FOLDER], registry [default: docker or podman when one runs, else oci]
    #[arg(long, value_name = "TYPE[,KEY=VALUE]", value_parser = output::parse)]
    pub(crate) output: Option<Output>,
    /// Short for --output docker
    #[arg(long, conflicts_with = "output")]
    pub(crate) load: bool,
    /// Short for --output registry
    #[arg(long, conflicts_with_all = ["output", "load"])]
    pub(crate) push: bool,
}

impl BdFlags {
    /// Where the image goes, if that is said.
    pub(crate) fn output(&self) -> Option<&Output> {
        const DOCKER: &Output = &Output::Load(Store::Docker);
        match (self.load, self.push) {
            (true, _) => Some(DOCKER),
            (_, true) => Some(&Output::Registry),
            (false, false) => self.output.as_ref(),
        }
    }
}

/// Flags of `down`.
#[derive(Debug, Default, Args)]
pub(crate) struct DownFlags {
    /// Delete all data as well: the volumes
    #[arg(long)]
    pub(crate) volumes: bool,
}

/// Flags of `bdp`.
#[derive(Debug, Default, Args)]
pub(crate) struct BdpFlags {
    #[command(flatten)]
    pub(crate) image: ImageFlags,
    /// Sign the image with cosign: with a key, a file or the URI of one, or keyless
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) sign: Option<String>,
}

/// Flags of `verify`.
#[derive(Debug, Default, Args)]
pub(crate) struct VerifyFlags {
    /// The image, by tag or digest [default: as `bdp` names it]
    pub(crate) reference: Option<Reference>,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
    /// Layer compression that it was pushed with [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) compression: Option<Compression>,
    /// Look at the image alone
    #[arg(long)]
    pub(crate) no_rebuild: bool,
}

/// Flags of `scan`.
#[derive(Debug, Args)]
pub(crate) struct ScanFlags {
    /// An image in a registry [default: one that is built]
    pub(crate) reference: Option<Reference>,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
    /// What is bad enough to fail
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub(crate) fail_on: Severity,
}

fn parse_platform(text: &str) -> Result<Platform, String> {
    text.parse().map_err(|_| {
        let known = Platform::ALL.map(|platform| platform.to_string());
        format!("unknown platform, {}", did_you_mean(text, &known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_mistyped_platform_gets_the_nearest_name() {
        assert_eq!(
            parse_platform("linux/amd46").unwrap_err(),
            "unknown platform, did you mean `linux/amd64`?"
        );
    }
}
