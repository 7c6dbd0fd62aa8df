//! Binaries that the Dockerfile makes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use image_spec::{Platform, Reference};

use super::definition::Target;
use super::{builder, dockerfile};
use crate::cli::{BuildFlags, ImageFlags, Variant};
use crate::config::{Config, Packaging};
use crate::plan::Step;
use crate::tasks::build::{self, Artifact, Build};
use crate::tasks::packages::{Packages, packages};
use crate::tasks::{engine, engines, image, words};
use crate::tools;

/// The folder with the lists of packages that go into binaries, below the target folder.
const PACKAGES: &str = "images/packages";

/// The binaries of every backend that is asked for, and the steps that list what they are made of: what makes the image
/// compiles them.
///
/// # Errors
/// For a backend or platform that there is not.
pub(in crate::tasks) fn builds(
    config: &Config,
    flags: &BuildFlags,
    default: &[Platform],
) -> Result<Vec<Build>> {
    let asked = if flags.platforms.is_empty() { default } else { &flags.platforms };
    let (backends, platforms) = (config.backends(&flags.backends)?, config.platforms(asked)?);
    let several = (backends.len() > 1, platforms.len() > 1);
    let build = |backend: &&str| {
        let (mut artifacts, mut steps) = (Vec::new(), Vec::new());
        for &platform in &platforms {
            let distinct = [(several.0, *backend), (several.1, platform.architecture())];
            let mut packages = packages(config, backend, platform, &target_of(platform), &distinct);
            // Nothing here compiles beside it, and everything waits for it.
            packages.step.iter_mut().for_each(|step| step.needs.clear());
            for program in config.pipeline.build.binaries() {
                let path = build::artifact_path(config, flags, backend, platform, program);
                steps.push(list_step(config, &packages, &path, &distinct, program));
                artifacts.push(Artifact {
                    program: program.clone(),
                    platform,
                    path,
                    step: super::STEP.to_owned(),
                });
            }
            steps.splice(..0, packages.step);
        }
        let (backend, platforms) = ((*backend).to_owned(), platforms.clone());
        Build { backend, platforms, artifacts, variant: flags.variant, steps }
    };
    Ok(backends.iter().map(build).collect())
}

/// The step that writes what goes into a binary, in a file of its name.
fn list_step(
    config: &Config,
    packages: &Packages,
    binary: &Path,
    distinct: &[(bool, &str); 2],
    program: &str,
) -> Step {
    let file = binary.file_name().unwrap_or_default().to_string_lossy();
    let dest = config.target(&format!("{PACKAGES}/{file}"));
    let mut argv = words(&[&engine(config), "packages", "--package", &config.pipeline.build.package]);
    argv.extend(words(&["--cargo-metadata", &packages.list.to_string_lossy(), &dest.to_string_lossy()]));
    let several_programs = config.pipeline.build.binaries().len() > 1;
    Step {
        name: build::name("list", &[&distinct[..], &[(several_programs, program)]].concat()),
        why: "write that list as scanners read it in the binary".to_owned(),
        argv,
        needs: words(&["engine"]).into_iter().chain(packages.needs()).collect(),
        outputs: vec![dest],
        ..Step::default()
    }
}

fn target_of(platform: Platform) -> String {
    tools::target(platform, "musl")
}

/// What makes a stage of the Dockerfile for a build: its arguments, and mirrors for the images that it starts from.
pub(super) fn target(config: &Config, flags: &ImageFlags, build: &Build, stage: &str) -> Target {
    let args = args(config, flags, build);
    let text = config.dockerfile.as_deref().unwrap_or_default();
    let bare = bare(config, flags);
    let has_secrets = !bare.secret.is_empty() || !bare.ssh.is_empty();
    let inline =
        (!has_secrets && builder::is_slow_with_secrets(config)).then(|| dockerfile::without_secrets(text));
    let stages = dockerfile::stages(text, &args);
    let (_, images) = dockerfile::reached(&stages, stage);
    let registries = image::registries(config);
    let mirrored = |name: &str| {
        let reference = name.parse::<Reference>().ok()?;
        let is_mirrored = registries.mirrors.contains_key(reference.repository().registry());
        is_mirrored.then(|| (name.to_owned(), super::image_context(&reference, &registries)))
    };
    let packages = || ("packages".to_owned(), config.target(PACKAGES).to_string_lossy().into_owned());
    let packages = (engines::packaging(config, flags) == Packaging::Container).then(packages);
    Target {
        dockerfile_inline: inline,
        target: Some(stage.to_owned()),
        contexts: images.into_iter().filter_map(mirrored).chain(packages).collect(),
        args,
        ..bare
    }
}

/// What every target has. Those that only take from others have it too: their build is what runs the others' commands.
pub(super) fn bare(config: &Config, flags: &ImageFlags) -> Target {
    let buildkit = &config.pipeline.buildkit;
    let of_sccache = config.host.secrets.iter().filter(|_| config.pipeline.cache.sccache.is_some());
    let of_sccache = of_sccache.map(|name| format!("id={name},env={name}")).collect::<Vec<_>>();
    Target {
        context: ".".to_owned(),
        secret: [&buildkit.secrets[..], &flags.engine.secrets, &of_sccache].concat(),
        ssh: [&buildkit.ssh[..], &flags.engine.ssh].concat(),
        ..Target::default()
    }
}

/// Arguments of the Dockerfile: what it is to compile, and by which versions.
pub(super) fn args(config: &Config, flags: &ImageFlags, build: &Build) -> BTreeMap<String, String> {
    let settings = &config.pipeline.build;
    let profile = build::profile(config, &flags.build).name();
    let targets = build.platforms.iter().copied().map(target_of);
    let cache = flags.engine.cache.unwrap_or(config.pipeline.buildkit.cache);
    let packaging = match engines::packaging(config, flags) {
        Packaging::Container => "container",
        Packaging::Prebuilt => "prebuilt",
    };
    let (strip, debug) =
        if build.variant.is_some() { ("none", "line-tables-only") } else { ("symbols", "none") };
    let own = [
        ("RUST_VERSION", config.rust.clone()),
        ("PACKAGE", Some(settings.package.clone())),
        ("BINARIES", Some(settings.binaries().join(" "))),
        ("BACKEND", Some(build.backend.clone())),
        ("FEATURES", features(config, &build.backend)),
        ("PROFILE", Some(profile.to_owned())),
        ("TARGETS", Some(targets.collect::<Vec<_>>().join(" "))),
        ("STRIP", Some(strip.to_owned())),
        ("DEBUG_INFO", Some(debug.to_owned())),
        ("SUFFIX", build.variant.map(|_| Variant::suffix(build.variant).to_owned())),
        ("CACHE", Some(cache.name().to_owned())),
        ("PACKAGING", Some(packaging.to_owned())),
        ("APP_COMMIT", build::commit(config)),
        ("CRATES_MIRROR", config.pipeline.mirrors.crates_io.clone()),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let of_sccache = config.pipeline.cache.sccache.iter().flat_map(|cache| cache.env());
    config.pipeline.buildkit.args.clone().into_iter().chain(own).chain(of_sccache).collect()
}

/// What tells cargo the features, where it is not what the Dockerfile makes of the backend by itself.
fn features(config: &Config, backend: &str) -> Option<String> {
    let flags = config.pipeline.build.features(backend).join(" ");
    (flags != format!("--no-default-features --features db_{backend}")).then_some(flags)
}
