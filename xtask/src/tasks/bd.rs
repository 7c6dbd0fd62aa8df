//! `bd`: the service and its container image, loaded into a container runtime when one runs.

use std::path::Path;

use anyhow::Result;
use image_spec::{ImageSpec, Output as Destination, Reference};

use super::engines::{self, Made, Planned};
use super::load::{self, Loader};
use super::{bdp, build, engine_step, image, words};
use crate::cli::{BdFlags, Output};
use crate::config::{Config, Pipeline};
use crate::error::Usage;
use crate::plan::{Plan, Product};
use crate::tools::Need;

/// What has to be known of the machine: only an image that is loaded somewhere needs a runtime.
pub(crate) fn need(pipeline: &Pipeline, flags: &BdFlags) -> Need {
    let runtimes = match flags.output() {
        Some(Output::Archive(_) | Output::Layout(_) | Output::Registry) => Need::Compiler,
        Some(Output::Load(store)) => load::need(store),
        None => Need::ANY_RUNTIME,
    };
    engines::need(pipeline, &flags.image, runtimes)
}

/// Plans `bd`.
///
/// # Errors
/// As [`engines::builds`] and [`engines::images`], and when the store that was asked for is not there.
pub(crate) fn plan(config: &Config, flags: &BdFlags) -> Result<Plan> {
    if flags.output() == Some(&Output::Registry) {
        return bdp::plan(config, &flags.image, &[config.own_platform()], bdp::Push::default());
    }
    let planned = planned(config, flags)?;
    let several_platforms = planned[0].build.platforms.len() > 1;
    let loader = loader(config, flags.output(), several_platforms)?;
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: planned.iter().flat_map(|one| build::products(&one.build)).collect(),
        lock: Some(config.lock()),
        ..Plan::default()
    };
    for Made { spec, before, image } in engines::images(config, &flags.image, planned)? {
        let path = spec.outputs.iter().find_map(image::path_of).unwrap_or_default();
        let load = loader.as_ref().map(|loader| loader.step(&path, &image.step.name));
        plan.products.push(Product::Image {
            backend: image::backend(&spec),
            run: run_commands(config, &spec, flags.output(), loader.as_ref(), &path),
            tags: spec.tags,
            metadata: image.metadata,
            path: Some(path),
            loaded_into: loader.as_ref().map(|loader| loader.name.clone()),
        });
        plan.steps.extend(before.into_iter().chain([image.step]).chain(load));
    }
    Ok(plan)
}

/// The images that are asked for.
pub(super) fn planned(config: &Config, flags: &BdFlags) -> Result<Vec<Planned>> {
    let own = [config.own_platform()];
    if flags.output() == Some(&Output::Registry) {
        return bdp::planned(config, &flags.image, &own, false);
    }
    let builds = engines::builds(config, &flags.image, &own)?;
    let several = builds.len() > 1;
    let planned = builds.into_iter().map(|build| {
        let name = image::name(config, &build);
        let destination = destination(config, flags.output(), several, &name)?;
        let spec = image::spec(config, &flags.image, &build, several, vec![destination])?;
        Ok(Planned { build, spec })
    });
    planned.collect()
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
fn destination(config: &Config, output: Option<&Output>, several: bool, name: &str) -> Result<Destination> {
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
    Ok(if is_layout { Destination::Layout { dest } } else { Destination::Archive { dest } })
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
    let run = run_argv(config, program, &spec.tags[0]).join(" ");
    load.into_iter().chain([run]).collect()
}

/// The command that runs the image `tag` by `program`, docker or podman. Its first two words are that and `run`.
pub(super) fn run_argv(config: &Config, program: &str, tag: &Reference) -> Vec<String> {
    let image = &config.pipeline.image;
    let volume = format!("{}-data:{}", config.pipeline.build.package, image.data);
    let mut argv = words(&[program, "run", "--rm", "--read-only", "--volume", &volume]);
    argv.extend(image.ports.iter().flat_map(|port| ["--publish".to_owned(), format!("{port}:{port}")]));
    argv.push(tag.to_string());
    argv
}
