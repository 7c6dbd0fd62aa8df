//! What keeps a project from adopting the pipeline, and that nothing is changed then.

use expect_test::{Expect, expect};

use super::support::{PACKAGE, Project, SERVER};

fn check(project: &Project, arguments: &[&str], expected: &Expect) {
    let before = project.run("git status --porcelain --ignored 2>&1 || true");
    expected.assert_eq(&project.refused(arguments));
    assert_eq!(project.run("git status --porcelain --ignored 2>&1 || true"), before);
}

#[test]
fn what_is_no_project_is_refused() {
    let readme = Project::new(&[("README.md", "text\n")]);
    check(
        &readme,
        &["--yes"],
        &expect![[r#"
        error: PROJECT is no cargo project: there is no Cargo.toml in it; `cargo xtask init` makes a project of this template instead
    "#]],
    );
    let library = Project::new(&[("Cargo.toml", PACKAGE), ("src/lib.rs", "")]);
    check(
        &library,
        &["--yes"],
        &expect![[r#"
        error: the project is a library only, and an image needs a binary to run: give it a src/main.rs, or a [[bin]] in its Cargo.toml
    "#]],
    );
    let broken = Project::new(&[("Cargo.toml", "[package]\n"), ("src/lib.rs", "")]);
    let error = broken.refused(&["--yes"]);
    assert!(error.starts_with("error: cargo does not understand the project in PROJECT: error: "), "{error}");
}

#[test]
fn several_binaries_need_a_choice() {
    let several = Project::several();
    check(
        &several,
        &["--yes"],
        &expect![[r#"
            error: the package `web_shop` has several binaries: seed, web_shop; say by --bin which one a container runs
        "#]],
    );
    check(
        &several,
        &["--yes", "--bin", "sed"],
        &expect![[r#"
            error: the package `web_shop` has no binary `sed`; it has seed, web_shop
        "#]],
    );
    check(
        &several,
        &["--yes", "--package", "model"],
        &expect![[r#"
            error: the package `model` has no binary, and an image needs one to run: those that have are web_shop
        "#]],
    );
    check(
        &several,
        &["--yes", "--package", "modle"],
        &expect![[r#"
            error: the project has no package `modle`; those with binaries are web_shop
        "#]],
    );
    let package = |name: &str| format!("[package]\nname = \"{name}\"\n");
    let two = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", &package("a")),
        ("a/src/main.rs", SERVER),
        ("b/Cargo.toml", &package("b")),
        ("b/src/main.rs", SERVER),
    ]);
    check(
        &two,
        &["--yes"],
        &expect![[r#"
        error: 2 packages have binaries: a, b; say by --package which one is the service
    "#]],
    );
}

#[test]
fn what_could_not_be_taken_back_is_refused() {
    let dirty = Project::single();
    dirty.write("src/new.rs", "");
    check(
        &dirty,
        &["--yes"],
        &expect![[r#"
        error: there are changes in PROJECT that are not committed, and what this adds could not be told from them: commit them, or put them away by `git stash --include-untracked`
        ?? src/new.rs
    "#]],
    );
    let unknown = Project::single();
    unknown.run("rm -r .git");
    check(
        &unknown,
        &["--yes"],
        &expect![[r#"
        error: PROJECT is in no git repository, or in one without a commit: `git init`, and commit what there is, so that what this adds can be told from it and taken back
    "#]],
    );
}

#[test]
fn what_is_in_the_place_of_the_pipeline_is_not_overwritten() {
    let again = Project::single();
    again.adopted(&[]);
    again.commit();
    check(
        &again,
        &["--yes"],
        &expect![[r#"
        error: PROJECT has the pipeline already, by .template.toml: `cargo xtask template update` in it brings a later version
    "#]],
    );
    let own = Project::new(&[
        ("Cargo.toml", &format!("{PACKAGE}\n[workspace]\nmembers = [\"xtask\"]\n")),
        ("src/main.rs", SERVER),
        ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
        ("xtask/src/main.rs", SERVER),
    ]);
    check(
        &own,
        &["--yes"],
        &expect![[r#"
        error: PROJECT has an `xtask` of its own, whose place the pipeline would take: rename that package and its folder first, to `tasks` say
    "#]],
    );
    let alias = Project::new(&[
        ("Cargo.toml", PACKAGE),
        ("src/main.rs", SERVER),
        (".cargo/config.toml", "[alias]\nxtask = \"run --package tasks\"\n"),
    ]);
    check(
        &alias,
        &["--yes"],
        &expect![[r#"
        error: .cargo/config.toml: its alias `xtask` is another one: rename that, since `cargo xtask` is what runs the pipeline
    "#]],
    );
}

#[test]
fn a_toolchain_that_is_too_old_for_the_pipeline_is_refused() {
    let old = |text: &str| {
        let files = [("Cargo.toml", PACKAGE), ("src/main.rs", SERVER)];
        let project = Project::new(&files);
        project.write("rust-toolchain.toml", text);
        project.commit();
        project
    };
    let project = old("[toolchain]\nchannel = \"1.70\"\n");
    check(
        &project,
        &["--yes"],
        &expect![[r#"
        error: rust-toolchain.toml pins Rust 1.70, and the pipeline needs 1.95 or newer: raise it, and see that the project builds with it
    "#]],
    );
    old("[toolchain]\nchannel = \"stable\"\n").adopted(&[]);
}

#[test]
fn a_file_that_cannot_be_written_leaves_all_as_it_was() {
    let files = [("Cargo.toml", PACKAGE), ("src/main.rs", SERVER), ("config", "a file\n")];
    let project = Project::new(&files);
    let error = project.refused(&["--yes"]);
    let expected = "error: nothing is changed: what was written before is as it was: config/buildkitd.toml: ";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(project.changes(), "");
    assert!(!project.path().join(".cargo").exists(), "no folder stays");
    assert!(!project.path().join("xtask").exists(), "no folder stays");
}

#[test]
fn nothing_is_written_before_it_is_wanted() {
    let project = Project::single();
    check(
        &project,
        &["--silent"],
        &expect![[r#"
        error: nothing is written: with --silent, --yes has to say that it may be
    "#]],
    );
    check(
        &project,
        &[],
        &expect![[r#"
            Is that right? (yes, no) [no] error: nothing is written: nobody answers; --silent takes the defaults
        "#]],
    );
    assert!(project.adopt(&["--dry-run"]).status.success());
    assert_eq!(project.changes(), "");
}

#[test]
fn an_answer_that_cannot_be_one_is_refused() {
    let project = Project::single();
    check(
        &project,
        &["--yes", "--define", "platforms=linux/386"],
        &expect![[r#"
        error: platforms: there is no `linux/386`; there is linux/amd64, linux/arm64
    "#]],
    );
    check(
        &project,
        &["--yes", "--define", "backends=sqlite"],
        &expect![[r#"
        error: `backends` is asked about projects that are made of the template; what a project that adopts the pipeline is built for is in its config/pipeline.toml
    "#]],
    );
    check(
        &project,
        &["--yes", "--name", "Shop"],
        &expect![[r#"
        error: the name `Shop` has 'S' in it: it takes a to z, 0 to 9 and dashes, such as `shop`
    "#]],
    );
}
