//! `cargo xtask build --profile pgo` from the outside: the service that counts is built and put under load, and what it
//! counted is what it is built by.
//!
//! Needs cargo, a C compiler and the llvm-profdata of this Rust or a newer one. Nothing is optimised, so that it takes a minute or two and not many.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use support::{clean, events, root, run, xtask};

/// These have profiles of their own: those that somebody uses are left alone.
const SETTINGS: [(&str, &str); 4] = [
    ("CARGO_PROFILE_PGO_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_PGO_DEBUG", "0"),
    ("CARGO_PROFILE_PGO_LTO", "off"),
    ("CARGO_PROFILE_PGO_OPT_LEVEL", "0"),
];

fn main() -> ExitCode {
    let why = lacks();
    if let Some(why) = &why {
        eprintln!("skipped: a_profile_is_made_and_used: {why}");
    }
    let trial = Trial::test("a_profile_is_made_and_used", a_profile_is_made_and_used);
    libtest_mimic::run(&Arguments::from_args(), vec![trial.with_ignored_flag(why.is_some())]).exit_code()
}

/// What is not there: a way to make profiles, or an llvm-profdata that can read what this Rust has counted.
fn lacks() -> Option<String> {
    let dry_run = build(&["--dry-run"]).output().unwrap();
    if !dry_run.status.success() {
        return Some(String::from_utf8_lossy(&dry_run.stderr).trim().to_owned());
    }
    let steps = plan_without_a_profile();
    let tool = step(&steps, "merge").unwrap()["argv"][4].as_str().unwrap();
    let tool = llvm(Command::new(tool).args(["merge", "--version"]));
    let rust = llvm(clean(Command::new("rustc")).arg("-vV").current_dir(root()));
    (tool < rust).then(|| {
        format!("llvm-profdata is of LLVM {tool}, this Rust of {rust}: `rustup component add llvm-tools`")
    })
}

/// The major version of LLVM that a program names.
fn llvm(command: &mut Command) -> u32 {
    let said = run(command);
    let (_, version) = said.split_once("LLVM version").unwrap();
    version.trim_start_matches([':', ' ']).split('.').next().unwrap().parse().unwrap()
}

fn build(args: &[&str]) -> Command {
    let mut command = xtask();
    command.args(["build", "--profile", "pgo"]).args(args).envs(SETTINGS);
    command
}

/// The steps of the plan, as JSON.
fn plan() -> Vec<serde_json::Value> {
    let text = run(&mut build(&["--dry-run", "--message-format", "json"]));
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    plan["steps"].as_array().unwrap().clone()
}

/// The same, where none of an earlier run of this test is used.
fn plan_without_a_profile() -> Vec<serde_json::Value> {
    let mut steps = plan();
    while step(&steps, "train").is_none() {
        fs::remove_file(profile(&steps)).unwrap();
        steps = plan();
    }
    steps
}

fn step<'a>(steps: &'a [serde_json::Value], name: &str) -> Option<&'a serde_json::Value> {
    steps.iter().find(|step| step["name"] == name)
}

/// What `compile` goes by.
fn profile(steps: &[serde_json::Value]) -> PathBuf {
    let argv = step(steps, "compile").unwrap()["argv"].to_string();
    let (_, rest) = argv.split_once("-Cprofile-use=").unwrap();
    rest.split_once(['"', '\\']).unwrap().0.into()
}

/// What the steps of a build came to, and the SHA-256 of what it made.
fn built() -> (Vec<(String, String)>, String) {
    let events = events(&run(&mut build(&["--message-format", "json"])));
    let finished = events.iter().filter(|event| event["event"] == "step-finished");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let steps = finished.map(|event| (text(&event["step"]), text(&event["outcome"]))).collect();
    let artifact = events.iter().find(|event| event["event"] == "artifact").unwrap();
    (steps, text(&artifact["sha256"]))
}

fn a_profile_is_made_and_used() -> Result<(), Failed> {
    let steps = plan_without_a_profile();
    let tool = step(&steps, "merge").unwrap()["argv"][4].as_str().unwrap().to_owned();
    let program = root().join(step(&steps, "compile").unwrap()["outputs"][0].as_str().unwrap());

    let (outcomes, sha256) = built();
    for name in ["instrument", "train", "merge", "compile", "artifact"] {
        assert!(outcomes.iter().any(|(step, _)| step == name), "{name} did not run: {outcomes:?}");
    }

    // What was counted has the names that functions have in what was compiled by it.
    let profile = profile(&plan());
    let counted = run(Command::new(tool).args(["show", "--topn=100000"]).arg(&profile));
    let names =
        counted.lines().filter_map(|line| line.trim().split_once(", max count")?.0.split(';').next_back());
    let of_service = names.filter(|name| name.contains("3app")).collect::<Vec<_>>();
    let binary = fs::read(program)?;
    let symbols = binary.split(|byte| *byte == 0).collect::<HashSet<_>>();
    let there = of_service.iter().filter(|name| symbols.contains(name.as_bytes())).count();
    assert!(of_service.len() > 50 && there * 10 > of_service.len() * 9, "{there} of {of_service:?}");

    let (outcomes, again) = built();
    let is_training =
        |(step, _): &(String, String)| ["trainer", "instrument", "train", "merge"].contains(&step.as_str());
    assert!(!outcomes.iter().any(is_training), "{outcomes:?}");
    assert!(outcomes.contains(&("compile".to_owned(), "cached".to_owned())), "{outcomes:?}");
    assert_eq!(again, sha256);
    Ok(())
}
