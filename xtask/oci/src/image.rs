//! An image: its layers, its config, the manifest that holds them together, and the index above those of several
//! platforms.

use std::iter;

use anyhow::{Result, bail, ensure};
use image_spec::{ImageSpec, Platform, Reference, time};
use serde::Serialize;

use crate::base::Foundation;
use crate::container::{self, Container};
use crate::digest::Digest;
use crate::files::{Content, Entry, Kind, LayerFiles};
use crate::layer::{self, LayerBlob};
use crate::oci::{self, Annotations, Descriptor, History, ImageConfig, Index, Manifest, RootFs, annotation};

/// A finished image.
#[derive(Debug)]
pub struct Image {
    /// The image for each platform; never empty.
    pub platforms: Vec<PlatformImage>,
    /// The index above them, where there are several.
    pub index: Option<Blob>,
    /// The names it is going to have.
    pub names: Vec<Reference>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: u64,
}

/// A finished image for one platform.
#[derive(Debug)]
pub struct PlatformImage {
    /// What it runs on.
    pub platform: Platform,
    /// The manifest.
    pub manifest: Blob,
    /// The image config.
    pub config: Blob,
    /// The layers, lowest first.
    pub layers: Vec<Blob>,
}

/// Something that is known by its digest.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What it is.
    pub media_type: &'static str,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its content.
    pub content: Content,
}

impl Image {
    /// Puts the images for single platforms together as the one that `spec` describes.
    pub fn new(spec: &ImageSpec, platforms: Vec<PlatformImage>) -> Result<Image> {
        let index = match &platforms[..] {
            [] => bail!("the image is for no platform; name one, such as linux/amd64"),
            [_] => None,
            several => Some(index(several, annotations(spec))?),
        };
        Ok(Image { platforms, index, names: spec.tags.clone(), created: spec.created })
    }

    /// The built-in base and nothing else, without a name, as an index also for one platform.
    ///
    /// # Errors
    /// `platforms` is empty.
    pub fn of_base(platforms: Vec<PlatformImage>) -> Result<Image> {
        ensure!(!platforms.is_empty(), "the base is for no platform; name one, such as linux/amd64");
        let index = Some(index(&platforms, Annotations::new())?);
        Ok(Image { platforms, index, names: Vec::new(), created: 0 })
    }

    /// What the image is known by.
    pub fn root(&self) -> &Blob {
        self.index.as_ref().unwrap_or(&self.platforms[0].manifest)
    }

    /// What names point at, with its platform where it has one.
    pub fn descriptor(&self) -> Descriptor {
        match &self.index {
            Some(index) => index.descriptor(),
            None => self.platforms[0].descriptor(),
        }
    }

    /// What the manifests refer to. Platforms share blobs, which come more than once then.
    pub fn contents(&self) -> impl Iterator<Item = &Blob> {
        self.platforms.iter().flat_map(PlatformImage::contents)
    }

    /// Everything that the image consists of. Platforms share blobs, which come more than once then.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.index.iter().chain(self.platforms.iter().flat_map(PlatformImage::blobs))
    }
}

impl PlatformImage {
    /// Puts `layers`, the base's first, together as what `spec` describes for one platform. `history` is that of them all.
    pub fn new(
        spec: &ImageSpec,
        platform: Platform,
        base: &Foundation,
        layers: &[LayerBlob],
        history: Vec<History>,
    ) -> Result<PlatformImage> {
        let labels = annotations(spec);
        let container = container::config(&base.container(), &spec.config, &labels);
        // Of the manifest only: an engine that has one set of labels for all platforms makes the same config then.
        let mut annotations = labels;
        if let Some((name, digest)) = base_image(spec, platform, base, layers)? {
            annotations.insert(annotation::BASE_NAME.to_owned(), name);
            annotations.insert(annotation::BASE_DIGEST.to_owned(), digest.to_string());
        }
        let config = image_config(platform, Some(spec.created), container, layers, history)?;
        let layers: Vec<_> = layers.iter().map(Blob::layer).collect();
        Ok(PlatformImage { platform, manifest: manifest(&config, &layers, annotations)?, config, layers })
    }

    /// The built-in base and nothing else: `layer`, which holds `files`.
    ///
    /// # Errors
    /// A document cannot be written as JSON.
    pub fn of_base(platform: Platform, files: &LayerFiles, layer: &LayerBlob) -> Result<PlatformImage> {
        let history = vec![layer::history(files)];
        let layers = std::slice::from_ref(layer);
        // BuildKit would leave its time to all images on it.
        let config = image_config(platform, None, Container::new(), layers, history)?;
        let layers = vec![Blob::layer(layer)];
        let manifest = manifest(&config, &layers, Annotations::new())?;
        Ok(PlatformImage { platform, manifest, config, layers })
    }

    /// What an index says of it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor { platform: Some(self.platform.into()), ..self.manifest.descriptor() }
    }

    fn blobs(&self) -> impl Iterator<Item = &Blob> {
        iter::once(&self.manifest).chain(self.contents())
    }

    fn contents(&self) -> impl Iterator<Item = &Blob> {
        iter::once(&self.config).chain(&self.layers)
    }
}

impl Blob {
    /// A blob that is not in a file.
    pub fn document(media_type: &'static str, bytes: Vec<u8>) -> Blob {
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        Blob { media_type, digest, size, content: Content::Bytes(bytes.into()) }
    }

    fn json(media_type: &'static str, document: &impl Serialize) -> Result<Blob> {
        Ok(Blob::document(media_type, serde_json::to_vec(document)?))
    }

    fn layer(layer: &LayerBlob) -> Blob {
        Blob {
            media_type: layer.media_type,
            digest: layer.blob.digest,
            size: layer.blob.size,
            content: Content::Path(layer.blob.path.clone()),
        }
    }

    /// What another document says of it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type,
            digest: self.digest,
            size: self.size,
            annotations: Annotations::new(),
            platform: None,
        }
    }

    /// The blob as a file of a tar.
    pub fn entry(&self) -> Entry {
        Entry { kind: Kind::File { content: self.content.clone(), size: self.size }, ..Entry::text("") }
    }
}

fn annotations(spec: &ImageSpec) -> Annotations {
    let mut annotations = spec.labels.clone();
    annotations.insert(annotation::CREATED.to_owned(), time::rfc3339(spec.created));
    annotations
}

fn index(platforms: &[PlatformImage], annotations: Annotations) -> Result<Blob> {
    let index = Index {
        schema_version: 2,
        media_type: oci::INDEX,
        manifests: platforms.iter().map(PlatformImage::descriptor).collect(),
        annotations,
    };
    Blob::json(oci::INDEX, &index)
}

/// What readers of annotations should know of the base: its name and digest.
fn base_image(
    spec: &ImageSpec,
    platform: Platform,
    base: &Foundation,
    layers: &[LayerBlob],
) -> Result<Option<(String, Digest)>> {
    if let Some(image) = &base.image {
        return Ok(Some((image.name(), image.digest)));
    }
    let (Some(files), Some(layer)) = (&base.files, layers.first()) else { return Ok(None) };
    // No registry knows it, but it changes exactly when the base does, which is what readers look for.
    let image = PlatformImage::of_base(platform, files, layer)?;
    Ok(Some((spec.base.to_string(), image.manifest.digest)))
}

fn manifest(config: &Blob, layers: &[Blob], annotations: Annotations) -> Result<Blob> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: oci::MANIFEST,
        config: config.descriptor(),
        layers: layers.iter().map(Blob::descriptor).collect(),
        annotations,
    };
    Blob::json(oci::MANIFEST, &manifest)
}

fn image_config(
    platform: Platform,
    created: Option<u64>,
    container: Container,
    layers: &[LayerBlob],
    history: Vec<History>,
) -> Result<Blob> {
    let config = ImageConfig {
        created: created.map(time::rfc3339),
        platform: platform.into(),
        config: container,
        rootfs: RootFs { kind: "layers", diff_ids: layers.iter().map(|layer| layer.diff_id).collect() },
        history,
    };
    Blob::json(oci::CONFIG, &config)
}
