//! The documents of the OCI [image](https://github.com/opencontainers/image-spec/blob/main/config.md)
//! [specification](https://github.com/opencontainers/image-spec/blob/main/manifest.md), in the part that images made
//! here have. Fields and maps have one order, so that the same content has the same digest.

use std::collections::BTreeMap;

use image_spec::Platform;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;

/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of an image config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Media type of Docker's form of a manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of Docker's form of an index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Media type of Docker's form of an image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Where programs are looked for unless the spec says otherwise, as Docker has it.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Keys of annotations and labels by their full name.
pub mod annotation {
    /// When the image was made.
    pub const CREATED: &str = "org.opencontainers.image.created";
    /// Where the source is.
    pub const SOURCE: &str = "org.opencontainers.image.source";
    /// The commit.
    pub const REVISION: &str = "org.opencontainers.image.revision";
    /// The base by its name.
    pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
    /// The digest of the base's manifest.
    pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
    /// The tag of an image in a layout.
    pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
    /// The whole reference of an image in a layout, as containerd reads it.
    pub const IMAGE_NAME: &str = "io.containerd.image.name";
}

/// A map in the one order that keeps digests stable.
pub type Annotations = BTreeMap<String, String>;

/// What another document says of a blob.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: &'static str,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// More about it.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// What a manifest's image runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<OciPlatform>,
}

/// A platform. Without the variant v8 of arm64, which
/// [containerd](https://github.com/containerd/platforms/blob/main/database.go) and BuildKit take for none.
#[derive(Clone, Debug, Serialize)]
pub struct OciPlatform {
    architecture: &'static str,
    os: &'static str,
}

impl From<Platform> for OciPlatform {
    fn from(platform: Platform) -> Self {
        OciPlatform { architecture: platform.architecture(), os: "linux" }
    }
}

/// An image manifest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// Always [`MANIFEST`].
    pub media_type: &'static str,
    /// The image config.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// What people and tools should know of the image.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

/// An image index: the images for several platforms, or the content of a layout's `index.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u8,
    /// Always [`INDEX`].
    pub media_type: &'static str,
    /// The images.
    pub manifests: Vec<Descriptor>,
    /// What people and tools should know of them.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

/// An image config.
#[derive(Debug, Serialize)]
pub struct ImageConfig {
    /// When the image was made, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What it runs on.
    #[serde(flatten)]
    pub platform: OciPlatform,
    /// How its containers run.
    pub config: BTreeMap<String, Value>,
    /// Its layers by their content.
    pub rootfs: RootFs,
    /// Where its layers come from.
    pub history: Vec<History>,
}

/// The layers of an image by their content.
#[derive(Debug, Serialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Digests of the tar streams, lowest first.
    pub diff_ids: Vec<Digest>,
}

/// Where a layer comes from, or what else was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command, or what the layer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether no layer came of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}
