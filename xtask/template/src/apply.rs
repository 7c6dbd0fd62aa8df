//! Puts a merge into index and work tree, in steps that can be gone on with wherever a run was killed.
//!
//! A note in git's own folder comes first, and goes when all is done. The index comes before the files: since every file
//! of the merge is in it, and nothing was there that git does not have, `git reset --hard` is the tree before at any time.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::git::Git;
use crate::merge::Merged;
use crate::tree;

/// An update that is being made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Update {
    /// The version that it leads to.
    pub(crate) to: String,
    /// The commit that it comes upon.
    head: String,
    /// The tree that it makes of it.
    tree: String,
    /// Entries of the index for conflicts.
    stages: Vec<String>,
    /// What git says about them.
    pub(crate) messages: Vec<String>,
}

/// Paths that an update changes, from the root of the repository.
struct Changes {
    added: Vec<String>,
    modified: Vec<String>,
    deleted: Vec<String>,
}

impl Update {
    /// The update of what is checked out by a merge.
    ///
    /// # Errors
    /// git does not answer.
    pub(crate) fn new(git: &Git, to: String, merged: Merged) -> Result<Self> {
        let head = git.read(&["rev-parse", "--verify", "HEAD"])?;
        let Merged { tree, stages, messages } = merged;
        Ok(Self { to, head, tree, stages, messages })
    }

    /// The files with conflicts.
    pub(crate) fn conflicts(&self) -> BTreeSet<&str> {
        self.stages.iter().filter_map(|stage| Some(stage.split_once('\t')?.1)).collect()
    }

    /// How many files it changes.
    ///
    /// # Errors
    /// git does not answer.
    pub(crate) fn size(&self, git: &Git) -> Result<usize> {
        let changes = self.changes(git)?;
        Ok(changes.added.len() + changes.modified.len() + changes.deleted.len())
    }

    /// Makes it, on a tree without changes.
    ///
    /// # Errors
    /// A file that git ignores is in the way, or one cannot be written.
    pub(crate) fn run(&self, git: &Git) -> Result<()> {
        let changes = self.changes(git)?;
        in_the_way(git, &changes)?;
        let note = note(git);
        let beside = note.with_extension("new");
        let text = toml::to_string(self).context("the note of the update")?;
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, &note)).with_context(|| shown(&note))?;
        self.go_on(git, &changes)
    }

    fn go_on(&self, git: &Git, changes: &Changes) -> Result<()> {
        let index = git.own.join("index");
        let own = git.with_index(index.clone());
        remove(&index)?;
        remove(&git.own.join("index.lock"))?;
        // What it knows of files that stay as they are spares reading them again.
        let real = real_index(git)?;
        if real.exists() {
            fs::copy(&real, &index).with_context(|| shown(&index))?;
        }
        own.read(&["read-tree", "-m", &self.tree]).or_else(|_| own.read(&["read-tree", &self.tree]))?;
        let stages =
            self.conflicts().into_iter().map(|path| format!("0 {}\t{path}\0", "0".repeat(self.tree.len())));
        let stages: String = stages.chain(self.stages.iter().map(|stage| format!("{stage}\0"))).collect();
        own.feed(&["update-index", "-z", "--index-info"], stages.as_bytes())?;
        if let Err(error) = install(&index, &real) {
            // Nothing is changed yet.
            forget(git)?;
            return Err(error);
        }
        self.write_files(git, changes).context(
            "files cannot be written; `cargo xtask template update` goes on from here, `git reset --hard` goes back",
        )?;
        forget(git)
    }

    fn write_files(&self, git: &Git, changes: &Changes) -> Result<()> {
        for path in &changes.deleted {
            let place = git.top.join(path);
            let is_file = place.symlink_metadata().is_ok_and(|found| !found.is_dir());
            if is_file {
                remove(&place)?;
            }
            tree::remove_folders(&git.top, path);
        }
        let own = git.with_index(git.own.join("index"));
        own.read(&["read-tree", &self.tree])?;
        let written = [&changes.added[..], &changes.modified[..]].concat();
        let paths: String = written.iter().map(|path| format!("{path}\0")).collect();
        own.feed(&["checkout-index", "--force", "-z", "--stdin"], paths.as_bytes()).map(drop)
    }

    fn changes(&self, git: &Git) -> Result<Changes> {
        let of = |kind: &str| {
            let filter = format!("--diff-filter={kind}");
            let listed =
                ["diff-tree", "-r", "-z", "--name-only", "--no-renames", &filter, &self.head, &self.tree];
            git.paths(&listed)
        };
        Ok(Changes { added: of("A")?, modified: of("MT")?, deleted: of("D")? })
    }

    /// Refuses to go on over what somebody has written since: a file is as before, as it is going to be, or half written.
    fn check_files(&self, git: &Git, changes: &Changes) -> Result<()> {
        let differ = |tree: &str| -> Result<BTreeSet<String>> {
            let own = git.with_index(git.work().join("index"));
            fs::create_dir_all(git.work()).with_context(|| shown(&git.work()))?;
            own.read(&["read-tree", tree])?;
            // Says with its exit code that there are some.
            own.run(&["update-index", "-q", "--refresh"], b"")?;
            Ok(own.paths(&["diff-files", "-z", "--name-only"])?.into_iter().collect())
        };
        let (before, after) = (differ(&self.head)?, differ(&self.tree)?);
        let is_old = |path: &String| !changes.added.contains(path) && !before.contains(path);
        let is_new = |path: &String| !changes.deleted.contains(path) && !after.contains(path);
        for path in changes.added.iter().chain(&changes.modified).chain(&changes.deleted) {
            let Ok(found) = git.top.join(path).symlink_metadata() else { continue };
            if found.is_dir() || is_old(path) || is_new(path) || self.is_begun(git, path) {
                continue;
            }
            bail!(
                "{path} was changed after the update to v{} was interrupted: keep what you need of it elsewhere, and \
                 `git reset --hard` gives the tree before the update",
                self.to
            );
        }
        Ok(())
    }

    fn is_begun(&self, git: &Git, path: &str) -> bool {
        let whole = git.feed(&["cat-file", "--filters", &format!("{}:{path}", self.tree)], b"");
        let (Ok(whole), Ok(part)) = (whole, fs::read(git.top.join(path))) else { return false };
        whole.starts_with(&part)
    }

    /// Finishes an update that was interrupted.
    ///
    /// # Errors
    /// Somebody has changed a file of it since, or it cannot be written.
    pub(crate) fn finish(&self, git: &Git) -> Result<()> {
        let changes = self.changes(git)?;
        self.check_files(git, &changes)?;
        self.go_on(git, &changes)
    }
}

/// The update that was interrupted, if one was. A note goes that is of no use any more, because nothing was begun or
/// somebody has taken it back.
///
/// # Errors
/// The note cannot be read.
pub(crate) fn left(git: &Git) -> Result<Option<Update>> {
    let note = note(git);
    let text = match fs::read_to_string(&note) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| shown(&note))?,
    };
    let update: Update = toml::from_str(&text).with_context(|| {
        format!(
            "{} is not right; `git reset --hard` gives the tree before the update, then remove it",
            shown(&note)
        )
    })?;
    // Ours, and not that of a git at work, if it is what was going to be the index.
    let (own, lock) = (git.own.join("index"), real_index(git)?.with_extension("lock"));
    if lock.exists() && fs::read(&own).ok() == fs::read(&lock).ok() {
        remove(&lock)?;
    }
    if git.read(&["rev-parse", "--verify", "HEAD"])? != update.head || git.changes()?.is_empty() {
        forget(git)?;
        return Ok(None);
    }
    Ok(Some(update))
}

/// Puts an index into the place of git's, unless git is at work.
fn install(index: &Path, real: &Path) -> Result<()> {
    let lock = real.with_extension("lock");
    match fs::hard_link(index, &lock) {
        Ok(()) => fs::rename(&lock, real).with_context(|| shown(real))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} is there: another git is at work; if none is, remove it. Nothing is changed",
            shown(&lock)
        ),
        // Some file systems have no links.
        Err(_) => {
            let beside = index.with_extension("copy");
            fs::copy(index, &beside).and_then(|_| fs::rename(&beside, real)).with_context(|| shown(real))?;
        }
    }
    // Git may write its own from now on, and the name that is left must not mean the same file.
    remove(index)
}

fn in_the_way(git: &Git, changes: &Changes) -> Result<()> {
    let others = git.paths(&["ls-files", "-z", "--others", "--directory", "--no-empty-directory"])?;
    for path in &changes.added {
        let is_below = |path: &str, folder: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = others.iter().find(|other| {
            let name = other.trim_end_matches('/');
            let is_there = || !other.ends_with('/') || git.top.join(path).symlink_metadata().is_ok();
            is_below(name, path) || (is_below(path, name) && is_there())
        });
        ensure!(
            found.is_none(),
            "{} is in the way of a new file of the template, {path}, and git ignores it: move it, and try again",
            found.map_or("", String::as_str)
        );
    }
    Ok(())
}

fn forget(git: &Git) -> Result<()> {
    remove(&note(git))?;
    remove(&git.own.join("index"))
}

fn note(git: &Git) -> PathBuf {
    git.own.join("update.toml")
}

fn real_index(git: &Git) -> Result<PathBuf> {
    Ok(git.top.join(git.read(&["rev-parse", "--git-path", "index"])?))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", shown(path)))
        }
        _ => Ok(()),
    }
}
