//! What is asked of the project before a build: its commit, and what it can be built for.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::source::git;
use crate::build::Choices;
use crate::store::Commit;

/// The line of `cargo xtask ci matrix`.
#[derive(Deserialize)]
struct Matrix {
    backends: Vec<Backend>,
    platforms: Vec<Platform>,
}

#[derive(Deserialize)]
struct Backend {
    backend: String,
}

#[derive(Deserialize)]
struct Platform {
    platform: String,
}

/// What the project at `root` can be built for.
///
/// # Errors
/// When `cargo xtask` fails there, such as for a mistake in config/pipeline.toml: its own words.
pub async fn choices(cargo: &OsStr, root: &Path) -> Result<Choices> {
    let mut command = Command::new(cargo);
    command
        .args(["xtask", "ci", "matrix", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo xtask ci matrix: {}", said.trim());
    let matrix: Matrix = serde_json::from_slice(&output.stdout).context("cargo xtask ci matrix")?;
    Ok(Choices {
        backends: matrix.backends.into_iter().map(|row| row.backend).collect(),
        platforms: matrix.platforms.into_iter().map(|row| row.platform).collect(),
    })
}

/// What is checked out at `root`; nothing where git does not say.
pub(super) async fn commit(root: &Path) -> Commit {
    let git = async |arguments: &[&str]| git(root, arguments, None).await.ok();
    let (revision, branch, changes) = tokio::join!(
        git(&["rev-parse", "HEAD"]),
        git(&["symbolic-ref", "--short", "HEAD"]),
        git(&["status", "--porcelain"])
    );
    Commit { revision, branch, dirty: changes.is_some_and(|changes| !changes.is_empty()) }
}
