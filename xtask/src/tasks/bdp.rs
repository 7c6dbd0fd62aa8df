//! `bdp`: the service and its image for every platform, pushed to a registry. Needs no container runtime.

use anyhow::Result;
use image_spec::{Output, Platform, Repository};

use super::{build, engine_step, image};
use crate::cli::ImageFlags;
use crate::config::{Config, Push};
use crate::error::Usage;
use crate::plan::{Plan, Product};

/// Plans `bdp` for the platforms that were asked for or else the `default`. With `dry_run` everything is built, and the registry is asked what a push would upload.
///
/// # Errors
/// As [`build::plan`], and for a repository that is in no registry.
pub(crate) fn plan(config: &Config, flags: &ImageFlags, default: &[Platform], dry_run: bool) -> Result<Plan> {
    let repository = flags.image.as_ref().unwrap_or(&config.pipeline.image.repository);
    check_repository(repository)?;
    let builds = build::builds(config, &flags.build, default)?;
    let several = builds.len() > 1;
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: builds.iter().flat_map(build::products).collect(),
        lock: Some(config.target("xtask.lock")),
    };
    for build in builds {
        let Push { immutable, proofs, fallback } = config.pipeline.push.clone();
        let output = Output::Registry { immutable, proofs, fallback, dry_run };
        let spec = image::spec(config, flags, &build, several, output)?;
        let mut image = image::step(config, &spec, &build, several)?;
        image.step.name = build::name("push", &[(several, &build.backend)]);
        image.step.why = match dry_run {
            true => format!("see what a push to {repository} would upload"),
            false => format!("push the image to {repository}"),
        };
        plan.products.push(Product::Image {
            tags: spec.tags,
            metadata: image.metadata,
            path: None,
            loaded_into: None,
            run: vec![],
        });
        plan.steps.extend(build.steps.into_iter().chain([image.step]));
    }
    Ok(plan)
}

/// A name without a registry means Docker Hub, where a name without a namespace belongs to Docker alone.
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
