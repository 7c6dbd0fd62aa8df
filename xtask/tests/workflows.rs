//! Every `run:` of every workflow, as GitHub would run it: in a clone, by bash, with its environment. Of a matrix the first
//! row is run that this machine is like.
//!
//! Actions of others are named and left out. What this machine cannot run is said, and counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

#[path = "workflows/checkout.rs"]
mod checkout;
#[path = "workflows/expression.rs"]
mod expression;
#[path = "workflows/moved.rs"]
mod moved;
#[path = "workflows/plan.rs"]
mod plan;
#[path = "../oci/tests/registry/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the engine")]
mod server;
#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};

use checkout::Checkout;
use libtest_mimic::{Arguments, Failed, Trial};
use plan::Line;
use serde_json::Value;
use server::Registry;
use support::{has, root, run};

fn main() -> ExitCode {
    let registry = server::program().map(|_| Registry::start());
    let image =
        registry.as_ref().map_or_else(String::new, |registry| format!("{}/team/app", registry.address));
    let matrix = run(Command::new(env!("CARGO_BIN_EXE_xtask")).args(["ci", "matrix"]).current_dir(root()));
    let matrix: Value = serde_json::from_str(&matrix).unwrap();
    let (lines, actions) = plan::read(&root(), &matrix, &image);
    let actions = actions.iter().map(|(name, times)| format!("{name} ({times})")).collect::<Vec<_>>();
    eprintln!("left out: {}; of the gate {}", actions.join(", "), left_out());

    let checkout = Arc::new(Mutex::new(None));
    let mut trials = vec![Trial::test("expressions_stand_for_what_github_says", || {
        expression::stand_for_what_github_says();
        Ok(())
    })];
    for line in lines {
        let skip = line.skip.clone().or_else(|| lacks(&line));
        if let Some(why) = &skip {
            eprintln!("skipped: {}: {why}", line.name);
            trials.extend(read_only(&line).map(|read| trial(read, &checkout, &matrix)));
        }
        trials.push(trial(line, &checkout, &matrix).with_ignored_flag(skip.is_some()));
    }
    // In their order: a step may need what the one before has left.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(line: Line, checkout: &Arc<Mutex<Option<Checkout>>>, matrix: &Value) -> Trial {
    let (checkout, matrix) = (checkout.clone(), matrix.clone());
    Trial::test(line.name.clone(), move || {
        let mut checkout = checkout.lock().unwrap_or_else(PoisonError::into_inner);
        runs(checkout.get_or_insert_with(|| Checkout::of(&root())), &line, &matrix)
    })
}

/// What is left of a line that cannot run here: whether there is such a task with such flags, or such tests.
fn read_only(line: &Line) -> Option<Line> {
    let flag = match line.run.split_whitespace().nth(1)? {
        "xtask" => "--help",
        "test" if line.run.contains(" -- ") => "--list",
        "test" => "-- --list",
        _ => return None,
    };
    let (name, run) = (format!("{} ({flag})", line.name), format!("{} {flag}", line.run));
    Some(Line { name, run, outputs: vec![], may_fail: false, ..line.clone() })
}

fn runs(checkout: &mut Checkout, line: &Line, matrix: &Value) -> Result<(), Failed> {
    let (said, outputs) = checkout.run(line);
    let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert_eq!(said.status.success(), !line.may_fail, "{}\nends with {}:\n{text}", line.run, said.status);
    for name in &line.outputs {
        assert!(
            outputs.get(name).is_some_and(|value| !value.is_empty()),
            "no output `{name}`: {outputs:?}\n{text}"
        );
    }
    if line.run == "cargo xtask template update --pull-request" {
        checkout.template().was_offered();
    }
    if let Some(found) = outputs.get("matrix") {
        assert_eq!(serde_json::from_str::<Value>(found)?, *matrix, "the clone has other jobs");
    }
    Ok(())
}

/// The steps of the gate that this machine cannot run. Of vulnerabilities RustSec's database alone knows.
pub(crate) fn left_out() -> String {
    let lint = (!has("actionlint")).then_some("workflows-lint");
    ["advisories"].into_iter().chain(lint).collect::<Vec<_>>().join(",")
}

/// What a line needs that this machine does not have.
fn lacks(line: &Line) -> Option<String> {
    let words = line.run.split_whitespace().take(3).collect::<Vec<_>>();
    let programs: &[&str] = match &words[..] {
        ["cargo", "xtask", "setup"] => return lacks_tools(&line.env),
        ["cargo", "xtask", "scan"] if has("grype") => &[],
        ["cargo", "xtask", "scan"] => &["trivy"],
        ["cargo", "test", ..] if line.run.ends_with("ignored") => {
            return Some("it takes long; .ci/run does the same".to_owned());
        }
        ["cargo", "xtask", "check"] => &["cargo-deny", "hadolint", "zizmor"],
        ["cargo", "xtask", "bdp" | "verify"] | ["sed", ..] => &["docker-registry", "cargo-zigbuild"],
        ["cargo", "xtask", "bd"] if line.run.contains("--engine buildkit") => return lacks_buildkit(),
        _ => &[],
    };
    let missing = programs.iter().find(|program| !has(program))?;
    Some(format!("{missing} is not installed"))
}

/// Nothing is installed for a test.
fn lacks_tools(env: &BTreeMap<String, String>) -> Option<String> {
    let goal = env.get("GOAL").map_or("native", String::as_str);
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = doctor.args(["doctor", "--for", goal]).current_dir(root()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let verdict = text.lines().last().unwrap_or_default().trim().to_owned();
    (!output.status.success()).then(|| format!("it would install something: {verdict}"))
}

/// The images that the Dockerfile starts from take long to fetch, as they do in tests of BuildKit.
fn lacks_buildkit() -> Option<String> {
    if std::env::var_os("CI").is_none() {
        return Some("runs with CI=true".to_owned());
    }
    let output = Command::new("docker").args(["buildx", "inspect"]).output();
    let answers = output.is_ok_and(|output| output.status.success());
    (!answers).then(|| "no BuildKit answers".to_owned())
}
