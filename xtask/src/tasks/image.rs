//! What every task that makes an image has in common: the ImageSpec, and the step that gives it to the engine.

use std::collections::BTreeMap;
use std::iter;
use std::path::PathBuf;

use anyhow::Result;
use image_spec::{
    FileEntry, FolderEntry, ImageSpec, Layer, Output as Destination, Platform, Reference, Registries,
    Repository, RunConfig, Tag,
};

use super::build::{self, Build};
use super::{busybox, engine};
use crate::cli::{ImageFlags, Variant};
use crate::config::{Config, File, IMAGES_LOCK};
use crate::error::Usage;
use crate::plan::Step;

/// The step that makes an image.
pub(super) struct ImageStep {
    /// The step.
    pub(super) step: Step,
    /// Where the engine describes what it wrote.
    pub(super) metadata: PathBuf,
}

/// The layer with the binaries, which changes most often and is the last.
pub(super) const BINARY_LAYER: &str = "binary";

/// What the provenance calls the database.
const BACKEND: &str = "backend";

/// How files about the image of a build are named: `app-BACKEND-linux-amd64`, or `app-BACKEND` for several platforms.
pub(super) fn name(config: &Config, build: &Build) -> String {
    named(config, &build.backend, &build.platforms, build.variant)
}

fn named(config: &Config, backend: &str, platforms: &[Platform], variant: Option<Variant>) -> String {
    let (package, suffix) = (&config.pipeline.build.package, Variant::suffix(variant));
    match platforms {
        [platform] => format!("{package}-{backend}-{}{suffix}", platform.slug()),
        _ => format!("{package}-{backend}{suffix}"),
    }
}

/// What the image of a build is made of, and where it goes. `several` says whether other backends get an image in the same
/// plan.
pub(super) fn spec(
    config: &Config,
    flags: &ImageFlags,
    build: &Build,
    several: bool,
    outputs: Vec<Destination>,
) -> Result<ImageSpec> {
    let layers = |platform: &Platform| (*platform, layers(config, build, *platform));
    let mut spec = ImageSpec {
        base: config.pipeline.image.base.clone(),
        tags: tags(config, flags, &build.backend, several)?,
        created: config.source.created,
        compression: flags.compression.unwrap_or(config.pipeline.image.compression),
        recompress: config.pipeline.image.recompress,
        config: run_config(config),
        labels: labels(config),
        platforms: build.platforms.iter().map(layers).collect(),
        build: chosen(config, flags, build),
        run: config.host.run.clone(),
        outputs,
        registries: registries(config),
    };
    // A name that is not known yet goes to the engine as it is, which looks it up and keeps its digest.
    spec.pin(&config.pins);
    Ok(spec)
}

/// The database that an image is for.
pub(super) fn backend(spec: &ImageSpec) -> String {
    spec.build.get(BACKEND).cloned().unwrap_or_default()
}

/// What the provenance says of the build.
fn chosen(config: &Config, flags: &ImageFlags, build: &Build) -> BTreeMap<String, String> {
    let profile = build::profile(config, &flags.build).name();
    let known =
        [("package", &*config.pipeline.build.package), (BACKEND, &*build.backend), ("profile", profile)];
    known.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// How registries are reached.
pub(super) fn registries(config: &Config) -> Registries {
    Registries {
        mirrors: config.pipeline.mirrors.registries.clone(),
        insecure: config.pipeline.registries.insecure.clone(),
    }
}

/// The step that has the engine make the image of a build.
pub(super) fn step(config: &Config, spec: &ImageSpec, build: &Build, several: bool) -> Result<ImageStep> {
    let metadata = metadata(config, build);
    let mut argv = vec![engine(config), "image".to_owned()];
    let cache = config.target("images/cache");
    argv.extend(["--cache".to_owned(), cache.to_string_lossy().into_owned()]);
    if spec.images().next().is_some() {
        let blobs = config.host.cache_dir.join("xtask-oci");
        argv.extend(["--blobs".to_owned(), blobs.to_string_lossy().into_owned()]);
        argv.extend(super::words(&["--lock", IMAGES_LOCK]));
    }
    argv.extend(["--metadata-file".to_owned(), metadata.to_string_lossy().into_owned()]);
    let platforms = build.platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
    let step = Step {
        name: build::name("image", &[(several, &build.backend)]),
        why: format!("write the image for {platforms} on the base {}", spec.base),
        argv,
        stdin: Some(serde_json::to_string_pretty(spec)?),
        needs: build.artifacts.iter().map(|artifact| artifact.step.clone()).collect(),
        outputs: spec.outputs.iter().filter_map(path_of).collect(),
        ..Step::default()
    };
    Ok(ImageStep { step, metadata })
}

/// Where the engine describes the image of a build.
pub(super) fn metadata(config: &Config, build: &Build) -> PathBuf {
    config.target(&format!("images/{}.json", name(config, build)))
}

/// Where the engine describes the image that `bd` makes for this machine.
pub(super) fn own_metadata(config: &Config, backend: &str) -> PathBuf {
    config.target(&format!("images/{}.json", named(config, backend, &[config.own_platform()], None)))
}

/// The file or folder that an image is written to.
pub(super) fn path_of(output: &Destination) -> Option<PathBuf> {
    match output {
        Destination::Archive { dest } | Destination::Layout { dest } => Some(dest.clone()),
        Destination::Registry { .. } => None,
    }
}

/// `<version>` and `latest` for the default backend, `<backend>-<version>` for the others, and what was asked for: with
/// the backend before it, where several images would get the same.
pub(super) fn tags(
    config: &Config,
    flags: &ImageFlags,
    backend: &str,
    several: bool,
) -> Result<Vec<Reference>> {
    let repository = flags.image.as_ref().unwrap_or(&config.pipeline.image.repository);
    let mut names = vec![versioned(config, backend, &config.package.version.replace('+', "-"))];
    let is_default = backend == config.pipeline.build.backends[0];
    if is_default {
        names.push("latest".to_owned());
    }
    for asked in &flags.tags {
        let name = if several && !is_default { format!("{backend}-{asked}") } else { asked.to_string() };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let suffix = Variant::suffix(flags.build.variant);
    names.iter_mut().for_each(|name| *name += suffix);
    let tags = names.iter().map(|name| name.parse::<Tag>()).collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|error| Usage(format!("the image cannot be named so: {error}")))?;
    Ok(tags.iter().map(|tag| repository.with_tag(tag)).collect())
}

/// The tag that the image for `backend` has for a version.
pub(super) fn versioned(config: &Config, backend: &str, version: &str) -> String {
    let is_default = backend == config.pipeline.build.backends[0];
    if is_default { version.to_owned() } else { format!("{backend}-{version}") }
}

fn run_config(config: &Config) -> RunConfig {
    let image = &config.pipeline.image;
    RunConfig {
        user: image.user.clone(),
        entrypoint: iter::once(path(config, &config.pipeline.build.binaries()[0]))
            .chain(image.args.iter().cloned())
            .collect(),
        env: image.env.clone(),
        ports: image.ports.clone(),
        workdir: image.workdir.clone(),
        stop_signal: image.stop_signal.clone(),
    }
}

/// The path of a program in the image.
fn path(config: &Config, program: &str) -> String {
    format!("{}/{program}", config.pipeline.image.workdir.trim_end_matches('/'))
}

/// The [annotations](https://github.com/opencontainers/image-spec/blob/main/annotations.md) that describe the source.
fn labels(config: &Config) -> BTreeMap<String, String> {
    let package = &config.package;
    let known = [
        ("title", Some(config.pipeline.build.package.clone())),
        ("version", Some(package.version.clone())),
        ("revision", config.source.revision.clone()),
        ("source", package.repository.clone()),
        ("licenses", package.license.clone()),
    ];
    let present = known.into_iter().filter_map(|(key, value)| Some((key, value?)));
    present.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value)).collect()
}

/// What changes most often comes last, so that an edit changes one small layer.
fn layers(config: &Config, build: &Build, platform: Platform) -> Vec<Layer> {
    let image = &config.pipeline.image;
    let mut layers = Vec::<Layer>::new();
    if let (Some(Variant::Debug), Some(debug)) = (build.variant, &image.debug) {
        layers.push(busybox::layer(debug.shell.clone()));
    }
    // Files of other images change least.
    let (others, own) = image.files.iter().partition::<Vec<_>, _>(|file| file.from.is_some());
    for file in others.into_iter().chain(own) {
        let by_origin = || file.from.as_ref().map_or_else(|| "files".to_owned(), ToString::to_string);
        let name = file.layer.clone().unwrap_or_else(by_origin);
        layer(&mut layers, &name).files.push(file_entry(file));
    }
    let data = FolderEntry { dest: image.data.clone(), owner: image.user.clone() };
    layer(&mut layers, "files").folders.push(data);
    let binaries = build.artifacts.iter().filter(|artifact| artifact.platform == platform);
    layer(&mut layers, BINARY_LAYER).files.extend(binaries.map(|artifact| FileEntry {
        from: None,
        src: artifact.path.clone(),
        dest: path(config, &artifact.program),
        mode: Some(0o755),
        owner: None,
    }));
    layers
}

/// The layer of this name, new on top if there is none.
fn layer<'a>(layers: &'a mut Vec<Layer>, name: &str) -> &'a mut Layer {
    let found = layers.iter().position(|layer| layer.name == name);
    let at = found.unwrap_or_else(|| {
        layers.push(Layer { name: name.to_owned(), files: vec![], folders: vec![], links: vec![] });
        layers.len() - 1
    });
    &mut layers[at]
}

fn file_entry(file: &File) -> FileEntry {
    FileEntry {
        from: file.from.clone(),
        src: file.src.clone(),
        dest: file.dest.clone(),
        mode: file.mode,
        owner: file.owner.clone(),
    }
}

/// Sees that images of this name can be pushed: without a registry it means Docker Hub, where a name without a namespace
/// belongs to Docker alone.
pub(super) fn check_repository(repository: &Repository) -> Result<()> {
    if repository.registry() == "docker.io" && repository.path().starts_with("library/") {
        let text = format!(
            "`{repository}` is in no registry that you can push to; write --image registry.example.com/team/{repository}, \
             or set [image] repository in config/pipeline.toml"
        );
        return Err(Usage(text).into());
    }
    Ok(())
}
