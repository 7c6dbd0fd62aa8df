//! From a spec to what is written: every part of the engine in the order in which it is used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use image_spec::{
    Compression, ImageReport, ImageSpec, Layer, LayerReport, Output, Pins, Platform, PlatformReport,
    PushReport,
};

use crate::attach::{self, Part};
use crate::base::{Foundation, built_in};
use crate::cache::{self, Cache};
use crate::image::{Image, PlatformImage};
use crate::layer::{self, LayerBlob};
use crate::pull::Sources;
use crate::pull::lock;
use crate::registry::client::Connection;
use crate::registry::push::Refused;
use crate::rootfs::Rootfs;
use crate::{output, spec, startable};

/// Where the engine keeps what it may use again.
#[derive(Clone, Debug)]
pub struct Places {
    /// Finished layers, and what is known of those of others.
    pub cache: PathBuf,
    /// Blobs of registries, shared by all projects of a user.
    pub blobs: PathBuf,
    /// What image names stand for; without it, what registries say at the moment.
    pub lock: Option<PathBuf>,
}

/// Makes the image that `spec` describes and writes it to every output that `spec` names.
///
/// # Errors
/// The spec contradicts itself, a source is missing, an image cannot be fetched, the image could not start, or something
/// cannot be written. The image is checked before anything is written.
pub fn image(spec: &ImageSpec, places: &Places) -> Result<ImageReport> {
    spec::check(spec)?;
    let connection = Connection::new(&spec.registries);
    let sources = sources(spec, places, &connection)?;
    let parts = spec.platforms.iter().map(|(platform, layers)| collect(spec, *platform, layers, &sources));
    let parts = parts.collect::<Result<Vec<_>>>()?;

    let cache = Cache::new(&places.cache, spec.compression);
    let (mut platforms, mut reports, mut proofs) = (Vec::new(), Vec::new(), Vec::new());
    for (platform, base, rootfs) in parts {
        let mut layers = base.layers(spec, &cache)?;
        let mut history = base.history();
        for files in rootfs.layers.iter().filter(|layer| !layer.entries.is_empty()) {
            layers.push(layer::make(files, spec.compression, &cache)?);
            history.push(layer::history(files));
        }
        let image = PlatformImage::new(spec, platform, &base, &layers, history)?;
        reports.push(report(&image, &layers));
        proofs.extend(has_proofs(spec).then(|| Part::of(&image, &base, &rootfs)));
        platforms.push(image);
    }
    let image = Image::new(spec, platforms)?;
    let (referrers, remarks) = if has_proofs(spec) {
        attach::referrers(spec, &image.root().descriptor(), &proofs)?
    } else {
        (Vec::new(), Vec::new())
    };
    let mut push = None;
    for output in &spec.outputs {
        match (output::write(&image, output, spec, &connection, &referrers), output) {
            (Err(error), Output::Registry { fallback: Some(fallback), .. })
                if error.is::<Refused>() && *fallback != spec.compression =>
            {
                return compressed_otherwise(spec, *fallback, places);
            }
            (result, _) => push = result?.or(push),
        }
    }
    cache::prune(&places.cache, cache::LIMIT)?;
    cache::prune(&places.blobs, cache::LIMIT_OF_BLOBS)?;
    Ok(ImageReport { digest: image.root().digest.to_string(), platforms: reports, remarks, push })
}

/// Writes the built-in base as a layout to the folder `dest`, for engines that have none. For each platform its manifest is
/// the one that images on it name as their base.
///
/// # Errors
/// `platforms` is empty, `dest` is something else than a layout, or something cannot be written.
pub fn base(
    platforms: &BTreeSet<Platform>,
    compression: Compression,
    cache: &Path,
    dest: &Path,
) -> Result<()> {
    let files = built_in::files();
    let layer = layer::make(&files, compression, &Cache::new(cache, compression))?;
    let images = platforms.iter().map(|platform| PlatformImage::of_base(*platform, &files, &layer));
    output::layout::write(&Image::of_base(images.collect::<Result<_>>()?)?, dest)
}

/// Whether SBOM and provenance are wanted.
fn has_proofs(spec: &ImageSpec) -> bool {
    spec.outputs.iter().any(|output| matches!(output, Output::Registry { proofs: true, .. }))
}

/// Makes the image anew for a registry that does not take it as it is.
fn compressed_otherwise(spec: &ImageSpec, fallback: Compression, places: &Places) -> Result<ImageReport> {
    let spec = ImageSpec { compression: fallback, recompress: true, ..spec.clone() };
    let mut report = image(&spec, places)?;
    report.push = report.push.map(|push| PushReport { fallback: Some(fallback), ..push });
    Ok(report)
}

/// Images of others, by the digests that the lock file says; it gets a line for those that it does not know.
fn sources(spec: &ImageSpec, places: &Places, connection: &Connection) -> Result<Sources> {
    let images = spec.images().cloned().collect::<Vec<_>>();
    let pins = match &places.lock {
        Some(path) if !images.is_empty() => lock::pin(path, &images, false, connection)?.0,
        _ => Pins::default(),
    };
    Ok(Sources::new(connection, &places.blobs, &places.cache, pins))
}

fn collect(
    spec: &ImageSpec,
    platform: Platform,
    layers: &[Layer],
    sources: &Sources,
) -> Result<(Platform, Foundation, Rootfs)> {
    let base = Foundation::get(spec, platform, sources)?;
    let mut rootfs = Rootfs::on(&base);
    layers.iter().try_for_each(|layer| rootfs.add(layer, platform, sources, spec.created))?;
    startable::check(&rootfs, spec, platform)?;
    Ok((platform, base, rootfs))
}

fn report(image: &PlatformImage, layers: &[LayerBlob]) -> PlatformReport {
    let layer_report = |layer: &LayerBlob| LayerReport {
        name: layer.name.clone(),
        digest: layer.blob.digest.to_string(),
        size: layer.blob.size,
        cached: layer.cached,
    };
    PlatformReport {
        platform: image.platform,
        digest: image.manifest.digest.to_string(),
        config_digest: image.config.digest.to_string(),
        size: layers.iter().map(|layer| layer.blob.size).sum(),
        layers: layers.iter().map(layer_report).collect(),
    }
}
