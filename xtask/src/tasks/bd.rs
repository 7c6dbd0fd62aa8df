//! `bd`: the service and its container image, loaded into a container runtime when one runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image_spec::{ImageSpec, Output as Destination};

use super::{build, engine_step, image};
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
    let builds = build::builds(config, &flags.image.build, &[config.own_platform()])?;
    let (several_backends, several_platforms) = (builds.len() > 1, builds[0].platforms.len() > 1);
    let runtime = runtime(config, flags.output.as_ref(), several_platforms)?;
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: builds.iter().flat_map(build::products).collect(),
        lock: Some(config.target("xtask.lock")),
    };
    for build in builds {
        let name = image::name(config, &build);
        let (destination, path) = destination(config, flags.output.as_ref(), several_backends, &name)?;
        let spec = image::spec(config, &flags.image, &build, several_backends, destination)?;
        let image = image::step(config, &spec, &build, several_backends)?;
        let load = runtime.map(|runtime| load_step(runtime, &path, &image.step.name));
        plan.products.push(Product::Image {
            run: run_commands(config, &spec, flags.output.as_ref(), runtime, &path),
            tags: spec.tags,
            metadata: image.metadata,
            path: Some(path),
            loaded_into: runtime.map(|runtime| format!("{} {}", runtime.program, runtime.version)),
        });
        plan.steps.extend(build.steps.into_iter().chain([image.step]).chain(load));
    }
    Ok(plan)
}

/// The runtime that the image is loaded into. Those take one platform at a time: an image for several stays an archive.
fn runtime<'a>(config: &'a Config, output: Option<&Output>, several: bool) -> Result<Option<&'a Runtime>> {
    let running = config.host.tools.runtime.as_ref();
    let asked = match output {
        None => return Ok(running.filter(|_| !several)),
        Some(Output::Archive(_) | Output::Layout(_)) => return Ok(None),
        Some(Output::Docker) => "docker",
        Some(Output::Podman) => "podman",
    };
    if several {
        let text =
            format!("{asked} loads one platform at a time; name one with --platform, or use --output oci");
        return Err(Usage(text).into());
    }
    let runtime = running.filter(|runtime| runtime.program == asked);
    Ok(Some(runtime.with_context(|| {
        format!("{asked} does not answer; start it, or write an archive with `--output oci`")
    })?))
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
        None | Some(Output::Docker | Output::Podman) => (false, None),
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

fn load_step(runtime: &Runtime, archive: &Path, image: &str) -> Step {
    Step {
        name: image.replace("image", "load"),
        why: format!("load the image into {} {}", runtime.program, runtime.version),
        argv: load_argv(runtime.program, archive),
        needs: super::words(&[image]),
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
