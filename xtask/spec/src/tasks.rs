//! The inputs of the engine's lesser tasks.

use serde::{Deserialize, Serialize};

use crate::{Platform, Reference, Registries, Repository};

/// Images whose names are looked up again: the input of the engine's `pin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSpec {
    /// The images. Those that have a digest are left as they are.
    pub images: Vec<Reference>,
    /// How registries are reached.
    #[serde(default, skip_serializing_if = "Registries::is_default")]
    pub registries: Registries,
}

/// A repository whose registry is to be tried: the input of the engine's `check`, `access` and `existing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// Where something small is pushed to.
    pub repository: Repository,
    /// The names that an image is going to be pushed under by somebody who does not ask whether they may move, or that are
    /// asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Reference>,
    /// Tags that never move once they exist; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub immutable: Vec<String>,
    /// How registries are reached.
    #[serde(default, skip_serializing_if = "Registries::is_default")]
    pub registries: Registries,
}

/// An image in a registry that is looked at: the input of the engine's `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySpec {
    /// The image, by tag or digest.
    pub image: Reference,
    /// What it has to run on: all of these, and nothing else.
    pub platforms: Vec<Platform>,
    /// Whom it has to run as.
    pub user: String,
    /// How registries are reached. Mirrors do not matter: what counts is what the registry itself has.
    #[serde(default, skip_serializing_if = "Registries::is_default")]
    pub registries: Registries,
}
