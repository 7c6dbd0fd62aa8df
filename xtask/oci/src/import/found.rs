//! The documents of an image that BuildKit made: index, manifests and configs, and what a report says of them.

use std::iter;

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{ImageReport, LayerReport, Platform, PlatformReport};

use crate::document::{ConfigDocument, DescriptorDocument, Document, ManifestDocument};
use crate::image::Blob;
use crate::oci;
use crate::registry::client::MAX_DOCUMENT;

const INDEXES: [&str; 2] = [oci::INDEX, oci::DOCKER_INDEX];
const MANIFESTS: [&str; 2] = [oci::MANIFEST, oci::DOCKER_MANIFEST];
const CONFIGS: [&str; 2] = [oci::CONFIG, oci::DOCKER_CONFIG];

/// What BuildKit puts behind the instruction that made a layer.
const TAIL: &str = " # buildkit";
/// The name of a layer that says nothing of itself.
const UNKNOWN: &str = "unknown";

/// Where the documents of an image are. Each is asked for by a descriptor that promises no more than [`MAX_DOCUMENT`], and
/// given with the digest and size that it promises.
pub(super) trait Place {
    /// A manifest, or an index of them.
    fn manifest(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>>;
    /// An image config.
    fn config(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>>;
}

/// An image as its documents describe it.
pub(super) struct Found {
    /// What it is known by: an index, or the manifest for its one platform.
    pub(super) root: Blob,
    /// Whether the index also names attestations, which are no part of what was found.
    pub(super) has_attestations: bool,
    /// The image for each platform.
    pub(super) parts: Vec<Part>,
}

/// An image for one platform as its documents describe it.
pub(super) struct Part {
    pub(super) platform: Platform,
    pub(super) manifest: Blob,
    pub(super) config: Blob,
    /// The layers, lowest first.
    pub(super) layers: Vec<DescriptorDocument>,
    /// What each layer holds.
    names: Vec<String>,
}

impl Found {
    /// Reads the documents below the one that `root` is of, whose content is `bytes`.
    ///
    /// # Errors
    /// The image is not for the platforms that are wanted and nothing else, or a document is missing, too large, of an
    /// unknown type, or contradicts another one.
    pub(super) fn read(
        place: &impl Place,
        root: &DescriptorDocument,
        bytes: Vec<u8>,
        wanted: &[Platform],
    ) -> Result<Found> {
        let document = Document::parse(&bytes)?;
        document.check_platforms(wanted)?;
        match document {
            Document::Manifest(manifest) => {
                let root = blob("manifest", &MANIFESTS, root, bytes)?;
                let part = |platform| Part::read(place, platform, root.clone(), manifest.clone());
                let parts = wanted.iter().map(|platform| part(*platform)).collect::<Result<_>>()?;
                Ok(Found { root, has_attestations: false, parts })
            }
            Document::Index(index) => {
                let root = blob("index", &INDEXES, root, bytes)?;
                let part = |platform| {
                    let descriptor = index.select(platform)?;
                    let bytes = place.manifest(small(descriptor)?)?;
                    let Document::Manifest(manifest) = Document::parse(&bytes)? else {
                        bail!("its index has an index for {platform}");
                    };
                    Part::read(place, platform, blob("manifest", &MANIFESTS, descriptor, bytes)?, manifest)
                };
                let parts = wanted
                    .iter()
                    .map(|platform| part(*platform).with_context(|| format!("the image for {platform}")));
                let parts = parts.collect::<Result<_>>()?;
                Ok(Found { root, has_attestations: index.has_attestations(), parts })
            }
        }
    }

    /// What there is to say of it, as the image `root`.
    pub(super) fn report(&self, root: &Blob) -> ImageReport {
        let platforms = self.parts.iter().map(Part::report).collect();
        ImageReport { digest: root.digest.to_string(), platforms, remarks: Vec::new(), push: None }
    }
}

impl Part {
    fn read(
        place: &impl Place,
        platform: Platform,
        manifest: Blob,
        document: ManifestDocument,
    ) -> Result<Part> {
        let ManifestDocument { config: descriptor, layers } = document;
        let bytes = place.config(small(&descriptor)?)?;
        let config = ConfigDocument::parse(&bytes)?;
        config.check_platform(platform)?;
        let count = config.rootfs.diff_ids.len();
        ensure!(
            count == layers.len(),
            "its config has {count} layers, its manifest {}; it is damaged",
            layers.len()
        );
        let names = names(&config).take(layers.len()).collect();
        let config = blob("config", &CONFIGS, &descriptor, bytes)?;
        Ok(Part { platform, manifest, config, layers, names })
    }

    fn report(&self) -> PlatformReport {
        let layer = |(layer, name): (&DescriptorDocument, &String)| LayerReport {
            name: name.clone(),
            digest: layer.digest.to_string(),
            size: layer.size,
            cached: false,
        };
        PlatformReport {
            platform: self.platform,
            digest: self.manifest.digest.to_string(),
            config_digest: self.config.digest.to_string(),
            // What a registry's manifest promises has not been seen.
            size: self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.size)),
            layers: self.layers.iter().zip(&self.names).map(layer).collect(),
        }
    }
}

/// The same, if what it is of can be read as a whole.
pub(super) fn small(descriptor: &DescriptorDocument) -> Result<&DescriptorDocument> {
    let DescriptorDocument { digest, size, .. } = descriptor;
    ensure!(
        *size <= MAX_DOCUMENT,
        "{digest} has {size} bytes, and no document of an image needs more than {MAX_DOCUMENT}"
    );
    Ok(descriptor)
}

/// The one of the `known` media types that `found` is.
///
/// # Errors
/// It is none of them.
pub(super) fn media_type(what: &str, known: &[&'static str], found: &str) -> Result<&'static str> {
    known.iter().copied().find(|known| *known == found).with_context(|| {
        let found = found.escape_default();
        format!("its {what} is of the unknown type `{found}`; have BuildKit write an OCI image")
    })
}

fn blob(what: &str, known: &[&'static str], descriptor: &DescriptorDocument, bytes: Vec<u8>) -> Result<Blob> {
    Ok(Blob::document(media_type(what, known, &descriptor.media_type)?, bytes))
}

/// What each layer holds, by the history of the image, which may say nothing of some.
fn names(config: &ConfigDocument) -> impl Iterator<Item = String> {
    let entries = config.history.iter().filter(|entry| !entry.empty_layer);
    let names = entries.map(|entry| {
        let text = entry.created_by.as_deref().filter(|text| !text.is_empty()).unwrap_or(UNKNOWN);
        let text = text.strip_suffix(TAIL).unwrap_or(text);
        // It may be a whole script, and it is for one line.
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
    });
    names.chain(iter::repeat(UNKNOWN.to_owned()))
}
