//! What becomes of an image that BuildKit makes: its names, compression, caches and the documents beside it.

use std::collections::BTreeMap;
use std::path::Path;

use image_spec::{Base, Compression, ImageSpec, Output, Reference, time};

use super::definition::Target;
use crate::cli::ImageFlags;
use crate::config::{Config, LayerCache};
use crate::tasks::build::Build;

/// Adds all that to `target`. Without a `layout` to leave it in, the image is pushed.
pub(super) fn add(
    config: &Config,
    flags: &ImageFlags,
    target: Target,
    build: &Build,
    spec: &ImageSpec,
    layout: Option<&Path>,
) -> Target {
    let place = |key| place(config, layers(config, flags)?, build, spec, key);
    let target = with_cache_from(config, flags, target, build, spec);
    let created = ("org.opencontainers.image.created".to_owned(), time::rfc3339(spec.created));
    let labels = spec.labels.clone().into_iter().chain([created]).collect();
    let kinds: &[_] = if build.platforms.len() > 1 { &["manifest", "index"] } else { &["manifest"] };
    let annotation = |kind: &&str| {
        let all = BTreeMap::iter(&labels);
        all.map(|(key, value)| format!("{kind}:{key}={value}")).collect::<Vec<_>>()
    };
    let epoch = ("SOURCE_DATE_EPOCH".to_owned(), spec.created.to_string());
    Target {
        args: target.args.clone().into_iter().chain([epoch]).collect(),
        annotations: kinds.iter().flat_map(annotation).collect(),
        tags: spec.tags.iter().map(ToString::to_string).collect(),
        platforms: build.platforms.iter().map(ToString::to_string).collect(),
        cache_to: cache_to(layers(config, flags), place("dest")).into_iter().collect(),
        attest: attest(config, spec, layout.is_none()),
        output: vec![output(spec, layout)],
        labels,
        ..target
    }
}

/// Adds where layers may come from.
pub(super) fn with_cache_from(
    config: &Config,
    flags: &ImageFlags,
    target: Target,
    build: &Build,
    spec: &ImageSpec,
) -> Target {
    let place = layers(config, flags).and_then(|layers| place(config, layers, build, spec, "src"));
    Target { cache_from: place.into_iter().collect(), ..target }
}

/// Where layers are kept for other builders.
fn layers<'a>(config: &'a Config, flags: &'a ImageFlags) -> Option<&'a LayerCache> {
    flags.engine.layer_cache.as_ref().or(config.pipeline.cache.layers.as_ref())
}

/// [Where](https://docs.docker.com/build/exporters/image-registry) it goes, and how it is compressed.
fn output(spec: &ImageSpec, layout: Option<&Path>) -> String {
    let is_insecure =
        |tag: &Reference| spec.registries.insecure.iter().any(|one| one == tag.repository().registry());
    let place = match layout {
        Some(layout) => format!("type=oci,tar=false,dest={}", layout.display()),
        None if spec.tags.iter().any(is_insecure) => "type=image,push=true,registry.insecure=true".to_owned(),
        None => "type=image,push=true".to_owned(),
    };
    let compression = match spec.compression {
        Compression::None => "uncompressed".to_owned(),
        Compression::Gzip(level) => format!("gzip,compression-level={level}"),
        Compression::Zstd(level) => format!("zstd,compression-level={level}"),
    };
    // Without force, layers that another build compressed otherwise stay so; with it, those of a foreign base change too.
    let is_forced = spec.recompress || !matches!(spec.base, Base::Image(_));
    let forced = if is_forced { ",force-compression=true" } else { "" };
    format!("{place},compression={compression}{forced},oci-mediatypes=true,rewrite-timestamp=true")
}

/// BuildKit's own documents lie inside the index. An image that it leaves here has none, so that stores take it for one
/// image.
fn attest(config: &Config, spec: &ImageSpec, is_pushed: bool) -> Vec<String> {
    let has_proofs =
        spec.outputs.iter().any(|output| matches!(output, Output::Registry { proofs: true, .. }));
    if !has_proofs || !is_pushed {
        return vec!["type=provenance,disabled=true".to_owned()];
    }
    let sbom = config.pipeline.buildkit.sbom.iter().map(|image| format!("type=sbom,generator={image}"));
    ["type=provenance,mode=max".to_owned()].into_iter().chain(sbom).collect()
}

fn cache_to(layers: Option<&LayerCache>, place: Option<String>) -> Option<String> {
    let more = match layers? {
        LayerCache::Registry(_) => ",image-manifest=true,oci-mediatypes=true,compression=zstd",
        LayerCache::Local(_) => ",compression=zstd",
        LayerCache::Gha(_) => "",
    };
    // A build that made its image has not failed because a cache could not be written.
    Some(format!("{},mode=max{more},ignore-error=true", place?))
}

/// The cache for the layers of a build: each image has its own, or they would overwrite each other's.
fn place(
    config: &Config,
    layers: &LayerCache,
    build: &Build,
    spec: &ImageSpec,
    folder_key: &str,
) -> Option<String> {
    let backend = &build.backend;
    Some(match layers {
        LayerCache::Registry(name) => {
            let default = || spec.tags.first().map(|tag| format!("{}:cache", tag.repository()));
            format!("type=registry,ref={}-{backend}", name.clone().or_else(default)?)
        }
        LayerCache::Gha(scope) => {
            let scope = scope.as_ref().unwrap_or(&config.pipeline.build.package);
            format!("type=gha,scope={scope}-{backend}")
        }
        LayerCache::Local(folder) => {
            let default = || config.target("images/layers").to_string_lossy().into_owned();
            format!("type=local,{folder_key}={}/{backend}", folder.clone().unwrap_or_else(default))
        }
    })
}
