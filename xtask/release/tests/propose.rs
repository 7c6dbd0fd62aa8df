//! What is proposed, and what is written when it is done.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use expect_test::expect;

use support::Repository;

#[test]
fn the_first_release_is_what_the_manifest_says() {
    let repository = Repository::new();
    repository.commit("feat: say hello");
    repository.tag("nightly");
    repository.tag("0.9.0");
    let before = repository.state();
    expect![[r#"
        0.1.0: the first release is what Cargo.toml says
          ######### feat: say hello
          ######### Begin [not a conventional commit]

        new in CHANGELOG.md:

          ## [0.1.0] - 2026-11-22

          ### Added

          - say hello

          ### Commits

          - Begin

        nothing is changed; with --execute, this writes CHANGELOG.md, commits and tags v0.1.0
    "#]]
    .assert_eq(&repository.succeed(&[]));
    assert_eq!(repository.state(), before, "to propose changes nothing");

    repository.succeed(&["--execute"]);
    assert_eq!(repository.git(&["log", "-1", "--format=%s"]), "chore: release v0.1.0");
    assert_eq!(repository.git(&["show", "--format=", "--name-only", "HEAD"]), "CHANGELOG.md");
    assert_eq!(repository.git(&["cat-file", "-t", "v0.1.0"]), "tag");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn programs_are_told_what_is_proposed_and_what_stands_in_the_way() {
    let repository = Repository::new();
    let told = || {
        let text = std::fs::read_to_string(repository.top().join(".git/new/release.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let file = ["--report-file", ".git/new/release.json"];
    repository.succeed(&file);
    assert_eq!((&told()["last"], &told()["next"]), (&serde_json::Value::Null, &"0.1.0".into()));
    repository.tag("v0.1.0");
    repository.succeed(&file);
    let why = "nothing has changed since v0.1.0, so there is nothing to release";
    assert_eq!((&told()["next"], &told()["why"]), (&serde_json::Value::Null, &why.into()));

    let commit = repository.commit("feat: say hello\n\nLoudly.");
    repository.write("a/src/lib.rs", "// changed");
    repository.refuse(&file, "the work tree is not clean");
    let obstacle = "the work tree is not clean; commit, `git stash -u` or ignore:\n     M a/src/lib.rs";
    let change = serde_json::json!({
        "commit": commit, "subject": "feat: say hello", "reason": "patch: feature, below 1.0",
    });
    let expected = serde_json::json!({
        "last": "0.1.0", "current": "0.1.0", "next": "0.1.1", "why": "patch, as the commits say",
        "changes": [change], "warnings": [], "obstacles": [obstacle],
    });
    assert_eq!(told(), expected);
}

#[test]
fn commits_of_all_kinds_are_told_and_written_down() {
    let repository = Repository::new();
    repository.tag("v0.1.0");
    for message in [
        "feat: say hello",
        "fix(http): keep cookies\n\nThey were lost.",
        "docs: tell of it",
        "perf: ask once",
        "feat(api)!: drop v1\n\nBREAKING CHANGE: use\nv2",
        "feat!(api): drop v0",
        "fix: a\n\nBREAKING CHANGES: b",
        "Say <b> & it's \"fine\" ü",
    ] {
        repository.commit(message);
    }
    repository.git(&["switch", "--quiet", "--create", "side", "HEAD^"]);
    repository.commit("feat: come from the side");
    repository.git(&["switch", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-edit", "side"]);
    let said = repository.succeed(&["--execute"]);
    expect![[r#"
        0.1.0 -> 0.2.0: minor, as the commits say
          ######### Say <b> & it's "fine" ü [patch: not a conventional commit]
          ######### feat: come from the side [patch: feature, below 1.0]
          ######### fix: a [patch: fix]
          ######### feat!(api): drop v0 [patch: not a conventional commit]
          ######### feat(api)!: drop v1 [minor: breaking, below 1.0]
          ######### perf: ask once [patch: perf]
          ######### docs: tell of it [patch: docs]
          ######### fix(http): keep cookies [patch: fix]
          ######### feat: say hello [patch: feature, below 1.0]
        warning: ######### `fix: a` looks like a breaking change, and is none in this form: write `BREAKING CHANGE: …` in the last paragraph of a commit that begins with `feat: …` or another type. If it is one, add --bump
        warning: ######### `feat!(api): drop v0` looks like a breaking change, and is none in this form: write `feat(api)!: …`. If it is one, add --bump
        warning: merges are left out (1); what they merge is here

        new in CHANGELOG.md:

          ## [0.2.0] - 2026-11-22

          ### Added

          - come from the side
          - **Breaking:** api: drop v1 (use v2)
          - say hello

          ### Changed

          - ask once

          ### Fixed

          - a
          - http: keep cookies

          ### Maintenance

          - docs: tell of it

          ### Commits

          - Say <b> & it's "fine" ü
          - feat!(api): drop v0

        v0.2.0 is committed and tagged; `git push --follow-tags` publishes it, and until then `cargo xtask release --undo` takes it back
    "#]].assert_eq(&said);
    expect![[r##"
        # Changelog

        What is new in each version, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

        ## [0.2.0] - 2026-11-22

        ### Added

        - come from the side
        - **Breaking:** api: drop v1 (use v2)
        - say hello

        ### Changed

        - ask once

        ### Fixed

        - a
        - http: keep cookies

        ### Maintenance

        - docs: tell of it

        ### Commits

        - Say <b> & it's "fine" ü
        - feat!(api): drop v0
    "##]]
    .assert_eq(&repository.read("CHANGELOG.md"));
    expect![[r#"
        chore: release v0.2.0

        diff --git a/Cargo.lock b/Cargo.lock
        index 9b201a5..fea3b55 100644
        --- a/Cargo.lock
        +++ b/Cargo.lock
        @@ -7 +7 @@ name = "a"
        -version = "0.1.0"
        +version = "0.2.0"
        @@ -15 +15 @@ name = "b"
        -version = "0.1.0"
        +version = "0.2.0"
        diff --git a/Cargo.toml b/Cargo.toml
        index 25a0ff1..a6ec402 100644
        --- a/Cargo.toml
        +++ b/Cargo.toml
        @@ -7 +7 @@ edition = "2024"
        -version = '0.1.0'   # of all
        +version = "0.2.0"   # of all"#]]
    .assert_eq(&repository.git(&[
        "show",
        "--format=%s",
        "--unified=0",
        "HEAD",
        "--",
        "Cargo.toml",
        "Cargo.lock",
    ]));
    assert_eq!(repository.git(&["rev-parse", "v0.2.0^{commit}"]), repository.git(&["rev-parse", "HEAD"]));

    let before = repository.state();
    for args in [&[][..], &["--execute"]] {
        expect!["nothing has changed since v0.2.0, so there is nothing to release\n"]
            .assert_eq(&repository.succeed(args));
    }
    assert_eq!(repository.state(), before);
}

#[test]
fn a_history_without_conventions_has_every_commit_listed() {
    let repository = Repository::new();
    repository.tag("v0.1.0");
    repository.commit("Say hello");
    repository.commit("Keep cookies: they were lost");
    let said = repository.succeed(&["--execute"]);
    expect![[r#"
        0.1.0 -> 0.1.1: patch, as the commits say
          ######### Keep cookies: they were lost [patch: not a conventional commit]
          ######### Say hello [patch: not a conventional commit]

        new in CHANGELOG.md:

          ## [0.1.1] - 2026-11-22

          ### Commits

          - Keep cookies: they were lost
          - Say hello

        v0.1.1 is committed and tagged; `git push --follow-tags` publishes it, and until then `cargo xtask release --undo` takes it back
    "#]].assert_eq(&said);
    assert_eq!(repository.git(&["log", "-1", "--format=%s"]), "Release v0.1.1");
}

/// Checks the version that follows on `last` by a commit.
fn check_next(last: &str, message: &str, args: &[&str], expected: &str) {
    let repository = Repository::new();
    let manifest = repository.read("Cargo.toml").replace("version = '0.1.0'", &format!("version = '{last}'"));
    repository.write("Cargo.toml", &manifest);
    repository.commit("Begin again");
    repository.tag(&format!("v{last}"));
    repository.commit(message);
    let said = repository.succeed(args);
    let first = said.lines().next().unwrap();
    assert!(first.starts_with(&format!("{last} -> {expected}: ")), "{last}, {message}: {first}");
}

#[test]
fn each_kind_of_commit_raises_its_part() {
    for (last, message, expected) in [
        ("0.2.3", "feat: a", "0.2.4"),
        ("0.2.3", "feat!: a", "0.3.0"),
        ("1.2.3", "Say a", "1.2.4"),
        ("1.2.3", "feat: a", "1.3.0"),
        ("1.2.3", "fix!: a", "2.0.0"),
        ("2.0.0-rc.1", "feat!: a", "2.0.0-rc.2"),
    ] {
        check_next(last, message, &[], expected);
    }
    check_next("0.2.3", "Say a", &["--bump", "major"], "1.0.0");
    check_next("0.2.3", "Say a", &["--version", "v1.0.0-rc.1"], "1.0.0-rc.1");
    check_next("1.2.3", "feat!: a", &["--bump", "minor"], "1.3.0");
}

#[test]
fn the_highest_tag_that_is_behind_counts() {
    let repository = Repository::new();
    for tag in ["v0.1.0", "v0.9.0", "v0.10.0", "v0.10", "v1", "release-3.0.0"] {
        repository.tag(tag);
    }
    repository.commit("Say a");
    let said = repository.succeed(&[]);
    assert!(said.starts_with("0.10.0 -> 0.10.1: "), "{said}");
    assert!(said.contains("warning: Cargo.toml has 0.1.0, and v0.10.0 has a tag already"), "{said}");

    // What another branch has released is nothing of this one.
    repository.git(&["switch", "--quiet", "--create", "next"]);
    repository.commit("Say b");
    repository.tag("v2.0.0");
    repository.git(&["switch", "--quiet", "main"]);
    assert!(repository.succeed(&[]).starts_with("0.10.0 -> 0.10.1: "));
}

#[test]
fn a_manifest_that_is_ahead_counts() {
    let repository = Repository::new();
    repository.tag("v0.1.0");
    repository.write("Cargo.toml", &repository.read("Cargo.toml").replace("'0.1.0'", "\"0.4.0\""));
    repository.commit("feat!: raise it by hand");
    let said = repository.succeed(&["--execute"]);
    assert!(
        said.starts_with("0.1.0 -> 0.4.0: Cargo.toml has it already; the commits alone would make 0.2.0\n"),
        "{said}"
    );
    assert_eq!(repository.git(&["show", "--format=", "--name-only", "HEAD"]), "CHANGELOG.md");
}

#[test]
fn a_workspace_in_a_folder_has_its_own_commits() {
    let repository = Repository::with_workspace_in("services/the app");
    repository.tag("v0.1.0");
    repository.commit("feat!: somewhere else");
    repository.write("a/src/lib.rs", "//! Hello.");
    repository.commit("fix: here");
    let said = repository.succeed(&["--execute"]);
    assert!(said.starts_with("0.1.0 -> 0.1.1: ") && !said.contains("somewhere else"), "{said}");
    let files = repository.git(&["show", "--format=", "--name-only", "HEAD"]);
    let expected =
        ["CHANGELOG.md", "Cargo.lock", "Cargo.toml"].map(|file| format!("services/the app/{file}"));
    assert_eq!(files, expected.join("\n"));
    repository.succeed(&["--undo"]);
    assert_eq!(repository.git(&["log", "-1", "--format=%s"]), "fix: here");
}

#[test]
fn every_lock_in_the_repository_follows() {
    let repository = Repository::new();
    repository.write("a/fuzz/Cargo.lock", &repository.read("Cargo.lock").replace('\n', "\r\n"));
    repository.git(&["add", "."]);
    repository.commit("Add a lock");
    repository.tag("v0.1.0");
    repository.write("a/src/lib.rs", "//! Hello.");
    repository.commit("fix: a");
    repository.succeed(&["--execute"]);
    let diff = repository.git(&["show", "--format=", "--numstat", "HEAD"]);
    assert_eq!(
        diff,
        "5\t0\tCHANGELOG.md\n2\t2\tCargo.lock\n1\t1\tCargo.toml\n2\t2\ta/fuzz/Cargo.lock"
            .replace("5\t0", &diff[..3])
    );
    let fuzz = repository.read("a/fuzz/Cargo.lock");
    assert_eq!(fuzz.replace("0.1.1", "0.1.0"), repository.git(&["show", "HEAD^:a/fuzz/Cargo.lock"]) + "\r\n");
    assert!(repository.read("Cargo.toml").contains("version = \"0.1.1\"   # of all\n"));
}

#[test]
fn cargo_agrees_with_the_lock() {
    let repository = Repository::new();
    // Without what is far away, cargo can tell without a network.
    repository.write("a/Cargo.toml", &repository.read("a/Cargo.toml").replace("far = \"0.1\"\n", ""));
    repository.git(&["rm", "--quiet", "Cargo.lock"]);
    let cargo = |args: &[&str]| {
        let output =
            std::process::Command::new("cargo").args(args).current_dir(repository.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    cargo(&["generate-lockfile", "--offline"]);
    repository.git(&["add", "."]);
    repository.commit("Begin");
    repository.tag("v0.1.0");
    repository.commit("feat!: a");
    repository.succeed(&["--execute"]);
    cargo(&["metadata", "--locked", "--offline", "--format-version", "1"]);
    assert_eq!(repository.read("Cargo.lock").matches("0.2.0").count(), 2);
}
