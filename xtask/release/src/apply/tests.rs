//! A run that is killed after any step.

use std::fs;
use std::process::Command;

use super::*;
use crate::changelog::{self, Section};
use crate::files::{Manifest, edits};

/// A repository with settings of its own, since this process has those of whoever runs it.
fn repository() -> (tempfile::TempDir, Git) {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        assert!(Command::new("git").args(args).current_dir(folder.path()).status().unwrap().success())
    };
    run(&["init", "--quiet", "--initial-branch", "main"]);
    for (name, value) in [
        ("user.name", "me"),
        ("user.email", "me@example.com"),
        ("commit.gpgSign", "false"),
        ("tag.gpgSign", "false"),
    ] {
        run(&["config", name, value]);
    }
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"a\"]\n[workspace.package]\nversion = \"0.1.0\"\n",
    );
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n");
    write("a/Cargo.toml", "[package]\nname = \"a\"\nedition = \"2024\"\nversion.workspace = true\n");
    write("a/src/lib.rs", "");
    run(&["add", "."]);
    run(&["commit", "--quiet", "--message", "Begin"]);
    let git = Git::open(folder.path()).unwrap();
    (folder, git)
}

fn release(git: &Git) -> Release {
    let version = Version::new(0, 2, 0);
    let mut edits = edits(git, &Manifest::read(git.folder()).unwrap(), &version).unwrap();
    let section = Section { version: &version, date: "2026-11-22", changes: &[] };
    let new = changelog::with(None, &section).unwrap();
    edits.push(Edit { path: changelog::PATH.to_owned(), old: None, new });
    Release::new(&version, git.find("HEAD").unwrap().unwrap(), message(&version, false), edits)
}

/// What is checked out, what is not clean, and the tags.
fn state(git: &Git) -> [String; 3] {
    [&["rev-parse", "HEAD"][..], &["status", "--porcelain", "--untracked-files=all"], &["tag"]]
        .map(|args| git.read(args).unwrap())
}

#[test]
fn after_every_step_a_release_can_be_taken_back_and_gone_on_with() {
    let count = release(&repository().1).steps().len();
    assert_eq!(count, 11);
    for killed_after in 0..count {
        let (_folder, git) = repository();
        let before = state(&git);
        let release = release(&git);
        let steps = release.steps();
        steps[..killed_after].iter().for_each(|step| release.perform(&git, *step).unwrap());
        let has = |step| steps[..killed_after].contains(&step);
        match left(&git).unwrap() {
            Left::Nothing => assert!(!has(Step::Note) || has(Step::Tag), "{killed_after}"),
            Left::Files(found) => {
                assert!(has(Step::Note) && !has(Step::Commit), "{killed_after}");
                assert_eq!(found, release);
                found.take_back(&git).unwrap();
                assert_eq!(state(&git), before, "{killed_after}");
                assert!(!git.own_file(NOTE).unwrap().exists());
                release.run(&git).unwrap();
            }
            Left::Commit(version) => {
                assert!(has(Step::Commit) && !has(Step::Tag), "{killed_after}");
                tag_head(&git, &version.to_string()).unwrap();
            }
        }
        if !has(Step::Note) {
            continue;
        }
        let [_, status, tags] = state(&git);
        assert_eq!((status.as_str(), tags.as_str()), ("", "v0.2.0"), "{killed_after}");
        assert_eq!(left(&git).unwrap(), Left::Nothing);
        assert_eq!(Manifest::read(git.folder()).unwrap().version().unwrap(), Version::new(0, 2, 0));
    }
}

#[test]
fn what_somebody_wrote_in_between_is_kept() {
    let (folder, git) = repository();
    let release = release(&git);
    release.steps()[..6].iter().for_each(|step| release.perform(&git, *step).unwrap());
    let path = folder.path().join("Cargo.toml");
    let work = fs::read_to_string(&path).unwrap() + "# work\n";
    fs::write(&path, &work).unwrap();
    let Left::Files(found) = left(&git).unwrap() else { panic!("nothing is left") };
    let error = found.take_back(&git).unwrap_err().to_string();
    assert!(
        error.starts_with("Cargo.toml was changed after the release of 0.2.0 was interrupted"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), work);
}

#[cfg(unix)]
#[test]
fn permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, git) = repository();
    let mode = || fs::metadata(folder.path().join("Cargo.lock")).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(folder.path().join("Cargo.lock"), fs::Permissions::from_mode(0o755)).unwrap();
    git.act(&["commit", "--quiet", "--all", "--message", "Permit"]).unwrap();
    let release = release(&git);
    release.steps()[..6].iter().for_each(|step| release.perform(&git, *step).unwrap());
    assert_eq!(mode(), 0o755);
    release.take_back(&git).unwrap();
    assert_eq!(mode(), 0o755);
    assert_eq!(state(&git)[1], "");
}
