//! Which engine makes the images of a plan, and the steps that it makes them by.

use anyhow::Result;
use image_spec::{ImageSpec, Platform};

use super::bake;
use super::build::{self, Build};
use super::image::{self, ImageStep};
use crate::cli::ImageFlags;
use crate::config::Profile; // template: if pipeline_tests
use crate::config::{Config, Engine, Packaging, Pipeline};
use crate::error::Usage;
use crate::plan::Step;
use crate::tools::Need;

/// An image that is to be made.
pub(super) struct Planned {
    /// Its binaries.
    pub(super) build: Build,
    /// What it is.
    pub(super) spec: ImageSpec,
}

/// How an image is made.
pub(super) struct Made {
    /// What it is.
    pub(super) spec: ImageSpec,
    /// The steps before the last one.
    pub(super) before: Vec<Step>,
    /// The last one.
    pub(super) image: ImageStep,
}

/// The engine that is asked for, or else configured.
pub(crate) fn chosen(pipeline: &Pipeline, flags: &ImageFlags) -> Engine {
    match flags.engine.engine.unwrap_or(pipeline.image.engine) {
        Engine::Auto => Engine::Native,
        engine => engine,
    }
}

/// What has to be known of the machine besides what `runtimes` says.
pub(crate) fn need(pipeline: &Pipeline, flags: &ImageFlags, runtimes: Need) -> Need {
    match (chosen(pipeline, flags), runtimes) {
        (Engine::Buildkit, Need::Runtime(programs)) => Need::Buildkit(programs),
        (Engine::Buildkit, _) => Need::Buildkit(&[]),
        (Engine::Native | Engine::Auto, need) => need,
    }
}

/// The binaries of every backend that is asked for: compiled by steps of the plan, or in containers.
///
/// # Errors
/// As [`build::builds`], and for flags that mean nothing to the engine.
pub(super) fn builds(config: &Config, flags: &ImageFlags, default: &[Platform]) -> Result<Vec<Build>> {
    if chosen(&config.pipeline, flags) == Engine::Native {
        if let Some(flag) = flags.engine.of_buildkit() {
            return Err(Usage(format!("{flag} is for BuildKit; add --engine buildkit")).into());
        }
        return build::builds(config, &flags.build, default);
    }
    if packaging(config, flags) == Packaging::Prebuilt {
        return build::builds(config, &flags.build, default);
    }
    let of_host = [
        // By name, then whether they were given.
        ("--upx", flags.build.upx),
        ("--linker", flags.build.linker.is_some()),
        ("--profile pgo", build::profile(config, &flags.build) == Profile::Pgo), // template: if pipeline_tests
    ];
    if let Some((flag, _)) = of_host.into_iter().find(|(_, is_there)| *is_there) {
        let text = format!("{flag} is for what this machine compiles; add --packaging prebuilt");
        return Err(Usage(text).into());
    }
    bake::binaries::builds(config, &flags.build, default)
}

/// Where BuildKit's binaries come from.
pub(super) fn packaging(config: &Config, flags: &ImageFlags) -> Packaging {
    flags.engine.packaging.unwrap_or(config.pipeline.buildkit.packaging)
}

/// The steps that make images, in their order.
///
/// # Errors
/// As [`bake::images`].
pub(super) fn images(config: &Config, flags: &ImageFlags, planned: Vec<Planned>) -> Result<Vec<Made>> {
    if chosen(&config.pipeline, flags) == Engine::Buildkit {
        return bake::images(config, flags, planned);
    }
    let several = planned.len() > 1;
    let made = planned.into_iter().map(|Planned { build, spec }| {
        let image = image::step(config, &spec, &build, several)?;
        Ok(Made { spec, before: build.steps, image })
    });
    made.collect()
}
