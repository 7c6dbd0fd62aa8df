//! What a project has of the pipeline once it has adopted it, and what it keeps.

use std::process::Command;

use expect_test::expect;

use super::support::{PACKAGE, Project, SERVER};

/// Checks that cargo takes both workspaces as they are, and that sources are what they were.
fn check_whole(project: &Project) {
    for manifest in ["Cargo.toml", "xtask/Cargo.toml"] {
        project.run(&format!(
            "cargo metadata --locked --offline --format-version=1 --manifest-path {manifest} >/dev/null"
        ));
    }
    let removed = project.run("git diff --numstat | awk '$2 > 0'");
    assert_eq!(removed, "", "a line is gone");
    let changed = project.run("git diff --name-only");
    let may_change = [".cargo/config.toml", ".gitignore", "Cargo.toml"];
    assert!(changed.lines().all(|path| may_change.contains(&path)), "{changed}");
    project.run("git add --all --intent-to-add && git ls-files '*.rs' | grep --quiet '^xtask/src/main.rs$'");
}

/// The lines of `config/pipeline.toml` that follow from the project.
fn pipeline(project: &Project) -> String {
    let keys = [
        "package",
        "path",
        "binaries",
        "backends",
        "# backends",
        "features",
        "repository",
        "ports",
        "packaging",
    ];
    let text = project.read("config/pipeline.toml");
    let is_one = |line: &&str| keys.iter().any(|key| line.split(" =").next() == Some(*key));
    let without_comment = |line: &str| line.split("   ").next().unwrap().to_owned() + "\n";
    text.lines().filter(is_one).map(without_comment).collect()
}

#[test]
fn a_package_has_the_pipeline_beside_it() {
    let project = Project::single();
    let plan = project.adopted(&[]).replace(&project.path().display().to_string(), "PROJECT");
    let is_counted = |line: &&str| !line.starts_with("  xtask");
    expect![[r#"
        project    PROJECT
        workspace  a package by itself; the pipeline is one of its own beside it
        package    web_shop in . (the only one with a binary)
        binary     web_shop
        port       3000 (from src/main.rs:4)
        files      none that the sources name
        databases  none that a feature chooses: one build, with the package's default features
        toolchain  whichever cargo takes: the project pins none
        edition    2021; the pipeline has its own

        new
          .cargo/config.toml
          .dockerignore
          .github/workflows          5 files
          .template.toml             where this comes from, for updates
          Dockerfile
          Makefile
          config/buildkitd.toml
          config/cargo-config.toml
          config/pipeline.toml
          deny.toml

        lines added
          Cargo.toml                 the profile `dist`, for what is shipped
    "#]]
    .assert_eq(&plan.lines().filter(is_counted).map(|line| format!("{line}\n")).collect::<String>());
    check_whole(&project);
    expect![[r#"
        package = "web_shop"
        path = "."
        binaries = ["web_shop"]
        # backends = ["sqlite", "postgres"]
        repository = "web-shop"
        ports = [3000]
        packaging = "container"
    "#]]
    .assert_eq(&pipeline(&project));
    assert!(project.read("Cargo.toml").starts_with(PACKAGE), "its comments stay");
    let record = project.read(".template.toml");
    assert!(record.contains("[adopted]\npackage = \"web_shop\"\n"), "{record}");
}

#[test]
fn a_workspace_keeps_what_it_has() {
    let project = Project::workspace();
    let plan = project.adopted(&["--define", "image=ghcr.io/acme/shop"]);
    let plan = plan.split_once("\nleft").unwrap().1;
    expect![[r#"
         as it is, in the place of a file of the pipeline
          .github/workflows/ci.yml   the template has one of this name to look at
          Dockerfile                 so `--engine buildkit` copies what this machine has compiled (`packaging`)

        to know
          crates/server/src/main.rs:4: on the address of a container itself nobody reaches port 3000 from without; let the service listen on 0.0.0.0, by its configuration perhaps
    "#]].assert_eq(plan);
    check_whole(&project);
    expect![[r#"
        package = "shop-server"
        path = "crates/server"
        binaries = ["shop-server"]
        backends = ["postgres", "sqlite"]
        features = { postgres = ["tls", "postgres"], sqlite = ["tls", "sqlite"] }
        repository = "ghcr.io/acme/shop"
        ports = [3000]
        packaging = "prebuilt"
    "#]]
    .assert_eq(&pipeline(&project));
    assert_eq!(project.read("Dockerfile"), "FROM scratch\n");
    assert_eq!(project.read(".github/workflows/ci.yml"), "name: ours\n");
    let config = project.read(".cargo/config.toml");
    assert!(config.starts_with("# ours\n[env]\nRUST_LOG = \"debug\"\n"), "{config}");
}

#[test]
fn a_folder_named_is_the_package_that_is_meant() {
    let project = Project::workspace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
    command.arg("adopt").arg(project.path().join("crates/tool")).args(["--dry-run"]);
    let output = command.current_dir(super::support::root()).output().unwrap();
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(plan.contains("package    tool in crates/tool (as was asked for)\n"), "{plan}");
}

#[test]
fn members_that_take_in_every_folder_leave_out_the_pipeline() {
    let project = Project::several();
    project.adopted(&["--bin", "web_shop", "--port", "3000", "--port", "9090"]);
    project.run("cargo metadata --locked --offline --no-deps --format-version=1 >/dev/null");
    expect![[r#"
        -exclude = [".git", "src", "target"]
        +exclude = [".cargo", ".github", "config", "xtask", ".git", "src", "target"]
    "#]]
    .assert_eq(&project.run("git diff Cargo.toml | grep '^[-+] *exclude'"));
    expect![[r#"
        package = "web_shop"
        path = "."
        binaries = ["web_shop"]
        # backends = ["sqlite", "postgres"]
        repository = "web-shop"
        ports = [3000, 9090]
        packaging = "container"
    "#]]
    .assert_eq(&pipeline(&project));
}

#[test]
fn a_folder_of_a_repository_is_a_project_as_well() {
    let project = Project::new(&[("web/Cargo.toml", PACKAGE), ("web/src/main.rs", SERVER)]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
    command.arg("adopt").arg(project.path().join("web")).args(["--yes"]);
    let output = command.current_dir(super::support::root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(project.path().join("web/xtask/Cargo.toml").exists());
    assert!(project.path().join("web/Cargo.lock").exists(), "cargo made it");
    assert!(!project.path().join("web/.github").exists(), "GitHub would not find it");
    assert_eq!(project.read("web/.gitignore"), "/target\n");
    assert!(!project.path().join(".cargo").exists());
}

/// Compiles the pipeline and the service, and makes the image. Takes minutes.
#[test]
#[ignore = "compiles the whole pipeline"]
fn an_adopted_project_makes_its_image() {
    let project = Project::single();
    project.adopted(&[]);
    project.commit();
    let output = Command::new("cargo")
        .args(["xtask", "bd", "--output", "oci"])
        .current_dir(project.path())
        // Of the cargo that runs this.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let images = project.run("ls target/images/*.tar target/dist");
    assert!(images.contains("target/images/web_shop-default-linux-"), "{images}");
    assert_eq!(project.changes(), "", "what a build makes is ignored");
}
