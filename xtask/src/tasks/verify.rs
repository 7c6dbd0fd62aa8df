//! `verify`: whether an image in a registry is whole, what it was to be, and what comes out when it is built again.

use anyhow::Result;
use image_spec::{ImageSpec, Reference, VerifySpec};

use super::bdp::check_repository;
use super::build::{self, Build};
use super::{engine_step, engine_task, image};
use crate::cli::{ImageFlags, VerifyFlags};
use crate::config::{Config, Host};
use crate::error::Usage;
use crate::plan::{Plan, Step};

/// Plans `verify`.
///
/// # Errors
/// For several backends, for an image that is in no registry, and as [`build::plan`].
pub(crate) fn plan(config: &Config, flags: &VerifyFlags) -> Result<Plan> {
    let apart = apart(config);
    let mut build = one_build(&apart, flags)?;
    let image_flags =
        ImageFlags { build: flags.build.clone(), compression: flags.compression, ..ImageFlags::default() };
    let spec = image::spec(&apart, &image_flags, &build, false, vec![])?;
    let reference = flags.reference.as_ref().unwrap_or(&spec.tags[0]);
    check_repository(reference.repository())?;
    let mut verify = verify_step(config, reference, &spec)?;
    let mut steps = vec![engine_step(config)];
    if !flags.no_rebuild {
        compile_apart(&apart, &mut build);
        let image = image::step(&apart, &spec, &build, false)?;
        verify.needs.push(image.step.name.clone());
        verify.argv.extend(["--rebuilt".to_owned(), image.metadata.to_string_lossy().into_owned()]);
        steps.extend(build.steps.into_iter().chain([image.step]));
    }
    steps.push(verify);
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.target("xtask.lock")), ..Plan::default() })
}

/// The same project with another target folder: what is there already would prove nothing.
fn apart(config: &Config) -> Config {
    let target_dir = config.host.target_dir.join("verify");
    Config { host: Host { target_dir, ..config.host.clone() }, ..config.clone() }
}

fn one_build(config: &Config, flags: &VerifyFlags) -> Result<Build> {
    let mut builds = build::builds(config, &flags.build, &config.pipeline.build.platforms)?;
    match builds.len() {
        1 => Ok(builds.remove(0)),
        _ => Err(Usage("an image is of one backend; name that one with --backend".to_owned()).into()),
    }
}

fn compile_apart(config: &Config, build: &mut Build) {
    let target_dir = config.relative(&config.host.target_dir).to_string_lossy().into_owned();
    for step in build.steps.iter_mut().filter(|step| step.name == "compile") {
        step.argv.extend(["--target-dir".to_owned(), target_dir.clone()]);
    }
}

fn verify_step(config: &Config, reference: &Reference, spec: &ImageSpec) -> Result<Step> {
    let input = VerifySpec {
        image: reference.clone(),
        platforms: spec.platforms.keys().copied().collect(),
        user: spec.config.user.clone(),
        registries: spec.registries.clone(),
    };
    let folder = config.target("images");
    Ok(Step {
        why: format!("fetch {reference} and look at it"),
        ..engine_task(config, "verify", &["verify", "--folder", &folder.to_string_lossy()], &input)?
    })
}
