//! `bdp`: the service and its image for every platform, pushed to a registry. Needs no container runtime.

use anyhow::{Result, bail};
use image_spec::{CheckSpec, Output, Platform, Repository};

use super::{build, engine_step, engine_task, image, words};
use crate::cli::ImageFlags;
use crate::config::{self, Config};
use crate::error::Usage;
use crate::plan::{Plan, Product, Step};

/// What is done with the image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Push<'a> {
    /// Everything is built, and the registry is only asked what a push would upload.
    pub(crate) dry_run: bool,
    /// Who signs the image: a key of cosign, or none for its keyless way.
    pub(crate) sign: Option<&'a str>,
}

/// Plans `bdp` for the platforms that were asked for or else the `default`.
///
/// # Errors
/// As [`build::plan`], for a repository that is in no registry, and where cosign is wanted and missing.
pub(crate) fn plan(
    config: &Config,
    flags: &ImageFlags,
    default: &[Platform],
    push: Push<'_>,
) -> Result<Plan> {
    let repository = flags.image.as_ref().unwrap_or(&config.pipeline.image.repository);
    check_repository(repository)?;
    if push.sign.is_some() && !config.host.tools.has("cosign") {
        bail!("cosign is not on PATH, and --sign needs it; `cargo xtask doctor` shows how to install it");
    }
    let builds = build::builds(config, &flags.build, default)?;
    let several = builds.len() > 1;
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: builds.iter().flat_map(build::products).collect(),
        lock: Some(config.target("xtask.lock")),
    };
    let access = if push.dry_run { None } else { Some(access_step(config, repository)?) };
    plan.steps.extend(access.clone());
    for build in builds {
        let spec = image::spec(config, flags, &build, several, vec![destination(config, push.dry_run)])?;
        let mut image = image::step(config, &spec, &build, several)?;
        image.step.name = build::name("push", &[(several, &build.backend)]);
        image.step.why = match push.dry_run {
            true => format!("see what a push to {repository} would upload"),
            false => format!("push the image to {repository}"),
        };
        image.step.needs.extend(access.as_ref().map(|access| access.name.clone()));
        let sign = push.sign.filter(|_| !push.dry_run);
        let sign = sign.map(|key| sign_step(config, key, &mut image.step, &image::name(config, &build)));
        plan.products.push(Product::Image {
            tags: spec.tags,
            metadata: image.metadata,
            path: None,
            loaded_into: None,
            run: vec![],
        });
        plan.steps.extend(build.steps.into_iter().chain([image.step]).chain(sign));
    }
    Ok(plan)
}

fn destination(config: &Config, dry_run: bool) -> Output {
    let config::Push { immutable, proofs, fallback } = config.pipeline.push.clone();
    Output::Registry { immutable, proofs, fallback, dry_run }
}

/// The step that finds out early what would be in vain: a registry that is down, or that wants another login.
fn access_step(config: &Config, repository: &Repository) -> Result<Step> {
    let spec = CheckSpec {
        repository: repository.clone(),
        // Our own engine asks when it pushes, when it knows whether a tag would move at all.
        tags: vec![],
        immutable: vec![],
        registries: image::registries(config),
    };
    Ok(Step {
        why: format!("see whether {repository} lets us push"),
        background: true,
        ..engine_task(config, "access", &["access"], &spec)?
    })
}

/// The step that signs what `push` has pushed, by the digest that it writes: a tag may be somebody else's by then.
fn sign_step(config: &Config, key: &str, push: &mut Step, name: &str) -> Step {
    let digest = config.target(&format!("images/{name}.digest"));
    let path = digest.to_string_lossy().into_owned();
    push.argv.extend(["--digest-file".to_owned(), path.clone()]);
    push.outputs.push(digest);
    let script = r#"image=$(cat "$1") && shift && exec cosign sign --yes --recursive "$@" "$image""#;
    let mut argv = [words(&["sh", "-c", script, "sign"]), vec![path]].concat();
    if !key.is_empty() {
        argv.extend(["--key".to_owned(), key.to_owned()]);
    }
    Step {
        name: push.name.replacen("push", "sign", 1),
        why: "sign the image, and what it is for each platform".to_owned(),
        argv,
        needs: vec![push.name.clone()],
        ..Step::default()
    }
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
