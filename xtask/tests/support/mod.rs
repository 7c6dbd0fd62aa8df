//! What the tests of the image share.

pub(crate) mod container;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// `command` without what the cargo that runs this test has set.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        command.env_remove(name);
    }
    for name in ["CARGO", "MAKEFLAGS", "MFLAGS", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}

/// `cargo xtask` of this workspace.
pub(crate) fn xtask() -> Command {
    let mut command = clean(Command::new("cargo"));
    command.arg("xtask").current_dir(root());
    command
}

/// Runs `cargo xtask bd` with JSON events and returns them.
pub(crate) fn bd(args: &[&str]) -> String {
    run(xtask().args(["bd", "--message-format", "json"]).args(args))
}

/// Runs `command` and returns its standard output; all of its output is in the panic when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// Events of a run.
pub(crate) fn events(output: &str) -> Vec<serde_json::Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether `program` can be started.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Whether the container runtime can run a container. Podman answers even where the machine lets it run nothing, so it
/// is asked to run a program of this machine.
pub(crate) fn runs_containers(program: &str) -> bool {
    let args = match program {
        "podman" => &["run", "--rm", "--network", "none", "--rootfs", "/:O", "true"][..],
        _ => &["info"],
    };
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}
