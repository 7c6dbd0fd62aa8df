//! The hook that git runs before a push, in real repositories, with a small program in the place of cargo.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod workspace;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use workspace::{Workspace, stderr};

/// Writes down what `check` is asked, and that no repository is named to it; a file `red` makes it fail.
const CARGO: &str = "echo \"$@ ${GIT_DIR-}\" >> log; [ ! -e red ]";

/// A workspace that is a repository, with a bare one as its remote `origin`.
struct Repository(Workspace);

impl Repository {
    /// With one commit, and the hook; nothing has been pushed.
    fn new() -> Repository {
        let repository = Repository(Workspace::with(CARGO));
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["init", "--quiet", "--bare", "--initial-branch", "main", "remote.git"]);
        let remote = repository.path().join("remote.git");
        repository.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        repository.commit("first");
        repository
    }

    fn with_hook() -> Repository {
        let repository = Repository::new();
        let output = repository.hooks("install");
        assert!(output.status.success(), "{}", said(&output));
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Git, with the settings of nobody.
    fn command(&self, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("git");
        command.args(args).current_dir(self.path()).env("PATH", path);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for (who, name) in [("AUTHOR", "me"), ("COMMITTER", "me")] {
            command.env(format!("GIT_{who}_NAME"), name).env(format!("GIT_{who}_EMAIL"), "me@example.com");
        }
        command
    }

    /// What git says, once it has succeeded.
    fn git(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A commit whose hash this returns.
    fn commit(&self, message: &str) -> String {
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs `hooks`; what it printed is in its events.
    fn hooks(&self, task: &str) -> Output {
        let mut command = self.0.xtask(&["hooks", task, "--message-format", "json"]);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").output().unwrap()
    }

    /// What cargo was asked since the last time.
    fn asked(&self) -> String {
        let log = self.0.read("log");
        fs::remove_file(self.path().join("log")).ok();
        log.trim_end().to_owned()
    }

    fn hook(&self) -> PathBuf {
        self.path().join(".git/hooks/pre-push")
    }
}

/// The lines that the task printed.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let lines = events.filter_map(|event| Some(format!("{}\n", event["line"].as_str()?)));
    lines.collect()
}

#[test]
fn the_first_push_is_checked_whole_and_the_next_for_what_is_new() {
    let repository = Repository::with_hook();
    repository.git(&["push", "--quiet", "origin", "main"]);
    assert_eq!(repository.asked(), "xtask check");

    let pushed = repository.git(&["rev-parse", "HEAD"]);
    repository.commit("second");
    repository.git(&["push", "--quiet", "origin", "main"]);
    assert_eq!(repository.asked(), format!("xtask check --since {pushed}"));
}

#[test]
fn a_new_branch_is_checked_from_where_it_left_the_remotes_default_one() {
    let repository = Repository::with_hook();
    repository.git(&["push", "--quiet", "origin", "main"]);
    repository.git(&["remote", "set-head", "origin", "main"]);
    let parted = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit("on the branch");
    repository.asked();
    repository.git(&["push", "--quiet", "origin", "topic"]);
    assert_eq!(repository.asked(), format!("xtask check --since {parted}"));
}

#[test]
fn a_forced_push_over_a_commit_that_is_not_here_is_checked_from_the_default_branch() {
    let repository = Repository::with_hook();
    repository.git(&["push", "--quiet", "origin", "main"]);
    repository.git(&["remote", "set-head", "origin", "main"]);
    let parted = repository.git(&["rev-parse", "HEAD"]);
    // Somebody else pushes a branch.
    repository.git(&["clone", "--quiet", "remote.git", "other"]);
    repository.git(&["-C", "other", "checkout", "--quiet", "-b", "topic"]);
    repository.git(&["-C", "other", "commit", "--quiet", "--allow-empty", "--message", "theirs"]);
    repository.git(&["-C", "other", "push", "--quiet", "origin", "topic"]);

    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit("ours");
    repository.asked();
    repository.git(&["push", "--quiet", "--force", "origin", "topic"]);
    assert_eq!(repository.asked(), format!("xtask check --since {parted}"));
}

#[test]
fn several_branches_are_checked_from_the_commit_that_all_come_from() {
    let repository = Repository::with_hook();
    let oldest = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["push", "--quiet", "origin", "main"]);
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit("on the branch");
    repository.git(&["push", "--quiet", "origin", "topic"]);
    repository.commit("more on the branch");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit("more");
    repository.asked();
    repository.git(&["push", "--quiet", "origin", "main", "topic"]);
    assert_eq!(repository.asked(), format!("xtask check --since {oldest}"));
}

#[test]
fn nothing_is_checked_where_a_branch_is_deleted() {
    let repository = Repository::with_hook();
    repository.git(&["push", "--quiet", "origin", "main", "main:topic"]);
    repository.asked();
    repository.git(&["push", "--quiet", "origin", ":topic"]);
    assert_eq!(repository.asked(), "");
}

#[test]
fn a_red_check_refuses_the_push_unless_it_is_gone_past() {
    let repository = Repository::with_hook();
    fs::write(repository.path().join("red"), "").unwrap();
    let output = repository.command(&["push", "--quiet", "origin", "main"]).output().unwrap();
    assert!(!output.status.success());
    assert!(stderr(&output).contains("git push --no-verify"), "{}", stderr(&output));
    assert_eq!(repository.git(&["ls-remote", "origin"]), "");

    repository.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
    assert!(repository.git(&["ls-remote", "origin"]).ends_with("refs/heads/main"));
}

#[test]
fn a_worktree_has_the_hook_too() {
    let repository = Repository::with_hook();
    repository.git(&["add", "config/pipeline.toml"]);
    repository.commit("with the pipeline");
    repository.git(&["worktree", "add", "--quiet", "-b", "topic", "beside"]);
    // A worktree has its repository in GIT_DIR while the hook runs.
    repository.git(&["-C", "beside", "push", "--quiet", "origin", "topic"]);
    assert_eq!(repository.asked(), "xtask check");
}

#[test]
fn another_repository_that_shares_the_hooks_folder_is_let_alone() {
    let repository = Repository::new();
    repository.git(&["config", "core.hooksPath", "shared"]);
    let output = repository.hooks("install");
    assert_eq!(said(&output), "shared/pre-push is there from now on; `git push --no-verify` goes past it\n");
    fs::remove_file(repository.path().join("config/pipeline.toml")).unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]);
    assert_eq!(repository.asked(), "");
}

#[test]
fn a_second_install_changes_nothing_and_an_old_hook_is_renewed() {
    let repository = Repository::with_hook();
    assert_eq!(repository.hook().metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(said(&repository.hooks("install")), ".git/hooks/pre-push is there already\n");

    let hook = fs::read_to_string(repository.hook()).unwrap();
    fs::write(repository.hook(), format!("{hook}# as it was once\n")).unwrap();
    assert_eq!(said(&repository.hooks("install")), ".git/hooks/pre-push is renewed\n");
    assert_eq!(fs::read_to_string(repository.hook()).unwrap(), hook);
    let beside = fs::read_dir(repository.path().join(".git/hooks")).unwrap();
    let ours = beside.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("pre-push") && !name.ends_with(".sample")
    });
    assert_eq!(ours.count(), 1);
}

#[test]
fn remove_takes_away_what_install_wrote() {
    let repository = Repository::with_hook();
    assert_eq!(said(&repository.hooks("remove")), ".git/hooks/pre-push is gone\n");
    assert!(!repository.hook().exists());
    let again = repository.hooks("remove");
    assert_eq!((said(&again).as_str(), again.status.code()), ("there is no .git/hooks/pre-push\n", Some(0)));
}

#[test]
fn a_hook_of_somebody_else_stays_and_can_call_ours() {
    let repository = Repository::new();
    fs::write(repository.hook(), "#!/bin/sh\nexit 0\n").unwrap();
    for task in ["install", "remove"] {
        let output = repository.hooks(task);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).starts_with(".git/hooks/pre-push is not of `cargo xtask hooks`"));
    }
    assert_eq!(fs::read_to_string(repository.hook()).unwrap(), "#!/bin/sh\nexit 0\n");

    // The line to add names a file of this repository.
    let line = said(&repository.hooks("install")).lines().nth(1).unwrap().trim().to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let line = line.replace("$(git rev-parse --show-toplevel)", root.to_str().unwrap());
    fs::write(repository.hook(), format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(repository.hook(), fs::Permissions::from_mode(0o755)).unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]);
    assert_eq!(repository.asked(), "xtask check");
}

#[test]
fn a_dry_run_shows_the_hook_and_writes_none() {
    let repository = Repository::new();
    let output = repository.0.run(&["hooks", "install", "--dry-run"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\ncargo xtask check ${since"), "{text}");
    assert!(!repository.hook().exists());
}
