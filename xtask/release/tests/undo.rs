//! A release is taken back only while nobody else has it, and without any other loss.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::Repository;

/// With a release v0.1.0, a commit after it, and the release of that.
fn released() -> (Repository, String) {
    let repository = Repository::new();
    repository.tag("v0.1.0");
    repository.commit("fix: a");
    let before = repository.state();
    repository.succeed(&["--execute"]);
    (repository, before)
}

#[test]
fn a_release_is_taken_back_and_made_again() {
    let (repository, before) = released();
    let after = repository.git(&["rev-parse", "HEAD^{tree}", "HEAD^"]);
    let said = repository.succeed(&["--undo"]);
    assert_eq!(
        said,
        "v0.1.1 is taken back, tag and commit; git keeps the commit for a while: `git reset --keep #########`\n"
    );
    assert_eq!(repository.state(), before);
    repository.succeed(&["--execute"]);
    assert_eq!(repository.git(&["rev-parse", "HEAD^{tree}", "HEAD^"]), after);
}

#[test]
fn what_is_no_release_is_not_taken_back() {
    let repository = Repository::new();
    repository.refuse(&["--undo"], "there is no release to take back");
    repository.tag("v0.1.0");
    repository.refuse(&["--undo"], "v0.1.0 is the tag of a commit that `cargo xtask release` has not made");
    let (repository, _) = released();
    repository.commit("Say b");
    repository.refuse(
        &["--undo"],
        "HEAD is not the commit of a release: v0.1.1, which stays, has commits after it (1)",
    );
    // Somebody's work in the release's own commit.
    let (repository, _) = released();
    repository.write("a/src/lib.rs", "//! Hello.");
    repository.git(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    repository.git(&["tag", "--force", "v0.1.1"]);
    repository.refuse(&["--undo"], "v0.1.1 is the tag of a commit that `cargo xtask release` has not made");
}

#[test]
fn what_a_remote_has_stays() {
    let (repository, _) = released();
    let remote = repository.add_remote();
    repository.git(&["push", "--quiet", "origin", "v0.1.1"]);
    repository.refuse(&["--undo"], "the remote origin has the release already, as refs/tags/v0.1.1");
    // The commit alone, under a name that nothing here knows of.
    repository.git(&["push", "--quiet", "origin", ":v0.1.1"]);
    let url = remote.to_str().unwrap();
    repository.git(&["push", "--quiet", url, "HEAD:refs/heads/main"]);
    repository.refuse(&["--undo"], "the remote origin has the release already, as ");
    repository.git(&["fetch", "--quiet", "origin"]);
    repository.refuse(&["--undo", "--offline"], "the release is on origin/main already");

    let (repository, before) = released();
    let remote = repository.add_remote();
    fs::remove_dir_all(remote).unwrap();
    repository.refuse(&["--undo"], "the remote origin does not answer");
    repository.succeed(&["--undo", "--offline"]);
    assert_eq!(repository.state(), before);
}

#[test]
fn work_that_is_not_committed_stays() {
    let (repository, _) = released();
    repository.write("a/src/lib.rs", "//! Hello.");
    repository.refuse(&["--undo"], "v0.1.1 is not taken back: the work tree is not clean");
    repository.git(&["add", "."]);
    repository.refuse(&["--undo"], "M  a/src/lib.rs");
    assert_eq!(repository.read("a/src/lib.rs"), "//! Hello.");
    repository.git(&["stash", "--quiet"]);
    repository.git(&["switch", "--quiet", "--detach"]);
    repository.refuse(&["--undo"], "HEAD is detached");
}

#[test]
fn an_undo_that_was_killed_is_gone_on_with() {
    let (repository, before) = released();
    repository.git(&["tag", "--delete", "v0.1.1"]);
    repository.refuse(&[], "HEAD is the release v0.1.1, and has no tag");
    repository.succeed(&["--undo"]);
    assert_eq!(repository.state(), before);
}

#[test]
fn a_release_that_came_by_a_pull_request_is_tagged() {
    let (repository, _) = released();
    repository.git(&["tag", "--delete", "v0.1.1"]);
    repository.git(&["commit", "--quiet", "--amend", "--message", "chore: release v0.1.1 (#12)"]);
    let before = repository.git(&["rev-parse", "HEAD"]);
    let said = repository.succeed(&["--execute"]);
    assert!(
        said.starts_with("HEAD is the release v0.1.1, and has no tag\nv0.1.1 is committed and tagged"),
        "{said}"
    );
    assert_eq!(repository.git(&["rev-parse", "v0.1.1^{commit}"]), before);
    // Words of somebody are no release.
    repository.git(&["tag", "--delete", "v0.1.1"]);
    repository.git(&["commit", "--quiet", "--amend", "--message", "Release v0.1.1 some day"]);
    repository.refuse(&[], "CHANGELOG.md has a section `0.1.1` already");
}
