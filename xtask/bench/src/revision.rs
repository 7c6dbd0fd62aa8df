//! Revisions of the repository, as git knows them.

use std::path::Path;

use anyhow::{Context, Result};

use crate::command::{command, output_of};

/// The commit that `revision` of the repository at `root` means.
///
/// # Errors
/// When there is no such revision.
pub(crate) fn commit(root: &Path, revision: &str) -> Result<String> {
    let args = [
        "-C",
        &root.to_string_lossy(),
        "rev-parse",
        "--verify",
        "--quiet",
        &format!("{revision}^{{commit}}"),
    ];
    output_of("git", &args)
        .with_context(|| format!("there is no revision {revision}; `git log` shows those that there are"))
}

/// Whether cargo has the same to compile for the service at both commits.
pub(crate) fn has_same_service(root: &Path, one: &str, other: &str) -> bool {
    let mut diff = command("git", root);
    diff.args(["diff", "--quiet", one, other, "--"]);
    diff.args(["app", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo"]);
    diff.status().is_ok_and(|status| status.success())
}
