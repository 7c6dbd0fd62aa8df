//! What a folder holds: the template as it is now, committed or not.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::git;
use crate::tree::{File, Mode, Tree};

/// What a folder holds, as git sees it: neither what is ignored nor what was deleted.
///
/// # Errors
/// When it is no git repository, or a file cannot be read.
pub(crate) fn read(root: &Path) -> Result<Tree> {
    let listed = git::print(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"], b"")?;
    let mut tree = Tree::new();
    for path in listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()) {
        let path = std::str::from_utf8(path).context("a file's name is not UTF-8")?;
        let place = root.join(path);
        let Ok(metadata) = place.symlink_metadata() else { continue };
        let file = if metadata.is_symlink() {
            let target = fs::read_link(&place).with_context(|| path.to_owned())?;
            File { bytes: target.to_string_lossy().into_owned().into_bytes(), mode: Mode::Link }
        } else {
            let mode = if is_executable(&metadata) { Mode::Executable } else { Mode::Plain };
            File { bytes: fs::read(&place).with_context(|| path.to_owned())?, mode }
        };
        tree.insert(path.to_owned(), file);
    }
    Ok(tree)
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{read_commit, write};

    #[test]
    fn a_folder_and_its_commit_hold_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::from([
            ("a b/ü.txt".to_owned(), File::plain("text\n")),
            ("bytes".to_owned(), File::plain([0, 10, 255])),
            ("empty".to_owned(), File::plain("")),
            ("link".to_owned(), File { bytes: b"a b".to_vec(), mode: Mode::Link }),
            ("run".to_owned(), File { bytes: b"#!/bin/sh\n".to_vec(), mode: Mode::Executable }),
        ]);
        write(&tree, folder.path()).unwrap();
        let git = |arguments: &[&str]| git::print(folder.path(), arguments, b"").unwrap();
        git(&["init", "--quiet"]);
        assert_eq!(read(folder.path()).unwrap(), tree);

        git(&["add", "."]);
        git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "a"]);
        assert_eq!(read_commit(folder.path(), "HEAD").unwrap(), tree);
        let error = read_commit(folder.path(), "gone").unwrap_err().to_string();
        assert!(error.contains("Not a valid object name gone"), "{error}");
    }
}
