//! What stands in the way of a release.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use image_spec::{CheckSpec, Tag};
use semver::Version;

use crate::flags::ReleaseFlags;
use crate::git::Git;
use crate::proposal::tag;

/// How many changed files are named.
const NAMED: usize = 10;

/// The registry of the image, and how it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    /// The program that speaks to registries.
    pub(crate) engine: String,
    /// What its tags are called: `{version}` stands for the version.
    pub(crate) names: Vec<String>,
    /// The repository.
    pub(crate) spec: CheckSpec,
}

/// Everything that keeps `version` from being released, each with what to do.
///
/// # Errors
/// Git does not answer.
pub(crate) fn find(
    git: &Git,
    version: &Version,
    flags: &ReleaseFlags,
    registry: Option<&Registry>,
) -> Result<Vec<String>> {
    let mut found = of_tree(git)?;
    let name = tag(version)?;
    // Whatever it stands for, git lets it stand for nothing else.
    if !git.read(&["for-each-ref", &format!("refs/tags/{name}")])?.is_empty() {
        found.push(format!("the tag {name} exists; choose another version with --version"));
    }
    if !flags.offline {
        found.extend(of_remotes(git, &name)?);
        found.extend(registry.map(|registry| registry.asked(version)).transpose()?.flatten());
    }
    Ok(found)
}

/// What of the work tree keeps a commit from being made, or from being taken back.
pub(crate) fn of_tree(git: &Git) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if git.branch()?.is_none() {
        found.push(
            "HEAD is detached, so that no branch would have the release; `git switch` to one".to_owned(),
        );
    }
    for (head, what) in
        [("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert")]
    {
        if git.find(head)?.is_some() {
            found.push(format!("a {what} is under way; finish it, or `git {what} --abort`"));
        }
    }
    let changes = git.changes()?;
    if !changes.is_empty() {
        let named = changes.iter().take(NAMED).map(|line| format!("\n    {line}")).collect::<String>();
        let more = changes.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("\n    and {more} more") } else { String::new() };
        found.push(format!("the work tree is not clean; commit, `git stash -u` or ignore:{named}{more}"));
    }
    Ok(found)
}

fn of_remotes(git: &Git, name: &str) -> Result<Vec<String>> {
    let reference = format!("refs/tags/{name}");
    let mut found = Vec::new();
    for remote in git.remotes()? {
        match git.references_of(&remote, &[&reference]) {
            Ok(references) if references.is_empty() => {}
            Ok(_) => found.push(format!(
                "the tag {name} exists on the remote {remote}; `git fetch --tags {remote}`, and look again"
            )),
            Err(error) => found.push(format!("{error:#}; without the network, --offline does not ask")),
        }
    }
    Ok(found)
}

impl Registry {
    /// What the registry says against `version`.
    fn asked(&self, version: &Version) -> Result<Option<String>> {
        let repository = &self.spec.repository;
        let names =
            self.names.iter().map(|name| name.replace("{version}", &version.to_string()).parse::<Tag>());
        let names = names.collect::<Result<Vec<_>, _>>().context("this version cannot be an image's tag")?;
        let tags = names.iter().map(|name| repository.with_tag(name)).collect();
        match self.existing(&CheckSpec { tags, ..self.spec.clone() }) {
            Ok(existing) if existing.is_empty() => Ok(None),
            Ok(existing) => {
                let text = format!(
                    "the registry has {} already; choose another version with --version",
                    existing.join(", ")
                );
                Ok(Some(text))
            }
            Err(error) => {
                let host = repository.registry();
                Ok(Some(format!(
                    "the registry {host} could not be asked: {error:#}; without the network, --offline does not ask"
                )))
            }
        }
    }

    fn existing(&self, spec: &CheckSpec) -> Result<Vec<String>> {
        let mut engine = Command::new(&self.engine);
        engine.arg("existing").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut engine = engine.spawn().with_context(|| format!("cannot start {}", self.engine))?;
        if let Some(mut stdin) = engine.stdin.take() {
            // Whoever does not read it says why.
            let _ = stdin.write_all(&serde_json::to_vec(spec)?);
        }
        let output = engine.wait_with_output().with_context(|| format!("cannot start {}", self.engine))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        anyhow::ensure!(output.status.success(), "{}", said.strip_prefix("error: ").unwrap_or(said));
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}
