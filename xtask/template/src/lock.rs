//! `Cargo.lock` of every project that can be made, as one file with marks.
//!
//! A project without a database has neither its driver nor what the driver needs, and cargo refuses a lock file with
//! superfluous packages as much as one that lacks some. Which there are is for cargo to say: it is asked about each kind
//! of project, and the lines that are not in all of them get a condition.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::adopted::{self, Adopted};
use crate::answers::{Answers, Value};
use crate::conditions::Conditions;
use crate::expression::Expression;
use crate::marked::{Marked, Node, WORD};
use crate::questions;
use crate::render::{self, render};
use crate::template::{self, Kind, Template};
use crate::tree::{self, Tree};

/// The lock file of the template and, where that is not the same in every project, marks.
///
/// # Errors
/// When cargo finds no lock file for one of the projects with what it has on this machine.
pub(crate) fn marked(tree: &Tree, template: &Template, work: &Path) -> Result<String> {
    let options = options(tree, template)?;
    let projects = projects(template, &options);
    let mut texts = Vec::new();
    for answers in &projects {
        texts.push(lock_of(tree, answers, work)?);
    }
    let whole = tree.get("Cargo.lock").context("there is no Cargo.lock")?;
    let whole = Lock::parse(std::str::from_utf8(&whole.bytes).context("Cargo.lock")?);
    let locks: Vec<_> = texts.iter().map(|text| Lock::parse(text)).collect();
    let conditions = Conditions::new(&projects, template, &options);

    let mut out = whole.head.to_owned();
    for package in &whole.packages {
        out.push_str(&package.marked(&locks, &conditions).with_context(|| package.key.join(" "))?);
    }
    let marked = Marked::parse(&out)?;
    for (answers, text) in projects.iter().zip(&texts) {
        let rendered = marked.as_ref().map_or(Ok(out.clone()), |marked| marked.render(answers))?;
        ensure!(rendered.trim_end() == text.trim_end(), "Cargo.lock: the marks do not give what cargo gave");
    }
    Ok(out)
}

/// The options that have to do with what a project depends on: those in conditions of manifests.
fn options(tree: &Tree, template: &Template) -> Result<BTreeSet<String>> {
    let mut options = BTreeSet::new();
    let is_manifest = |path: &str| path == "Cargo.toml" || path.ends_with("/Cargo.toml");
    for (path, file) in tree.iter().filter(|(path, _)| is_manifest(path)) {
        if let Some(marked) = render::marked(path, file)? {
            options.extend(options_of(&marked.0));
        }
        for (condition, files) in &template.without {
            if files.iter().any(|entry| template::is_in(path, entry)) {
                options.extend(asked(condition));
            }
        }
    }
    Ok(options)
}

/// The options that the conditions in a file ask for.
fn options_of(nodes: &[Node]) -> Vec<String> {
    let of = |node: &Node| match node {
        Node::Text(_) | Node::Answer(_) => Vec::new(),
        Node::If { when, then, otherwise } => [asked(when), options_of(then), options_of(otherwise)].concat(),
    };
    nodes.iter().flat_map(of).collect()
}

/// The options that a condition asks for.
fn asked(condition: &Expression) -> Vec<String> {
    match condition {
        Expression::Yes(option) | Expression::Contains { option, .. } | Expression::Is { option, .. } => {
            vec![option.clone()]
        }
        Expression::Not(inner) => asked(inner),
        Expression::All(parts) | Expression::Any(parts) => parts.iter().flat_map(asked).collect(),
    }
}

/// Answers to these options in all combinations, each set of choices, each yes and no, and the defaults of the others.
fn projects(template: &Template, options: &BTreeSet<String>) -> Vec<Answers> {
    let mut projects = vec![Answers::from([("name", Value::Text("name".to_owned()))])];
    for question in &template.questions {
        let values: Vec<Value> = match &question.kind {
            _ if !options.contains(&question.name) => vec![question.default.clone()],
            Kind::YesOrNo => vec![Value::Bool(false), Value::Bool(true)],
            Kind::Choices(choices) => subsets(choices),
            Kind::Choice(choices) => choices.iter().cloned().map(Value::Text).collect(),
            Kind::Text => vec![question.default.clone()],
        };
        projects = projects
            .iter()
            .flat_map(|answers| {
                values.iter().map(|value| {
                    let mut answers = answers.clone();
                    answers.insert(&question.name, value.clone());
                    answers
                })
            })
            .collect();
    }
    projects
}

fn subsets(choices: &[String]) -> Vec<Value> {
    (1_usize..1 << choices.len())
        .map(|bits| {
            let chosen = choices.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            Value::List(chosen.map(|(_, choice)| choice.clone()).collect())
        })
        .collect()
}

/// The lock file of the pipeline's packages, where they are a workspace of their own.
///
/// # Errors
/// As [`marked`].
pub(crate) fn adopted(tree: &Tree, template: &Template, work: &Path) -> Result<String> {
    let named = Answers::from([("name", Value::Text("name".to_owned()))]);
    let answers = questions::complete(template, &named, true)?;
    let project = render::project(tree, &answers, Some(&Adopted::default()))?;
    locked(tree, project, adopted::LOCK, work)
}

/// What cargo makes of the template's lock file in the project with these answers.
fn lock_of(tree: &Tree, answers: &Answers, work: &Path) -> Result<String> {
    locked(tree, render(tree, answers)?, "Cargo.lock", work)
}

/// What cargo makes of the template's lock file in this place in a project, beside a manifest.
fn locked(tree: &Tree, mut project: Tree, place: &str, work: &Path) -> Result<String> {
    // Not the one that was made before.
    if let Some(lock) = tree.get("Cargo.lock") {
        project.insert(place.to_owned(), lock.clone());
    }
    let folder = work.join(place);
    let folder = folder.parent().unwrap_or(work);
    if work.exists() {
        fs::remove_dir_all(work).context("the folder of the last project")?;
    }
    tree::write(&project, work)?;
    let output = Command::new("cargo")
        .args(["metadata", "--offline", "--format-version=1"])
        .current_dir(folder)
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::read_to_string(work.join(place)).context("Cargo.lock")
}

/// A lock file in its parts: what is before the packages, and the packages in their order.
struct Lock<'a> {
    head: &'a str,
    packages: Vec<Package<'a>>,
}

/// One package: its name, version and source, its checksum, and what it depends on.
struct Package<'a> {
    key: Vec<&'a str>,
    rest: Vec<&'a str>,
    dependencies: Option<Vec<&'a str>>,
}

impl<'a> Lock<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split("[[package]]\n");
        let head = parts.next().unwrap_or_default();
        Self { head, packages: parts.map(Package::parse).collect() }
    }

    fn find(&self, key: &[&str]) -> Option<&Package<'a>> {
        self.packages.iter().find(|package| package.key == key)
    }
}

impl<'a> Package<'a> {
    fn parse(text: &'a str) -> Self {
        let is_key =
            |line: &&str| ["name =", "version =", "source ="].iter().any(|key| line.starts_with(key));
        let (facts, dependencies) = match text.split_once("dependencies = [\n") {
            Some((facts, list)) => (facts, Some(list)),
            None => (text, None),
        };
        let (key, rest) = facts.lines().filter(|line| !line.is_empty()).partition(is_key);
        let dependencies =
            dependencies.map(|list| list.lines().filter(|line| line.starts_with(' ')).collect());
        Self { key, rest, dependencies }
    }

    /// This package with marks, from what it is in each of the lock files.
    fn marked(&self, locks: &[Lock<'_>], conditions: &Conditions<'_>) -> Result<String> {
        let found: Vec<_> = locks.iter().map(|lock| lock.find(&self.key)).collect();
        let mut out = String::new();
        let whole =
            conditions.of(&found.iter().map(|package| Some(package.is_some())).collect::<Vec<_>>())?;
        if let Some(condition) = &whole {
            let _ = writeln!(out, "# {WORD} if {condition}");
        }
        out.push_str("[[package]]\n");
        for line in self.key.iter().chain(&self.rest) {
            let _ = writeln!(out, "{line}");
        }
        let mut add = |line: &str, there: &dyn Fn(&Package<'_>) -> bool| -> Result<()> {
            // Where the package is not there at all, it does not matter.
            let there: Vec<_> = found.iter().map(|package| package.map(there)).collect();
            match conditions.of(&there)? {
                Some(condition) => writeln!(out, "{line} # {WORD} if {condition}")?,
                None => writeln!(out, "{line}")?,
            }
            Ok(())
        };
        let lists = found.iter().flatten().filter_map(|package| package.dependencies.as_ref());
        let lines: BTreeSet<&str> = lists.flatten().copied().collect();
        if !lines.is_empty() {
            add("dependencies = [", &|package| package.dependencies.is_some())?;
            for line in lines {
                let has = |package: &Package<'_>| {
                    package.dependencies.as_ref().is_some_and(|list| list.contains(&line))
                };
                add(line, &has)?;
            }
            add("]", &|package| package.dependencies.is_some())?;
        }
        out.push('\n');
        if whole.is_some() {
            let _ = writeln!(out, "# {WORD} end");
        }
        Ok(out)
    }
}
