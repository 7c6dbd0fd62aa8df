//! `verify`: whether an image in a registry is whole, what it was to be, and what comes out when it is built again.

use anyhow::Result;
use image_spec::{Platform, Reference, VerifySpec};

use super::build::{self, Build};
use super::{engine_step, engine_task, image};
use crate::cli::{ImageFlags, VerifyFlags};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Step};

/// Plans `verify`.
///
/// # Errors
/// For several backends, for an image that is in no registry, and as [`build::plan`].
pub(crate) fn plan(config: &Config, flags: &VerifyFlags) -> Result<Plan> {
    let backends = config.backends(&flags.build.backends)?;
    let [backend] = backends[..] else {
        return Err(Usage("an image is of one backend; name that one with --backend".to_owned()).into());
    };
    let image_flags =
        ImageFlags { build: flags.build.clone(), compression: flags.compression, ..ImageFlags::default() };
    let own = image::tags(config, &image_flags, backend, false)?.remove(0);
    let reference = flags.reference.as_ref().unwrap_or(&own);
    image::check_repository(reference.repository())?;
    let mut verify = verify_step(config, reference, &flags.build.platforms)?;
    let mut steps = vec![engine_step(config)];
    if !flags.no_rebuild {
        let apart = apart(config);
        let mut build = build::builds(&apart, &flags.build, &config.pipeline.build.platforms)?.remove(0);
        compile_apart(&apart, &mut build);
        let spec = image::spec(&apart, &image_flags, &build, false, vec![])?;
        let image = image::step(&apart, &spec, &build, false)?;
        verify.needs.push(image.step.name.clone());
        verify.argv.extend(["--rebuilt".to_owned(), image.metadata.to_string_lossy().into_owned()]);
        steps.extend(build.steps.into_iter().chain([image.step]));
    }
    steps.push(verify);
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.lock()), ..Plan::default() })
}

/// The same project with another target folder, and compiled here: what is there already would prove nothing.
fn apart(config: &Config) -> Config {
    let mut apart = config.clone();
    apart.host.target_dir.push("verify");
    apart.pipeline.cache.sccache = None;
    apart.pgo.may_train = false; // template: if pipeline_tests
    apart
}

fn compile_apart(config: &Config, build: &mut Build) {
    let target_dir = config.relative(&config.host.target_dir).to_string_lossy().into_owned();
    for step in build.steps.iter_mut().filter(|step| step.name == "compile") {
        step.argv.extend(["--target-dir".to_owned(), target_dir.clone()]);
    }
}

fn verify_step(config: &Config, reference: &Reference, asked: &[Platform]) -> Result<Step> {
    let all = &config.pipeline.build.platforms;
    let input = VerifySpec {
        image: reference.clone(),
        platforms: config.platforms(if asked.is_empty() { all } else { asked })?,
        user: config.pipeline.image.user.clone(),
        registries: image::registries(config),
    };
    let folder = config.target("images");
    Ok(Step {
        why: format!("fetch {reference} and look at it"),
        ..engine_task(config, "verify", &["verify", "--folder", &folder.to_string_lossy()], &input)?
    })
}
