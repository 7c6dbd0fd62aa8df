//! Which version comes next, and why.

use std::fmt;

use anyhow::{Result, bail, ensure};
use next_version::{NextVersion as _, VersionIncrement};
use semver::Version;

use crate::commits::{Change, name};
use crate::flags::{Bump, ReleaseFlags};
use crate::git::Git;
use crate::report::{ChangeReport, ReleaseReport};

/// The next release.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    /// The last version that has a tag here; none before the first release.
    pub(crate) last: Option<Version>,
    /// The one to come.
    pub(crate) next: Version,
    /// Why it is that one.
    pub(crate) why: String,
    /// What has changed in between, the newest first.
    pub(crate) changes: Vec<Change>,
    /// What is to be known before.
    pub(crate) warnings: Vec<String>,
}

/// What comes of the flags and the history.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A release.
    Next(Box<Proposal>),
    /// None: nothing has changed since this version.
    Nothing(Version),
}

/// A flag is not right.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The version that a tag names: `v1.2.3`.
pub(crate) fn version_of(tag: &str) -> Option<Version> {
    tag.strip_prefix('v').and_then(|version| version.parse().ok())
}

/// The highest version that has a tag in the history of what is checked out.
pub(crate) fn last(git: &Git) -> Result<Option<Version>> {
    Ok(git.tags(&["--merged", "HEAD"])?.iter().filter_map(|tag| version_of(tag)).max())
}

/// Proposes what follows on the last tag, where Cargo.toml has the version `current`.
///
/// # Errors
/// A version that is asked for is none, or not above the last one.
pub(crate) fn propose(git: &Git, current: &Version, flags: &ReleaseFlags) -> Result<Outcome> {
    let last = last(git)?;
    let range = last.as_ref().map_or_else(|| "HEAD".to_owned(), |last| format!("refs/tags/v{last}..HEAD"));
    let all = git.commits(&range)?;
    let merges = all.len();
    let changes = all.into_iter().filter_map(Change::of).collect::<Vec<_>>();
    let merges = merges - changes.len();
    let wants = flags.version.is_some() || flags.bump.is_some();
    let mut warnings = changes.iter().filter_map(warning).collect::<Vec<_>>();
    if merges > 0 {
        warnings.push(format!("merges are left out ({merges}); what they merge is here"));
    }
    let base = last.clone().unwrap_or_else(|| current.clone());
    let inferred = match &last {
        Some(last) if changes.is_empty() && !wants => return Ok(Outcome::Nothing(last.clone())),
        Some(last) if current < last => {
            warnings.push(format!("Cargo.toml has {current}, and v{last} has a tag already: the tag counts"));
            follows(last, &changes)
        }
        Some(last) => raised(follows(last, &changes), current),
        None => (current.clone(), "the first release is what Cargo.toml says".to_owned()),
    };
    let (next, why) = asked(flags, &base, last.as_ref(), &inferred, &mut warnings)?.unwrap_or(inferred);
    Ok(Outcome::Next(Box::new(Proposal { last, next, why, changes, warnings })))
}

/// What follows from the changes alone.
fn follows(last: &Version, changes: &[Change]) -> (Version, String) {
    let messages = changes.iter().map(|change| &change.commit.message);
    match VersionIncrement::from_commits(last, messages) {
        Some(increment) => {
            let why = format!("{}, as the commits say", name(&increment));
            (increment.bump(last), why)
        }
        None => (last.clone(), "nothing has changed".to_owned()),
    }
}

/// Somebody may have raised Cargo.toml by hand, and further.
fn raised((next, why): (Version, String), current: &Version) -> (Version, String) {
    if *current > next {
        (current.clone(), format!("Cargo.toml has it already; the commits alone would make {next}"))
    } else {
        (next, why)
    }
}

/// What the flags ask for.
fn asked(
    flags: &ReleaseFlags,
    base: &Version,
    last: Option<&Version>,
    (inferred, _): &(Version, String),
    warnings: &mut Vec<String>,
) -> Result<Option<(Version, String)>> {
    let (next, why) = match (&flags.version, flags.bump) {
        (Some(text), _) => (parse(text)?, "as --version says".to_owned()),
        (None, Some(bump)) => {
            let next = match bump {
                Bump::Major => base.increment_major(),
                Bump::Minor => base.increment_minor(),
                Bump::Patch => base.increment_patch(),
            };
            (next, "as --bump says".to_owned())
        }
        (None, None) => return Ok(None),
    };
    if let Some(last) = last.filter(|last| next <= **last) {
        bail!("{next} is not above {last}, which is the last version that has a tag here");
    }
    if next < *inferred {
        warnings.push(format!("the commits ask for {inferred}, which is above {next}"));
    }
    Ok(Some((next, why)))
}

fn parse(text: &str) -> Result<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let version =
        text.parse::<Version>().map_err(|error| Usage(format!("--version {text}: {error}; write 1.2.3")))?;
    ensure!(
        version.build.is_empty(),
        Usage(format!(
            "--version {text}: a tag of an image has no `+`, and would be another; write it without"
        ))
    );
    Ok(version)
}

fn warning(change: &Change) -> Option<String> {
    let (commit, right) = (&change.commit, change.malformed.as_ref()?);
    Some(format!(
        "{} `{}` looks like a breaking change, and is none in this form: {right}. If it is one, add --bump",
        commit.short(),
        commit.subject()
    ))
}

/// What there is to say for programs where nothing has changed since `last`.
pub(crate) fn nothing(last: &Version, current: &Version, why: &str) -> ReleaseReport {
    ReleaseReport {
        last: Some(last.to_string()),
        current: current.to_string(),
        next: None,
        why: why.to_owned(),
        changes: vec![],
        warnings: vec![],
        obstacles: vec![],
    }
}

impl Proposal {
    /// The same for programs, where Cargo.toml has the version `current`.
    pub(crate) fn report(&self, current: &Version, obstacles: &[String]) -> ReleaseReport {
        let change = |change: &Change| ChangeReport {
            commit: change.commit.hash.clone(),
            subject: change.commit.subject().to_owned(),
            reason: self.last.as_ref().map(|last| change.reason(last)),
        };
        ReleaseReport {
            last: self.last.as_ref().map(ToString::to_string),
            current: current.to_string(),
            next: Some(self.next.to_string()),
            why: self.why.clone(),
            changes: self.changes.iter().map(change).collect(),
            warnings: self.warnings.clone(),
            obstacles: obstacles.to_vec(),
        }
    }
}

impl fmt::Display for Proposal {
    /// For people: the version, why, commit by commit, and warnings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.last {
            Some(last) => writeln!(f, "{last} -> {}: {}", self.next, self.why)?,
            None => writeln!(f, "{}: {}", self.next, self.why)?,
        }
        for change in &self.changes {
            let (commit, base) = (&change.commit, self.last.as_ref());
            match base {
                Some(last) => {
                    writeln!(f, "  {} {} [{}]", commit.short(), commit.subject(), change.reason(last))?
                }
                None if change.conventional.is_some() => {
                    writeln!(f, "  {} {}", commit.short(), commit.subject())?
                }
                None => writeln!(f, "  {} {} [not a conventional commit]", commit.short(), commit.subject())?,
            }
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}

/// The tag of a version.
///
/// # Errors
/// The version cannot be in a tag of an image.
pub(crate) fn tag(version: &Version) -> Result<String> {
    ensure!(
        version.build.is_empty(),
        "{version} has a `+`, which no tag of an image can have; set another with --version"
    );
    Ok(format!("v{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_v_and_a_version_is_the_tag_of_a_release() {
        assert_eq!(version_of("v1.2.3-rc.1"), Some("1.2.3-rc.1".parse().unwrap()));
        for tag in
            ["1.2.3", "v1.2", "version-1", "v", "v1.2.3.4", "V1.2.3", "nightly", "app-v1.2.3", "v01.2.3"]
        {
            assert_eq!(version_of(tag), None, "{tag}");
        }
    }
}
