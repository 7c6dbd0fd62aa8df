//! README.md and docs, and the commands that they show.
#![allow(dead_code, reason = "each file of tests uses its part")]

use std::fs;
use std::path::Path;

/// What blocks of code are marked with. Commands are in the first two: in all lines of a script, and after `$ ` in what a
/// terminal shows.
const LANGUAGES: [&str; 4] = ["sh", "console", "toml", "text"];

/// A document.
pub(crate) struct Document {
    /// Its path from the workspace's root.
    path: String,
    text: String,
}

/// A command in a block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The document and the line.
    pub(crate) place: String,
    /// What a shell gets, without the comment at its end.
    pub(crate) command: String,
    /// What it prints, as far as that is shown.
    pub(crate) output: Vec<String>,
    /// Whether the block is a script.
    pub(crate) is_script: bool,
}

impl Shown {
    /// The first line of what is shown that `said` does not have after those before it. `…` stands for any lines.
    pub(crate) fn missing(&self, said: &str) -> Option<&str> {
        let mut said = said.lines().map(str::trim_end);
        let mut shown = self.output.iter().map(String::as_str).filter(|line| *line != "…");
        shown.find(|line| !said.any(|told| told == *line))
    }
}

/// All documents of the workspace at `root`.
pub(crate) fn documents(root: &Path) -> Vec<Document> {
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths = docs.filter(|path| path.extension().is_some_and(|ext| ext == "md")).collect::<Vec<_>>();
    paths.extend(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    paths.sort();
    paths.iter().map(|path| read(root, path)).collect()
}

/// The document at `path` in the workspace at `root`.
pub(crate) fn document(root: &Path, path: &str) -> Document {
    read(root, &root.join(path))
}

fn read(root: &Path, path: &Path) -> Document {
    let name = path.strip_prefix(root).unwrap().display().to_string();
    Document::new(name, fs::read_to_string(path).unwrap())
}

impl Document {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Document {
        Document { path: path.into(), text: text.into() }
    }

    /// The commands in its blocks of code, in their order.
    pub(crate) fn commands(&self) -> Vec<Shown> {
        let (mut all, mut language) = (Vec::new(), None);
        for (number, line) in self.text.lines().enumerate() {
            let place = format!("{}:{}", self.path, number + 1);
            match (line.trim_start().strip_prefix("```"), language) {
                (Some(name), None) => {
                    assert!(LANGUAGES.contains(&name), "{place}: `{name}` is none of {LANGUAGES:?}");
                    language = Some(name);
                }
                (Some(_), Some(_)) => language = None,
                (None, Some("sh")) => add_script(&mut all, place, line),
                (None, Some("console")) => add_terminal(&mut all, place, line),
                _ => {}
            }
        }
        assert_eq!(language, None, "{}: a block of code has no end", self.path);
        all
    }

    /// The commands that begin so.
    pub(crate) fn commands_of(&self, beginning: &str) -> Vec<Shown> {
        self.commands().into_iter().filter(|shown| shown.command.starts_with(beginning)).collect()
    }

    /// What is between backticks outside of blocks of code, each with its place.
    pub(crate) fn spans(&self) -> Vec<(String, String)> {
        let mut is_code = false;
        let prose = self.text.lines().map(|line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            if is_code || is_fence { "\n".to_owned() } else { format!("{line}\n") }
        });
        let prose = prose.collect::<String>();
        let parts = prose.split('`').collect::<Vec<_>>();
        assert!(parts.len() % 2 == 1, "{}: a backtick has no other one", self.path);
        let (mut line, mut spans) = (1, Vec::new());
        for (at, part) in parts.iter().enumerate() {
            if at % 2 == 1 {
                let words = part.split_whitespace().collect::<Vec<_>>().join(" ");
                spans.push((format!("{}:{line}", self.path), words));
            }
            line += part.matches('\n').count();
        }
        spans
    }
}

fn add_script(all: &mut Vec<Shown>, place: String, line: &str) {
    let line = line.trim();
    if goes_on(all) {
        append(all, line);
    } else if !line.is_empty() && !line.starts_with('#') {
        add(all, place, line, true);
    }
}

fn add_terminal(all: &mut Vec<Shown>, place: String, line: &str) {
    if goes_on(all) {
        append(all, line.trim());
    } else if let Some(command) = line.strip_prefix("$ ") {
        add(all, place, command, false);
    } else {
        let shown = all.last_mut().unwrap_or_else(|| panic!("{place}: output of no command"));
        shown.output.push(line.to_owned());
    }
}

fn add(all: &mut Vec<Shown>, place: String, command: &str, is_script: bool) {
    let command = without_comment(command).to_owned();
    all.push(Shown { place, command, output: vec![], is_script });
}

/// Whether the last command has a line to come.
fn goes_on(all: &[Shown]) -> bool {
    all.last().is_some_and(|shown| shown.command.ends_with('\\'))
}

fn append(all: &mut [Shown], line: &str) {
    let Some(shown) = all.last_mut() else { return };
    shown.command.pop();
    shown.command += without_comment(line);
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap_or_default().trim_end()
}
