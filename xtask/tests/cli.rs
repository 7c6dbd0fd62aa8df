//! The command line: what `--help` promises, and what a mistake gets as an answer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod whole;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::{Expect, expect};
use tempfile::TempDir;

/// A workspace with only what xtask itself reads.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::create_dir_all(folder.path().join("config")).unwrap();
    fs::copy(root.join("Cargo.toml"), folder.path().join("Cargo.toml")).unwrap();
    whole::write_pipeline(root, folder.path());
    folder
}

fn xtask(workspace: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // As `cargo run` sets it; the file itself is not needed.
    command
        .args(args)
        .env("CARGO_MANIFEST_DIR", workspace.join("xtask"))
        .current_dir(workspace)
        .env_remove("CI");
    command.output().unwrap()
}

/// Checks the exit code and the first line of what is said.
fn check_refused(workspace: &Path, args: &[&str], code: i32, expected: &Expect) {
    let output = xtask(workspace, args);
    let text = String::from_utf8(output.stderr).unwrap();
    // Each system has its own words for this.
    let missing = std::io::Error::from_raw_os_error(2).to_string();
    let line = text.lines().next().unwrap_or_default();
    expected.assert_eq(&line.replace(&missing, "No such file or directory (os error 2)"));
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn help_names_every_task() {
    let output = xtask(workspace().path(), &["-h"]);
    let help = String::from_utf8(output.stdout).unwrap();
    // Projects do not have it.
    let help: String = help
        .split_inclusive('\n')
        .filter(|line| !["  init ", "  adopt "].iter().any(|task| line.starts_with(task)))
        .collect();
    expect![[r#"
        Turns the service into minimal, reproducible container images

        Usage: cargo xtask [OPTIONS] <COMMAND>

        Commands:
          build        Build the service as a static binary under target/dist
          bd           Build the service and its image; load it into Docker or podman when one runs
          up           Build the service and its image, and start it in Docker, beside its database
          down         End what `up` started
          bdp          Build the service and its image for every platform, and push it to a registry
          bake         Print what `bd --engine buildkit` has BuildKit do, for `docker buildx bake --file x.json`
          verify       Fetch an image that was pushed, look at all of it, and compare it with what is built from this source again
          scan         Look for known vulnerabilities in an image, by trivy or grype
          registry     Find out what a registry can do
          builder      Make, show, start or remove the BuildKit builder that config/pipeline.toml describes
          pin          Look up again which digests the images in config/pipeline.toml stand for
          check        Run the whole gate for every database: format, lints, query cache, dependencies, tests
          sqlx         Renew or check the query cache that lets sqlx check SQL without a database
          soak         Put the service under load, and compare what it does with the figures that it is held to
          bench        Measure the pipeline against what people use, on this machine, and write a report with plots
          release      Propose the next version from the commits since the last one; with --execute, write, commit and tag it
          clean        Show what takes space in the target folder; remove what is old, or too much, with --older-than or --keep
          watch        After each change check, build and run the service anew, until Ctrl-C
          hooks        Put the gate between git and a push, or take it away
          template     Follow the template that a project was made of
          kitchen      Open the build dashboard in a browser, or ask the one that is open
          doctor       List the tools that the pipeline can use, and how to install what is missing
          setup        Install what this machine lacks
          ci           Print what workflows of continuous integration need
          completions  Print a script that has a shell complete what comes after `cargo xtask`
          man          Write a man page of every task into a folder
          help         Print this message or the help of the given subcommand(s)

        Options:
              --dry-run                  Print the commands, ready to paste into a shell, and run nothing; bdp builds, and says what a push would upload; clean says what would go
          -j, --jobs <N>                 Jobs in all, shared by every compiler [default: CARGO_BUILD_JOBS, or the number of cores]
          -q, --quiet                    Show only warnings and errors
              --message-format <FORMAT>  How events are shown; json is described in docs/events.md [default: human] [possible values: human, json]
              --timings[=<FILE>]         Write a page with the waterfall of the run [default: target/timings/<task>-<time>.html]
          -h, --help                     Print help (see more with '--help')
          -V, --version                  Print version
    "#]]
    .assert_eq(&help);
}

#[test]
fn a_mistake_on_the_command_line_is_named_and_has_code_2() {
    let workspace = workspace();
    for (args, expected) in [
        (&["bulid"][..], expect!["error: unrecognized subcommand 'bulid'"]),
        (&["bd", "--backend", "sqlit"], expect!["error: unknown backend `sqlit`, did you mean `sqlite`?"]),
        (
            &["bd", "--platform", "linux/amd46"],
            expect![
                "error: invalid value 'linux/amd46' for '--platform <PLATFORM>': unknown platform, did you mean `linux/amd64`?"
            ],
        ),
        (
            &["bd", "--image", "Team/app"],
            expect![
                "error: invalid value 'Team/app' for '--image <REPOSITORY>': `Team/app` is not a legal image name: `Team` has capital letters; write `team`"
            ],
        ),
        (
            &["bd", "--image", "app:1"],
            expect![
                "error: invalid value 'app:1' for '--image <REPOSITORY>': `app:1` is not a legal image name: a repository has no tag; give it with --tag"
            ],
        ),
        (
            &["bd", "--tag", "a b"],
            expect![
                "error: invalid value 'a b' for '--tag <TAG>': `a b` is not a legal image name: a tag is 1 to 128 of A-Z a-z 0-9 _ . - and begins with a letter, digit or _"
            ],
        ),
        (
            &["bd", "--compression", "zstd:99"],
            expect![
                "error: invalid value 'zstd:99' for '--compression <COMPRESSION>': unknown compression `zstd:99`; write zstd, zstd:1 to zstd:19, zstd:fast, zstd:balanced, zstd:small or zstd:smallest, gzip or gzip:1 to gzip:9, none"
            ],
        ),
        (
            &["bd", "--output", "dokcer"],
            expect![
                "error: invalid value 'dokcer' for '--output <TYPE[,KEY=VALUE]>': unknown output type, did you mean `docker`?"
            ],
        ),
        (&["build", "--profile", "debug"], expect!["error: invalid value 'debug' for '--profile <PROFILE>'"]),
        (
            &["build", "-j", "0"],
            expect!["error: invalid value '0' for '--jobs <N>': number would be zero for non-zero type"],
        ),
    ] {
        check_refused(workspace.path(), args, 2, &expected);
    }
}

#[test]
fn a_broken_configuration_is_named_and_has_code_1() {
    let workspace = workspace();
    let pipeline = workspace.path().join("config/pipeline.toml");
    let good = fs::read_to_string(&pipeline).unwrap();

    fs::write(&pipeline, good.replace("[build]", "[build")).unwrap();
    check_refused(
        workspace.path(),
        &["bd"],
        1,
        &expect!["error: config/pipeline.toml is not right: TOML parse error at line 4, column 7"],
    );

    fs::remove_file(&pipeline).unwrap();
    check_refused(
        workspace.path(),
        &["bd"],
        1,
        &expect![
            "error: cannot read config/pipeline.toml, which says what is built (`git checkout config/pipeline.toml` restores it): No such file or directory (os error 2)"
        ],
    );

    fs::write(&pipeline, good).unwrap();
    fs::write(workspace.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    check_refused(
        workspace.path(),
        &["bd"],
        1,
        &expect![
            "error: neither app/Cargo.toml nor [workspace.package] in Cargo.toml has a version, which images are named by"
        ],
    );
}

#[test]
#[cfg(windows)]
fn what_does_not_run_here_is_refused() {
    let workspace = workspace();
    let front = "on Windows only the pipeline's front works: ";
    for args in [&["bd"][..], &["bake"], &["soak"], &["sqlx", "check"]] {
        let output = xtask(workspace.path(), args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with("error: ") && text.contains(front), "{args:?}: {text}");
        assert_eq!(output.status.code(), Some(1));
    }
    let output = xtask(workspace.path(), &["doctor"]);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains(front), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
#[cfg(unix)]
fn a_missing_c_compiler_is_named() {
    let workspace = workspace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["build"])
        .env("CARGO_MANIFEST_DIR", workspace.path().join("xtask"))
        .env("PATH", workspace.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        error: no C compiler: `cc` is not on PATH, and linking needs it; `cargo xtask doctor` shows how to install one
    "#]].assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn a_wrong_source_date_epoch_is_named() {
    let workspace = workspace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["bd", "--dry-run"]).env("CARGO_MANIFEST_DIR", workspace.path().join("xtask"));
    let output = command.env("SOURCE_DATE_EPOCH", "yesterday").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        error: SOURCE_DATE_EPOCH is `yesterday`, not seconds since 1970: invalid digit found in string
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn a_dry_run_writes_nothing() {
    let workspace = workspace();
    let output = xtask(workspace.path(), &["check", "--dry-run"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("cargo fmt --all --check"), "{text}");
    assert_eq!(fs::read_dir(workspace.path()).unwrap().count(), 2);

    let output = xtask(workspace.path(), &["check", "--dry-run", "--message-format", "json"]);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["event"], "plan");
    assert_eq!(plan["steps"][0]["argv"][1], "fmt");
}

/// xtask on a machine that has no program at all.
fn on_a_bare_machine(args: &[&str]) -> Output {
    let workspace = workspace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args).env("CARGO_MANIFEST_DIR", workspace.path().join("xtask"));
    command.env("PATH", workspace.path()).env_remove("CARGO").stdin(Stdio::null()).output().unwrap()
}

#[test]
fn doctor_lists_tools_as_one_document() {
    let output = on_a_bare_machine(&["doctor", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let tools = document["tools"].as_array().unwrap();
    let deny = tools.iter().find(|tool| tool["name"] == "cargo-deny").unwrap();
    assert_eq!(deny["for"], serde_json::json!(["check"]));
    assert_eq!((&deny["version"], &deny["required"]), (&serde_json::json!(null), &serde_json::json!(false)));
    assert!(deny["install"].as_str().unwrap().starts_with("cargo install --locked cargo-deny@"), "{deny}");
    assert!(document["verdict"].as_str().unwrap().contains("cannot work"), "{document}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn doctor_fails_for_a_goal_that_lacks_something() {
    let output = on_a_bare_machine(&["doctor", "--for", "buildkit"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hadolint"), "{text}");
    expect![
        "buildkit lacks cargo, rustc, cc, git, docker, docker buildx: `cargo xtask setup --for buildkit`"
    ]
    .assert_eq(text.lines().last().unwrap());
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn doctor_says_what_installs_the_rest() {
    let output = on_a_bare_machine(&["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    expect!["`cargo xtask setup --for check` installs what is missing for check"]
        .assert_eq(text.lines().last().unwrap());
}

#[test]
fn nothing_is_installed_without_a_yes() {
    let output = on_a_bare_machine(&["setup"]);
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(plan.contains("\ncargo install --locked --debug cargo-zigbuild@"), "{plan}");
    let text = String::from_utf8(output.stderr).unwrap();
    expect!["error: standard input is no terminal, so nobody can be asked: add --yes to install this"]
        .assert_eq(text.lines().last().unwrap());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_only_its_user_can_install_is_no_failure() {
    let output = on_a_bare_machine(&["setup", "--for", "buildkit"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("step `cc` is skipped (links, and compiles bundled C): "), "{text}");
    assert!(output.status.success(), "{text}");
}
