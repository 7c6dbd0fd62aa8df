//! From a spec to what is written: every part of the engine in the order in which it is used.

use std::path::Path;

use anyhow::Result;
use image_spec::{ImageReport, ImageSpec, Layer, LayerReport, PlatformReport};

use crate::cache::{self, Cache};
use crate::files::Rootfs;
use crate::image::{Image, PlatformImage};
use crate::layer::{self, LayerBlob};
use crate::registry::client::Connection;
use crate::{base, output, spec, startable};

/// Makes the image that `spec` describes and writes it to every output that `spec` names. `cache` keeps its layers.
///
/// # Errors
/// The spec contradicts itself, a source is missing, the image could not start, or a file cannot be written. The image is
/// checked before anything is written.
pub fn image(spec: &ImageSpec, cache: &Path) -> Result<ImageReport> {
    spec::check(spec)?;
    let rootfs = spec.platforms.iter().map(|(platform, layers)| {
        let rootfs = collect(spec, layers)?;
        startable::check(&rootfs, spec, *platform)?;
        Ok((*platform, rootfs))
    });
    let rootfs = rootfs.collect::<Result<Vec<_>>>()?;

    let cache = Cache::new(cache, spec.compression);
    let (mut platforms, mut reports) = (Vec::new(), Vec::new());
    for (platform, rootfs) in rootfs {
        let filled = rootfs.layers.iter().filter(|layer| !layer.entries.is_empty());
        let layers =
            filled.map(|files| layer::make(files, spec.compression, &cache)).collect::<Result<Vec<_>>>()?;
        let image = PlatformImage::new(spec, platform, &layers)?;
        reports.push(report(&image, &layers));
        platforms.push(image);
    }
    let image = Image::new(spec, platforms)?;
    let connection = Connection::new(&spec.registries);
    let mut push = None;
    for output in &spec.outputs {
        push = output::write(&image, output, &connection)?.or(push);
    }
    cache.prune(cache::LIMIT)?;
    Ok(ImageReport { digest: image.root().digest.to_string(), platforms: reports, push })
}

fn collect(spec: &ImageSpec, layers: &[Layer]) -> Result<Rootfs> {
    let mut rootfs = Rootfs::default();
    rootfs.layers.extend(base::files(&spec.base)?);
    layers.iter().try_for_each(|layer| rootfs.add(layer, spec.created))?;
    Ok(rootfs)
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
