//! A release in steps that can be gone on with, or taken back, wherever a run was killed: files, commit, tag.
//!
//! Before the first file is touched, a note in git's own folder says what is going to happen. It goes when all is done.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::changelog;
use crate::files::{Edit, Manifest, read};
use crate::git::Git;
use crate::proposal::tag;

/// The note's place in git's own folder.
const NOTE: &str = "xtask-release.json";

/// A release that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// Its version.
    version: String,
    /// The commit that it comes upon.
    head: String,
    /// What its own commit says.
    message: String,
    /// The files that are changed.
    pub(crate) edits: Vec<Edit>,
}

/// One step of a release. After each, a run may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Notes what is going to happen.
    Note,
    /// Writes a file beside its place.
    Write(usize),
    /// Puts it into its place.
    Rename(usize),
    /// Tells git about the files.
    Stage,
    /// Commits them.
    Commit,
    /// Tags the commit.
    Tag,
    /// Removes the note.
    Forget,
}

/// What a run that was killed has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// Some of the files.
    Files(Release),
    /// The commit of this version, without its tag.
    Commit(Version),
}

impl Release {
    /// The release of `version` upon the commit `head`.
    pub(crate) fn new(version: &Version, head: String, message: String, edits: Vec<Edit>) -> Release {
        Release { version: version.to_string(), head, message, edits }
    }

    /// Its steps.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let files = (0..self.edits.len()).flat_map(|index| [Step::Write(index), Step::Rename(index)]);
        let end = [Step::Stage, Step::Commit, Step::Tag, Step::Forget];
        [Step::Note].into_iter().chain(files).chain(end).collect()
    }

    /// Does all of it. Where git refuses, nothing is left of it.
    ///
    /// # Errors
    /// A file cannot be written, or git refuses: a hook of it, for example.
    pub(crate) fn run(&self, git: &Git) -> Result<()> {
        for step in self.steps() {
            let Err(error) = self.perform(git, step) else { continue };
            return Err(match step {
                Step::Tag | Step::Forget => error.context(format!(
                    "{} is committed, and has no tag yet; `cargo xtask release --execute` goes on, --undo takes it back",
                    self.version
                )),
                _ => {
                    self.take_back(git).context("and what was written cannot be taken back")?;
                    error.context("nothing was released, and every file is as before")
                }
            });
        }
        Ok(())
    }

    /// Does one step.
    pub(crate) fn perform(&self, git: &Git, step: Step) -> Result<()> {
        match step {
            Step::Note => {
                let note = git.own_file(NOTE)?;
                let beside = beside(&note);
                write(&beside, &serde_json::to_string(self)?)?;
                rename(&beside, &note)
            }
            Step::Write(index) => {
                let edit = &self.edits[index];
                let path = place(git, &edit.path);
                write(&beside(&path), &edit.new)?;
                if let Ok(metadata) = fs::metadata(&path) {
                    fs::set_permissions(beside(&path), metadata.permissions())
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                Ok(())
            }
            Step::Rename(index) => {
                let path = place(git, &self.edits[index].path);
                rename(&beside(&path), &path)
            }
            Step::Stage => git.act(&[&["add", "--"], &self.paths()[..]].concat()),
            Step::Commit => git.act(&["commit", "--quiet", "--message", &self.message]),
            Step::Tag => tag_head(git, &self.version),
            Step::Forget => forget(git),
        }
    }

    /// Puts every file back, as long as nobody has changed one since.
    ///
    /// # Errors
    /// Somebody has, or a file cannot be written.
    pub(crate) fn take_back(&self, git: &Git) -> Result<()> {
        for edit in &self.edits {
            let found = read(&place(git, &edit.path))?;
            if found != edit.old && found.as_ref() != Some(&edit.new) {
                bail!(
                    "{} was changed after the release of {} was interrupted: `git diff` shows how; keep what you need, \
                     `git restore --staged --worktree` the rest, remove {}, and try again",
                    edit.path,
                    self.version,
                    git.own_file(NOTE)?.display()
                );
            }
        }
        git.act(&[&["reset", "--quiet", "--"], &self.paths()[..]].concat())?;
        for edit in &self.edits {
            let path = place(git, &edit.path);
            let beside = beside(&path);
            match &edit.old {
                Some(old) if read(&path)?.as_ref() != Some(old) => {
                    write(&beside, old)?;
                    fs::set_permissions(&beside, fs::metadata(&path)?.permissions())?;
                    rename(&beside, &path)?;
                }
                Some(_) => {}
                None => remove(&path)?,
            }
            remove(&beside)?;
        }
        forget(git)
    }

    fn paths(&self) -> Vec<&str> {
        self.edits.iter().map(|edit| edit.path.as_str()).collect()
    }
}

/// What a run that was killed has left. A note that is of no use any more goes.
///
/// # Errors
/// The note is not right, or git does not answer.
pub(crate) fn left(git: &Git) -> Result<Left> {
    let path = git.own_file(NOTE)?;
    let Some(note) = read(&path)? else {
        return Ok(untagged(git)?.map_or(Left::Nothing, Left::Commit));
    };
    let release: Release = serde_json::from_str(&note)
        .with_context(|| format!("{} is not right; see what has changed, and remove it", path.display()))?;
    let head = git.find("HEAD")?.unwrap_or_default();
    if head == release.head {
        return Ok(Left::Files(release));
    }
    // Either the commit is made, or somebody went on without.
    forget(git)?;
    Ok(untagged(git)?.map_or(Left::Nothing, Left::Commit))
}

/// The version of the release that the checked out commit is, if it is one, going by `version`: what it changes is what a
/// release changes, and nothing else.
pub(crate) fn is_release(git: &Git, version: &Version) -> Result<bool> {
    if git.find("HEAD^")?.is_none() || git.find("HEAD^2")?.is_some() {
        return Ok(false);
    }
    let is_ours = |path: &String| {
        ["Cargo.toml", changelog::PATH].contains(&path.as_str())
            || path.rsplit('/').next() == Some("Cargo.lock")
    };
    let manifest = Manifest::read(git.folder())?;
    Ok(manifest.version().is_ok_and(|found| found == *version) && git.files_of("HEAD")?.iter().all(is_ours))
}

/// The version whose release is checked out, where it has no tag.
fn untagged(git: &Git) -> Result<Option<Version>> {
    let subject = git.read(&["log", "-1", "--no-show-signature", "--format=%s"])?;
    let Some(version) = version_in(&subject) else { return Ok(None) };
    let is_tagged = git.find(&format!("refs/tags/v{version}"))?.is_some();
    Ok((!is_tagged && is_release(git, &version)?).then_some(version))
}

/// What the commit of a release says. Where others say what kind of commit they are, it does so as well.
pub(crate) fn message(version: &Version, is_conventional: bool) -> String {
    if is_conventional { format!("chore: release v{version}") } else { format!("Release v{version}") }
}

/// The version that the subject of a release names. Hosting sites put the number of a pull request behind it.
fn version_in(subject: &str) -> Option<Version> {
    let rest = subject.strip_prefix("chore: release ").or_else(|| subject.strip_prefix("Release "))?;
    let (tag, more) = rest.split_once(' ').unwrap_or((rest, "(#"));
    crate::proposal::version_of(tag).filter(|_| more.starts_with("(#"))
}

/// Tags what is checked out as the release of `version`. The tag has an author and a date, so that
/// `git push --follow-tags` takes it along.
pub(crate) fn tag_head(git: &Git, version: &str) -> Result<()> {
    let name = tag(&version.parse()?)?;
    git.act(&["tag", "--annotate", "--message", &format!("Release {version}"), &name, "HEAD"])
}

/// Forgets a release that was under way.
fn forget(git: &Git) -> Result<()> {
    let note = git.own_file(NOTE)?;
    remove(&beside(&note))?;
    remove(&note)
}

fn place(git: &Git, path: &str) -> PathBuf {
    git.folder().join(path)
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.xtask-release"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("cannot write {}", to.display()))
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
// template: if pipeline_tests

#[cfg(test)]
mod tests;
// template: end
