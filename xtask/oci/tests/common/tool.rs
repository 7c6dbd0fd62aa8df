//! Real tools: whether this machine has them, and what they answer.
//!
//! What a test needs and this machine lacks is said in one line, and the test is counted as ignored, never as passed.

use std::fs;
use std::io::{Write as _, stderr};
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use super::Sandbox;

/// A test that is ignored where it is not possible, because it needs what this machine lacks.
pub fn trial(
    name: impl Into<String>,
    possible: bool,
    needs: &str,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = name.into();
    if !possible {
        let _ = writeln!(stderr(), "skipped: `{name}` needs {needs}");
    }
    Trial::test(name, test).with_ignored_flag(!possible)
}

pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Whether this process is root, who may mount, and give files to others.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether a small disk can be mounted.
pub fn can_mount() -> bool {
    tempfile::tempdir().is_ok_and(|folder| mount(folder.path()) && unmount(folder.path()))
}

/// Runs a test in a folder that has room for 400 KiB.
pub fn on_small_disk(test: impl FnOnce(&Path) -> Result<(), Failed>) -> Result<(), Failed> {
    let disk = tempfile::tempdir()?;
    assert!(mount(disk.path()));
    let result = catch_unwind(AssertUnwindSafe(|| test(disk.path())));
    assert!(unmount(disk.path()));
    result.unwrap_or_else(|_| Err("see above".into()))
}

fn mount(folder: &Path) -> bool {
    succeeds("mount", &["-t", "tmpfs", "-o", "size=400k", "tmpfs", &folder.display().to_string()])
}

fn unmount(folder: &Path) -> bool {
    succeeds("umount", &[&folder.display().to_string()])
}

/// Podman answers even where the machine lets it run nothing, so it is asked to run a program of this machine.
pub fn runs_containers(engine: &str) -> bool {
    match engine {
        "podman" => succeeds(engine, &["run", "--rm", "--network", "none", "--rootfs", "/:O", "true"]),
        _ => succeeds(engine, &["info"]),
    }
}

pub fn umoci_reads(compression: &str) -> bool {
    let output = Command::new("umoci").arg("--version").output().ok();
    output.is_some_and(|output| {
        let is_old = String::from_utf8_lossy(&output.stdout).contains("version 0.4");
        output.status.success() && !(is_old && compression.starts_with("zstd"))
    })
}

/// Runs a tool in the sandbox and returns what it prints.
pub fn run(sandbox: &Sandbox, command: &[&str]) -> Result<String, Failed> {
    let printed = output(Command::new(command[0]).args(&command[1..]).current_dir(sandbox.path(".")))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Runs a command and returns what it prints.
pub fn output(command: &mut Command) -> Result<Vec<u8>, Failed> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}{}", output.status, String::from_utf8_lossy(&text)).into())
}
