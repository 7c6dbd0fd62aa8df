//! The one folder in which all projects are made. A file that two projects have in common keeps its time, so that cargo
//! compiles only what differs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::questions::{Answers, shown};
use crate::support::{clean, run};

/// The name of all projects.
pub(crate) const NAME: &str = "shop";

/// The template.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The folder, with the project that was made last.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
}

impl Project {
    /// Makes a project in the folder.
    pub(crate) fn of(answers: &Answers) -> Project {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("choices/project");
        fs::create_dir_all(&folder).unwrap();
        let (old, new) = (files(&folder), rendered(answers));
        for path in old.keys().filter(|path| !new.contains_key(*path)) {
            fs::remove_file(folder.join(path)).unwrap();
        }
        for (path, file) in new.iter().filter(|(path, file)| old.get(*path) != Some(file)) {
            let place = folder.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, &file.bytes).unwrap();
            fs::set_permissions(place, file.permissions.clone()).unwrap();
        }
        Project { folder }
    }

    /// A program in the folder, without what the cargo that runs this test has set.
    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = clean(Command::new(program));
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Commits what there is.
    pub(crate) fn commit(&self) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        run(&mut self.program("git", &["init", "--quiet"]));
        run(&mut self.program("git", &["add", "--all"]));
        run(self.program("git", &identity).args(["commit", "--quiet", "--allow-empty", "-m", "made"]));
    }
}

/// A file.
#[derive(PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    permissions: fs::Permissions,
}

/// The project with these answers, by this program.
pub(crate) fn rendered(answers: &Answers) -> BTreeMap<String, File> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(NAME);
    render(answers, &place);
    files(&place)
}

/// Writes it into a folder that is not there yet.
pub(crate) fn render(answers: &Answers, place: &Path) {
    let mut render = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
    render.args(["render", "--silent", "--name", NAME]).current_dir(root());
    for answer in shown(answers) {
        render.args(["--define", &answer]);
    }
    run(render.arg(place));
}

/// The files of a project, without what git, cargo and the service have written.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let place = entry.unwrap().path();
            let path = place.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if [".git", "target", "data"].contains(&path.as_str()) {
                continue;
            }
            if place.is_dir() {
                folders.push(place);
                continue;
            }
            let permissions = place.metadata().unwrap().permissions();
            files.insert(path, File { bytes: fs::read(place).unwrap(), permissions });
        }
    }
    files
}
