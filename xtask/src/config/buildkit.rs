//! `[buildkit]` of `config/pipeline.toml`: what the engine `buildkit` does besides.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::Deserialize;

/// What the engine `buildkit` does besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Buildkit {
    /// Where binaries come from.
    pub(crate) packaging: Packaging,
    /// Where a container finds what was compiled before.
    pub(crate) cache: CompileCache,
    /// Secrets for private crates, as buildx spells them.
    pub(crate) secrets: Vec<String>,
    /// SSH agents and keys for private repositories, as buildx spells them.
    pub(crate) ssh: Vec<String>,
    /// The image that has BuildKit itself list what is in an image that is pushed.
    pub(crate) sbom: Option<String>,
    /// Arguments of the Dockerfile, versions above all.
    pub(crate) args: BTreeMap<String, String>,
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
pub(crate) enum CompileCache {
    /// In layers, by cargo-chef: also for builders that come and go
    #[default]
    Layers,
    /// In a target folder that stays on one builder
    Mounts,
}

impl CompileCache {
    /// Its name in the Dockerfile.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CompileCache::Layers => "layers",
            CompileCache::Mounts => "mounts",
        }
    }
}
