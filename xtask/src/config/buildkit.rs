//! `[buildkit]` of `config/pipeline.toml`: what the engine `buildkit` does besides.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::{Cache, Packaging};

/// What the engine `buildkit` does besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Buildkit {
    /// Where binaries come from.
    pub(crate) packaging: Packaging,
    /// Where a container finds what was compiled before.
    pub(crate) cache: Cache,
    /// Secrets for private crates, as buildx spells them.
    pub(crate) secrets: Vec<String>,
    /// SSH agents and keys for private repositories, as buildx spells them.
    pub(crate) ssh: Vec<String>,
    /// The image that has BuildKit itself list what is in an image that is pushed.
    pub(crate) sbom: Option<String>,
    /// Arguments of the Dockerfile, versions above all.
    pub(crate) args: BTreeMap<String, String>,
}
