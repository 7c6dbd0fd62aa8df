//! `.template.toml`: where a project comes from, and what was answered. An update reads it, and moves it on.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use semver::Version;
use serde::Deserialize;

use crate::adopted::Adopted;
use crate::answers::{Answers, Value};
use crate::name;
use crate::template::Template;
use crate::tree::Tree;

/// What `.template.toml` says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Record {
    /// The template's repository: what `git fetch` takes.
    pub(crate) source: String,
    /// Its version; the tag has a `v` before it.
    pub(crate) version: Version,
    pub(crate) answers: Answers,
    /// What the project has of the template, if it was there before.
    pub(crate) adopted: Option<Adopted>,
    #[serde(skip)]
    order: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    version: String,
    repository: String,
}

impl Record {
    /// Its name, in the root of a project.
    pub(crate) const FILE: &str = ".template.toml";

    /// The record of a project that is made of this template.
    ///
    /// # Errors
    /// When the template's manifest does not say its version and repository.
    pub(crate) fn new(
        tree: &Tree,
        template: &Template,
        answers: &Answers,
        adopted: Option<&Adopted>,
    ) -> Result<Self> {
        let (source, version) = origin(tree)?;
        let version = Version::parse(&version).context("Cargo.toml: version")?;
        let mut order = vec!["name".to_owned()];
        order.extend(template.questions.iter().map(|question| question.name.clone()));
        let mut own = Answers::default();
        for name in &order {
            own.insert(name, answers.get(name)?.clone());
        }
        Ok(Self { source, version, answers: own, adopted: adopted.cloned(), order })
    }

    /// The record of the project in a folder.
    ///
    /// # Errors
    /// There is none, or somebody has broken it.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(Self::FILE)).with_context(|| {
            format!(
                "{} says which template and version a project was made of, and cannot be read; if it was removed, \
                 `git log --diff-filter=D -- {0}` shows when, and `git checkout COMMIT^ -- {0}` brings it back",
                Self::FILE
            )
        })?;
        let broken = || {
            format!("{} is broken; `git log -p -- {0}` shows who has edited it, and what it was", Self::FILE)
        };
        let record: Self = toml::from_str(&text).with_context(broken)?;
        match record.answers.get("name").with_context(broken)? {
            Value::Text(name) => name::check(name).with_context(broken)?,
            _ => return Err(anyhow!("`name` is no text")).with_context(broken),
        }
        Ok(record)
    }
}

/// The template's repository and version.
///
/// # Errors
/// When its manifest does not say them.
pub(crate) fn origin(tree: &Tree) -> Result<(String, String)> {
    let manifest = tree.get("Cargo.toml").context("there is no Cargo.toml")?;
    let manifest: Manifest = toml::from_str(std::str::from_utf8(&manifest.bytes)?).context("Cargo.toml")?;
    Ok((manifest.workspace.package.repository, manifest.workspace.package.version))
}

/// What stands above the answers; the same in every way to make a project.
pub(crate) fn heading(source: &str, version: &str) -> String {
    format!(
        "# Where this project comes from, and what was answered. `cargo xtask template update` reads and moves it.\n\
         source = \"{source}\"\nversion = \"{version}\"\n\n[answers]\n"
    )
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&heading(&self.source, &self.version.to_string()))?;
        for name in &self.order {
            let Ok(value) = self.answers.get(name) else { continue };
            match value {
                Value::Bool(yes) => writeln!(f, "{name} = {yes}")?,
                Value::Text(text) => writeln!(f, "{name} = \"{text}\"")?,
                Value::List(words) => {
                    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                    writeln!(f, "{name} = [{}]", words.join(", "))?;
                }
            }
        }
        let Some(adopted) = &self.adopted else { return Ok(()) };
        let table = BTreeMap::from([("adopted", adopted)]);
        write!(f, "\n{}", toml::to_string(&table).map_err(|_| fmt::Error)?)
    }
}
