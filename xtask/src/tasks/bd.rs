//! `bd`: the service and its container image, loaded into a container runtime when one runs.

use std::path::{Path, PathBuf};

use anyhow::Result;
use image_spec::{ImageSpec, Output as Destination};

use super::load::{self, Loader};
use super::{bdp, build, engine_step, image};
use crate::cli::{BdFlags, Output};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Product};
use crate::tools::Need;

/// What has to be known of the machine: only an image that is loaded somewhere needs a runtime.
pub(crate) fn need(flags: &BdFlags) -> Need {
    match &flags.output {
        Some(Output::Archive(_) | Output::Layout(_) | Output::Registry) => Need::Compiler,
        Some(Output::Load(store)) => load::need(store),
        None => Need::ANY_RUNTIME,
    }
}

/// Plans `bd`.
///
/// # Errors
/// As [`build::plan`], and when the store that was asked for is not there.
pub(crate) fn plan(config: &Config, flags: &BdFlags) -> Result<Plan> {
    let own = [config.own_platform()];
    if flags.output == Some(Output::Registry) {
        return bdp::plan(config, &flags.image, &own, bdp::Push::default());
    }
    let builds = build::builds(config, &flags.image.build, &own)?;
    let (several_backends, several_platforms) = (builds.len() > 1, builds[0].platforms.len() > 1);
    let loader = loader(config, flags.output.as_ref(), several_platforms)?;
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: builds.iter().flat_map(build::products).collect(),
        lock: Some(config.target("xtask.lock")),
    };
    for build in builds {
        let name = image::name(config, &build);
        let (destination, path) = destination(config, flags.output.as_ref(), several_backends, &name)?;
        let spec = image::spec(config, &flags.image, &build, several_backends, vec![destination])?;
        let image = image::step(config, &spec, &build, several_backends)?;
        let load = loader.as_ref().map(|loader| loader.step(&path, &image.step.name));
        plan.products.push(Product::Image {
            run: run_commands(config, &spec, flags.output.as_ref(), loader.as_ref(), &path),
            tags: spec.tags,
            metadata: image.metadata,
            path: Some(path),
            loaded_into: loader.as_ref().map(|loader| loader.name.clone()),
        });
        plan.steps.extend(build.steps.into_iter().chain([image.step]).chain(load));
    }
    Ok(plan)
}

/// What loads the image. Stores take one platform at a time: an image for several stays an archive.
fn loader(config: &Config, output: Option<&Output>, several: bool) -> Result<Option<Loader>> {
    let asked = match output {
        Some(Output::Archive(_) | Output::Layout(_) | Output::Registry) => return Ok(None),
        None if several => return Ok(None),
        None => None,
        Some(Output::Load(store)) => Some(store),
    };
    let loader = load::loader(config, asked)?;
    if let Some(Loader { name, .. }) = loader.as_ref().filter(|_| several) {
        let text =
            format!("{name} takes one platform at a time; name one with --platform, or use --output oci");
        return Err(Usage(text).into());
    }
    Ok(loader)
}

/// What the engine writes, and where.
fn destination(
    config: &Config,
    output: Option<&Output>,
    several: bool,
    name: &str,
) -> Result<(Destination, PathBuf)> {
    let (is_layout, asked) = match output {
        Some(Output::Layout(dest)) => (true, dest.as_ref()),
        Some(Output::Archive(dest)) => (false, dest.as_ref()),
        None | Some(Output::Load(_) | Output::Registry) => (false, None),
    };
    if let Some(dest) = asked.filter(|_| several) {
        let text =
            format!("the images of several backends cannot all be {}; leave out dest=", dest.display());
        return Err(Usage(text).into());
    }
    let default = || config.target(&format!("images/{name}{}", if is_layout { "" } else { ".tar" }));
    let dest = asked.cloned().unwrap_or_else(default);
    let destination = match is_layout {
        true => Destination::Layout { dest: dest.clone() },
        false => Destination::Archive { dest: dest.clone() },
    };
    Ok((destination, dest))
}

/// How the image is run, after the command that loads it where that was not done. A cluster has its own ways.
fn run_commands(
    config: &Config,
    spec: &ImageSpec,
    output: Option<&Output>,
    loader: Option<&Loader>,
    path: &Path,
) -> Vec<String> {
    if matches!(output, Some(Output::Layout(_))) {
        return vec![format!("skopeo copy oci:{}:{} …", path.display(), spec.tags[0])];
    }
    let (load, program) = match loader {
        None => (Some(load::by_hand(path)), "docker"),
        Some(loader) => match loader.runs() {
            Some(program) => (None, program),
            None => return Vec::new(),
        },
    };
    let publish =
        spec.config.ports.iter().map(|port| format!("--publish {port}:{port} ")).collect::<String>();
    let volume = format!("{}-data:{}", config.pipeline.build.package, config.pipeline.image.data);
    let run = format!("{program} run --rm --read-only --volume {volume} {publish}{}", spec.tags[0]);
    load.into_iter().chain([run]).collect()
}
