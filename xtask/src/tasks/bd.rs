//! `bd`: the service and its container image, loaded into a container runtime when one runs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use image_spec::{
    FileEntry, FolderEntry, ImageSpec, Layer, Output as Destination, Reference, RunConfig, Tag,
};

use super::build::{self, Artifact};
use super::engine;
use crate::cli::{BdFlags, Output};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Product, Step, quote};
use crate::tools::{Need, Runtime};

/// What has to be known of the machine: only an image that is loaded somewhere needs a runtime.
pub(crate) fn need(flags: &BdFlags) -> Need {
    match flags.output {
        Some(Output::Archive(_) | Output::Layout(_)) => Need::Compiler,
        Some(Output::Docker) => Need::Runtime(&["docker"]),
        Some(Output::Podman) => Need::Runtime(&["podman"]),
        None => Need::ANY_RUNTIME,
    }
}

/// Plans `bd`.
///
/// # Errors
/// As [`build::plan`], and when the runtime that was asked for does not answer.
pub(crate) fn plan(config: &Config, flags: &BdFlags) -> Result<Plan> {
    let runtime = runtime(config, flags.output.as_ref())?;
    let Artifact { backend, platform, path: binary, mut steps } = build::artifact(config, &flags.build)?;
    let name = format!("{}-{backend}-{}", config.pipeline.build.package, platform.slug());
    let destination = destination(config, flags.output.as_ref(), &name);
    let path = match &destination {
        Destination::Archive { dest } | Destination::Layout { dest } => dest.clone(),
    };
    let metadata = config.target(&format!("images/{name}.json"));

    let spec = ImageSpec {
        base: config.pipeline.image.base.clone(),
        platform,
        tags: tags(config, flags, &backend)?,
        created: config.source.created,
        compression: flags.compression.unwrap_or(config.pipeline.image.compression),
        config: run_config(config),
        labels: labels(config),
        layers: layers(config, &binary),
        outputs: vec![destination],
    };
    steps.push(image_step(config, &spec, &metadata, &path)?);
    steps.extend(runtime.map(|runtime| load_step(runtime, &path)));

    let image = Product::Image {
        run: run_commands(config, &spec, flags.output.as_ref(), runtime, &path),
        tags: spec.tags,
        metadata,
        path,
        loaded_into: runtime.map(|runtime| format!("{} {}", runtime.program, runtime.version)),
    };
    Ok(Plan {
        cwd: config.root.clone(),
        steps,
        products: vec![Product::Artifact { path: binary }, image],
        lock: Some(config.target("xtask.lock")),
    })
}

/// The runtime that the image is loaded into.
fn runtime<'a>(config: &'a Config, output: Option<&Output>) -> Result<Option<&'a Runtime>> {
    let running = config.host.tools.runtime.as_ref();
    let asked = match output {
        None => return Ok(running),
        Some(Output::Archive(_) | Output::Layout(_)) => return Ok(None),
        Some(Output::Docker) => "docker",
        Some(Output::Podman) => "podman",
    };
    let runtime = running.filter(|runtime| runtime.program == asked);
    Ok(Some(runtime.with_context(|| {
        format!("{asked} does not answer; start it, or write an archive with `--output oci`")
    })?))
}

fn destination(config: &Config, output: Option<&Output>, name: &str) -> Destination {
    match output {
        Some(Output::Layout(dest)) => {
            let default = || config.target(&format!("images/{name}"));
            Destination::Layout { dest: dest.clone().unwrap_or_else(default) }
        }
        Some(Output::Archive(Some(dest))) => Destination::Archive { dest: dest.clone() },
        None | Some(Output::Archive(None) | Output::Docker | Output::Podman) => {
            Destination::Archive { dest: config.target(&format!("images/{name}.tar")) }
        }
    }
}

/// `<version>` and `latest` for the default backend, `<backend>-<version>` for the others, and what was asked for.
fn tags(config: &Config, flags: &BdFlags, backend: &str) -> Result<Vec<Reference>> {
    let repository = flags.image.as_ref().unwrap_or(&config.pipeline.image.repository);
    let version = config.package.version.replace('+', "-");
    let is_default = backend == config.pipeline.build.backends[0];
    let names =
        if is_default { vec![version, "latest".to_owned()] } else { vec![format!("{backend}-{version}")] };
    let own = names.iter().map(|name| name.parse::<Tag>()).collect::<Result<Vec<_>, _>>();
    let mut tags: Vec<Tag> = own.map_err(|error| Usage(format!("the version is no tag: {error}")))?;
    tags.extend(flags.tags.iter().filter(|tag| !names.contains(&tag.to_string())).cloned());
    Ok(tags.iter().map(|tag| repository.with_tag(tag)).collect())
}

fn run_config(config: &Config) -> RunConfig {
    let image = &config.pipeline.image;
    RunConfig {
        user: image.user.clone(),
        entrypoint: vec![program(config)],
        env: image.env.clone(),
        ports: image.ports.clone(),
        workdir: image.workdir.clone(),
        stop_signal: image.stop_signal.clone(),
    }
}

/// The service's path in the image.
fn program(config: &Config) -> String {
    format!("{}/{}", config.pipeline.image.workdir.trim_end_matches('/'), config.pipeline.build.package)
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
fn layers(config: &Config, binary: &Path) -> Vec<Layer> {
    let image = &config.pipeline.image;
    let entry =
        |file: &crate::config::File| FileEntry { src: file.src.clone(), dest: file.dest.clone(), mode: None };
    let data = FolderEntry { dest: image.data.clone(), owner: image.user.clone() };
    let binary = FileEntry { src: binary.to_owned(), dest: program(config), mode: Some(0o755) };
    vec![
        Layer {
            name: "files".to_owned(),
            files: image.files.iter().map(entry).collect(),
            folders: vec![data],
        },
        Layer { name: "binary".to_owned(), files: vec![binary], folders: vec![] },
    ]
}

fn image_step(config: &Config, spec: &ImageSpec, metadata: &Path, path: &Path) -> Result<Step> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let argv = vec![
        engine(config),
        "image".to_owned(),
        "--cache".to_owned(),
        text(&config.target("images/cache")),
        "--metadata-file".to_owned(),
        text(metadata),
    ];
    Ok(Step {
        name: "image".to_owned(),
        why: format!("write the image for {} on the base {}", spec.platform, spec.base),
        argv,
        stdin: Some(serde_json::to_string_pretty(spec)?),
        needs: super::words(&["artifact"]),
        outputs: vec![path.to_owned()],
        ..Step::default()
    })
}

fn load_step(runtime: &Runtime, archive: &Path) -> Step {
    Step {
        name: "load".to_owned(),
        why: format!("load the image into {} {}", runtime.program, runtime.version),
        argv: load_argv(runtime.program, archive),
        needs: super::words(&["image"]),
        ..Step::default()
    }
}

fn load_argv(program: &str, archive: &Path) -> Vec<String> {
    super::words(&[program, "load", "--quiet", "--input", &archive.to_string_lossy()])
}

/// How the image is run, after the command that loads it where that was not done.
fn run_commands(
    config: &Config,
    spec: &ImageSpec,
    output: Option<&Output>,
    runtime: Option<&Runtime>,
    path: &Path,
) -> Vec<String> {
    if matches!(output, Some(Output::Layout(_))) {
        return vec![format!("skopeo copy oci:{}:{} …", path.display(), spec.tags[0])];
    }
    let program = runtime.map_or("docker", |runtime| runtime.program);
    let load = load_argv(program, path).iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    let publish =
        spec.config.ports.iter().map(|port| format!("--publish {port}:{port} ")).collect::<String>();
    let volume = format!("{}-data:{}", config.pipeline.build.package, config.pipeline.image.data);
    let run = format!("{program} run --rm --read-only --volume {volume} {publish}{}", spec.tags[0]);
    if runtime.is_some() { vec![run] } else { vec![load, run] }
}
