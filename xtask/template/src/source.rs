//! Where the template is, and its versions there.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use semver::Version;

use crate::answers::Answers;
use crate::git::Git;
use crate::questions;
use crate::record::{self, Record};
use crate::render::{project, template_of};
use crate::tree::{self, File, Tree};

/// The template's repository, with its versions by the tags that they have.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    git: &'a Git,
    url: &'a str,
    versions: BTreeMap<Version, String>,
}

impl<'a> Source<'a> {
    /// Asks for the versions.
    ///
    /// # Errors
    /// The repository does not answer.
    pub(crate) fn open(git: &'a Git, url: &'a str) -> Result<Self> {
        let listed = git.read(&["ls-remote", "--tags", "--refs", "--", url]).with_context(|| {
            format!(
                "the template's repository {url} does not answer; is there a network? `source` in {} can name a clone \
                 as well",
                Record::FILE
            )
        })?;
        let tags = listed.lines().filter_map(|line| line.split_once("\trefs/tags/")).map(|(_, tag)| tag);
        let versions = tags.filter_map(|tag| Some((version_of(tag)?, tag.to_owned()))).collect();
        Ok(Self { git, url, versions })
    }

    /// The version that is asked for, or else the highest that is no pre-release; `from` where there is no higher one.
    ///
    /// # Errors
    /// There is no such version.
    pub(crate) fn choose(&self, from: &Version, to: Option<&str>) -> Result<Version> {
        let Some(to) = to else {
            let releases = self.versions.keys().filter(|version| version.pre.is_empty());
            return Ok(releases.max().into_iter().chain([from]).max().unwrap_or(from).clone());
        };
        let version = version_of(to).with_context(|| format!("`{to}` is no version, such as v1.2.3"))?;
        self.tag(&version)?;
        Ok(version)
    }

    /// The tag of a version.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn tag(&self, version: &Version) -> Result<&str> {
        if let Some(tag) = self.versions.get(version) {
            return Ok(tag);
        }
        let there: Vec<_> = self.versions.values().rev().take(8).map(String::as_str).collect();
        if there.is_empty() {
            bail!("{} has no versions, which are tags such as v{version}", self.url);
        }
        bail!(
            "{} has no version v{version}, or not any more; it has {}. If your project was made of one that is gone, \
             `version` in {} can name the nearest",
            self.url,
            there.join(", "),
            Record::FILE
        )
    }

    /// The template in these versions. Only they are fetched, without what was before, and into a repository beside the
    /// project's.
    ///
    /// # Errors
    /// One is gone, or the repository does not answer.
    pub(crate) fn fetch<const N: usize>(&self, versions: [&Version; N]) -> Result<[Tree; N]> {
        let folder = self.git.work().join("template.git");
        let place = folder.to_string_lossy();
        self.git.read(&["init", "--quiet", "--bare", "--template=", &place])?;
        let mut tags = Vec::new();
        for version in versions {
            tags.push(format!("refs/tags/{}", self.tag(version)?));
        }
        let specs: Vec<_> = tags.iter().map(|tag| format!("{tag}:{tag}")).collect();
        let fetch = ["--git-dir", &place, "fetch", "--quiet", "--no-tags", "--depth=1", "--", self.url];
        let specs: Vec<_> = fetch.into_iter().chain(specs.iter().map(String::as_str)).collect();
        self.git.read(&specs).with_context(|| format!("cannot fetch the template from {}", self.url))?;
        let mut trees = std::array::from_fn(|_| Tree::new());
        for (tree, tag) in trees.iter_mut().zip(&tags) {
            *tree = tree::read_commit(&folder, tag)?;
        }
        Ok(trees)
    }
}

/// The version that a tag names, with or without a `v`.
fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

/// The project as the recorded version of the template makes it.
///
/// # Errors
/// The record has other answers than that version asks for.
pub(crate) fn recorded(template: &Tree, record: &Record) -> Result<Tree> {
    let hint = || {
        format!(
            "{} does not fit to v{}; was it edited? `git log -p {0}` shows how",
            Record::FILE,
            record.version
        )
    };
    let questions = template_of(template).with_context(hint)?.questions;
    for question in &questions {
        record.answers.get(&question.name).and_then(|answer| question.check(answer)).with_context(hint)?;
    }
    project(template, &record.answers, record.adopted.as_ref()).with_context(hint)
}

/// The project as another version makes it. What that one asks for the first time is asked.
///
/// # Errors
/// The version is not understood, or nobody answers.
pub(crate) fn renewed(
    old: &Tree,
    template: &Tree,
    version: &Version,
    record: &Record,
    silent: bool,
) -> Result<Tree> {
    let hint = || format!("v{version} of the template is not understood here; `--to` an earlier one first");
    let (origin, found) = record::origin(template).with_context(hint)?;
    if found != version.to_string() {
        bail!(
            "the template's tag v{version} has version {found} in it, which is its mistake: use another with `--to`"
        );
    }
    let questions = template_of(template).with_context(hint)?;
    let answers: Answers = questions::complete(&questions, &record.answers, silent)?;
    let adopted = record.adopted.as_ref();
    let mut project = project(template, &answers, adopted).with_context(hint)?;
    let mut next = Record::new(template, &questions, &answers, adopted)?;
    // A mirror, or a template of one's own that follows this one, stays; where the template itself moves, so do we.
    next.source = if record::origin(old)?.0 == record.source { origin } else { record.source.clone() };
    project.insert(Record::FILE.to_owned(), File::plain(next.to_string()));
    Ok(project)
}
