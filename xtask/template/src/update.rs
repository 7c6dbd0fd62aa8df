//! Brings a later version of the template to a project that was made of it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use semver::Version;

use crate::apply::{self, Update};
use crate::flags::UpdateFlags;
use crate::git::Git;
use crate::merge;
use crate::record::Record;
use crate::source::{self, Source};
use crate::tree::Tree;

/// What there is to say in the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// What can be done then.
    pub(crate) hint: &'static str,
    /// Whether nothing is left to do.
    pub(crate) is_good: bool,
}

impl Said {
    /// That all is well.
    pub(crate) fn good(text: String) -> Self {
        Self { text, hint: "", is_good: true }
    }
}

/// Updates the project in a folder, or says what is behind.
///
/// # Errors
/// It is no project of a template, has changes that are not committed, or git refuses.
pub(crate) fn run(root: &Path, flags: &UpdateFlags) -> Result<Said> {
    let git = Git::open(root)?;
    let _lock = git.lock()?;
    let said = locked(&git, root, flags);
    git.clear()?;
    said
}

/// The version that an update would lead to, unless the project has it.
///
/// # Errors
/// As for an update, or one was interrupted.
pub(crate) fn later(git: &Git, root: &Path, to: Option<&str>) -> Result<Option<Version>> {
    let _lock = git.lock()?;
    if let Some(update) = apply::left(git)? {
        bail!(interrupted(&update.to));
    }
    let record = Record::read(root)?;
    let to = Source::open(git, &record.source)?.choose(&record.version, to)?;
    Ok((to != record.version).then_some(to))
}

fn locked(git: &Git, root: &Path, flags: &UpdateFlags) -> Result<Said> {
    if let Some(update) = apply::left(git)? {
        if flags.check {
            return Ok(Said { text: interrupted(&update.to), hint: "", is_good: false });
        }
        update.finish(git)?;
        let mut said = done(git, &update)?;
        said.text =
            format!("the update to v{} was interrupted, and is finished now\n{}", update.to, said.text);
        return Ok(said);
    }
    let record = Record::read(root)?;
    if !flags.check {
        let changes = git.changes()?;
        ensure!(
            changes.is_empty(),
            "there are changes that are not committed, and an update could not be told from them: commit them, or put \
             them away by `git stash --include-untracked`\n{changes}"
        );
    }
    let source = Source::open(git, &record.source)?;
    let to = source.choose(&record.version, flags.to.as_deref())?;
    if to == record.version {
        return Ok(Said::good(format!("up to date: v{to} of {}", record.source)));
    }
    let [from, template] = source.fetch([&record.version, &to])?;
    let old = source::recorded(&from, &record)?;
    let new = source::renewed(&from, &template, &to, &record, flags.silent || flags.check)?;
    if flags.check {
        let text = behind(&record, &to.to_string(), &old, &new);
        return Ok(Said { text, hint: "`cargo xtask template update` brings that", is_good: false });
    }
    let merged = merge::merge(git, &old, &new, &format!("template/v{to}"))?;
    let update = Update::new(git, to.to_string(), merged)?;
    update.run(git)?;
    done(git, &update)
}

/// What is said after a run that was killed, by those that change nothing.
pub(crate) fn interrupted(to: &str) -> String {
    format!(
        "an update to v{to} was interrupted: `cargo xtask template update` finishes it, `git reset --hard` takes it back"
    )
}

fn done(git: &Git, update: &Update) -> Result<Said> {
    let conflicts = update.conflicts();
    let size = update.size(git)?;
    let mut text =
        format!("v{} of the template is merged into the project: {size} files changed\n", update.to);
    for message in &update.messages {
        let _ = writeln!(text, "{message}");
    }
    if conflicts.is_empty() && update.messages.is_empty() {
        let hint = "nothing is committed: `git diff --cached` shows it, `cargo xtask check` tries it";
        return Ok(Said { text, hint, is_good: true });
    }
    for path in conflicts {
        let _ = writeln!(text, "conflict: {path}");
    }
    let hint = "solve these, `git add` the files, and commit; `git reset --hard` takes the update back";
    Ok(Said { text, hint, is_good: false })
}

fn behind(record: &Record, to: &str, old: &Tree, new: &Tree) -> String {
    let mut text = format!("v{} is behind: {} has v{to}\n", record.version, record.source);
    let paths = old.keys().chain(new.keys().filter(|path| !old.contains_key(*path)));
    let mut lines: Vec<_> = paths
        .filter_map(|path| match (old.get(path), new.get(path)) {
            (Some(_), None) => Some((path, "deleted ")),
            (None, Some(_)) => Some((path, "added   ")),
            (old, new) => (old != new).then_some((path, "modified")),
        })
        .collect();
    lines.sort_unstable();
    for (path, what) in lines {
        let _ = writeln!(text, "  {what} {path}");
    }
    text
}
