//! What an image is made of: the one value that xtask derives from the configuration and that every engine takes.
//!
//! Words are those of the [OCI image specification](https://github.com/opencontainers/image-spec). Every type is valid
//! by construction: parsing is where a bad name, platform or level is refused.

mod compression;
mod findings;
mod grammar;
pub mod octal;
mod pins;
mod platform;
mod reference;
mod report;
pub mod size;
mod tasks;
pub mod time;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use compression::{Compression, ParseCompressionError};
pub use findings::{CredentialKind, FeatureReport, RegistryReport};
pub use pins::{ParsePinsError, Pins};
pub use platform::{ParsePlatformError, Platform};
pub use reference::{ParseReferenceError, Reference, Repository, Tag};
pub use report::{ImageReport, LayerReport, PlatformReport, PushReport};
pub use tasks::{CheckSpec, PinSpec, VerifySpec};

/// One image, for one platform or several, and where to write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// What the image starts from.
    pub base: Base,
    /// The names that the image gets; the first is the one shown to people.
    pub tags: Vec<Reference>,
    /// Creation time in seconds since the Unix epoch; also the time of every file.
    pub created: u64,
    /// How layers are compressed.
    pub compression: Compression,
    /// Whether layers of a base that is somebody else's image are compressed so too. Otherwise they stay as they are, and
    /// registries that have them need them not again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recompress: bool,
    /// How a container of the image runs.
    pub config: RunConfig,
    /// Labels of the image config and annotations of the manifest, by their full key.
    pub labels: BTreeMap<String, String>,
    /// The platforms, and the layers of each above the base, lowest first. What changes most often comes last. Every
    /// executable must be built for its platform. With more than one there is an index above the images.
    pub platforms: BTreeMap<Platform, Vec<Layer>>,
    /// What whoever asked for the build chose, such as the cargo profile: for the provenance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub build: BTreeMap<String, String>,
    /// The page of the CI run that builds it, as a URL: for the provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Where the finished image is written.
    pub outputs: Vec<Output>,
    /// How registries are reached.
    #[serde(default, skip_serializing_if = "Registries::is_default")]
    pub registries: Registries,
}

/// How registries are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registries {
    /// Where images are pulled from instead: another registry, or a place in it, for a registry. `mirror.example.com/gcr`
    /// for `gcr.io` has `gcr.io/distroless/static` come from `mirror.example.com/gcr/distroless/static`.
    #[serde(default)]
    pub mirrors: BTreeMap<String, String>,
    /// Registries that are spoken to without TLS, as those on this machine always are.
    #[serde(default)]
    pub insecure: Vec<String>,
}

impl Registries {
    /// The same where nothing stands in for a registry: for what it has itself.
    pub fn without_mirrors(&self) -> Registries {
        Registries { mirrors: BTreeMap::new(), ..self.clone() }
    }

    /// The registry that images of `repository` are pulled from, and their name there: a mirror's, if there is one.
    pub fn place(&self, repository: &Repository) -> (String, String) {
        let (registry, path) = (repository.registry(), repository.path());
        match self.mirrors.get(registry).map(|mirror| mirror.split_once('/').unwrap_or((mirror, ""))) {
            None => (registry.to_owned(), path),
            Some((mirror, "")) => (mirror.to_owned(), path),
            Some((mirror, prefix)) => (mirror.to_owned(), format!("{prefix}/{path}")),
        }
    }

    fn is_default(&self) -> bool {
        *self == Registries::default()
    }
}

/// What an image starts from. Written as `static`, `scratch`, or an image reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Base {
    /// The built-in base: users, CA certificates, time zones, `/tmp` and a home.
    Static,
    /// Nothing at all.
    Scratch,
    /// An image in a registry.
    Image(Reference),
}

/// How a container of the image runs: the `config` object of the OCI image configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Numeric `uid:gid`, because Kubernetes' `runAsNonRoot` cannot check a name.
    pub user: String,
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// TCP ports that the program listens on.
    pub ports: Vec<u16>,
    /// The working folder, absolute.
    pub workdir: String,
    /// The signal that asks the program to stop, such as `SIGTERM`.
    pub stop_signal: String,
}

/// One layer: a group of files that change together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What the layer holds, for people: it becomes `created_by` in the image history.
    pub name: String,
    /// Its files, and folders with what is in them.
    pub files: Vec<FileEntry>,
    /// Its empty folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<FolderEntry>,
    /// Its symbolic links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkEntry>,
}

/// A file of this machine or of another image, or a folder with all that is in it, and its place in the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The image that it comes from; without one it is a file of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Reference>,
    /// Where it is read: relative to the engine's working folder, or absolute in the other image.
    pub src: PathBuf,
    /// Its absolute path in the image. A folder's content goes below it.
    pub dest: String,
    /// Permission bits of the files, written in octal as `"0755"`; without it those of
    /// the other image or, for files of this machine, 0755 for what its owner may execute, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "octal")]
    pub mode: Option<u32>,
    /// Numeric `uid:gid` of its owner; without it root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An empty folder of the image, for what a program writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderEntry {
    /// Its absolute path in the image.
    pub dest: String,
    /// Numeric `uid:gid` of its owner, who alone may write to it.
    pub owner: String,
}

/// A symbolic link of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkEntry {
    /// Its absolute path in the image.
    pub dest: String,
    /// The path that it points to.
    pub target: String,
}

/// A place that the finished image is written to, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Output {
    /// An OCI image layout folder.
    Layout {
        /// The folder.
        dest: PathBuf,
    },
    /// One tar that is an OCI layout and a `docker save` archive at once.
    Archive {
        /// The file.
        dest: PathBuf,
    },
    /// A registry, under all tags.
    Registry {
        /// Tags that never move once they exist; `*` stands for any characters.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        immutable: Vec<String>,
        /// Whether SBOM and provenance go along.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        proofs: bool,
        /// How layers are compressed instead for a registry that does not take them as they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<Compression>,
        /// Whether only to say what a push would upload.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dry_run: bool,
    },
}

impl ImageSpec {
    /// Every image that it takes something from, the base first.
    pub fn images(&self) -> impl Iterator<Item = &Reference> {
        let base = match &self.base {
            Base::Image(reference) => Some(reference),
            Base::Static | Base::Scratch => None,
        };
        let files = self.platforms.values().flatten().flat_map(|layer| &layer.files);
        base.into_iter().chain(files.filter_map(|file| file.from.as_ref()))
    }

    /// Has every image be the one that `pins` says, as far as they know it.
    pub fn pin(&mut self, pins: &Pins) {
        let base = match &mut self.base {
            Base::Image(reference) => Some(reference),
            Base::Static | Base::Scratch => None,
        };
        let files = self.platforms.values_mut().flatten().flat_map(|layer| &mut layer.files);
        for image in base.into_iter().chain(files.filter_map(|file| file.from.as_mut())) {
            if let Some(pinned) = pins.pinned(image) {
                *image = pinned;
            }
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Base::Static => f.write_str("static"),
            Base::Scratch => f.write_str("scratch"),
            Base::Image(reference) => reference.fmt(f),
        }
    }
}

impl std::str::FromStr for Base {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "static" => Ok(Base::Static),
            "scratch" => Ok(Base::Scratch),
            reference => Ok(Base::Image(reference.parse()?)),
        }
    }
}

/// Lets a type that is written as text in the spec travel through serde by its `Display` and `FromStr`.
macro_rules! as_text {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

as_text!(Base, ParseReferenceError);
as_text!(Compression, ParseCompressionError);
as_text!(Platform, ParsePlatformError);
as_text!(Reference, ParseReferenceError);
as_text!(Repository, ParseReferenceError);
as_text!(Tag, ParseReferenceError);
