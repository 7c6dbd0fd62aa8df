//! A template that has moved on, and a hosting site: what the workflow needs that brings a project up to date.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::run;

/// What a template has at least, since projects are filled in from the answers.
const QUESTIONS: &str = r#"
[template]
ignore = ["Cargo.toml"]
[placeholders]
backends = { type = "array", prompt = "Which?", choices = ["one"], default = ["one"] }
image = { type = "string", prompt = "Where?", default = "" }
"#;

/// In place of GitHub's own program: there is no pull request yet, and each can be opened.
const GH: &str = "#!/bin/sh\ncase \"$1 $2\" in\n'pr list') ;;\n'pr create') cat ;;\n*) exit 1 ;;\nesac\n";

/// What is new in the template.
const NEWS: &str = "docs/news.md";

/// The template and the site, in a folder.
pub(crate) struct Moved {
    folder: PathBuf,
}

impl Moved {
    /// Makes them anew in `folder`, and a project of the template's first version of the clone in `project`.
    pub(crate) fn around(project: &Path, folder: PathBuf) -> Moved {
        let _ = fs::remove_dir_all(&folder);
        let (template, site) = (folder.join("template"), folder.join("site.git"));
        write(&template, "cargo-generate.toml", QUESTIONS);
        run(Command::new("git").args(["init", "--quiet"]).arg(&template));
        release(&template, "1.0.0");
        write(&template, NEWS, "new\n");
        release(&template, "1.1.0");

        let record = format!(
            "source = {template:?}\nversion = \"1.0.0\"\n\n[answers]\nname = \"shop\"\nbackends = [\"one\"]\nimage = \"\"\n"
        );
        write(project, ".template.toml", &record);
        commit(project, "made of the template");
        run(Command::new("git").args(["init", "--quiet", "--bare"]).arg(&site));
        run(Command::new("git").args(["config", "remote.origin.url"]).arg(&site).current_dir(project));

        write(&folder, "bin/gh", GH);
        fs::set_permissions(folder.join("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
        Moved { folder }
    }

    /// PATH with the program in place of GitHub's own.
    pub(crate) fn path(&self) -> String {
        format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap())
    }

    /// Checks that the site has a branch with what is new.
    pub(crate) fn was_offered(&self) {
        let mut show = Command::new("git");
        show.arg("--git-dir").arg(self.folder.join("site.git"));
        let shown = run(show.args(["show", &format!("template-v1.1.0:{NEWS}")]));
        assert_eq!(shown, "new\n");
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, text).unwrap();
}

fn release(template: &Path, version: &str) {
    let manifest = format!("[workspace.package]\nversion = \"{version}\"\nrepository = {template:?}\n");
    write(template, "Cargo.toml", &manifest);
    commit(template, version);
    run(Command::new("git").args(["tag", &format!("v{version}")]).current_dir(template));
}

fn commit(folder: &Path, message: &str) {
    run(Command::new("git").args(["add", "--all"]).current_dir(folder));
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
    run(Command::new("git").args(identity).args(["commit", "--quiet", "-m", message]).current_dir(folder));
}
