//! Every command that the help, README.md and docs show is one that works. Tasks are run with `--dry-run`; of all else it is
//! said what runs it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "examples/elsewhere.rs"]
mod elsewhere;
mod help;
mod markdown;
#[path = "examples/script.rs"]
mod script;
mod whole;
#[path = "examples/workspace.rs"]
mod workspace;

use std::path::Path;
use std::process::Command;

use elsewhere::Entry;
use help::{help, tasks};
use markdown::{Document, documents};
use workspace::Workspace;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Checks a command that is at `place`, if it is a task, a shorthand or a script; says whether it is one.
fn is_checked(workspace: &Workspace, command: &str, place: &str) -> bool {
    let is_shorthand = command.strip_prefix("make ").is_some_and(|target| !target.starts_with('-'));
    if is_shorthand || command.starts_with("cargo xtask ") {
        workspace.check(command, place);
    } else if script::is_one(root(), command) {
        assert_eq!(script::wrong(root(), command), None, "`{command}` in {place}");
    } else {
        return false;
    }
    true
}

/// What [`elsewhere`] has of a command at `place`, which nothing here runs.
fn entry(command: &str, place: &str) -> Entry {
    elsewhere::entry(place, command).unwrap_or_else(|| {
        panic!(
            "nothing runs `{command}` of {place}, or compares what it prints: say in \
             xtask/tests/examples/elsewhere.rs which test does"
        )
    })
}

/// A task in a sentence, such as `bd --output oci` or `sqlx check`, as it is typed: with something in the place of NAMES.
fn typed(span: &str, tasks: &[String]) -> Option<String> {
    let (is_whole, rest) = span.strip_prefix("cargo xtask ").map_or((false, span), |rest| (true, rest));
    let words = rest.split(' ').collect::<Vec<_>>();
    let is_task = tasks.iter().any(|task| task == words[0]);
    let is_more = |next: &&str| next.starts_with('-') || help(&words[..1]).contains("\nCommands:\n");
    if !(is_whole || is_task && words.get(1).is_some_and(is_more)) {
        return None;
    }
    let is_name = |word: &str| word.chars().all(|c| c.is_ascii_uppercase());
    let words = words.iter().enumerate().map(|(at, word)| match at {
        _ if !is_name(word) => word,
        0 => "bd",
        _ => "1",
    });
    Some(format!("cargo xtask {}", words.collect::<Vec<_>>().join(" ")))
}

#[test]
fn every_example_works() {
    let workspace = Workspace::of(root());
    whole::write_pipeline(root(), workspace.path());
    let tasks = tasks();
    assert!(tasks.contains(&"bd".to_owned()), "{tasks:?}");
    for task in tasks {
        let help = help(&[&task]);
        let examples = help.split_once("\nExamples:\n").unwrap_or_else(|| {
            panic!("`cargo xtask help {task}` has no examples: add some to xtask/src/cli/examples/table.rs")
        });
        for line in examples.1.lines() {
            workspace.check(line.trim(), "xtask/src/cli/examples/table.rs");
        }
    }
}

#[test]
fn every_command_in_the_documents_works() {
    let (workspace, tasks, documents) = (Workspace::of(root()), tasks(), documents(root()));
    let mut elsewhere = Vec::new();
    let shown = documents.iter().flat_map(Document::commands).collect::<Vec<_>>();
    assert!(shown.len() > 50, "only {} commands were found", shown.len());
    for shown in shown {
        if !is_checked(&workspace, &shown.command, &shown.place) || !shown.output.is_empty() {
            elsewhere.push(entry(&shown.command, &shown.place));
        }
    }
    for (place, span) in documents.iter().flat_map(Document::spans) {
        if let Some(line) = typed(&span, &tasks) {
            workspace.read(&line, &place);
        } else if elsewhere::is_command(&span) {
            elsewhere.push(entry(&span, &place));
        } else {
            is_checked(&workspace, &span, &place);
        }
    }
    for ((path, beginning), why) in elsewhere::left_out() {
        eprintln!("skipped: `{beginning}…` of {path}: {why}");
    }
    let wrong = elsewhere::wrong(root(), &elsewhere);
    assert_eq!(wrong, [""; 0], "mend xtask/tests/examples/elsewhere.rs");
}

#[test]
fn a_flag_that_there_is_not_is_noticed() {
    let workspace = Workspace::of(root());
    for line in
        ["cargo xtask bd --bakcend sqlite", "cargo xtask bdp --imgae ghcr.io/team/app", "cargo xtask bud"]
    {
        let codes = ["--dry-run", "--help"].map(|add| workspace.shell(line, add).status.code());
        assert_eq!(codes, [Some(2); 2], "{line}");
    }
}

#[test]
fn what_is_no_command_is_noticed() {
    assert_eq!(elsewhere::entry("README.md:7", "curl localhost:8080/notes"), Some(("README.md", "curl ")));
    assert_eq!(elsewhere::entry("README.md:7", "cargo run"), Some(("README.md", "cargo run")));
    for (place, command) in [
        ("README.md:7", "cargo run --bin other"),
        ("README.md:7", "curly"),
        ("docs/ci.md:7", "curl localhost"),
    ] {
        assert_eq!(elsewhere::entry(place, command), None, "{place}: {command}");
    }
    let unused = elsewhere::wrong(root(), &[]);
    assert!(!unused.is_empty() && unused.iter().all(|wrong| wrong.ends_with("…` any more")), "{unused:?}");
    for (command, unknown) in
        [("xtask/bench/clones everything", "everything"), ("RUN=3 xtask/bench/check cold", "RUN")]
    {
        assert!(script::is_one(root(), command), "{command}");
        let wrong = script::wrong(root(), command).unwrap();
        assert!(wrong.ends_with(&format!("do not say what `{unknown}` is")), "{wrong}");
    }
    assert_eq!(script::wrong(root(), "RUNS=3 xtask/bench/check cold"), None);
    assert!(!script::is_one(root(), "xtask/bench/nothing") && !script::is_one(root(), "xtask/Cargo.toml"));
}

#[test]
fn a_task_in_a_sentence_is_told_from_words() {
    let tasks = tasks();
    let typed = |span: &str| typed(span, &tasks);
    assert_eq!(typed("sqlx check").unwrap(), "cargo xtask sqlx check");
    assert_eq!(typed("bd --engine buildkit").unwrap(), "cargo xtask bd --engine buildkit");
    assert_eq!(typed("cargo xtask man DIR").unwrap(), "cargo xtask man 1");
    assert_eq!(
        typed("cargo xtask TASK --message-format json").unwrap(),
        "cargo xtask bd --message-format json"
    );
    assert_eq!(typed("cargo xtask"), None);
    assert_eq!(typed("build scripts"), None);
    assert_eq!(typed("clean"), None);
}

#[test]
fn commands_are_told_from_what_they_print() {
    let text = "Type `a \nb`:\n```console\n$ one \\\n    two   # why\nout # put\n\n$ three\n```\nand `c`\n```sh\n# no\nfour\n```\n";
    let document = Document::new("a.md", text);
    let commands = document.commands();
    let of = |at: usize| {
        (commands[at].place.as_str(), commands[at].command.as_str(), commands[at].output.join("|"))
    };
    assert_eq!(of(0), ("a.md:4", "one two", "out # put|".to_owned()));
    assert_eq!(of(1), ("a.md:8", "three", String::new()));
    assert_eq!(of(2), ("a.md:13", "four", String::new()));
    assert_eq!(commands.iter().map(|shown| shown.is_script).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(
        document.spans(),
        [("a.md:1".to_owned(), "a b".to_owned()), ("a.md:10".to_owned(), "c".to_owned())]
    );
}

#[test]
fn a_short_help_has_no_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["bd", "-h"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("--backend") && !text.contains("Examples:"), "{text}");
}
