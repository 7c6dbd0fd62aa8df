//! Each thing that stands in the way of a release: nothing is changed, and what to do is said.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use support::Repository;

/// With a release, and a commit after it.
fn repository() -> Repository {
    let repository = Repository::new();
    repository.tag("v0.1.0");
    repository.commit("fix: a");
    repository
}

#[test]
fn a_dirty_tree_is_refused() {
    let repository = repository();
    repository.write("notes ü", "");
    for args in [&[][..], &["--execute"]] {
        let said = repository.refuse(args, "?? \"notes ü\"");
        assert!(said.contains("`git stash -u`") && said.ends_with("nothing is changed\n"), "{said}");
    }
    fs::remove_file(repository.path().join("notes ü")).unwrap();
    repository.write("Cargo.toml", &(repository.read("Cargo.toml") + "\n# more\n"));
    repository.refuse(&["--execute"], " M Cargo.toml");
    repository.git(&["add", "."]);
    repository.refuse(&["--execute"], "M  Cargo.toml");
    repository.commit("Say more");
    repository.succeed(&["--execute"]);
}

#[test]
fn a_tag_that_exists_is_refused() {
    let repository = repository();
    repository.git(&["tag", "v0.1.1", "HEAD^"]);
    repository.git(&["tag", "--delete", "v0.1.0"]);
    repository.git(&["tag", "v0.1.0", "HEAD^"]);
    repository.git(&["switch", "--quiet", "--create", "side", "HEAD^"]);
    repository.commit("Say b");
    repository.tag("v0.1.2");
    repository.git(&["switch", "--quiet", "main"]);
    repository.refuse(&["--execute"], "the tag v0.1.2 exists; choose another version with --version");
    repository.refuse(&["--execute", "--version", "0.1.1"], "0.1.1 is not above 0.1.1");
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    repository.git(&["tag", "v0.1.3", &tree]);
    repository.refuse(&["--execute", "--version", "0.1.3"], "the tag v0.1.3 exists");
    repository.succeed(&["--execute", "--version", "0.1.4"]);
}

#[test]
fn a_tag_on_a_remote_is_refused() {
    let repository = repository();
    let remote = repository.add_remote();
    repository.git(&["tag", "v0.1.1"]);
    repository.git(&["push", "--quiet", "origin", "v0.1.1"]);
    repository.git(&["tag", "--delete", "v0.1.1"]);
    repository
        .refuse(&["--execute"], "the tag v0.1.1 exists on the remote origin; `git fetch --tags origin`");
    fs::remove_dir_all(remote).unwrap();
    let said = repository.refuse(&["--execute"], "the remote origin does not answer");
    assert!(said.contains("--offline does not ask"), "{said}");
    repository.succeed(&["--execute", "--offline"]);
}

#[test]
fn a_detached_head_is_refused() {
    let repository = repository();
    repository.git(&["switch", "--quiet", "--detach"]);
    repository.refuse(
        &["--execute"],
        "HEAD is detached, so that no branch would have the release; `git switch` to one",
    );
    repository.git(&["switch", "--quiet", "main"]);
    repository.succeed(&["--execute"]);
}

#[test]
fn a_shallow_clone_is_refused() {
    let repository = repository();
    let from = format!("file://{}", repository.top().display());
    repository.git(&["clone", "--quiet", "--depth", "1", &from, "../shallow"]);
    let shallow = repository.top().join("../shallow");
    let run = || {
        let output = repository.program(&["--execute"]).current_dir(&shallow).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = run();
    assert!(code == Some(1) && said.contains("`git fetch --unshallow --tags`"), "{said}");
    let fetch =
        repository.command(&["fetch", "--quiet", "--unshallow", "--tags"]).current_dir(&shallow).status();
    assert!(fetch.unwrap().success());
    let (code, said) = run();
    assert!(code == Some(0) && said.starts_with("0.1.0 -> 0.1.1: "), "{said}");
}

#[test]
fn a_merge_under_way_is_refused() {
    let repository = repository();
    repository.git(&["switch", "--quiet", "--create", "side", "HEAD^"]);
    repository.commit("Say b");
    repository.git(&["switch", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    repository.refuse(&["--execute"], "a merge is under way; finish it, or `git merge --abort`");
    repository.refuse(&["--undo"], "HEAD is not the commit of a release");
}

#[test]
fn what_is_no_repository_or_has_no_commit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository();
    let run = || {
        let mut program = repository.program(&[]);
        program.current_dir(folder.path()).env("GIT_CEILING_DIRECTORIES", folder.path());
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = run();
    assert!(said.contains("is not in a work tree of git"), "{said}");
    assert!(repository.command(&["init", "--quiet"]).current_dir(folder.path()).status().unwrap().success());
    let said = run();
    assert_eq!(said, "error: there is no commit yet, so there is nothing to release\n");
}

#[test]
fn a_version_that_is_none_is_a_mistake_on_the_command_line() {
    let repository = repository();
    for (version, expected) in
        [("1.2", "write 1.2.3"), ("1.2.3+x", "no `+`"), ("--undo", "write 1.2.3"), ("", "write 1.2.3")]
    {
        let run = repository.run(&[&format!("--version={version}")]);
        assert_eq!(run.code, Some(2), "{version}: {}", run.said);
        assert!(run.said.contains(expected), "{version}: {}", run.said);
    }
    repository.refuse(
        &["--version", "0.1.0"],
        "0.1.0 is not above 0.1.0, which is the last version that has a tag here",
    );
    assert_eq!(repository.run(&["--undo", "--execute"]).code, Some(2));
}

#[test]
fn a_section_that_is_there_is_refused() {
    let repository = repository();
    repository.write("CHANGELOG.md", "# Changelog\n\n## v0.1.1\n\nBy hand.\n");
    repository.git(&["add", "."]);
    repository.commit("Say more");
    repository.refuse(&["--execute"], "CHANGELOG.md has a section `0.1.1` already");
}

#[test]
fn a_neighbour_that_wants_the_old_version_is_named() {
    let repository = repository();
    let manifest = repository
        .read("a/Cargo.toml")
        .replace("b.path = \"../b\"", "b = { path = \"../b\", version = \"0.1\" }");
    repository.write("a/Cargo.toml", &manifest);
    repository.commit("feat!: want it");
    repository.refuse(
        &["--execute"],
        "wants b ^0.1, which 0.2.0 is not; raise or drop the `version` beside its `path`",
    );
    repository.succeed(&["--execute", "--bump", "patch"]);
}

#[test]
fn a_broken_changelog_or_manifest_is_named() {
    let repository = repository();
    fs::write(repository.path().join("CHANGELOG.md"), b"# \xff").unwrap();
    repository.git(&["add", "."]);
    repository.commit("Say more");
    let run = repository.run(&["--execute"]);
    assert!(run.code == Some(1) && run.said.contains("CHANGELOG.md is not in UTF-8"), "{}", run.said);
    repository.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    repository.write("Cargo.toml", "[workspace]\n");
    repository.commit("Say less");
    repository.refuse(&["--execute"], "Cargo.toml has no [workspace.package] with a version");
}

/// Runs with an engine that does what a script says.
fn with_engine(repository: &Repository, script: &str, args: &[&str]) -> (Option<i32>, String) {
    let engine = repository.top().join("../engine");
    fs::write(&engine, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = repository.program(args);
    program.arg("--engine").arg(&engine).args([
        "--image-tag",
        "{version}",
        "--image-tag",
        "postgres-{version}",
    ]);
    let mut run = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(br#"{"repository": "example.com/team/app"}"#).unwrap();
    let output = run.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn an_image_that_exists_is_refused() {
    let repository = repository();
    let before = repository.state();
    let asked = "[ \"$1\" = existing ] && sed 's/,/,\\n/g' | grep -o 'example.com/team/app:[a-z0-9.-]*'";
    let (code, said) = with_engine(&repository, asked, &["--execute"]);
    let taken = "error: the registry has example.com/team/app:0.1.1, example.com/team/app:postgres-0.1.1 already; choose \
                 another version with --version\n";
    assert!(code == Some(1) && said.contains(taken), "{said}");

    let (code, said) = with_engine(&repository, "echo 'error: no route to host' >&2; exit 1", &["--execute"]);
    let silent = "error: the registry example.com could not be asked: no route to host; without the network, --offline \
                  does not ask\n";
    assert!(code == Some(1) && said.contains(silent), "{said}");
    assert_eq!(repository.state(), before);

    let (code, said) = with_engine(&repository, "exit 1", &["--execute", "--offline"]);
    assert_eq!(code, Some(0), "{said}");
    repository.succeed(&["--undo"]);
    let (code, said) = with_engine(&repository, "cat >/dev/null", &["--execute"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_hook_that_refuses_leaves_everything_as_before() {
    let repository = repository();
    repository.hook("pre-commit", "echo 'no commits on Sundays' >&2; exit 1");
    let said = repository.refuse(&["--execute"], "no commits on Sundays");
    assert!(said.contains("nothing was released, and every file is as before"), "{said}");
    assert!(!repository.path().join("CHANGELOG.md").exists());
}

#[test]
fn a_link_is_refused() {
    let repository = repository();
    repository.write("docs/changes.md", "# Changes\n");
    std::os::unix::fs::symlink("docs/changes.md", repository.path().join("CHANGELOG.md")).unwrap();
    repository.git(&["add", "."]);
    repository.commit("Say more");
    repository.refuse(&["--execute"], "CHANGELOG.md is a link");
}
