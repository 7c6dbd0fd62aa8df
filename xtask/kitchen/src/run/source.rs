//! What exactly is checked out: the commit, and the files with all changes that it has not.

use std::fmt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::fs;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::place::Place;

/// The scratch folder is for one at a time.
static SCRATCH: Mutex<()> = Mutex::const_new(());

/// Two that are equal are the same commit and the same files. Nothing is known of a project that git does not keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    revision: String,
    tree: String,
}

impl Source {
    /// What is checked out in the project. The repository gets nothing of it.
    ///
    /// # Errors
    /// Git cannot tell.
    pub(super) async fn of(place: &Place) -> Result<Source> {
        let root = place.root();
        let Ok(revision) = git(root, &["rev-parse", "HEAD"], None).await else {
            return Ok(Source::default());
        };
        let _alone = SCRATCH.lock().await;
        let scratch = place.scratch();
        let tree = tree(root, &scratch).await;
        // One that was left is removed by the next.
        let _ = fs::remove_dir_all(&scratch).await;
        Ok(Source { revision, tree: tree.context("git cannot tell what has changed")? })
    }

    /// The same as it was kept.
    pub(super) fn kept(text: &str) -> Source {
        let (revision, tree) = text.split_once(' ').unwrap_or_default();
        Source { revision: revision.to_owned(), tree: tree.to_owned() }
    }

    /// What is different now; nothing where it is the same.
    pub(super) fn difference(&self, now: &Source) -> Option<String> {
        let short = |source: &Source| source.revision.get(..9).unwrap_or("none").to_owned();
        if self.revision != now.revision {
            let (before, after) = (short(self), short(now));
            return Some(format!("the commit was {before} in the dry run, and is {after} now"));
        }
        (self.tree != now.tree).then(|| "files have changed since the dry run".to_owned())
    }
}

/// As it is kept.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.revision, self.tree)
    }
}

/// The name that git would give to all files, were they committed: by an index and objects of our own.
async fn tree(root: &Path, scratch: &Path) -> Result<String> {
    let _ = fs::remove_dir_all(scratch).await;
    fs::create_dir_all(scratch.join("objects")).await?;
    let folder = |name| async move {
        Ok::<_, anyhow::Error>(root.join(git(root, &["rev-parse", "--git-path", name], None).await?))
    };
    let objects = folder("objects").await?;
    copy_index(&folder("index").await?, &scratch.join("index")).await?;
    git(root, &["add", "--all", ":/"], Some((scratch, &objects))).await?;
    git(root, &["write-tree"], Some((scratch, &objects))).await
}

/// Takes over what git's index knows of files that are as they were, which saves reading them. Its time as well: git reads
/// a file all the same that is not older than the index, since another change in that moment would not show otherwise
/// ([racy git](https://git-scm.com/docs/racy-git)).
async fn copy_index(from: &Path, to: &Path) -> Result<()> {
    let Ok(metadata) = fs::metadata(from).await else { return Ok(()) };
    let modified = metadata.modified()?;
    fs::copy(from, to).await?;
    fs::File::options().write(true).open(to).await?.into_std().await.set_modified(modified)?;
    Ok(())
}

/// What git prints in the project at `root`; with an index and objects in `scratch` of our own, if need be.
pub(super) async fn git(root: &Path, arguments: &[&str], scratch: Option<(&Path, &Path)>) -> Result<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(root).stdin(Stdio::null()).kill_on_drop(true);
    if let Some((scratch, objects)) = scratch {
        command.env("GIT_INDEX_FILE", scratch.join("index"));
        command.env("GIT_OBJECT_DIRECTORY", scratch.join("objects"));
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
    }
    let output = command.output().await.context("cannot start git")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), said.trim());
    Ok(String::from_utf8(output.stdout).context("git")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within one tick of the clock, and by one byte: neither its size nor its time tells.
    #[tokio::test]
    async fn a_change_in_the_moment_of_the_commit_is_seen() {
        let project = tempfile::tempdir().unwrap();
        let (root, place) = (project.path(), Place::in_project(project.path()).unwrap());
        let git = async |words: &str| git(root, &words.split(' ').collect::<Vec<_>>(), None).await.unwrap();
        // A while ago: git may know times in whole seconds.
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(10);
        let at_that_time = |name: &str| {
            let file = std::fs::File::options().write(true).open(root.join(name)).unwrap();
            file.set_modified(time).unwrap();
        };
        std::fs::write(root.join("a"), "1").unwrap();
        at_that_time("a");
        std::fs::write(root.join(".gitignore"), ".kitchen").unwrap();
        git("init --quiet").await;
        git("config core.trustctime false").await;
        git("add .").await;
        git("-c user.name=me -c user.email=me@example.com commit --quiet --message one").await;
        std::fs::write(root.join("a"), "2").unwrap();
        at_that_time("a");
        at_that_time(".git/index");
        let seen = Source::of(&place).await.unwrap().tree;
        assert_ne!(seen, git("rev-parse HEAD^{tree}").await);
    }

    #[tokio::test]
    async fn every_change_is_another_source_and_none_leaves_a_trace() {
        let project = tempfile::tempdir().unwrap();
        let (root, place) = (project.path(), Place::in_project(project.path()).unwrap());
        assert_eq!(Source::of(&place).await.unwrap(), Source::default());
        let git = |words: &'static str| async move {
            let words: Vec<_> = words.split(' ').collect();
            git(root, &words, None).await.unwrap()
        };
        git("init --quiet").await;
        std::fs::write(root.join(".gitignore"), ".kitchen").unwrap();
        std::fs::write(root.join("a"), "1").unwrap();
        git("add .").await;
        git("-c user.name=me -c user.email=me@example.com commit --quiet --message one").await;
        let clean = Source::of(&place).await.unwrap();
        assert_eq!(clean.difference(&Source::kept(&clean.to_string())), None);
        assert_eq!(clean.tree, git("rev-parse HEAD^{tree}").await);

        let mut seen = vec![clean.clone()];
        for (name, text) in [("a", "2"), ("new", "1"), ("new", "2")] {
            std::fs::write(root.join(name), text).unwrap();
            let changed = Source::of(&place).await.unwrap();
            assert!(seen.iter().all(|before| before.difference(&changed).is_some()), "{name}");
            seen.push(changed);
        }
        assert_eq!(git("count-objects").await.split(' ').next(), Some("4"), "no object of ours");
        assert_eq!(git("status --porcelain").await, "M a\n?? new");
        assert!(!place.scratch().exists());
        git("-c user.name=me -c user.email=me@example.com commit --quiet --all --message two").await;
        let other = clean.difference(&Source::of(&place).await.unwrap()).unwrap();
        assert!(other.starts_with("the commit was "), "{other}");
    }
}
