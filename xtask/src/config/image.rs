//! `[image]` of `config/pipeline.toml`: what the image is made of, and how it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use image_spec::{Base, Compression, Reference, Repository};
use serde::Deserialize;

/// What the image is made of, and how it runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    /// The image's name without a tag.
    pub(crate) repository: Repository,
    /// What makes it.
    #[serde(default)]
    pub(crate) engine: Engine,
    /// What it starts from.
    pub(crate) base: Base,
    /// How layers are compressed.
    #[serde(default)]
    pub(crate) compression: Compression,
    /// Whether layers of somebody else's base are compressed so too.
    #[serde(default)]
    pub(crate) recompress: bool,
    /// Numeric `uid:gid`.
    pub(crate) user: String,
    /// The working folder, which the service's own files are in.
    pub(crate) workdir: String,
    /// Arguments that its program always gets.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// TCP ports that the service listens on.
    pub(crate) ports: Vec<u16>,
    /// The signal that asks it to stop.
    pub(crate) stop_signal: String,
    /// The one folder that it writes to.
    pub(crate) data: String,
    /// Its environment.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// What the variant `debug` has besides.
    pub(crate) debug: Option<Debug>,
    /// Files that go along with the binary.
    #[serde(default)]
    pub(crate) files: Vec<File>,
}

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

/// What the variant `debug` has besides.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debug {
    /// The image that its shell comes from: it has a static `/bin/busybox`.
    pub(crate) shell: Reference,
}

/// Files of the image: a file or folder of the workspace or of another image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The image that they come from, if not the workspace.
    #[serde(default)]
    pub(crate) from: Option<Reference>,
    /// Their path in the workspace, or the absolute path in the other image.
    pub(crate) src: PathBuf,
    /// Their absolute path in the image.
    pub(crate) dest: String,
    /// Numeric `uid:gid`; without it root.
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// Permission bits of the files, such as `"0644"`.
    #[serde(default, with = "image_spec::octal")]
    pub(crate) mode: Option<u32>,
    /// The layer that they are in. Without it, `files` for those of the workspace and a layer for each other image.
    #[serde(default)]
    pub(crate) layer: Option<String>,
}
