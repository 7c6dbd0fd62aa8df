//! Documents of images that others made, as far as they matter here. Docker's and the OCI's forms are alike.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::Platform;
use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::oci::History;

/// The annotation that [BuildKit](https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md)
/// gives attestations in an index.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// A manifest or an index.
#[derive(Clone, Debug)]
pub enum Document {
    /// The manifest of an image for one platform.
    Manifest(ManifestDocument),
    /// The images for several platforms.
    Index(IndexDocument),
}

/// An image index.
#[derive(Clone, Debug, Deserialize)]
pub struct IndexDocument {
    manifests: Vec<DescriptorDocument>,
}

/// An image manifest.
#[derive(Clone, Debug, Deserialize)]
pub struct ManifestDocument {
    /// The image config.
    pub config: DescriptorDocument,
    /// The layers, lowest first.
    pub layers: Vec<DescriptorDocument>,
}

/// What a document says of a blob.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescriptorDocument {
    /// What the blob is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    platform: Option<PlatformDocument>,
    #[serde(default, deserialize_with = "or_default")]
    annotations: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct PlatformDocument {
    architecture: String,
    os: String,
    variant: Option<String>,
}

/// An image config.
#[derive(Clone, Debug, Deserialize)]
pub struct ConfigDocument {
    /// The architecture.
    pub architecture: String,
    /// The operating system.
    pub os: String,
    /// How its containers run.
    #[serde(default, deserialize_with = "or_default")]
    pub config: BTreeMap<String, Value>,
    /// Its layers by their content.
    pub rootfs: RootFsDocument,
    /// Where they come from.
    #[serde(default, deserialize_with = "or_default")]
    pub history: Vec<History>,
}

/// The layers of an image by their content.
#[derive(Clone, Debug, Deserialize)]
pub struct RootFsDocument {
    /// Digests of the tar streams, lowest first.
    #[serde(default, deserialize_with = "or_default")]
    pub diff_ids: Vec<Digest>,
}

/// Tools in Go write `null` for what is empty.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Document {
    /// Reads a manifest or an index.
    ///
    /// # Errors
    /// It is neither, or both: then it would depend on the reader which image it means
    /// ([GHSA-mc8v-mgrf-8f4m](https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m)).
    pub fn parse(bytes: &[u8]) -> Result<Document> {
        #[derive(Deserialize)]
        struct Shape {
            manifests: Option<Value>,
            layers: Option<Value>,
            #[serde(rename = "fsLayers")]
            fs_layers: Option<Value>,
        }
        let shape: Shape = serde_json::from_slice(bytes).context("it is no JSON document of an image")?;
        ensure!(
            shape.fs_layers.is_none(),
            "it is in Docker's oldest form (schema 1), which has no digests to trust; push it anew with a newer tool"
        );
        match (shape.manifests, shape.layers) {
            (Some(_), Some(_)) => bail!("it claims to be a manifest and an index at once"),
            (Some(_), None) => {
                Ok(Document::Index(serde_json::from_slice(bytes).context("its index is not right")?))
            }
            (None, Some(_)) => {
                Ok(Document::Manifest(serde_json::from_slice(bytes).context("its manifest is not right")?))
            }
            (None, None) => bail!("it is no image"),
        }
    }

    /// The platforms of the image, if they are those that are wanted.
    ///
    /// # Errors
    /// They are others; names both.
    pub fn check_platforms(&self, wanted: &[Platform]) -> Result<String> {
        let mut wanted = wanted.iter().map(ToString::to_string).collect::<Vec<_>>();
        wanted.sort();
        let Document::Index(index) = self else {
            ensure!(
                wanted.len() == 1,
                "it is an image for one platform, and should be for {}",
                wanted.join(" and ")
            );
            return Ok(format!("{} alone", wanted[0]));
        };
        let mut found = index.platforms();
        found.sort();
        ensure!(found == wanted, "it is for {}, and should be for {}", found.join(", "), wanted.join(", "));
        Ok(found.join(", "))
    }
}

impl DescriptorDocument {
    /// What a document could say of a blob of which nothing else is known.
    pub fn new(media_type: String, digest: Digest, size: u64) -> DescriptorDocument {
        DescriptorDocument { media_type, digest, size, platform: None, annotations: BTreeMap::new() }
    }

    /// Whether it is of a document that BuildKit hides in an index, beside the image that it is about.
    fn is_attestation(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
            || self.annotations.contains_key(ATTESTATION)
    }
}

impl IndexDocument {
    /// What it is an index of, without attestations.
    pub fn images(&self) -> impl Iterator<Item = &DescriptorDocument> {
        self.manifests.iter().filter(|one| !one.is_attestation())
    }

    /// Whether there are attestations besides.
    pub fn has_attestations(&self) -> bool {
        self.manifests.iter().any(DescriptorDocument::is_attestation)
    }

    /// The image for `platform`: of several the one with the platform's own variant, else the first.
    ///
    /// # Errors
    /// There is none; names those that there are.
    pub fn select(&self, platform: Platform) -> Result<&DescriptorDocument> {
        let fits =
            |found: &PlatformDocument| found.os == "linux" && found.architecture == platform.architecture();
        let fitting = self.images().filter(|one| one.platform.as_ref().is_some_and(fits)).collect::<Vec<_>>();
        let has_variant = |one: &&&DescriptorDocument| {
            one.platform.as_ref().and_then(|found| found.variant.as_deref()) == platform.variant()
        };
        let found = fitting.iter().find(has_variant).or(fitting.first());
        found.copied().with_context(|| {
            format!("it is not there for {platform}, only for {}", self.platforms().join(", "))
        })
    }

    /// The platforms that there are images for, such as `linux/amd64`.
    pub fn platforms(&self) -> Vec<String> {
        let known = self.images().filter_map(|one| one.platform.as_ref());
        known.map(|known| format!("{}/{}", known.os, known.architecture)).collect()
    }
}

impl ConfigDocument {
    /// Reads an image config.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8]) -> Result<ConfigDocument> {
        serde_json::from_slice(bytes).context("its config is not right")
    }

    /// Sees that it is for `platform`.
    ///
    /// # Errors
    /// It is for another one.
    pub fn check_platform(&self, platform: Platform) -> Result<()> {
        ensure!(
            self.os == "linux" && self.architecture == platform.architecture(),
            "it is for {}/{}, not for {platform}; choose an image that has this platform",
            self.os,
            self.architecture
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(platform: &str) -> String {
        let digest = Digest::of(platform.as_bytes());
        format!(r#"{{"mediaType":"m","digest":"{digest}","size":1,"platform":{platform}}}"#)
    }

    #[test]
    fn attestations_are_no_images() {
        let arm64 = r#"{"architecture":"arm64","os":"linux"}"#;
        let image = descriptor(arm64);
        let named =
            image.replace(r#""size":1"#, r#""size":2,"annotations":{"vnd.docker.reference.type":"x"}"#);
        let unknown = descriptor(r#"{"architecture":"unknown","os":"unknown"}"#);
        for (manifests, has_attestations) in
            [(vec![&named, &image, &unknown], true), (vec![&unknown, &image], true), (vec![&image], false)]
        {
            let manifests = manifests.into_iter().cloned().collect::<Vec<_>>().join(",");
            let document = Document::parse(format!(r#"{{"manifests":[{manifests}]}}"#).as_bytes()).unwrap();
            assert_eq!(document.check_platforms(&[Platform::LinuxArm64]).unwrap(), "linux/arm64");
            let Document::Index(index) = document else { panic!("{document:?}") };
            assert_eq!(index.select(Platform::LinuxArm64).unwrap().size, 1);
            assert_eq!(index.has_attestations(), has_attestations);
        }
    }

    fn select(platforms: &[&str]) -> Result<Digest> {
        let manifests = platforms.iter().map(|platform| descriptor(platform)).collect::<Vec<_>>().join(",");
        let index = format!(r#"{{"manifests":[{manifests}]}}"#);
        match Document::parse(index.as_bytes())? {
            Document::Index(index) => Ok(index.select(Platform::LinuxArm64)?.digest),
            Document::Manifest(_) => bail!("a manifest"),
        }
    }

    #[test]
    fn the_platform_is_found_among_others() {
        let amd64 = r#"{"architecture":"amd64","os":"linux"}"#;
        let windows = r#"{"architecture":"arm64","os":"windows"}"#;
        let v7 = r#"{"architecture":"arm64","os":"linux","variant":"v7"}"#;
        let v8 = r#"{"architecture":"arm64","os":"linux","variant":"v8"}"#;
        let plain = r#"{"architecture":"arm64","os":"linux"}"#;
        assert_eq!(select(&[amd64, windows, v7, v8]).unwrap(), Digest::of(v8.as_bytes()));
        assert_eq!(select(&[amd64, plain]).unwrap(), Digest::of(plain.as_bytes()));
        let unknown = r#"{"architecture":"unknown","os":"unknown"}"#;
        let error = select(&[amd64, windows, unknown]).unwrap_err().to_string();
        assert_eq!(error, "it is not there for linux/arm64, only for linux/amd64, windows/arm64");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for (text, message) in [
            ("", "it is no JSON document of an image"),
            ("{}", "it is no image"),
            (r#"{"manifests":[],"layers":[]}"#, "it claims to be a manifest and an index at once"),
            (
                r#"{"fsLayers":[]}"#,
                "it is in Docker's oldest form (schema 1), which has no digests to trust; push it anew with a newer tool",
            ),
            (
                r#"{"layers":[],"config":{"mediaType":"m","digest":"sha256:12","size":1}}"#,
                "its manifest is not right",
            ),
            (r#"{"manifests":[{"mediaType":"m","digest":"md5:x","size":1}]}"#, "its index is not right"),
        ] {
            assert_eq!(Document::parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn null_is_empty() {
        let text = r#"{"architecture":"amd64","os":"linux","config":null,"rootfs":{"diff_ids":null},"history":null}"#;
        let config = ConfigDocument::parse(text.as_bytes()).unwrap();
        assert!(config.config.is_empty() && config.rootfs.diff_ids.is_empty() && config.history.is_empty());
    }
}
