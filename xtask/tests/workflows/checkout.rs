//! A clone of the work tree as it is, committed, which stays: cargo finds there what it compiled the last time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::moved::Moved;
use super::plan::Line;
use super::support::{clean, run};

/// The clone, and what its jobs have left.
pub(crate) struct Checkout {
    folder: PathBuf,
    /// The cargo target folder of the work tree, whose dependencies are of use here.
    target: PathBuf,
    /// What steps left for the next ones of their job.
    env: BTreeMap<String, BTreeMap<String, String>>,
    /// The template that it can follow.
    template: Option<Moved>,
}

impl Checkout {
    /// Makes it, or brings it up to date.
    pub(crate) fn of(root: &Path) -> Checkout {
        // …/target/debug/xtask
        let target = Path::new(env!("CARGO_BIN_EXE_xtask")).ancestors().nth(2).unwrap().to_owned();
        let folder = target.join("workflows/clone");
        fs::create_dir_all(folder.join("target")).unwrap();
        run(Command::new("git").args(["init", "--quiet", "--initial-branch=main"]).arg(&folder));
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            git.arg("--git-dir").arg(folder.join(".git")).args(args).current_dir(root);
            for name in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{name}_NAME"), "a").env(format!("GIT_{name}_EMAIL"), "a@b");
                git.env(format!("GIT_{name}_DATE"), "2026-01-01T00:00:00Z");
            }
            git
        };
        // An index of its own leaves that of the clone true: files that are the same keep their times.
        let index = folder.join(".git/index.tree");
        run(git(&["--work-tree", ".", "add", "--all"]).env("GIT_INDEX_FILE", &index));
        let tree = run(git(&["write-tree"]).env("GIT_INDEX_FILE", &index));
        let commit = run(&mut git(&["commit-tree", "-m", "as it is", tree.trim()]));
        let reset = ["reset", "--quiet", "--hard", commit.trim()];
        run(git(&["--work-tree"]).arg(&folder).args(reset));
        keep_apart(root, &target.join("workflows/.cargo"));
        Checkout { folder, target, env: BTreeMap::new(), template: None }
    }

    /// What is around a project whose template has moved on. The clone is one from then on.
    pub(crate) fn template(&mut self) -> &Moved {
        self.template.get_or_insert_with(|| Moved::around(&self.folder, self.target.join("workflows/moved")))
    }

    /// Runs a line as GitHub's runner would, and returns what it says and which outputs it set.
    pub(crate) fn run(&mut self, line: &Line) -> (Output, BTreeMap<String, String>) {
        let files = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs::write(files.path().join(name), text).unwrap();
            files.path().join(name)
        };
        let (script, output, env) = (file("run.sh", &line.run), file("output", ""), file("env", ""));
        let mut shell = clean(Command::new("bash"));
        shell.args(["--noprofile", "--norc", "-e"]).arg(script).current_dir(self.folder.join(&line.folder));
        shell.env("CI", "true").env("GITHUB_ACTIONS", "true");
        shell.env("GITHUB_OUTPUT", &output).env("GITHUB_ENV", &env);
        shell
            .env("CARGO_TARGET_DIR", self.target.join("workflows"))
            .env("CARGO_BUILD_BUILD_DIR", &self.target);
        if line.run.starts_with("cargo xtask template ") {
            shell.env("PATH", self.template().path());
        }
        let left = self.env.entry(line.job.clone()).or_default();
        let said = shell.envs(&*left).envs(&line.env).output().unwrap();
        left.extend(pairs(&env));
        (said, pairs(&output))
    }
}

/// Has cargo, which reads the configuration of all folders above, tell the packages of the clone from those of the work
/// tree: it would take the ones for the others in the common folder, and compile no edit any more. Dependencies are shared.
fn keep_apart(root: &Path, folder: &Path) {
    let metadata = ["metadata", "--no-deps", "--locked", "--offline", "--format-version=1"];
    let metadata = run(clean(Command::new("cargo")).args(metadata).current_dir(root));
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let names =
        metadata["packages"].as_array().unwrap().iter().map(|package| package["name"].as_str().unwrap());
    let settings = names.flat_map(|name| {
        // Anything will do that is not the default.
        ["dev", "release"].map(|profile| format!("[profile.{profile}.package.{name}]\ncodegen-units = 15\n"))
    });
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.toml"), settings.collect::<String>()).unwrap();
}

/// The lines NAME=VALUE of a file that a step has written.
fn pairs(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap();
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|line| pair(line).unwrap_or_else(|| panic!("no NAME=VALUE: {line}"))).collect()
}
