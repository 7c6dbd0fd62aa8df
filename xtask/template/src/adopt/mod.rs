//! Adds the pipeline to a project that was there before, around its own binary.
//!
//! Nothing that the project has is overwritten, and no source of it is touched: the pipeline comes in files of its own, and
//! a few lines at the end of some that are there.

mod edits;
mod files;
mod plan;
mod port;
mod project;
mod refuse;
mod service;
mod sources;
mod write;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::adopted::Adopted;
use crate::answers::{Answers, Value};
use crate::flags::AdoptFlags;
use crate::git::Git;
use crate::render::{self, template_of};
use crate::template::Template;
use crate::tree::Tree;
use crate::{folder, init, name, questions};
use plan::{Facts, Plan};
use port::Found;
use project::Project;
use service::Service;

/// Shows the plan, and does what it says unless that is refused.
///
/// # Errors
/// When this is no template, the project cannot be adopted as it is, or a file cannot be written. Nothing is changed then.
pub(crate) fn run(root: &Path, flags: &AdoptFlags, dry_run: bool) -> Result<()> {
    let tree = folder::read(root)?;
    let template = template_of(&tree)?;
    let project = Project::read(&flags.project)?;
    let git = refuse::check(&project, &tree)?;
    let service = Service::choose(&project, flags.package.as_deref(), flags.bin.as_deref())?;
    let found = if flags.port.is_empty() { port::find(&project, &service)? } else { None };
    let ports = ports(flags, dry_run, found.as_ref())?;
    let answers = answers(&template, &service, flags)?;
    let read = files::find(&project, &service, &git)?;
    let adopted = Adopted {
        package: service.package.clone(),
        path: service.path.clone(),
        binaries: vec![service.binary.clone()],
        ports,
        files: read.keys().cloned().collect(),
        backends: service.backends.clone(),
        left: Vec::new(),
        features: service.features.clone(),
    };
    let (adopted, files) = files_of(&tree, &answers, &project, &git, adopted)?;
    let plan = Plan::new(
        &project,
        &git,
        &Facts { service: &service, port: found.as_ref(), read: &read },
        &adopted,
        files,
    )?;
    show(&plan.to_string());
    if dry_run {
        return Ok(());
    }
    if !flags.yes {
        ensure!(!flags.silent, "nothing is written: with --silent, --yes has to say that it may be");
        let is_wanted =
            questions::until("Is that right? (yes, no)", "no", yes_or_no).context("nothing is written")?;
        ensure!(is_wanted, "nothing is written");
    }
    write::write(&project, &git, &plan.files)?;
    lock(&project)?;
    questions::say(
        "Nothing is committed: `git status` shows it, and there `cargo xtask bd` makes the image. `git restore .` and \
         `git clean -fd` take it back.",
    );
    Ok(())
}

fn show(text: &str) {
    use std::io::Write as _;
    // That nobody may be there to read it is no reason to fail.
    let _ = write!(std::io::stdout(), "{text}");
}

fn yes_or_no(text: &str) -> Result<bool> {
    match text {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        _ => anyhow::bail!("`{text}` is neither yes nor no"),
    }
}

/// The ports that are said, found, asked or usual.
fn ports(flags: &AdoptFlags, dry_run: bool, found: Option<&Found>) -> Result<Vec<u16>> {
    const USUAL: u16 = 8080;
    if !flags.port.is_empty() {
        return Ok(flags.port.clone());
    }
    let port = match found {
        Some(found) => found.port,
        None if flags.silent || dry_run => USUAL,
        None => {
            let read = |text: &str| text.parse::<u16>().with_context(|| format!("`{text}` is no port"));
            questions::until("On which TCP port does the service listen?", &USUAL.to_string(), read)?
        }
    };
    Ok(vec![port])
}

/// What was said, what the manifest says, and the defaults: the rest is in `config/pipeline.toml`, for people to change.
fn answers(template: &Template, service: &Service, flags: &AdoptFlags) -> Result<Answers> {
    let mut given = Answers::default();
    if let Some(repository) = &service.repository {
        given.insert("repository", Value::Text(repository.clone()));
    }
    for answer in &flags.define {
        // The packages of the pipeline, and so its lock file, depend on these alone.
        let name = answer.split('=').next().unwrap_or_default();
        ensure!(
            !["backends", "kitchen", "pipeline_tests"].contains(&name),
            "`{name}` is asked about projects that are made of the template; what a project that adopts the pipeline is \
             built for is in its config/pipeline.toml"
        );
    }
    given.extend(init::defined(template, &flags.define)?);
    let name = match &flags.name {
        Some(name) => name.clone(),
        None => name::like(&service.package),
    };
    name::check(&name)?;
    given.insert("name", Value::Text(name));
    questions::complete(template, &given, true)
}

/// The files that the project takes over: not those that it has already.
fn files_of(
    tree: &Tree,
    answers: &Answers,
    project: &Project,
    git: &Git,
    mut adopted: Adopted,
) -> Result<(Adopted, Tree)> {
    // GitHub looks for workflows in the root of a repository.
    if !git.prefix.is_empty() {
        adopted.left.push(plan::WORKFLOWS.to_owned());
    }
    let all = render::project(tree, answers, Some(&adopted))?;
    let is_there = |path: &&String| project.root.join(path).symlink_metadata().is_ok();
    adopted.left.extend(all.keys().filter(is_there).cloned());
    let files = render::project(tree, answers, Some(&adopted))?;
    Ok((adopted, files))
}

/// Has cargo make the lock file, where the project has none: the pipeline builds by `--locked`.
fn lock(project: &Project) -> Result<()> {
    if project.root.join("Cargo.lock").exists() {
        return Ok(());
    }
    let output = Command::new("cargo").arg("generate-lockfile").current_dir(&project.root).output();
    let output = output.context("cargo could not be started")?;
    ensure!(
        output.status.success(),
        "all is written but Cargo.lock, which `cargo generate-lockfile` makes: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
