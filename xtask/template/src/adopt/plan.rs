//! What adopting the pipeline comes to: shown before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

use anyhow::{Context as _, Result};

use super::edits::{self, Edit};
use super::port::Found;
use super::project::Project;
use super::service::Service;
use crate::adopted::{Adopted, PIPELINE};
use crate::git::Git;
use crate::record::Record;
use crate::template::is_in;
use crate::tree::{File, Tree};

/// Where GitHub looks for workflows.
pub(super) const WORKFLOWS: &str = ".github/workflows";

/// Crates that need a C library of the system, and what does not.
const SYSTEM: [(&str, &str); 4] = [
    ("openssl-sys", "rustls, or its feature `vendored`"),
    ("pq-sys", "its feature `bundled`"),
    ("mysqlclient-sys", "its feature `bundled`"),
    ("libgit2-sys", "its feature `vendored`"),
];

/// What is going to be, and why.
#[derive(Debug)]
pub(super) struct Plan {
    /// What was found, by what it is.
    facts: Vec<(&'static str, String)>,
    /// Files that are new, or have lines added to them.
    pub(super) files: Tree,
    /// Files that have lines added to them.
    edited: Vec<(String, String)>,
    /// Files of the project's own in the place of files of the pipeline, and what to do about them.
    left: Vec<(String, &'static str)>,
    /// What people should know.
    notes: Vec<String>,
}

/// What was found in the project.
pub(super) struct Facts<'a> {
    pub(super) service: &'a Service,
    pub(super) port: Option<&'a Found>,
    /// Folders that the service reads when it runs, and where a source says so.
    pub(super) read: &'a BTreeMap<String, String>,
}

impl Plan {
    /// The plan by which a project gets the files of the pipeline.
    ///
    /// # Errors
    /// A file of the project cannot be read, or nothing can be added to it.
    pub(super) fn new(
        project: &Project,
        git: &Git,
        found: &Facts<'_>,
        adopted: &Adopted,
        files: Tree,
    ) -> Result<Self> {
        let left = adopted.left.iter().map(|path| (path.clone(), advice(path))).collect();
        let facts = facts(project, found, adopted);
        let mut plan = Self { facts, files, edited: Vec::new(), left, notes: Vec::new() };
        let cargo =
            if project.root.join(".cargo/config").is_file() { ".cargo/config" } else { ".cargo/config.toml" };
        plan.edit(project, cargo, edits::config)?;
        let folders: BTreeSet<String> =
            plan.files.keys().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect();
        let new =
            folders.iter().map(String::as_str).filter(|folder| !project.root.join(folder).exists()).collect();
        plan.edit(project, "Cargo.toml", |text| edits::manifest(text, &new))?;
        // The slash says that it is a folder, which is not there yet perhaps.
        let target = inside(git, "target/");
        if !git.run(&["check-ignore", "--quiet", &target], b"")?.status.success() {
            plan.edit(project, ".gitignore", |text| Ok(Some(edits::ignored(text))))?;
        }
        plan.note_ignored(project, git)?;
        plan.note(project, found.port);
        Ok(plan)
    }

    fn edit(
        &mut self,
        project: &Project,
        path: &str,
        edit: impl Fn(&str) -> Result<Option<Edit>>,
    ) -> Result<()> {
        let place = project.root.join(path);
        let text = match fs::read_to_string(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            text => Some(text.with_context(|| path.to_owned())?),
        };
        let Some(Edit { text: new, what }) =
            edit(text.as_deref().unwrap_or("")).with_context(|| path.to_owned())?
        else {
            return Ok(());
        };
        if text.is_some() {
            self.edited.push((path.to_owned(), what));
        }
        self.files.insert(path.to_owned(), File::plain(new));
        Ok(())
    }

    /// What git would not take into a commit is lost for everybody else.
    fn note_ignored(&mut self, project: &Project, git: &Git) -> Result<()> {
        let has_lock = project.root.join("Cargo.lock").exists();
        let lock = (!has_lock).then_some("Cargo.lock");
        let paths = self.files.keys().map(String::as_str).chain(lock);
        let paths: String = paths.map(|path| format!("{}\0", inside(git, path))).collect();
        // Says with its exit code that there are none.
        let output = git.run(&["check-ignore", "-z", "--stdin"], paths.as_bytes())?;
        let text = String::from_utf8(output.stdout).context("git check-ignore")?;
        let ignored: Vec<_> = text.split('\0').filter(|path| !path.is_empty()).collect();
        if let [first, others @ ..] = &ignored[..] {
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            self.notes.push(format!(
                "{first}{more}: git ignores it, by a pattern that was not meant for it perhaps; `git add --force` takes it, \
                 and everybody who builds needs it"
            ));
        }
        if !has_lock {
            self.notes.push(
                "Cargo.lock: cargo makes it, with the newest dependencies that there are; the pipeline builds by `--locked`"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn note(&mut self, project: &Project, found: Option<&Found>) {
        if let Some(Found { port, place, .. }) = found.filter(|found| found.is_loopback) {
            self.notes.push(format!(
                "{place}: on the address of a container itself nobody reaches port {port} from without; let the service \
                 listen on 0.0.0.0, by its configuration perhaps"
            ));
        }
        let lock = fs::read_to_string(project.root.join("Cargo.lock")).unwrap_or_default();
        for (name, instead) in SYSTEM {
            if lock.contains(&format!("name = \"{name}\"\n")) {
                self.notes.push(format!(
                    "{name} is among the dependencies: a static binary can have it with {instead}, where it is used"
                ));
            }
        }
    }
}

fn facts(project: &Project, found: &Facts<'_>, adopted: &Adopted) -> Vec<(&'static str, String)> {
    let Facts { service, port, read } = found;
    let files = read.iter().map(|(folder, place)| format!("{folder} (from {place})")).collect::<Vec<_>>();
    let files = if files.is_empty() { "none that the sources name".to_owned() } else { files.join(", ") };
    let place =
        port.map_or_else(|| "not found in the sources".to_owned(), |found| format!("from {}", found.place));
    let ports: Vec<_> = adopted.ports.iter().map(u16::to_string).collect();
    let databases = if adopted.backends.is_empty() {
        "none that a feature chooses: one build, with the package's default features".to_owned()
    } else {
        let one = |backend: &String| {
            let features =
                adopted.features.get(backend).map(|features| features.join(",")).unwrap_or_default();
            format!("{backend} (features {features})")
        };
        adopted.backends.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let toolchain =
        ["rust-toolchain.toml", "rust-toolchain"].iter().find(|name| project.root.join(name).exists());
    let toolchain = toolchain.map_or_else(
        || "whichever cargo takes: the project pins none".to_owned(),
        |name| format!("as {name} has it"),
    );
    let workspace = match project.packages.len() {
        1 => "a package by itself".to_owned(),
        number => format!("{number} packages"),
    };
    vec![
        ("project", project.root.display().to_string()),
        ("workspace", format!("{workspace}; the pipeline is one of its own beside it")),
        ("package", format!("{} in {} ({})", service.package, adopted.path, service.why)),
        ("binary", service.binary.clone()),
        ("port", format!("{} ({place})", ports.join(", "))),
        ("files", files),
        ("databases", databases),
        ("toolchain", toolchain),
        ("edition", format!("{}; the pipeline has its own", service.edition)),
    ]
}

/// What to do about a file of the project's own.
fn advice(path: &str) -> &'static str {
    match path {
        "Dockerfile" => "so `--engine buildkit` copies what this machine has compiled (`packaging`)",
        ".dockerignore" => "see that target/dist is not left out, for `--engine buildkit`",
        "Makefile" => "`make c` and the like are `cargo xtask check` and the like",
        "deny.toml" => "`cargo xtask check` goes by it",
        WORKFLOWS => "the project is a folder of its repository: GitHub would not find them here",
        _ if is_in(path, WORKFLOWS) => "the template has one of this name to look at",
        _ => "compare it with the template's",
    }
}

/// A path as git takes it in the root of the repository.
fn inside(git: &Git, path: &str) -> String {
    format!("{}{path}", git.prefix)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, fact) in &self.facts {
            writeln!(f, "{what:<10} {fact}")?;
        }
        writeln!(f, "\nnew")?;
        let mut folders = BTreeMap::<&str, usize>::new();
        for path in self.files.keys().filter(|path| !self.edited.iter().any(|(edited, _)| edited == *path)) {
            let entry = PIPELINE.iter().find(|entry| is_in(path, entry)).copied().unwrap_or(path);
            *folders.entry(entry).or_default() += 1;
        }
        for (entry, number) in folders {
            match number {
                _ if entry == Record::FILE => {
                    writeln!(f, "  {entry:<26} where this comes from, for updates")?
                }
                1 if self.files.contains_key(entry) => writeln!(f, "  {entry}")?,
                _ => writeln!(f, "  {entry:<26} {number} files")?,
            }
        }
        if !self.edited.is_empty() {
            writeln!(f, "\nlines added")?;
        }
        for (path, what) in &self.edited {
            writeln!(f, "  {path:<26} {what}")?;
        }
        if !self.left.is_empty() {
            writeln!(f, "\nleft as it is, in the place of a file of the pipeline")?;
        }
        for (path, advice) in &self.left {
            writeln!(f, "  {path:<26} {advice}")?;
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nto know")?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}
