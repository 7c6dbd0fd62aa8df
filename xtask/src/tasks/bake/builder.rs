//! Whether the builder can make what is planned: found out before anything is built.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};

use super::{binaries, dockerfile};
use crate::cli::ImageFlags;
use crate::config::{Config, Packaging};
use crate::error::{Usage, did_you_mean};
use crate::tasks::engines::{self, Planned};
use crate::tools::{Builder, Buildx, Version};

/// From this on, bake asks before a build may use what is not in its folder, and takes `--allow`.
const ASKS: Version = Version { major: 0, minor: 18, patch: 0 };
/// The oldest BuildKit that gives all files the time of the image.
const OLDEST_BUILDKIT: Version = Version { major: 0, minor: 13, patch: 0 };

/// Finds what keeps the builder from making the images.
///
/// # Errors
/// One line: what is missing or too old, and what to do.
pub(super) fn check(config: &Config, flags: &ImageFlags, planned: &[Planned]) -> Result<()> {
    let buildx = Buildx::usable(config.host.tools.buildx.as_ref())?;
    let builder = buildx.builder.as_ref().context(
        "no BuildKit answers; start Docker, or make a builder with `cargo xtask builder bootstrap`",
    )?;
    ensure!(
        builder.driver != "docker" || builder.has_containerd,
        "Docker's own builder writes no OCI images without the containerd image store; turn that on \
         (https://docs.docker.com/engine/storage/containerd), or run `cargo xtask builder bootstrap`"
    );
    for node in &builder.nodes {
        if let Some(version) = node.buildkit.filter(|version| *version < OLDEST_BUILDKIT) {
            bail!("BuildKit of the node {} is {version}, too old: {OLDEST_BUILDKIT} is needed", node.name);
        }
    }
    for one in planned {
        check_stages(config, flags, one, builder)?;
    }
    Ok(())
}

/// Looks for a stage that is not there, and for one that an emulator would have to run.
fn check_stages(config: &Config, flags: &ImageFlags, planned: &Planned, builder: &Builder) -> Result<()> {
    if engines::packaging(config, flags) == Packaging::Prebuilt && flags.engine.target.is_none() {
        return Ok(());
    }
    let args = binaries::args(config, flags, &planned.build);
    let text = config.dockerfile.as_deref().context("there is no Dockerfile in the repository")?;
    let stages = dockerfile::stages(text, &args);
    let target = flags.engine.target.as_deref().unwrap_or("artifact");
    if !stages.iter().any(|stage| stage.name == target) {
        let names = stages.iter().map(|stage| stage.name.clone()).filter(|name| !name.is_empty());
        let names = names.collect::<Vec<_>>();
        let text = format!("the Dockerfile has no stage `{target}`, {}", did_you_mean(target, &names));
        return Err(Usage(text).into());
    }
    if flags.engine.emulate {
        return Ok(());
    }
    let Some(stage) = dockerfile::emulated(&dockerfile::reached(&stages, target).0) else { return Ok(()) };
    // A node names first what it is, then what it emulates. One that does not run yet names nothing.
    let natives = builder.nodes.iter().map(|node| node.platforms.first()).collect::<Vec<_>>();
    let is_native = |platform: &String| natives.iter().any(|native| native.is_none_or(|own| own == platform));
    let platforms = planned.build.platforms.iter().map(ToString::to_string).collect::<Vec<_>>();
    match platforms.iter().find(|platform| !is_native(platform)) {
        None => Ok(()),
        Some(platform) => Err(Usage(format!(
            "the stage `{stage}` runs commands on {platform}, which no node of the builder {} is: give it \
             --platform=$BUILDPLATFORM, add a native node (docs/scaling.md), or let it be emulated with --emulate",
            builder.name
        ))
        .into()),
    }
}

/// Whether a command that may mount secrets takes long even without any: these versions read the whole file system before
/// it, because of [a mistake](https://github.com/moby/buildkit/pull/5251).
pub(super) fn is_slow_with_secrets(config: &Config) -> bool {
    const SLOW: Range<Version> = OLDEST_BUILDKIT..Version { major: 0, minor: 16, patch: 0 };
    let mut nodes = used(config).into_iter().flat_map(|builder| &builder.nodes);
    nodes.any(|node| node.buildkit.is_none_or(|version| SLOW.contains(&version)))
}

/// Whether the builder is Docker's own, which hands images over to Docker.
pub(super) fn is_of_docker(config: &Config) -> bool {
    used(config).is_some_and(|builder| builder.driver == "docker")
}

/// The builder that is used, if one is known.
fn used(config: &Config) -> Option<&Builder> {
    config.host.tools.buildx.as_ref()?.builder.as_ref()
}

/// What bake has to be told besides the definition.
pub(super) fn arguments(config: &Config) -> Vec<String> {
    let Some(buildx) = &config.host.tools.buildx else { return Vec::new() };
    let mut arguments = Vec::new();
    if let Some(builder) = &buildx.builder {
        arguments.extend(["--builder".to_owned(), builder.name.clone()]);
    }
    if buildx.version.is_some_and(|version| version >= ASKS) {
        // The definition is our own: it names secrets and folders that whoever runs this has asked for.
        arguments.extend(["--allow=fs=*".to_owned(), "--allow=ssh".to_owned()]);
    }
    arguments
}
