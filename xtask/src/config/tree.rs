//! The files of the work tree, by content: from them follows which steps of `check` have nothing new to find.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::git;

/// The files that git keeps or would keep, by their path from the workspace root, each with the SHA-256 of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, [u8; 32]>);

impl Tree {
    /// Reads the work tree at `root`; `None` where git does not tell what belongs to it.
    pub(crate) fn read(root: &Path) -> Option<Tree> {
        let file = |path: PathBuf| (path.to_string_lossy().into_owned(), content(&root.join(path)));
        Some(Tree(git::files(root)?.into_iter().map(file).collect()))
    }

    /// A tree of files with these contents.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let hash = |text: &str| Sha256::digest(text.as_bytes()).into();
        Tree(files.iter().map(|(path, text)| ((*path).to_owned(), hash(text))).collect())
    }

    /// Whether it has a file whose path begins with `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.range(path.to_owned()..).next().is_some_and(|(first, _)| first.starts_with(path))
    }

    /// A digest of `facts`, and of the names and contents of the files that `includes` takes.
    pub(crate) fn digest(&self, facts: &[String], includes: impl Fn(&str) -> bool) -> String {
        let mut hasher = Sha256::new();
        for fact in facts {
            hasher.update(Sha256::digest(fact.as_bytes()));
        }
        for (path, content) in self.0.iter().filter(|(path, _)| includes(path)) {
            hasher.update(Sha256::digest(path.as_bytes()));
            hasher.update(content);
        }
        HEXLOWER.encode(&hasher.finalize())
    }
}

/// The SHA-256 of what is at `path`; of a link, where it leads. What is gone, or is a folder, has none of a file's.
fn content(path: &Path) -> [u8; 32] {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let bytes = if is_link {
        fs::read_link(path).map(|to| format!("link {}", to.display()).into_bytes())
    } else {
        fs::read(path)
    };
    let text = bytes.unwrap_or_else(|error| format!("none: {}", error.kind()).into_bytes());
    Sha256::digest(text).into()
}

/// The paths that differ between the work tree at `root` and where it left `revision`, those that are new included.
///
/// `None` where git does not know `revision`.
pub(crate) fn changed_since(root: &Path, revision: &str) -> Option<Vec<String>> {
    let base = git::ask(root, &["merge-base", "--end-of-options", revision, "HEAD"])?;
    let mut changed =
        git::paths(root, &["diff", "--name-only", "--no-renames", "--relative", "-z", &base, "--"])?;
    changed.extend(git::paths(root, &["ls-files", "--others", "--exclude-standard", "-z"])?);
    Some(changed.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_follows_from_what_is_included_alone() {
        let tree = Tree::of(&[("app/a", "1"), ("docs/b", "2")]);
        let of_app = |tree: &Tree| tree.digest(&[], |path| path.starts_with("app/"));
        assert_eq!(of_app(&tree), of_app(&Tree::of(&[("app/a", "1"), ("docs/b", "3")])));
        assert_ne!(of_app(&tree), of_app(&Tree::of(&[("app/a", "2"), ("docs/b", "2")])));
        assert_ne!(of_app(&tree), of_app(&Tree::of(&[("app/c", "1"), ("docs/b", "2")])));
        let with = |facts: &[&str]| {
            tree.digest(&facts.iter().map(|fact| (*fact).to_owned()).collect::<Vec<_>>(), |_| true)
        };
        assert_ne!(with(&["a", "b"]), with(&["ab", ""]));
        assert_eq!(with(&["a"]).len(), 64);
    }

    #[test]
    fn a_tree_is_what_git_keeps_and_would_keep() {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| duct::cmd("git", args).dir(folder.path()).stdout_null().run().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(Tree::read(folder.path()), None);
        git(&["init", "--quiet"]);
        write(".gitignore", "ignored\n");
        write("kept", "1");
        write("ignored", "2");
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree, Tree::of(&[(".gitignore", "ignored\n"), ("kept", "1")]));

        git(&["add", "."]);
        git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first"]);
        assert_eq!(changed_since(folder.path(), "HEAD"), Some(vec![]));
        write("kept", "3");
        write("new ü", "4");
        let changed = changed_since(folder.path(), "HEAD").unwrap();
        assert_eq!(changed, ["kept", "new ü"]);
        assert_eq!(changed_since(folder.path(), "no-such-revision"), None);
        assert_ne!(Tree::read(folder.path()).unwrap(), tree);
    }
}
