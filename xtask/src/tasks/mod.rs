//! One file a task; each makes a plan of the configuration and its flags, and runs nothing.

pub(crate) mod bd;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod doctor;
mod linking;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::plan::Step;

/// The step that builds the native engine. It is up to date after the first run.
///
/// In that run the service takes far longer, and its compiler does not keep every core busy all the time: what is left
/// is enough for the engine, as long as it does not push back the service.
fn engine_step(config: &Config) -> Step {
    Step {
        name: "engine",
        why: "build the image engine, on its first use".to_owned(),
        argv: words(&["nice", "-n", "19", "cargo", "build", "--locked", "--package", "xtask-oci"]),
        background: true,
        outputs: vec![engine(config).into()],
        ..Step::default()
    }
}

/// The engine's program.
fn engine(config: &Config) -> String {
    let program = format!("xtask-oci{}", std::env::consts::EXE_SUFFIX);
    config.relative(&config.host.bin_dir.join(program)).to_string_lossy().into_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
