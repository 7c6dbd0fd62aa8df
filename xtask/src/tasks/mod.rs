//! One file a task; each makes a plan of the configuration and its flags, and runs nothing.

pub(crate) mod bake;
pub(crate) mod bd;
pub(crate) mod bdp;
pub(crate) mod build;
pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod engines;
mod image;
mod linking;
mod load;
pub(crate) mod pin;
pub(crate) mod registry;
pub(crate) mod scan;
mod sccache;
mod shell;
pub(crate) mod soak;
pub(crate) mod sqlx;
#[cfg(test)]
mod tests;
pub(crate) mod up;
pub(crate) mod verify;

use anyhow::Result;
use serde::Serialize;

use crate::config::Config;
use crate::plan::Step;

/// The step that builds the native engine. It is up to date after the first run.
///
/// In that run the service takes far longer, and its compiler does not keep every core busy all the time: what is left
/// is enough for the engine, as long as it does not push back the service.
fn engine_step(config: &Config) -> Step {
    Step {
        name: "engine".to_owned(),
        why: "build the image engine, on its first use".to_owned(),
        argv: [
            words(&["nice", "-n", "19", "cargo", "build", "--locked", "--package", "xtask-oci"]),
            build::mirror(config),
        ]
        .concat(),
        background: true,
        outputs: vec![engine(config).into()],
        ..Step::default()
    }
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

/// The step that builds what starts databases.
fn databases_step(config: &Config) -> Step {
    Step {
        name: "databases".to_owned(),
        why: "build what starts throw-away databases, on its first use".to_owned(),
        argv: words(&["cargo", "build", "--locked", "--package", "xtask-db"]),
        outputs: vec![databases(config).into()],
        ..Step::default()
    }
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
    let feature = format!("db_{backend}");
    words(&["--package", &config.pipeline.build.package, "--no-default-features", "--features", &feature])
}

/// Has each of those steps that need nothing else need the one before it: they would all wait for one target folder, and
/// hold a job while they do.
fn cargo_one_by_one(steps: &mut [Step]) {
    let mut last = None;
    for step in steps.iter_mut().filter(|step| step.needs.is_empty()) {
        step.needs.extend(last.replace(step.name.clone()));
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
