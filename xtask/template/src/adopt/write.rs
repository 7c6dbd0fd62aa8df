//! Puts the files into the project: all of them, or none.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::project::Project;
use crate::git::Git;
use crate::record::Record;
use crate::tree::{self, Tree};

/// Writes the files beside the project first, so that what could fail does so there, and then into it. What says that it
/// has adopted the pipeline is the last.
///
/// # Errors
/// One cannot be written; those before it are as they were.
pub(super) fn write(project: &Project, git: &Git, files: &Tree) -> Result<()> {
    let lock = git.lock()?;
    let stage = git.work();
    tree::write(files, &stage)?;
    let mut paths: Vec<_> = files.keys().collect();
    paths.sort_by_key(|path| *path == Record::FILE);
    let mut written: Vec<(&String, Option<Vec<u8>>)> = Vec::new();
    for path in paths {
        let place = project.root.join(path);
        let before = fs::read(&place).ok();
        if let Err(error) = put(&stage.join(path), &place).with_context(|| path.clone()) {
            for (path, before) in written.iter().rev() {
                restore(project, path, before.as_deref());
            }
            git.clear()?;
            return Err(error.context("nothing is changed: what was written before is as it was"));
        }
        written.push((path, before));
    }
    drop(lock);
    git.clear()
}

fn put(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    if fs::rename(from, to).is_err() {
        // Git's own folder may be on another disk.
        fs::copy(from, to)?;
    }
    Ok(())
}

fn restore(project: &Project, path: &str, before: Option<&[u8]>) {
    let place = project.root.join(path);
    // There is nothing left to do about what fails here; git knows all that was there.
    let _ = match before {
        Some(bytes) => fs::write(&place, bytes),
        None => fs::remove_file(&place),
    };
    tree::remove_folders(&project.root, path);
}
