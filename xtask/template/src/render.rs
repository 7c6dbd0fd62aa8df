//! The template and the answers make a project.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::adopted::{Adopted, FILES, LOCK, MANIFEST};
use crate::answers::{Answers, Value};
use crate::marked::Marked;
use crate::name;
use crate::record::Record;
use crate::template::{self, Template};
use crate::tree::{File, Tree};

/// Files here take the place of those of the same path in the root, or are only in projects. The folder is in none.
pub(crate) const REPLACEMENTS: &str = "template/files/";

/// Reads what the template asks.
///
/// # Errors
/// When it is no template, or one that this version does not understand.
pub(crate) fn template_of(tree: &Tree) -> Result<Template> {
    let file = tree.get(template::FILE).with_context(|| format!("there is no {}", template::FILE))?;
    Template::parse(std::str::from_utf8(&file.bytes).context(template::FILE)?)
}

// template: if is_template
/// The files of a project.
///
/// # Errors
/// As [`project`].
pub(crate) fn render(tree: &Tree, answers: &Answers) -> Result<Tree> {
    project(tree, answers, None)
}

// template: end
/// The files of a project, or of the pipeline in one that has adopted it.
///
/// # Errors
/// When the template has a mistake, or asks for an answer that there is not.
pub(crate) fn project(tree: &Tree, answers: &Answers, adopted: Option<&Adopted>) -> Result<Tree> {
    let template = template_of(tree)?;
    let answers = &with_derived(answers, adopted)?;
    let mut project = Tree::new();
    for (path, file) in sources(tree) {
        let is_taken = adopted.is_none_or(|adopted| adopted.takes(path));
        if is_taken && template.keeps(path, answers)? {
            project.insert(path.to_owned(), rendered(path, file, answers)?);
        }
    }
    if adopted.is_some() {
        project.extend(workspace(tree, answers, &project)?);
    }
    let record = Record::new(tree, &template, answers, adopted)?;
    project.insert(Record::FILE.to_owned(), File::plain(record.to_string()));
    Ok(project)
}

/// Manifest and lock file of the workspace that the pipeline's packages are, in a project that has adopted it.
fn workspace(template: &Tree, answers: &Answers, project: &Tree) -> Result<Tree> {
    let text = |file: &File| String::from_utf8(file.bytes.clone()).context("a manifest is not UTF-8");
    let root = template.get("Cargo.toml").context("there is no Cargo.toml")?;
    let root = text(&rendered("Cargo.toml", root, answers)?)?.replace("\"xtask/", "\"");
    let front = text(project.get(MANIFEST).with_context(|| format!("there is no {MANIFEST}"))?)?;
    let mut tree = Tree::from([(MANIFEST.to_owned(), File::plain(format!("{front}\n{root}")))]);
    // It is not there yet while it is made.
    if let Some(lock) = template.get(&format!("{FILES}{LOCK}")) {
        tree.insert(LOCK.to_owned(), lock.clone());
    }
    Ok(tree)
}

/// What the files of projects are made of, by the path that they have there.
pub(crate) fn sources(tree: &Tree) -> BTreeMap<&str, &File> {
    let own = tree.iter().filter(|(path, _)| !path.starts_with(template::FOLDER));
    let replacements = tree.iter().filter_map(|(path, file)| Some((path.strip_prefix(REPLACEMENTS)?, file)));
    own.map(|(path, file)| (path.as_str(), file)).chain(replacements).collect()
}

fn rendered(path: &str, file: &File, answers: &Answers) -> Result<File> {
    let Some(marked) = marked(path, file)? else { return Ok(file.clone()) };
    let text = marked.render(answers).with_context(|| path.to_owned())?;
    Ok(File { bytes: text.into_bytes(), mode: file.mode })
}

/// The file taken apart, if it has marks.
///
/// # Errors
/// When they have a mistake.
pub(crate) fn marked(path: &str, file: &File) -> Result<Option<Marked>> {
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => Marked::parse(text).with_context(|| path.to_owned()),
        Err(_) => Ok(None),
    }
}

/// The answers, and what follows from them.
fn with_derived(answers: &Answers, adopted: Option<&Adopted>) -> Result<Answers> {
    let mut answers = answers.clone();
    answers.insert("is_template", Value::Bool(false));
    answers.insert("adopted", Value::Bool(adopted.is_some()));
    if let Value::Text(name) = answers.get("name")?.clone() {
        answers.insert("title", Value::Text(name::title(&name)));
        if answers.get("image")? == &Value::Text(String::new()) {
            answers.insert("image", Value::Text(name));
        }
    }
    if let Value::List(backends) = answers.get("backends")?
        && let Some(first) = backends.first()
    {
        answers.insert("backend", Value::Text(first.clone()));
    }
    // Its databases are its own.
    adopted.iter().for_each(|adopted| adopted.add_answers(&mut answers));
    Ok(answers)
}
