//! `release`: has xtask-release propose the next version, make the release, or take it back.

use anyhow::Result;
use image_spec::CheckSpec;

use super::image::{check_repository, registries, versioned};
use super::{beside_xtask, engine, engine_step, tool_step, word, words};
use crate::cli::ReleaseFlags;
use crate::config::Config;
use crate::plan::{Plan, Product, Step, Topic};

/// Plans `release`. The registry is asked by the engine, where the image has one.
///
/// # Errors
/// What the registry is asked does not become JSON.
pub(crate) fn plan(config: &Config, flags: &ReleaseFlags) -> Result<Plan> {
    let mut built = tool_step(config, "xtask-release", "what reads commits");
    built.argv.extend(flags.offline.then(|| "--offline".to_owned()));
    let mut steps = vec![built];
    let mut release = Step {
        name: "release".to_owned(),
        why: why(flags).to_owned(),
        argv: [vec![beside_xtask(config, "xtask-release")], arguments(flags)].concat(),
        needs: words(&["tool"]),
        ..Step::default()
    };
    if !flags.offline && !flags.undo && has_registry(config) {
        steps.push(engine_step(config));
        release.needs.push("engine".to_owned());
        release.argv.extend(["--engine".to_owned(), engine(config)]);
        let backends = config.pipeline.build.backends.iter();
        let names = backends.map(|backend| versioned(config, backend, "{version}"));
        release.argv.extend(names.flat_map(|name| ["--image-tag".to_owned(), name]));
        let spec = CheckSpec {
            repository: config.pipeline.image.repository.clone(),
            tags: vec![],
            immutable: vec![],
            registries: registries(config),
        };
        release.stdin = Some(serde_json::to_string_pretty(&spec)?);
    }
    let mut products = Vec::new();
    if !flags.undo {
        let file = config.target("release.json");
        release.argv.extend(["--report-file".to_owned(), file.to_string_lossy().into_owned()]);
        products.push(Product::Finding { topic: Topic::Release, file });
    }
    steps.push(release);
    Ok(Plan { cwd: config.root.clone(), steps, products, lock: Some(config.lock()), ..Plan::default() })
}

fn why(flags: &ReleaseFlags) -> &'static str {
    match (flags.undo, flags.execute) {
        (true, _) => "take the last release back",
        (_, true) => "write, commit and tag the next version",
        _ => "propose the next version",
    }
}

/// A name that no registry is written in is one of this machine alone.
fn has_registry(config: &Config) -> bool {
    check_repository(&config.pipeline.image.repository).is_ok()
}

/// The flags, as xtask-release takes them.
fn arguments(flags: &ReleaseFlags) -> Vec<String> {
    let ReleaseFlags { execute, undo, version, bump, offline } = flags;
    let switches = [("--execute", execute), ("--undo", undo), ("--offline", offline)];
    let mut arguments = switches
        .iter()
        .filter(|(_, is_set)| **is_set)
        .map(|(flag, _)| (*flag).to_owned())
        .collect::<Vec<_>>();
    // One word, so that nothing in it is a flag.
    arguments.extend(version.as_ref().map(|version| format!("--version={version}")));
    arguments.extend(bump.as_ref().map(|part| format!("--bump={}", word(part))));
    arguments
}
