//! Makes a project of a clone of the template, in its place.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::answers::{Answers, Value};
use crate::cli::RenderFlags;
use crate::flags::InitFlags;
use crate::folder;
use crate::git;
use crate::name;
use crate::questions;
use crate::render::{render, template_of};
use crate::template::{self, Template};
use crate::tree::{self, Tree};

/// Asks what was not given, and makes the project.
///
/// # Errors
/// When this is no template, or has changes that git does not have; for an answer that cannot be one; and when a file
/// cannot be written.
pub(crate) fn run(root: &Path, flags: &InitFlags) -> Result<()> {
    ensure!(
        root.join(template::FILE).exists(),
        "this is not the template, or was made into a project before: there is no {}",
        template::FILE
    );
    let changes = git::print(root, &["status", "--porcelain"], b"")?;
    ensure!(
        changes.is_empty(),
        "there are changes that git does not have, and some files would be overwritten: commit them, or undo them by \
         `git stash --include-untracked`"
    );
    let tree = tree::read_commit(root, "HEAD")?;
    let answers = answers(&template_of(&tree)?, flags)?;
    let project = render(&tree, &answers)?;
    apply(root, &tree, &project)?;
    questions::say("This is your project now: `git status` shows what changed, `cargo xtask bd` builds it.");
    Ok(())
}

/// What makes it a template goes last: stopped half way, it still is one, and `git restore .` starts again.
fn apply(root: &Path, tree: &Tree, project: &Tree) -> Result<()> {
    let changed = project.iter().filter(|(path, file)| tree.get(*path) != Some(file));
    tree::write(&changed.map(|(path, file)| (path.clone(), file.clone())).collect(), root)?;
    let gone = tree.keys().filter(|path| !project.contains_key(*path) && *path != template::FILE);
    for path in gone.map(String::as_str).chain([template::FILE]) {
        fs::remove_file(root.join(path)).with_context(|| path.to_owned())?;
        tree::remove_folders(root, path);
    }
    Ok(())
}

/// Writes a project into another folder.
///
/// # Errors
/// As [`run`], or when the folder is there already.
pub(crate) fn into_folder(root: &Path, flags: &RenderFlags) -> Result<()> {
    ensure!(!flags.folder.exists(), "{} is there already", flags.folder.display());
    let tree = folder::read(root)?;
    let answers = answers(&template_of(&tree)?, &flags.answers)?;
    tree::write(&render(&tree, &answers)?, &flags.folder)
}

/// The answers that were given; the others are asked, or the defaults.
///
/// # Errors
/// For an answer that cannot be one, and one to a question that there is not; when nobody is there to answer.
fn answers(template: &Template, flags: &InitFlags) -> Result<Answers> {
    let mut given = defined(template, &flags.define)?;
    let name = match &flags.name {
        Some(name) => name.clone(),
        None if flags.silent => bail!("--silent needs --name"),
        None => {
            let read = |text: &str| name::check(text).map(|()| text.to_owned());
            questions::until("What is the project called?", "", read)?
        }
    };
    name::check(&name)?;
    given.insert("name", Value::Text(name));
    questions::complete(template, &given, flags.silent)
}

/// Answers as the command line has them.
///
/// # Errors
/// For an answer that cannot be one, and one to a question that there is not.
pub(crate) fn defined(template: &Template, define: &[String]) -> Result<Answers> {
    let mut given = Answers::default();
    for text in define {
        let (name, answer) =
            text.split_once('=').with_context(|| format!("`{text}` is not QUESTION=ANSWER"))?;
        let Some(question) = template.questions.iter().find(|question| question.name == name) else {
            let names: Vec<_> = template.questions.iter().map(|question| question.name.as_str()).collect();
            bail!("there is no question `{name}`; there is {}", names.join(", "));
        };
        given.insert(name, question.read(answer)?);
    }
    Ok(given)
}
