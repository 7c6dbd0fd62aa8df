//! One file a task; each makes a plan of the configuration and its flags, and runs nothing. Those without steps are done at
//! once: `doctor`, `completions` and `ci matrix` only say something, and `clean` removes what it chooses.

pub(crate) mod bake;
pub(crate) mod bd;
pub(crate) mod bdp;
pub(crate) mod bench; // template: if pipeline_tests
pub(crate) mod build;
pub(crate) mod builder;
mod busybox;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod engines;
pub(crate) mod hooks;
mod image;
mod inventory;
pub(crate) mod kitchen; // template: if kitchen
mod linking;
mod load;
pub(crate) mod man;
mod packages;
mod pgo; // template: if pipeline_tests
pub(crate) mod pin;
pub(crate) mod registry;
pub(crate) mod release;
mod rustflags;
pub(crate) mod scan;
mod sccache;
pub(crate) mod setup;
pub(crate) mod soak; // template: if pipeline_tests
pub(crate) mod sqlx;
pub(crate) mod template;
// template: if pipeline_tests
// The paths of its snapshots are those of Unix.
#[cfg(test)]
#[cfg(unix)]
mod tests;
// template: end
pub(crate) mod up;
pub(crate) mod verify;
pub(crate) mod watch;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::config::{Config, TOOLS};
use crate::plan::{Plan, Step};
use crate::platform;

/// Has cargo say which crates it compiles, to a step that has [`Step::crates`]; people are shown its diagnostics as ever.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// The packages behind the front, which do not run on every system: [`platform::LACKING`].
const BEHIND: &[&str] = &[
    // As the workspace has them.
    "xtask-bench", // template: if pipeline_tests
    "xtask-db",
    "xtask-kitchen", // template: if kitchen
    "xtask-oci",
    "xtask-soak", // template: if pipeline_tests
];

/// Whether `plan` can run on this system. What it shows is right in any case.
///
/// # Errors
/// Names the step that cannot run where `lacking` says that the packages behind the front do not, and why.
pub(crate) fn can_run(plan: &Plan, lacking: Option<&str>) -> Result<()> {
    let is_behind =
        |step: &&Step| step.skip.is_none() && step.argv.iter().any(|word| BEHIND.contains(&word.as_str()));
    match (lacking, plan.steps.iter().find(is_behind)) {
        (Some(why), Some(step)) => bail!("step `{}` cannot run here: {why}", step.name),
        _ => Ok(()),
    }
}

/// The step that builds the native engine. It is up to date after the first run.
///
/// In that run the service takes far longer, and its compiler does not keep every core busy all the time: what is left
/// is enough for the engine, as long as it does not push back the service.
fn engine_step(config: &Config) -> Step {
    Step {
        name: "engine".to_owned(),
        why: "build the image engine, on its first use".to_owned(),
        argv: [words(platform::NICE), tool_argv(config, "xtask-oci", &[]), build::mirror(config)].concat(),
        background: true,
        crates: true,
        outputs: vec![engine(config).into()],
        ..Step::default()
    }
}

/// The command that builds a package of the pipeline.
fn tool_argv(config: &Config, package: &str, flags: &[&str]) -> Vec<String> {
    let manifest: &[&str] = if config.has_own_tools { &["--manifest-path", TOOLS] } else { &[] };
    words(&[&["cargo", "build", "--locked"], flags, &[MESSAGES], manifest, &["--package", package]].concat())
}

/// The engine's program.
fn engine(config: &Config) -> String {
    beside_xtask(config, "xtask-oci")
}

/// A step in which the engine reads `spec` and does `task`. It needs the engine, and nothing else.
fn engine_task(config: &Config, name: &str, task: &[&str], spec: &impl Serialize) -> Result<Step> {
    Ok(Step {
        name: name.to_owned(),
        argv: [vec![engine(config)], words(task)].concat(),
        stdin: Some(serde_json::to_string_pretty(spec)?),
        needs: words(&["engine"]),
        ..Step::default()
    })
}

/// The step that builds a program of the pipeline, which is `what`. It is up to date after the first run.
fn tool_step(config: &Config, package: &str, what: &str) -> Step {
    Step {
        name: "tool".to_owned(),
        why: format!("build {what}, on its first use"),
        argv: tool_argv(config, package, &[]),
        crates: true,
        folder: Some(debug(config)),
        outputs: vec![beside_xtask(config, package).into()],
        ..Step::default()
    }
}

/// The step that builds what starts databases.
fn databases_step(config: &Config) -> Step {
    let step = tool_step(config, "xtask-db", "what starts throw-away databases");
    Step { name: "databases".to_owned(), ..step }
}

/// The program that starts databases.
fn databases(config: &Config) -> String {
    beside_xtask(config, "xtask-db")
}

/// A program of this workspace, which cargo builds beside this one.
fn beside_xtask(config: &Config, name: &str) -> String {
    let program = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    config.relative(&config.host.bin_dir.join(program)).to_string_lossy().into_owned()
}

/// The arguments that mean the service with exactly one backend.
fn service(config: &Config, backend: &str) -> Vec<String> {
    let build = &config.pipeline.build;
    [words(&["--package", &build.package]), build.features(backend)].concat()
}

/// The folder that cargo locks while it builds with the profile `dev`.
fn debug(config: &Config) -> PathBuf {
    config.target("debug")
}

/// What a value of a flag is called on the command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
