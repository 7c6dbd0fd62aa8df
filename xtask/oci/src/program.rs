//! Programs of this machine that work on binaries.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Where a program is on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|program| program.is_file())
}

/// Runs the program `name` to its end.
///
/// # Errors
/// It cannot be started, or fails; with the last that it said.
pub(crate) fn run(command: &mut Command, name: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    let says = String::from_utf8_lossy(&output.stderr);
    let reason = says.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason given");
    ensure!(output.status.success(), "{name} failed ({}): {reason}", output.status);
    Ok(())
}
