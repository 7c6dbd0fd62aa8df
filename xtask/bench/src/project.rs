//! What is built: clones of the repository, so that the checkout itself is left alone, and edits of them.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result, bail};

use crate::command::{Runner, command};

/// A folder that has a copy of the service.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    folder: PathBuf,
    revision: String,
    /// The place that it shares with another copy, and where it is while that one is there.
    shared: Option<(Rc<Place>, PathBuf)>,
}

/// A folder that copies of the repository are at in turn.
#[derive(Debug)]
struct Place {
    /// Where the copy goes that is there.
    aside: RefCell<PathBuf>,
}

/// Where an edit is made: a file, and the beginning of a string in it, which gets a number. So the code really differs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    file: &'static str,
    string: &'static str,
}

/// In what only the program's start needs.
pub(crate) const SHALLOW: Edit = Edit { file: "app/src/server/mod.rs", string: "\"listening" };
/// In what every handler needs.
pub(crate) const DEEP: Edit =
    Edit { file: "app/src/http/problem.rs", string: "\"something went wrong on our side" };

impl Project {
    /// A clone of the repository at `root`, at `revision`.
    ///
    /// # Errors
    /// When git cannot do that.
    pub(crate) fn clone(runner: &Runner, root: &Path, revision: &str, folder: &Path) -> Result<Project> {
        let mut clone = command("git", root);
        clone.args(["clone", "--quiet", "--shared", "--no-checkout"]).arg(root).arg(folder);
        runner.run(clone)?;
        let mut checkout = command("git", folder);
        checkout.args(["checkout", "--quiet", "--detach", revision]);
        runner.run(checkout)?;
        Ok(Project { folder: folder.to_owned(), revision: revision.to_owned(), shared: None })
    }

    /// The service alone, as a project that has no pipeline: what authors of Dockerfiles have. Crates come from `mirror`
    /// inside of containers.
    ///
    /// # Errors
    /// When git or cargo cannot do that.
    pub(crate) fn service(
        runner: &Runner,
        root: &Path,
        revision: &str,
        folder: &Path,
        mirror: Option<&str>,
    ) -> Result<Project> {
        let whole = Project::clone(runner, root, revision, &folder.with_extension("whole"))?;
        fs::create_dir_all(folder.join(".cargo")).context("cannot make a folder")?;
        for name in ["app", "config", "Cargo.lock", "Cargo.toml"] {
            fs::rename(whole.folder.join(name), folder.join(name))
                .with_context(|| format!("{revision} has no {name}"))?;
        }
        fs::remove_dir_all(&whole.folder).context("cannot remove a clone")?;
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
        };
        let project = Project { folder: folder.to_owned(), revision: revision.to_owned(), shared: None };
        write("Cargo.toml", &alone(&project.read("Cargo.toml")?)?)?;
        write(".dockerignore", "target\n!target/upx\n")?;
        write(".cargo/config.toml", &mirror.map(cargo_config).unwrap_or_default())?;
        // Takes out of Cargo.lock what only the pipeline needs.
        let mut update = command("cargo", folder);
        update.args(["update", "--quiet", "--workspace", "--offline"]);
        runner.run(update)?;
        Ok(project)
    }

    /// A copy with all that was built, at another revision and at the same path: cargo has only that to build which
    /// differs, and no path makes one of them faster.
    ///
    /// # Errors
    /// When there can be no such copy.
    pub(crate) fn share_place(&mut self, runner: &Runner, revision: &str) -> Result<Project> {
        let aside = |name: &str| self.folder.with_extension(name);
        let (own, others) = (aside("own"), aside("other"));
        let mut copy = command("cp", &self.folder);
        copy.arg("--archive").arg("--reflink=auto").arg(&self.folder).arg(&others);
        runner.run(copy)?;
        let place = Rc::new(Place { aside: RefCell::new(own.clone()) });
        self.shared = Some((Rc::clone(&place), own));
        let shared = Some((place, others));
        let other = Project { folder: self.folder.clone(), revision: revision.to_owned(), shared };
        other.enter()?;
        other.restore(runner)?;
        Ok(other)
    }

    /// Moves in, where another copy is at the same place.
    ///
    /// # Errors
    /// When a folder cannot be renamed.
    pub(crate) fn enter(&self) -> Result<()> {
        let Some((place, own)) = &self.shared else { return Ok(()) };
        let mut aside = place.aside.borrow_mut();
        if *aside != *own {
            let moved = fs::rename(&self.folder, &*aside).and_then(|()| fs::rename(own, &self.folder));
            moved.context("cannot rename a clone")?;
            own.clone_into(&mut aside);
        }
        Ok(())
    }

    /// Makes a clone again what it was, without what was generated in it.
    ///
    /// # Errors
    /// When git cannot do that.
    pub(crate) fn restore(&self, runner: &Runner) -> Result<()> {
        let mut checkout = command("git", &self.folder);
        checkout.args(["checkout", "--quiet", "--force", "--detach", &self.revision]);
        runner.run(checkout)?;
        let mut clean = command("git", &self.folder);
        clean.args(["clean", "--quiet", "--force", "-d"]);
        runner.run(clean)
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The text of one of its files.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<String> {
        self.enter()?;
        fs::read_to_string(self.folder.join(name)).with_context(|| format!("cannot read {name}"))
    }

    /// Makes an edit that differs from those with other numbers.
    ///
    /// # Errors
    /// When there is no such string in the file any more.
    pub(crate) fn edit(&self, edit: Edit, number: u32) -> Result<()> {
        self.enter()?;
        let text = numbered(&self.read(edit.file)?, edit.string, number)
            .with_context(|| format!("{} has no string that begins with {}", edit.file, edit.string))?;
        fs::write(self.folder.join(edit.file), text).with_context(|| format!("cannot write {}", edit.file))
    }
}

/// The text with `number` after the first `string`, in place of a number that is there.
fn numbered(text: &str, string: &str, number: u32) -> Option<String> {
    let (before, after) = text.split_once(string)?;
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    after.starts_with('"').then(|| format!("{before}{string}{number}{after}"))
}

/// The workspace's manifest with the service as its only member.
fn alone(manifest: &str) -> Result<String> {
    let mut manifest: toml::Table = manifest.parse().context("Cargo.toml is not right")?;
    let Some(toml::Value::Table(workspace)) = manifest.get_mut("workspace") else {
        bail!("Cargo.toml has no [workspace]");
    };
    workspace.insert("members".to_owned(), vec!["app"].into());
    workspace.remove("exclude");
    toml::to_string(&manifest).context("cannot write Cargo.toml")
}

fn cargo_config(mirror: &str) -> String {
    format!("[source]\ncrates-io.replace-with = \"mirror\"\nmirror.registry = \"{mirror}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::{commit, has_same_service};

    fn git(folder: &Path, args: &[&str]) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let status =
            std::process::Command::new("git").args(who).args(args).current_dir(folder).status().unwrap();
        assert!(status.success(), "{args:?}");
    }

    #[test]
    fn each_edit_differs_from_the_one_before() {
        let text = r#"a("listening"); b("listening");"#;
        let first = numbered(text, "\"listening", 17).unwrap();
        assert_eq!(first, r#"a("listening17"); b("listening");"#);
        assert_eq!(numbered(&first, "\"listening", 3).unwrap(), r#"a("listening3"); b("listening");"#);
        assert_eq!(numbered(r#"("listening to")"#, "\"listening", 3), None);
        assert_eq!(numbered("", "\"listening", 3), None);
    }

    #[test]
    fn the_service_has_what_is_edited() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for edit in [SHALLOW, DEEP] {
            let text = fs::read_to_string(root.join(edit.file)).unwrap();
            assert!(numbered(&text, edit.string, 1).is_some(), "{edit:?}");
        }
    }

    #[test]
    fn an_edit_of_a_clone_leaves_the_checkout_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("app/src/server")).unwrap();
        fs::write(root.join(SHALLOW.file), "info!(\"listening\");\n").unwrap();
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "one"]] {
            git(&root, args);
        }
        // Not committed, so no part of what is measured.
        fs::write(root.join("new"), "").unwrap();
        let runner = Runner::plain(folder.path());
        let head = commit(&root, "HEAD").unwrap();
        let project = Project::clone(&runner, &root, &head, &folder.path().join("clone")).unwrap();
        project.edit(SHALLOW, 5).unwrap();
        assert_eq!(project.read(SHALLOW.file).unwrap(), "info!(\"listening5\");\n");
        assert_eq!(fs::read_to_string(root.join(SHALLOW.file)).unwrap(), "info!(\"listening\");\n");
        assert!(!project.folder().join("new").exists());
        assert!(has_same_service(&root, &head, "HEAD"));
        git(&root, &["rm", "--quiet", "--force", SHALLOW.file]);
        git(&root, &["commit", "--quiet", "--message", "two"]);
        assert!(!has_same_service(&root, &head, "HEAD"));
        assert!(commit(&root, "nowhere").unwrap_err().to_string().contains("no revision nowhere"));
        let error = project.edit(DEEP, 1).unwrap_err().to_string();
        assert_eq!(error, "cannot read app/src/http/problem.rs");
    }

    #[test]
    fn two_revisions_are_at_one_place_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        git(&root, &["init", "--quiet"]);
        for text in ["one", "two"] {
            fs::write(root.join("file"), text).unwrap();
            git(&root, &["add", "."]);
            git(&root, &["commit", "--quiet", "--message", text]);
        }
        let runner = Runner::plain(folder.path());
        let [new, old] = ["HEAD", "HEAD~1"].map(|revision| commit(&root, revision).unwrap());
        let mut project = Project::clone(&runner, &root, &new, &folder.path().join("clone")).unwrap();
        fs::write(project.folder().join("made"), "").unwrap();
        let other = project.share_place(&runner, &old).unwrap();
        assert_eq!(other.folder(), project.folder());
        for _ in 0..2 {
            assert_eq!(
                (other.read("file").unwrap(), project.read("file").unwrap()),
                ("one".into(), "two".into())
            );
        }
        project.restore(&runner).unwrap();
        assert!(!project.folder().join("made").exists());
    }

    #[test]
    fn a_manifest_is_reduced_to_the_service() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"xtask\"]\nexclude = [\"x\"]\n\
                        [profile.release]\nlto = \"off\"\n";
        let expected =
            "[profile.release]\nlto = \"off\"\n\n[workspace]\nmembers = [\"app\"]\nresolver = \"3\"\n";
        assert_eq!(alone(manifest).unwrap(), expected);
    }
}
