//! What keeps a project from being adopted as it is.

use std::fs;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Deserialize;

use super::project::Project;
use crate::git::Git;
use crate::record::Record;
use crate::tree::Tree;

/// Looks for it; gives the project's repository.
///
/// # Errors
/// There is something; says what to do about it.
pub(super) fn check(project: &Project, template: &Tree) -> Result<Git> {
    let root = project.root.display();
    ensure!(
        !project.root.join(Record::FILE).exists(),
        "{root} has the pipeline already, by {}: `cargo xtask template update` in it brings a later version",
        Record::FILE
    );
    let is_taken = project.packages.iter().any(|package| package.name == "xtask");
    if is_taken || project.root.join("xtask").exists() {
        bail!(
            "{root} has an `xtask` of its own, whose place the pipeline would take: rename that package and its folder \
             first, to `tasks` say"
        );
    }
    toolchain(project, template)?;
    let git = Git::open(&project.root).map_err(|_| {
        anyhow!(
            "{root} is in no git repository, or in one without a commit: `git init`, and commit what there is, so that \
             what this adds can be told from it and taken back"
        )
    })?;
    let changes = git.changes()?;
    ensure!(
        changes.is_empty(),
        "there are changes in {root} that are not committed, and what this adds could not be told from them: commit \
         them, or put them away by `git stash --include-untracked`\n{changes}"
    );
    Ok(git)
}

/// The toolchain that the project pins compiles the pipeline as well.
fn toolchain(project: &Project, template: &Tree) -> Result<()> {
    let needed = needed(template)?;
    for name in ["rust-toolchain.toml", "rust-toolchain"] {
        let Ok(text) = fs::read_to_string(project.root.join(name)) else { continue };
        let channel = channel(&text).with_context(|| format!("{name} has no channel"))?;
        // What has no number moves by itself, or is a nightly.
        if version(&channel).is_some_and(|pinned| version(&needed).is_some_and(|needed| pinned < needed)) {
            bail!(
                "{name} pins Rust {channel}, and the pipeline needs {needed} or newer: raise it, and see that the project \
                 builds with it"
            );
        }
    }
    Ok(())
}

fn needed(template: &Tree) -> Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        workspace: Workspace,
    }
    #[derive(Deserialize)]
    struct Workspace {
        package: Package,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Package {
        rust_version: String,
    }
    let manifest = template.get("Cargo.toml").context("there is no Cargo.toml")?;
    let manifest: Manifest = toml::from_str(std::str::from_utf8(&manifest.bytes)?).context("Cargo.toml")?;
    Ok(manifest.workspace.package.rust_version)
}

/// The channel in a file of rustup's, which [may be](https://rust-lang.github.io/rustup/overrides.html) nothing else.
fn channel(text: &str) -> Option<String> {
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return Some(text.trim().to_owned()) };
    Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned())
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '-']).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_read_in_both_forms() {
        assert_eq!(channel("1.70.0\n").as_deref(), Some("1.70.0"));
        assert_eq!(channel("[toolchain]\nchannel = \"stable\"\n").as_deref(), Some("stable"));
        assert_eq!(channel("[toolchain]\npath = \"/rust\"\n"), None);
        assert_eq!(version("1.95.0"), Some((1, 95)));
        assert_eq!(version("1.95"), Some((1, 95)));
        assert_eq!(version("stable"), None);
        assert_eq!(version("nightly-2026-01-01"), None);
    }
}
