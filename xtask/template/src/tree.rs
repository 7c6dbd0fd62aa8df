//! The files of a repository, as git has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::git;

/// Files by their path from the root, with `/` between its parts.
pub(crate) type Tree = BTreeMap<String, File>;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: Mode,
}

/// What git remembers of a file besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    Executable,
    /// A symbolic link; the content is where it leads.
    Link,
}

impl File {
    pub(crate) fn plain(text: impl Into<Vec<u8>>) -> Self {
        Self { bytes: text.into(), mode: Mode::Plain }
    }
}

/// What a commit holds.
///
/// # Errors
/// When there is no such commit.
pub(crate) fn read_commit(root: &Path, commit: &str) -> Result<Tree> {
    read_some(root, commit, |_| true)
}

/// What a commit holds of the files that are asked for: all of a project may be more than fits into memory.
///
/// # Errors
/// When there is no such commit.
pub(crate) fn read_some(root: &Path, commit: &str, is_asked: impl Fn(&str) -> bool) -> Result<Tree> {
    let listed = git::print(root, &["ls-tree", "-r", "-z", "--full-tree", commit], b"")?;
    let mut entries = Vec::new();
    for entry in listed.split(|&byte| byte == 0).filter(|entry| !entry.is_empty()) {
        let entry = std::str::from_utf8(entry).context("a file's name is not UTF-8")?;
        let (facts, path) = entry.split_once('\t').context("git ls-tree")?;
        if !is_asked(path) {
            continue;
        }
        let mut facts = facts.split(' ');
        let mode = match facts.next() {
            Some("100755") => Mode::Executable,
            Some("120000") => Mode::Link,
            Some("160000") => continue, // a submodule, which is not ours to read
            _ => Mode::Plain,
        };
        entries.push((path, mode, facts.nth(1).context("git ls-tree")?));
    }
    let names: String = entries.iter().map(|(_, _, id)| format!("{id}\n")).collect();
    let contents = git::print(root, &["cat-file", "--batch"], names.as_bytes())?;
    let mut rest = contents.as_slice();
    let mut tree = Tree::new();
    for (path, mode, _) in entries {
        let line = rest.iter().position(|&byte| byte == b'\n').context("git cat-file")?;
        let size = std::str::from_utf8(&rest[..line])?.rsplit(' ').next().and_then(|size| size.parse().ok());
        let size: usize = size.with_context(|| format!("git cat-file: {path}"))?;
        rest = &rest[line + 1..];
        ensure!(rest.len() > size, "git cat-file: {path}");
        tree.insert(path.to_owned(), File { bytes: rest[..size].to_vec(), mode });
        rest = &rest[size + 1..];
    }
    Ok(tree)
}

/// Writes files into a folder, which need not exist.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn write(tree: &Tree, folder: &Path) -> Result<()> {
    for (path, file) in tree {
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).with_context(|| path.clone())?;
        }
        write_file(&place, file).with_context(|| path.clone())?;
    }
    Ok(())
}

/// Removes the folders that `path`, a file that is gone, was in below `root`, up to the first that is not empty.
pub(crate) fn remove_folders(root: &Path, path: &str) {
    let folders = Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    let _ = folders.map(|folder| fs::remove_dir(root.join(folder))).take_while(Result::is_ok).count();
}

/// Writes one file, in place of whatever is there.
#[cfg(unix)]
pub(crate) fn write_file(place: &Path, file: &File) -> std::io::Result<()> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    if file.mode == Mode::Link {
        if place.symlink_metadata().is_ok() {
            fs::remove_file(place)?;
        }
        return std::os::unix::fs::symlink(OsStr::from_bytes(&file.bytes), place);
    }
    fs::write(place, &file.bytes)?;
    let mode = if file.mode == Mode::Executable { 0o755 } else { 0o644 };
    fs::set_permissions(place, fs::Permissions::from_mode(mode))
}

/// Writes one file, in place of whatever is there. As git does it on Windows, a link becomes a file that names its goal.
#[cfg(not(unix))]
pub(crate) fn write_file(place: &Path, file: &File) -> std::io::Result<()> {
    fs::write(place, &file.bytes)
}
