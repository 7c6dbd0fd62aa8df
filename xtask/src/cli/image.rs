//! What is built: flags of `build`, and of all that makes or looks at images.

use std::path::PathBuf;

use clap::Args;
use image_spec::{Compression, Platform, Reference, Repository, Tag};

use super::engine::EngineFlags;
use super::output::{self, Output, Store};
use super::values::{Severity, Variant};
use crate::config::{Linker, Profile};
use crate::error::did_you_mean;

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
    /// Write the image's name with its digest into this file, for what works on the image next; for one image alone
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,
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
    /// Write what is found into this file, as SARIF, instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
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
    fn a_mistyped_platform_gets_the_nearest_name() {
        assert_eq!(
            parse_platform("linux/amd46").unwrap_err(),
            "unknown platform, did you mean `linux/amd64`?"
        );
    }
}
