//! Every flag of the engine: the `--help` contract.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use image_spec::{Compression, Platform};
use xtask_oci::proof::sbom::Format;

/// Turns finished binaries and files into container images, without a daemon.
#[derive(Debug, Parser)]
#[command(name = "xtask-oci", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the image that an ImageSpec describes.
    Image {
        /// The ImageSpec as JSON, `-` for standard input. Its paths are relative to the working folder.
        #[arg(default_value = "-")]
        spec: PathBuf,
        /// Folder of finished layers, reused when their content is unchanged.
        #[arg(long, value_name = "DIR", default_value = CACHE)]
        cache: PathBuf,
        #[command(flatten)]
        images: Images,
        #[command(flatten)]
        files: Files,
    },
    /// Takes over the image that BuildKit made of an ImageSpec.
    Import {
        /// The ImageSpec as JSON, `-` for standard input. The sources of its layers are not read.
        #[arg(default_value = "-")]
        spec: PathBuf,
        /// The OCI layout that BuildKit wrote, which goes to every output of the spec. Without it BuildKit has pushed the
        /// image to the spec's tags, where it is looked at, and gets its SBOM and provenance.
        #[arg(long, value_name = "DIR")]
        layout: Option<PathBuf>,
        #[command(flatten)]
        files: Files,
        /// Folder for what is fetched. It is removed in the end.
        #[arg(long, value_name = "DIR", default_value = "target/images")]
        folder: PathBuf,
    },
    /// Writes the built-in base `static` as an OCI image layout, for an engine that builds upon it.
    Base {
        /// A platform that it is for; may be given several times.
        #[arg(long, required = true)]
        platform: Vec<Platform>,
        /// How its layer is compressed.
        #[arg(long, default_value_t)]
        compression: Compression,
        /// Folder of finished layers, reused when their content is unchanged.
        #[arg(long, value_name = "DIR", default_value = CACHE)]
        cache: PathBuf,
        /// The folder of the layout. Nothing is touched when it holds the same base.
        dest: PathBuf,
    },
    /// Looks up again what image names stand for.
    Pin {
        /// A PinSpec as JSON, `-` for standard input.
        #[arg(default_value = "-")]
        spec: PathBuf,
        /// Where the digests are kept.
        #[arg(long, value_name = "FILE", default_value = "config/images.lock")]
        lock: PathBuf,
    },
    /// Finds out what a registry can do, by a small push that is removed again.
    Check {
        /// A CheckSpec as JSON, `-` for standard input.
        #[arg(default_value = "-")]
        spec: PathBuf,
        /// Where to write what was found out, as JSON, also where nothing can be pushed: whose credentials were found, and
        /// what the registry can do.
        #[arg(long, value_name = "FILE")]
        report_file: Option<PathBuf>,
    },
    /// Sees whether a registry can be reached and lets us push these tags, before anybody waits for a compiler.
    Access {
        /// A CheckSpec as JSON, `-` for standard input.
        #[arg(default_value = "-")]
        spec: PathBuf,
    },
    /// Prints which of the given tags a registry has, a line for each.
    Existing {
        /// A CheckSpec as JSON, `-` for standard input.
        #[arg(default_value = "-")]
        spec: PathBuf,
    },
    /// Checks an image in a registry: digests, platforms, user, SBOM, provenance.
    Verify {
        /// A VerifySpec as JSON, `-` for standard input.
        #[arg(default_value = "-")]
        spec: PathBuf,
        /// What it has to be the same as: the metadata file of the image built again.
        #[arg(long, value_name = "FILE")]
        rebuilt: Option<PathBuf>,
        /// Folder for what is fetched. It is removed in the end.
        #[arg(long, value_name = "DIR", default_value = "target/images")]
        folder: PathBuf,
    },
    /// Places a finished binary under its final name, with its SHA-256 beside it.
    Artifact {
        /// The binary that the compiler wrote.
        src: PathBuf,
        /// Its final name. Nothing is touched when it already has the same content.
        dest: PathBuf,
        /// The platform it must be built for, by default Linux on this machine's architecture.
        #[arg(long, default_value = HOST)]
        platform: Platform,
        /// Puts the list of packages that it was compiled from into it: the output of `cargo metadata --format-version 1`
        /// with the platform and the features of the build, `-` for standard input.
        #[arg(long, value_name = "FILE", requires = "package")]
        cargo_metadata: Option<PathBuf>,
        /// The package that the binary is of.
        #[arg(long, value_name = "NAME", requires = "cargo_metadata")]
        package: Option<String>,
        /// Leaves symbols and debug information in it, which otherwise become a file beside it, `<DEST>.debug`.
        #[arg(long)]
        keep_symbols: bool,
        /// Compresses it with UPX, when UPX is installed and the result still starts.
        #[arg(long)]
        upx: bool,
    },
    /// Writes the list of packages that a binary is compiled from, as it goes into its section `.dep-v0`.
    Packages {
        /// The output of `cargo metadata --format-version 1` with the platform and the features of the build, `-` for
        /// standard input.
        #[arg(long, value_name = "FILE")]
        cargo_metadata: PathBuf,
        /// The package that the binary is of.
        #[arg(long, value_name = "NAME")]
        package: String,
        /// Where to write it. Nothing is touched when it already has the same content.
        dest: PathBuf,
    },
    /// Prints which packages a binary was compiled from, as a software bill of materials.
    Sbom {
        /// The binary, placed with `--cargo-metadata` or built by cargo-auditable.
        binary: PathBuf,
        /// The format of the document.
        #[arg(long, value_enum, default_value_t = Format::Spdx)]
        format: Format,
        /// When the document was made, in seconds since the Unix epoch.
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        created: u64,
        /// Where licences are looked up: the output of `cargo metadata --format-version 1`, `-` for standard input.
        #[arg(long, value_name = "FILE")]
        cargo_metadata: Option<PathBuf>,
    },
}

/// Where images of others are kept.
#[derive(Debug, Args)]
pub(crate) struct Images {
    /// Folder of blobs from registries, which projects may share.
    #[arg(long, value_name = "DIR", default_value = "target/images/cache/blobs")]
    pub(crate) blobs: PathBuf,
    /// File that says what names of images stand for. A name that it does not know is looked up, and kept there.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

/// What is said of an image.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Where to write what the image is, as JSON: digests, sizes, and which layers came from the cache.
    #[arg(long, value_name = "FILE")]
    pub(crate) metadata_file: Option<PathBuf>,
    /// Where to write the image's name with its digest, such as `registry.example.com/app@sha256:…`.
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,
}

const CACHE: &str = "target/images/cache";
const HOST: &str = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
