//! How far a project has moved from its template, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::apply;
use crate::git::Git;
use crate::merge;
use crate::record::Record;
use crate::source::{self, Source};
use crate::update::interrupted;

/// Compares the work tree with what the recorded version makes.
///
/// # Errors
/// It is no project of a template, the version is gone, or git refuses.
pub(crate) fn run(root: &Path) -> Result<String> {
    let git = Git::open(root)?;
    let _lock = git.lock()?;
    let said = locked(&git, root);
    git.clear()?;
    said
}

fn locked(git: &Git, root: &Path) -> Result<String> {
    if let Some(update) = apply::left(git)? {
        bail!(interrupted(&update.to));
    }
    let record = Record::read(root)?;
    let source = Source::open(git, &record.source)?;
    let [template] = source.fetch([&record.version])?;
    let rendering = source::recorded(&template, &record)?;
    let tree = merge::tree_of(git, &rendering)?;
    let files = files(git, &tree)?;
    let own =
        git.read(&["diff", "--name-only", "--no-renames", "--diff-filter=A", &tree, "--", &folder(git)])?;
    let mut text = format!("v{} of {}\n", record.version, record.source);
    if files.is_empty() {
        text.push_str("no file of the template is changed\n");
    }
    let authors = authors(git, files.iter().map(|file| file.path.as_str()).collect())?;
    for File { path, what } in &files {
        let who = authors.get(path).map_or_else(
            || "not committed".to_owned(),
            |names| names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        );
        let _ = writeln!(text, "  {what:<11} {path}  ({who})");
    }
    let _ = write!(text, "files of the project's own: {}", own.lines().count());
    Ok(text)
}

/// A file of the template that is not as it makes it.
struct File {
    path: String,
    what: String,
}

fn files(git: &Git, tree: &str) -> Result<Vec<File>> {
    let numbers =
        ["diff", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--diff-filter=MDT", tree, "--"];
    let record = format!("{}{}", git.prefix, Record::FILE);
    let mut files = Vec::new();
    for line in git.paths(&[&numbers[..], &[&folder(git)]].concat())? {
        let mut fields = line.splitn(3, '\t');
        let (Some(more), Some(less), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let is_there = git.top.join(path).symlink_metadata().is_ok();
        let what = if is_there { format!("+{more} -{less}") } else { "deleted".to_owned() };
        if path != record {
            files.push(File { path: path.to_owned(), what });
        }
    }
    Ok(files)
}

/// Who has changed each file since the project was made: since the commit that brought its record.
fn authors(git: &Git, paths: BTreeSet<&str>) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let record = format!("{}{}", git.prefix, Record::FILE);
    let made = git.read(&["log", "--diff-filter=A", "--format=%H", "--", &record])?;
    let since = made.lines().last().map_or_else(|| "HEAD".to_owned(), |made| format!("{made}..HEAD"));
    let log = git.feed(
        &[
            "log",
            "-z",
            "--no-merges",
            "--no-renames",
            "--name-only",
            "--format=%x01%aN",
            &since,
            "--",
            &folder(git),
        ],
        b"",
    )?;
    let log = String::from_utf8(log).context("git log is not UTF-8")?;
    let mut authors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for commit in log.split('\x01').skip(1) {
        let mut fields = commit.split(['\0', '\n']).filter(|field| !field.is_empty());
        let Some(author) = fields.next() else { continue };
        for path in fields.filter(|path| paths.contains(path)) {
            authors.entry(path.to_owned()).or_default().insert(author.to_owned());
        }
    }
    Ok(authors)
}

/// The project's folder, as git takes it.
fn folder(git: &Git) -> String {
    format!(":(top,literal){}", git.prefix)
}
