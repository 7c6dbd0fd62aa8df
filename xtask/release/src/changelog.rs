//! CHANGELOG.md, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

use anyhow::{Result, ensure};
use semver::Version;

use crate::commits::{Change, Conventional};

/// Its place, from the workspace.
pub(crate) const PATH: &str = "CHANGELOG.md";

/// What a new one begins with.
const HEAD: &str = "\
# Changelog

What is new in each version, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).
";

/// The headings, and the types of commits that go under each; the last two take other types, and what has none.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Added", &["feat"]),
    ("Changed", &["perf", "refactor", "revert"]),
    ("Fixed", &["fix"]),
    ("Maintenance", &[]),
    ("Commits", &[]),
];

/// What there is to say of a version.
#[derive(Clone, Debug)]
pub(crate) struct Section<'a> {
    /// The version.
    pub(crate) version: &'a Version,
    /// The day of the release, as `2026-11-22`.
    pub(crate) date: &'a str,
    /// What is new, the newest first.
    pub(crate) changes: &'a [Change],
}

impl Section<'_> {
    fn heading(&self) -> String {
        format!("## [{}] - {}\n", self.version, self.date)
    }

    /// What comes after the heading: groups, each with an empty line before it.
    fn body(&self) -> String {
        if self.changes.is_empty() {
            return "\nNothing but the version has changed.\n".to_owned();
        }
        let group = |(index, (title, _)): (usize, &(&str, &[&str]))| {
            let of_group = self.changes.iter().filter(|change| group_of(change) == index);
            let entries = of_group.map(entry).collect::<String>();
            if entries.is_empty() { entries } else { format!("\n### {title}\n\n{entries}") }
        };
        GROUPS.iter().enumerate().map(group).collect()
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.heading() + &self.body()
    }
}

fn group_of(change: &Change) -> usize {
    let Some(Conventional { kind, .. }) = &change.conventional else { return GROUPS.len() - 1 };
    let known = GROUPS.iter().position(|(_, kinds)| kinds.contains(&kind.as_str()));
    known.unwrap_or(GROUPS.len() - 2)
}

fn entry(change: &Change) -> String {
    let Some(commit) = &change.conventional else { return format!("- {}\n", change.commit.subject()) };
    let mut text = "- ".to_owned();
    if commit.breaking.is_some() {
        text += "**Breaking:** ";
    }
    if group_of(change) == GROUPS.len() - 2 {
        text += &format!("{}: ", commit.kind);
    }
    if let Some(scope) = &commit.scope {
        text += &format!("{scope}: ");
    }
    text += &commit.description;
    if let Some(Some(more)) = &commit.breaking {
        text += &format!(" ({more})");
    }
    text + "\n"
}

/// `old` with the section of a version at its place: below `Unreleased`, if there is that, and else above the newest.
/// What stands below `Unreleased` is of this version from now on. Nothing of `old` changes.
///
/// # Errors
/// It has a section of the version already.
pub(crate) fn with(old: Option<&str>, section: &Section<'_>) -> Result<String> {
    let Some(old) = old.filter(|old| !old.trim().is_empty()) else {
        return Ok(format!("{HEAD}\n{}", section.text()));
    };
    let headings = headings(old);
    let written = section.version.to_string();
    ensure!(
        !headings.iter().any(|heading| heading.name == written),
        "{PATH} has a section `{written}` already: put what it says below a heading `## [Unreleased]`, and the release \
         makes it a section of its own"
    );
    let end = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let native = |text: &str| text.replace('\n', end);
    let unreleased = headings.iter().position(|heading| heading.name.eq_ignore_ascii_case("unreleased"));
    let Some(first) = unreleased else {
        let at = headings.first().map_or_else(|| end_of_text(old), |heading| heading.start);
        let (before, after) = old.split_at(at);
        let gap_before = gap(before, end);
        let gap_after = if after.is_empty() { "" } else { end };
        return Ok(format!("{before}{gap_before}{}{gap_after}{after}", native(&section.text())));
    };
    let end_of_noted = headings.get(first + 1).map_or_else(|| end_of_text(old), |heading| heading.start);
    let (until, after) = old.split_at(end_of_noted.max(headings[first].end));
    let (mut above, mut noted) = until.split_at(headings[first].end);
    if noted.trim().is_empty() {
        (above, noted) = (until, "");
    }
    let (heading, body) = (native(&section.heading()), native(&section.body()));
    // The body begins with an empty line of its own.
    let body = if noted.is_empty() { body } else { gap(noted, end) + &body[end.len()..] };
    let (gap_above, gap_after) = (gap(above, end), if after.is_empty() { "" } else { end });
    Ok(format!("{above}{gap_above}{heading}{noted}{body}{gap_after}{after}"))
}

/// What has to come after `text` for an empty line to stand there.
fn gap(text: &str, end: &str) -> String {
    let lines = text.strip_suffix(end);
    match lines {
        None => end.repeat(2),
        Some(lines) if lines.is_empty() || lines.ends_with(end) => String::new(),
        Some(_) => end.to_owned(),
    }
}

/// A heading of the second level.
struct Heading<'a> {
    /// `1.2.3` of `## [1.2.3] - 2026-11-22`.
    name: &'a str,
    start: usize,
    /// After the end of its line.
    end: usize,
}

fn headings(text: &str) -> Vec<Heading<'_>> {
    let (mut found, mut start, mut fence) = (Vec::new(), 0, None);
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                if let Some(rest) = line.strip_prefix("## ") {
                    found.push(Heading { name: name(rest), start, end });
                }
            }
            _ => {}
        }
        start = end;
    }
    found
}

/// The word that a heading begins with, without brackets and the `v` of a tag.
fn name(heading: &str) -> &str {
    let heading = heading.trim();
    let word = match heading.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => heading.split_whitespace().next().unwrap_or_default(),
    };
    word.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(word)
}

/// The place before the link definitions that close a text.
fn end_of_text(text: &str) -> usize {
    let mut at = text.len();
    for line in text.split_inclusive('\n').rev() {
        let is_link = line.starts_with('[') && line.contains("]: ");
        if !is_link && !line.trim().is_empty() {
            break;
        }
        if is_link {
            at = start_of(text, line);
        }
    }
    at
}

/// Where `line`, which is a part of `text`, begins.
fn start_of(text: &str, line: &str) -> usize {
    line.as_ptr() as usize - text.as_ptr() as usize
}
// template: if pipeline_tests

#[cfg(test)]
mod tests;
// template: end
