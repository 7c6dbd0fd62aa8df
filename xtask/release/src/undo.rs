//! Takes the last release back, as long as nobody else has it.

use anyhow::{Context as _, Result, bail, ensure};
use semver::Version;

use crate::apply::{self, Left, Release, Step};
use crate::files::{Edit, read};
use crate::flags::ReleaseFlags;
use crate::git::{Git, short};
use crate::obstacles::of_tree;
use crate::proposal::version_of;

/// Takes the release back that is checked out, and says what was done.
///
/// # Errors
/// Somebody else may have it, it is not what is checked out, or something would be lost.
pub(crate) fn undo(git: &Git, flags: &ReleaseFlags) -> Result<String> {
    let version = match apply::left(git)? {
        Left::Files(release) => {
            release.take_back(git)?;
            return Ok("what was interrupted is taken back; every file is as before the release".to_owned());
        }
        Left::Commit(version) => version,
        Left::Nothing => released(git)?,
    };
    let obstacles = of_tree(git)?;
    ensure!(obstacles.is_empty(), "v{version} is not taken back: {}", obstacles.join("\n"));
    let head = git.find("HEAD")?.unwrap_or_default();
    let tag = format!("refs/tags/v{version}");
    check_unpublished(git, flags, &head, &tag)?;
    let tagged = git.find(&tag)?;
    ensure!(
        tagged.is_none_or(|tagged| tagged == head),
        "the tag v{version} is not at HEAD; it is left where it is"
    );
    let release = made(git, &version)?;
    // Once git has moved the branch, what is left is what a release leaves that was killed before its commit.
    release.perform(git, Step::Note)?;
    if let Ok(object) = git.read(&["rev-parse", "--quiet", "--verify", &tag]) {
        git.act(&["update-ref", "-d", &tag, &object])?;
    }
    git.act(&["reset", "--quiet", "--soft", "HEAD^"])?;
    release.take_back(git)?;
    let kept = short(&head);
    Ok(format!(
        "v{version} is taken back, tag and commit; git keeps the commit for a while: `git reset --keep {kept}`"
    ))
}

/// The release that is checked out, as it was made.
fn made(git: &Git, version: &Version) -> Result<Release> {
    let edit = |path: String| {
        let new = read(&git.folder().join(&path))?.with_context(|| format!("{path} is gone"))?;
        Ok(Edit { old: git.content("HEAD^", &path)?, new, path })
    };
    let edits = git.files_of("HEAD")?.into_iter().map(edit).collect::<Result<Vec<_>>>()?;
    let parent = git.find("HEAD^")?.context("the release has no commit before it")?;
    Ok(Release::new(version, parent, apply::message(version, false), edits))
}

/// The version whose release is checked out.
fn released(git: &Git) -> Result<Version> {
    let tags = git.tags(&["--points-at", "HEAD"])?;
    let versions = tags.iter().filter_map(|tag| version_of(tag)).collect::<Vec<_>>();
    for version in &versions {
        if apply::is_release(git, version)? {
            return Ok(version.clone());
        }
    }
    if let Some(version) = versions.first() {
        bail!(
            "v{version} is the tag of a commit that `cargo xtask release` has not made, so it is not taken back"
        );
    }
    match crate::proposal::last(git)? {
        None => bail!("there is no release to take back: no tag is a version, such as v1.2.3"),
        Some(last) => {
            let since = git.read(&["rev-list", "--count", &format!("refs/tags/v{last}..HEAD")])?;
            bail!("HEAD is not the commit of a release: v{last}, which stays, has commits after it ({since})")
        }
    }
}

/// Sees that no remote has the commit or the tag.
fn check_unpublished(git: &Git, flags: &ReleaseFlags, head: &str, tag: &str) -> Result<()> {
    let known =
        git.read(&["for-each-ref", "--format=%(refname:short)", "--contains", head, "refs/remotes"])?;
    if let Some(branch) = known.lines().next() {
        bail!("the release is on {branch} already; others may have it, so release another version instead");
    }
    if flags.offline {
        return Ok(());
    }
    for remote in git.remotes()? {
        let references = match git.references_of(&remote, &[]) {
            Ok(references) => references,
            Err(error) => bail!("{error:#}; if nothing was pushed there, --offline does not ask"),
        };
        if let Some((name, _)) = references.iter().find(|(name, hash)| name == tag || hash == head) {
            bail!("the remote {remote} has the release already, as {name}; release another version instead");
        }
    }
    Ok(())
}
