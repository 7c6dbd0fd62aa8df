//! Commands of README.md and docs, run as they stand there, and what they print, beside what is shown of it.
//!
//! Needs cargo and a C compiler; what else is missing on a machine is said, and its tests count as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod markdown;
#[path = "../oci/tests/registry/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the engine")]
mod server;
#[path = "documents/service.rs"]
mod service;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::collections::BTreeSet;
use std::fs; // template: if is_template
use std::path::Path;
use std::process::{Command, ExitCode};

use db_servers::Backend; // template: if "postgres" in backends
use libtest_mimic::{Arguments, Failed, Trial};
use markdown::{Shown, document};
use server::Registry;
use service::Service;
use support::container::remove_images;
use support::{bd, clean, events, has, root, run, runs_containers};

type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let lacks = |program: &str| (!has(program)).then(|| format!("{program} is not installed"));
    let no_docker = || (!runs_containers("docker")).then(|| "docker cannot run a container here".to_owned());
    let no_registry = || server::program().is_none().then(|| "docker-registry is not installed".to_owned());
    // template: if "postgres" in backends
    let no_postgres = || db_servers::find(Backend::Postgres).err().map(|missing| missing.to_string());
    // template: end
    let trials = vec![
        trial("requests_are_answered_as_shown", lacks("curl"), requests_are_answered_as_shown),
        // template: if "postgres" in backends
        trial("a_database_is_named_as_shown", no_postgres(), a_database_is_named_as_shown),
        // template: end
        trial("certificates_are_good_for_both_ends", lacks("openssl"), certificates_are_good_for_both_ends),
        trial("an_image_is_told_as_shown", no_docker(), an_image_is_told_as_shown),
        trial("a_registry_is_told_as_shown", no_registry(), a_registry_is_told_as_shown),
        // template: if is_template
        trial("a_project_adopts_the_template_beside_it", None, a_project_adopts_the_template_beside_it),
        // template: end
        trial("a_fresh_clone_follows_the_documents", unclean(), a_fresh_clone_follows_the_documents),
    ];
    // Nearly all of them have cargo build, which does one thing at a time.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, skip: Option<String>, test: fn() -> Outcome) -> Trial {
    if let Some(why) = &skip {
        eprintln!("skipped: {name}: {why}");
    }
    Trial::test(name, test).with_ignored_flag(skip.is_some())
}

/// Why there is no clone to be made: it has what is committed, and takes minutes.
fn unclean() -> Option<String> {
    let status = Command::new("git").args(["status", "--porcelain"]).current_dir(root()).output();
    let is_clean = status.is_ok_and(|output| output.status.success() && output.stdout.is_empty());
    let is_wanted = std::env::var_os("CI").is_some() && is_clean;
    (!is_wanted).then(|| "runs with CI=true on a clean checkout".to_owned())
}

/// The commands of a document that begin so; there has to be one.
fn commands(path: &str, beginning: &str) -> Vec<Shown> {
    let commands = document(&root(), path).commands_of(beginning);
    assert!(!commands.is_empty(), "{path} has no `{beginning}…`");
    commands
}

/// A line as a shell runs it, in `folder`.
fn shell(folder: &Path, line: &str) -> Command {
    let mut shell = clean(Command::new("sh"));
    shell.args(["-e", "-c", line]).current_dir(folder);
    shell
}

/// What a command prints, both streams together.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

/// In each document the first request finds a service without anything in it.
fn requests_are_answered_as_shown() -> Outcome {
    let readme = document(&root(), "README.md");
    let start = "cargo run";
    assert!(readme.spans().iter().any(|(_, span)| span == start), "README.md does not say `{start}`");
    ["README.md", "docs/service.md"]
        .iter()
        .try_for_each(|path| answers_as_shown(&Service::start(start)?, path))
}

fn answers_as_shown(service: &Service, path: &str) -> Outcome {
    let commands = commands(path, "curl ");
    let goes_on = |shown: &&Shown| shown.command.starts_with("curl -N ");
    // It tells of what happens after it began.
    let streams = commands.iter().filter(goes_on).map(|shown| service.follow(shown));
    let streams = streams.collect::<Result<Vec<_>, _>>()?;
    for shown in commands.iter().filter(|shown| !goes_on(shown)) {
        let answer = service.ask(shown)?;
        assert_eq!(shown.missing(&answer), None, "{}:\n{answer}", shown.place);
    }
    let spans = document(&root(), path).spans();
    spans.iter().filter(|(_, span)| span.starts_with("app ")).for_each(|(_, span)| service.program(span));
    for stream in streams {
        let told = stream.rest()?;
        assert!(told.lines().any(|line| line.starts_with("data:")), "{path}: {told}");
    }
    Ok(())
}

// template: if "postgres" in backends
/// Beside a server of a test, whose URL takes the place of the one that is shown.
fn a_database_is_named_as_shown() -> Outcome {
    let spans = document(&root(), "docs/service.md").spans();
    let (_, line) = spans.iter().find(|(_, span)| span.starts_with("cargo run -p app ")).unwrap();
    let line = line.replace("postgres://me@localhost/app", "\"$TEST_DATABASE_URL\"");
    run(&mut shell(&root(), "cargo build --quiet --locked --package xtask-db"));
    let beside = "target/debug/xtask-db exec --backend postgres -- sh -c";
    let said = printed(&mut shell(&root(), &format!("{beside} '{line} migrate'")));
    assert!(said.contains("applied 1 migration"), "{said}");
    Ok(())
}

// template: end
fn certificates_are_good_for_both_ends() -> Outcome {
    let folder = tempfile::tempdir()?;
    let commands = document(&root(), "docs/scaling.md").commands();
    let makes = |shown: &&Shown| ["new=", "$new "].iter().any(|start| shown.command.starts_with(start));
    let script = commands.iter().filter(makes).map(|shown| format!("{}\n", shown.command));
    run(&mut shell(folder.path(), &script.collect::<String>()));
    let verify = |purpose: &str, more: &str| {
        run(&mut shell(folder.path(), &format!("openssl verify -CAfile ca.pem -purpose {purpose} {more}")))
    };
    assert_eq!(verify("sslserver", "-verify_hostname build.example.com server.pem"), "server.pem: OK\n");
    assert_eq!(verify("sslclient", "client.pem"), "client.pem: OK\n");
    Ok(())
}

/// What lines begin with: a step, or something that was made. What compilers print depends on what they have to do.
fn labels<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let lines = lines.filter(|line| !line.contains(" | "));
    let label = |line: &'a str| line.trim_start().split(" > ").next()?.split("  ").next();
    lines.filter_map(label).filter(|label| !label.is_empty()).collect()
}

fn an_image_is_told_as_shown() -> Outcome {
    let commands = commands("README.md", "cargo xtask bd");
    let shown = commands.iter().find(|shown| !shown.output.is_empty()).unwrap();
    let name = format!("app-test-documents-{}", std::process::id());
    // The first one also lists packages, which is not shown.
    run(&mut shell(&root(), "cargo xtask build"));
    let said = printed(&mut shell(&root(), &format!("{} --image {name}", shown.command)));
    remove_images("docker", &name);
    assert_eq!(labels(said.lines()), labels(shown.output.iter().map(String::as_str)), "{said}");
    Ok(())
}

/// By Debian's registry, which is the one of which the documentation tells.
fn a_registry_is_told_as_shown() -> Outcome {
    let registry = Registry::start();
    let [shown] = &commands("docs/images.md", "cargo xtask registry check")[..] else {
        panic!("one command")
    };
    let command = shown.command.replace("ghcr.io/", &format!("{}/", registry.address));
    let said = printed(&mut shell(&root(), &command));
    assert_eq!(shown.missing(&said), None, "{}:\n{said}", shown.place);
    Ok(())
}

// template: if is_template
fn a_project_adopts_the_template_beside_it() -> Outcome {
    let document = document(&root(), "docs/adopting.md");
    let spans = document.spans();
    let (_, line) = spans.iter().find(|(_, span)| span.starts_with("cargo run --manifest-path ")).unwrap();
    let line = line.replace("../galley", &format!("'{}'", root().display()));
    let project = tempfile::tempdir()?;
    let write = |path: &str, text: &str| fs::write(project.path().join(path), text);
    fs::create_dir(project.path().join("src"))?;
    write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2021\"\n")?;
    write("src/main.rs", "fn main() {\n    let _ = std::net::TcpListener::bind(\"0.0.0.0:3000\");\n}\n")?;
    let commit = "git init --quiet && cargo generate-lockfile --offline && git add . \
                  && git -c user.name=a -c user.email=a@b commit --quiet --message a";
    run(&mut shell(project.path(), commit));
    let said = printed(&mut shell(project.path(), &format!("{line} --dry-run")));
    assert!(said.contains("shop in . ") && said.contains("3000"), "{said}");
    assert_eq!(run(&mut shell(project.path(), "git status --porcelain")), "");
    Ok(())
}

// template: end
/// README's commands in a clone at another path. It also has to give the same image as here.
fn a_fresh_clone_follows_the_documents() -> Outcome {
    let folder = tempfile::tempdir()?;
    let clone = folder.path().join("a clone with spaces, äöü");
    run(Command::new("git").arg("clone").arg("--quiet").arg(root()).arg(&clone));
    run(&mut shell(&clone, "cargo xtask bd"));
    // The gate itself is what runs this test. It may leave out what it has no network for.
    run(shell(&clone, "cargo xtask check --dry-run").env_remove("CI"));
    let tasks = commands("README.md", "cargo xtask ").into_iter().map(|shown| shown.command);
    let tasks = tasks.collect::<BTreeSet<_>>();
    assert!(["cargo xtask bd", "cargo xtask check"].iter().all(|task| tasks.contains(*task)), "{tasks:?}");
    for line in tasks.iter().filter(|line| *line != "cargo xtask check") {
        run(&mut shell(&clone, line));
    }
    let digest = |output: &str| {
        let events = events(output);
        events.iter().find(|event| event["event"] == "image").unwrap()["digest"].clone()
    };
    let there = run(&mut shell(&clone, "cargo xtask bd --output oci --message-format json"));
    assert_eq!(digest(&there), digest(&bd(&["--output", "oci"])), "the digest depends on the path");
    assert!(!clone.join("data").exists() && clone.join("target").is_dir());

    // What docs/service.md promises: another resource in minutes.
    for shown in document(&root(), "docs/service.md").commands().iter().filter(|shown| shown.is_script) {
        run(&mut shell(&clone, &shown.command));
    }
    let left = Command::new("git")
        .args(["grep", "--ignore-case", "--line-number", "note", "--", "app", "xtask/soak"])
        .current_dir(&clone)
        .output()?;
    assert_eq!(String::from_utf8(left.stdout)?, "");
    run(&mut shell(&clone, "cargo check --quiet --locked --package app --all-targets && cargo fmt --check"));
    Ok(())
}
