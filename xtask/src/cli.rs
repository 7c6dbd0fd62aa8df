//! Every flag: the `--help` contract.

// xtask-soak takes the same, and is too heavy to depend on.
#[path = "../soak/src/flags.rs"]
mod soak_flags;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use image_spec::{Compression, Platform, Repository, Tag};
use serde::Deserialize;

use crate::error::did_you_mean;
pub(crate) use soak_flags::{Format, Scenario, SoakFlags};

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
    /// Build the service and its image for every platform, and push it to a registry
    Bdp(ImageFlags),
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
#[derive(Debug, Default, Args)]
pub(crate) struct BuildFlags {
    /// Database backends, with commas between them, or `all` [default: the first in config/pipeline.toml]
    #[arg(long = "backend", value_name = "BACKEND", value_delimiter = ',')]
    pub(crate) backends: Vec<String>,
    /// Platforms, such as linux/amd64,linux/arm64 [default: this machine's; bdp: all in config/pipeline.toml]
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',', value_parser = parse_platform)]
    pub(crate) platforms: Vec<Platform>,
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
#[derive(Debug, Default, Args)]
pub(crate) struct ImageFlags {
    #[command(flatten)]
    pub(crate) build: BuildFlags,
    /// Name of the image without a tag [default: from config/pipeline.toml]
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) image: Option<Repository>,
    /// A further tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Layer compression: zstd, zstd:1 to zstd:19, gzip, gzip:1 to gzip:9, none
    #[arg(long)]
    pub(crate) compression: Option<Compression>,
}

/// Flags of `bd`.
#[derive(Debug, Default, Args)]
pub(crate) struct BdFlags {
    #[command(flatten)]
    pub(crate) image: ImageFlags,
    /// Where the image goes, as buildx spells it: docker, podman, oci[,dest=FILE], oci,tar=false[,dest=FOLDER]
    /// [default: docker or podman when one runs, else oci]
    #[arg(long, value_name = "TYPE[,KEY=VALUE]", value_parser = parse_output)]
    pub(crate) output: Option<Output>,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// Lines for people
    Human,
    /// One JSON object an event, on standard output
    Json,
}

/// A cargo profile of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Incremental, no link-time optimisation
    Release,
    /// Link-time optimisation, one codegen unit
    Dist,
}

impl Profile {
    /// The name that cargo knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Dist => "dist",
        }
    }
}

/// A way to link a static Linux binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Linker {
    /// The first of the others that works
    #[default]
    Auto,
    /// cargo-zigbuild and a musl target: any platform from any host
    Zigbuild,
    /// musl-gcc and a musl target
    MuslGcc,
    /// The host's own static C library
    Host,
}

/// Where a finished image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Into the running Docker engine.
    Docker,
    /// Into podman's store.
    Podman,
    /// An archive that docker, podman and skopeo read.
    Archive(Option<PathBuf>),
    /// An OCI image layout folder.
    Layout(Option<PathBuf>),
}

fn parse_platform(text: &str) -> Result<Platform, String> {
    text.parse().map_err(|_| {
        let known = Platform::ALL.map(|platform| platform.to_string());
        format!("unknown platform, {}", did_you_mean(text, &known))
    })
}

/// Reads `type=oci,dest=x.tar`; the word `type=` may be left out.
fn parse_output(text: &str) -> Result<Output, String> {
    let mut parts = text.split(',');
    let kind = parts.next().unwrap_or_default();
    let kind = kind.strip_prefix("type=").unwrap_or(kind);
    let (mut dest, mut tar) = (None, true);
    for part in parts {
        match part.split_once('=') {
            Some(("dest", path)) if !path.is_empty() => dest = Some(PathBuf::from(path)),
            Some(("tar", "true")) => tar = true,
            Some(("tar", "false")) => tar = false,
            _ => return Err(format!("`{part}` is not one of dest=PATH, tar=true, tar=false")),
        }
    }
    match kind {
        "oci" if tar => Ok(Output::Archive(dest)),
        "oci" => Ok(Output::Layout(dest)),
        "docker" | "podman" if dest.is_some() || !tar => {
            Err(format!("`{kind}` takes no dest and no tar; `oci` does"))
        }
        "docker" => Ok(Output::Docker),
        "podman" => Ok(Output::Podman),
        other => {
            let known = ["docker", "podman", "oci"].map(str::to_owned);
            Err(format!("unknown output type, {}", did_you_mean(other, &known)))
        }
    }
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
    fn outputs_are_spelt_as_buildx_spells_them() {
        assert_eq!(parse_output("docker"), Ok(Output::Docker));
        assert_eq!(parse_output("type=podman"), Ok(Output::Podman));
        assert_eq!(parse_output("oci"), Ok(Output::Archive(None)));
        assert_eq!(parse_output("type=oci,dest=a.tar"), Ok(Output::Archive(Some("a.tar".into()))));
        assert_eq!(parse_output("oci,tar=false,dest=dir"), Ok(Output::Layout(Some("dir".into()))));
    }

    #[test]
    fn wrong_outputs_name_what_is_wrong() {
        assert_eq!(parse_output("dokcer").unwrap_err(), "unknown output type, did you mean `docker`?");
        assert_eq!(
            parse_output("docker,dest=x").unwrap_err(),
            "`docker` takes no dest and no tar; `oci` does"
        );
        assert_eq!(
            parse_output("oci,dst=x").unwrap_err(),
            "`dst=x` is not one of dest=PATH, tar=true, tar=false"
        );
    }

    #[test]
    fn a_mistyped_platform_gets_the_nearest_name() {
        assert_eq!(
            parse_platform("linux/amd46").unwrap_err(),
            "unknown platform, did you mean `linux/amd64`?"
        );
    }
}
