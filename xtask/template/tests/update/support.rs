//! Small templates with versions, and projects that are made of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Questions that every template needs, since projects are filled in from their answers.
const QUESTIONS: &str = r#"
[template]
ignore = ["only-here.txt"]
[placeholders]
backends = { type = "array", prompt = "Which?", choices = ["sqlite", "mysql"], default = ["sqlite"] }
image = { type = "string", prompt = "Where?", default = "" }
"#;

/// A template and a project of it, in folders of their own.
pub(crate) struct World(TempDir);

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    /// What it said, on both outputs.
    pub(crate) said: String,
}

impl World {
    /// A template without a version, and no project yet.
    pub(crate) fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(world.template()).unwrap();
        init(&world.template());
        world.write("cargo-generate.toml", QUESTIONS);
        world.write("only-here.txt", "not in projects\n");
        world
    }

    pub(crate) fn template(&self) -> PathBuf {
        self.0.path().join("template")
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.0.path().join("project")
    }

    /// Writes a file of the template.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.template(), path, text);
    }

    /// Adds a question to the template.
    pub(crate) fn ask(&self, question: &str) {
        let text = fs::read_to_string(self.template().join("cargo-generate.toml")).unwrap();
        self.write("cargo-generate.toml", &format!("{text}{question}\n"));
    }

    /// Commits and tags what the template is now.
    pub(crate) fn release(&self, version: &str) {
        let source = self.template().to_str().unwrap().replace('\\', "/");
        let manifest = format!("[workspace.package]\nversion = \"{version}\"\nrepository = \"{source}\"\n");
        self.write("Cargo.toml", &manifest);
        commit(&self.template(), version);
        git(&self.template(), &["tag", &format!("v{version}")]);
    }

    /// What the template makes at a version, in the state that it is in.
    pub(crate) fn made(&self, version: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = self.0.path().join(format!("made-{version}"));
        git(&self.template(), &["checkout", "--quiet", "--force", &format!("v{version}")]);
        render(&self.template(), &folder);
        git(&self.template(), &["checkout", "--quiet", "--force", "main"]);
        let files = files(&folder);
        fs::remove_dir_all(folder).unwrap();
        files
    }

    /// Makes and commits a project.
    pub(crate) fn make(&self) {
        render(&self.template(), &self.project());
        init(&self.project());
        commit(&self.project(), "made");
    }

    /// Edits a file of the project, and commits it.
    pub(crate) fn edit(&self, path: &str, text: &str) {
        write(&self.project(), path, text);
        commit(&self.project(), "edit");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project().join(path)).unwrap()
    }

    /// The project's files.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.project())
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.project(), arguments)
    }

    /// The program, with arguments as `cargo xtask` gives them, in the project.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
        command.args(arguments).current_dir(self.project()).env("LC_ALL", "C");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.ran(&mut self.program(arguments))
    }

    /// How a program ended.
    pub(crate) fn ran(&self, program: &mut Command) -> Run {
        let output = program.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let place = self.0.path().to_str().unwrap();
        let said = String::from_utf8(said).unwrap().replace(place, "WORLD");
        Run { code: output.status.code(), said }
    }

    /// A run that has nothing to complain of.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let Run { code, said } = self.run(arguments);
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// A run that fails, or leaves something to do.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let Run { code, said } = self.run(arguments);
        assert_eq!(code, Some(1), "{said}");
        said
    }
}

pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, text).unwrap();
}

fn render(template: &Path, folder: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
    command.args(["render", "--silent", "--name", "shop"]).arg(folder).current_dir(template);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn init(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    for (key, value) in [("user.name", "Ada"), ("user.email", "a@b"), ("core.autocrlf", "false")] {
        git(folder, &["config", key, value]);
    }
}

fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All files in a folder, but git's own.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let place = entry.unwrap().path();
            if place.is_dir() {
                if !place.ends_with(".git") {
                    folders.push(place);
                }
                continue;
            }
            let path = place.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(path, fs::read(place).unwrap());
        }
    }
    files
}
