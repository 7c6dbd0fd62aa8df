//! What an engine reports of the image it wrote: the content of its metadata file.

use serde::{Deserialize, Serialize};

use crate::{Compression, Platform};

/// A finished image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageReport {
    /// Digest that the image is known by, `sha256:` and 64 hex digits: that of the index where there is one, else that of
    /// the manifest.
    pub digest: String,
    /// The image for each platform.
    pub platforms: Vec<PlatformReport>,
    /// What people should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What went to a registry, where it was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushReport>,
}

/// What became of an image's blobs when it was pushed, each counted once, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushReport {
    /// They went over the network.
    pub uploaded: u64,
    /// They were in another repository of the registry.
    pub mounted: u64,
    /// They were there already.
    pub present: u64,
    /// How layers were compressed instead, since the registry did not take them as the spec has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Compression>,
    /// Whether nothing was done, and this is what would have been.
    pub dry_run: bool,
}

/// A finished image for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformReport {
    /// What it runs on.
    pub platform: Platform,
    /// Digest of the manifest.
    pub digest: String,
    /// Digest of the image config, which Docker's classic store shows as the image id.
    pub config_digest: String,
    /// Sum of the compressed layers in bytes.
    pub size: u64,
    /// The layers, lowest first.
    pub layers: Vec<LayerReport>,
}

/// One layer of a finished image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerReport {
    /// What the layer holds.
    pub name: String,
    /// Digest of the compressed layer.
    pub digest: String,
    /// Compressed size in bytes.
    pub size: u64,
    /// Whether it was taken from the cache instead of being made.
    pub cached: bool,
}
