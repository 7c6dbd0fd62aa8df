//! Which engine makes an image, and what only BuildKit does.

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::config::LayerCache;

/// What makes an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// The native one
    #[default]
    Auto,
    /// This pipeline itself, without a daemon
    Native,
    /// BuildKit, by `docker buildx bake`
    Buildkit,
}

/// Where the binaries of BuildKit's images come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Packaging {
    /// Compiled in a container
    #[default]
    Container,
    /// Compiled by this machine, and copied
    Prebuilt,
}

/// Where a container finds what was compiled before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cache {
    /// In layers, by cargo-chef: also for builders that come and go
    #[default]
    Layers,
    /// In a target folder that stays on one builder
    Mounts,
}

impl Cache {
    /// Its name in the Dockerfile.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cache::Layers => "layers",
            Cache::Mounts => "mounts",
        }
    }
}

/// Flags that choose the engine, and those of BuildKit's.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct EngineFlags {
    /// What makes the image [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) engine: Option<Engine>,
    /// BuildKit: where the binaries come from [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) packaging: Option<Packaging>,
    /// BuildKit: where a container finds what was compiled before [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) cache: Option<Cache>,
    /// BuildKit: where layers are kept for other builders: registry, gha or local, and what [cache] layers takes besides
    /// [default: from config/pipeline.toml]
    #[arg(long, value_name = "PLACE", value_parser = parse_layer_cache)]
    pub(crate) layer_cache: Option<LayerCache>,
    /// BuildKit: make this stage of the Dockerfile as it is, such as runtime-media
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// BuildKit: a secret for private crates, as buildx spells it: id=cargo-credentials,src=FILE; may be repeated
    #[arg(long = "secret", value_name = "id=NAME,…")]
    pub(crate) secrets: Vec<String>,
    /// BuildKit: an SSH agent or key for private repositories, as buildx spells it: default; may be repeated
    #[arg(long, value_name = "ID[=…]")]
    pub(crate) ssh: Vec<String>,
    /// BuildKit: let an emulator run what the builder's processors cannot
    #[arg(long)]
    pub(crate) emulate: bool,
}

impl EngineFlags {
    /// The first flag that is there and that only BuildKit understands.
    pub(crate) fn of_buildkit(&self) -> Option<&'static str> {
        let flags = [
            ("--packaging", self.packaging.is_some()),
            ("--cache", self.cache.is_some()),
            ("--layer-cache", self.layer_cache.is_some()),
            ("--target", self.target.is_some()),
            ("--secret", !self.secrets.is_empty()),
            ("--ssh", !self.ssh.is_empty()),
            ("--emulate", self.emulate),
        ];
        flags.into_iter().find(|(_, is_there)| *is_there).map(|(name, _)| name)
    }
}

fn parse_layer_cache(text: &str) -> Result<LayerCache, String> {
    text.to_owned().try_into()
}
