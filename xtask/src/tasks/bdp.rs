//! `bdp`: the service and its image for every platform, pushed to a registry. Needs no container runtime.

use std::path::Path;

use anyhow::{Result, bail};
use image_spec::{CheckSpec, Output, Platform, Reference, Repository};

use super::engines::{self, Made, Planned};
use super::{bake, build, engine_step, engine_task, image, words};
use crate::cli::ImageFlags;
use crate::config::{self, Config, Engine};
use crate::error::Usage;
use crate::plan::{Plan, Product, Step};

/// What is done with the image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Push<'a> {
    /// Everything is built, and the registry is only asked what a push would upload.
    pub(crate) dry_run: bool,
    /// Who signs the image: a key of cosign, or none for its keyless way.
    pub(crate) sign: Option<&'a str>,
    /// The file that gets the image's name with its digest, if one is wanted.
    pub(crate) digest_file: Option<&'a Path>,
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
    image::check_repository(repository)?;
    let by_buildkit = engines::chosen(&config.pipeline, flags) == Engine::Buildkit;
    check_push(config, push, by_buildkit)?;
    let planned = planned(config, flags, default, push.dry_run)?;
    if push.digest_file.is_some() && planned.len() > 1 {
        let text = "--digest-file is for one image, and each backend is one: name one --backend";
        return Err(Usage(text.to_owned()).into());
    }
    let mut plan = Plan {
        cwd: config.root.clone(),
        steps: vec![engine_step(config)],
        products: planned.iter().flat_map(|one| build::products(&one.build)).collect(),
        lock: Some(config.lock()),
        ..Plan::default()
    };
    // Our own engine asks about tags when it pushes, when it knows whether one would move at all.
    let by_another = planned.iter().filter(|one| by_buildkit && bake::is_pushed(config, &one.spec));
    let tags = by_another.flat_map(|one| one.spec.tags.clone()).collect();
    let access = if push.dry_run { None } else { Some(access_step(config, repository, tags)?) };
    plan.steps.extend(access.clone());
    let names = planned.iter().map(|one| image::name(config, &one.build)).collect::<Vec<_>>();
    for (Made { spec, mut before, mut image }, name) in
        engines::images(config, flags, planned)?.into_iter().zip(names)
    {
        if !by_buildkit {
            call_push(&mut image.step, repository, push.dry_run);
        }
        let pushing = before.iter_mut().find(|step| step.name == bake::STEP).unwrap_or(&mut image.step);
        pushing.needs.extend(access.as_ref().map(|access| access.name.clone()));
        let sign = signed(config, &mut image.step, &name, push);
        plan.products.push(Product::Image {
            backend: image::backend(&spec),
            tags: spec.tags,
            metadata: image.metadata,
            path: None,
            loaded_into: None,
            run: vec![],
        });
        plan.steps.extend(before.into_iter().chain([image.step]).chain(sign));
    }
    Ok(plan)
}

fn check_push(config: &Config, push: Push<'_>, by_buildkit: bool) -> Result<()> {
    if push.sign.is_some() && !config.host.tools.has("cosign") {
        bail!("cosign is not on PATH, and --sign needs it; `cargo xtask doctor` shows how to install it");
    }
    if by_buildkit && push.dry_run {
        let text = "BuildKit cannot tell what a push would upload; `cargo xtask bake --push` prints what it is told to do";
        return Err(Usage(text.to_owned()).into());
    }
    Ok(())
}

/// The images that are asked for, where they are pushed.
pub(super) fn planned(
    config: &Config,
    flags: &ImageFlags,
    default: &[Platform],
    dry_run: bool,
) -> Result<Vec<Planned>> {
    let builds = engines::builds(config, flags, default)?;
    let several = builds.len() > 1;
    let planned = builds.into_iter().map(|build| {
        let spec = image::spec(config, flags, &build, several, vec![destination(config, dry_run)])?;
        Ok(Planned { build, spec })
    });
    planned.collect()
}

fn destination(config: &Config, dry_run: bool) -> Output {
    let config::Push { immutable, proofs, fallback } = config.pipeline.push.clone();
    Output::Registry { immutable, proofs, fallback, dry_run }
}

/// The step that finds out early what would be in vain: a registry that is down, or that wants another login.
fn access_step(config: &Config, repository: &Repository, tags: Vec<Reference>) -> Result<Step> {
    let spec = CheckSpec {
        repository: repository.clone(),
        immutable: if tags.is_empty() { vec![] } else { config.pipeline.push.immutable.clone() },
        tags,
        registries: image::registries(config),
    };
    Ok(Step {
        why: format!("see whether {repository} lets us push"),
        background: true,
        ..engine_task(config, "access", &["access"], &spec)?
    })
}

/// Says of the step that makes an image that it pushes it.
fn call_push(image: &mut Step, repository: &Repository, dry_run: bool) {
    image.name = image.name.replacen("image", "push", 1);
    image.why = match dry_run {
        true => format!("see what a push to {repository} would upload"),
        false => format!("push the image to {repository}"),
    };
}

/// Has `image`, which is called `name`, write the digest that is wanted; the step that signs it, if somebody does.
fn signed(config: &Config, image: &mut Step, name: &str, push: Push<'_>) -> Option<Step> {
    if push.dry_run {
        return None;
    }
    let file = push.digest_file.map(Path::to_owned);
    let file = file.or_else(|| push.sign.map(|_| config.target(&format!("images/{name}.digest"))))?;
    write_digest(image, &file);
    push.sign.map(|key| sign_step(key, image, &file))
}

/// Has `push` write the image's name with its digest.
fn write_digest(push: &mut Step, file: &Path) {
    push.argv.extend(["--digest-file".to_owned(), file.to_string_lossy().into_owned()]);
    push.outputs.push(file.to_owned());
}

/// The step that signs what `push` has pushed, by the digest that it writes: a tag may be somebody else's by then.
fn sign_step(key: &str, push: &Step, digest: &Path) -> Step {
    let path = digest.to_string_lossy().into_owned();
    let script = r#"image=$(cat "$1") && shift && exec cosign sign --yes --recursive "$@" "$image""#;
    let mut argv = [words(&["sh", "-c", script, "sign"]), vec![path]].concat();
    if !key.is_empty() {
        argv.extend(["--key".to_owned(), key.to_owned()]);
    }
    Step {
        name: push.name.replacen("push", "sign", 1).replacen("image", "sign", 1),
        why: "sign the image, and what it is for each platform".to_owned(),
        argv,
        needs: vec![push.name.clone()],
        ..Step::default()
    }
}
