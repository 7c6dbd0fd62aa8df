//! Projects with every choice, and with every pair of choices: that they build, run, and have no trace of what was not
//! chosen. What the choices are is read from cargo-generate.toml.
//!
//! What builds takes minutes, and runs with `-- --ignored` or `-- --include-ignored` only. What a machine lacks is said, and
//! counts as ignored even then.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod builds;
mod generated;
mod images;
mod pairs;
#[path = "../../../tests/support/platforms.rs"]
mod platforms;
mod project;
mod questions;
#[path = "../../../tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of xtask")]
mod support;
mod terminal;
mod traces;
mod workflows;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use questions::Questions;

/// How a test ends.
type Outcome = Result<(), Failed>;

/// A test, and why it cannot run or does not run unless it is asked for.
struct Test {
    trial: Trial,
    lacks: Option<String>,
    is_slow: bool,
}

impl Test {
    fn new(name: impl Into<String>, run: impl FnOnce() -> Outcome + Send + 'static) -> Test {
        Test { trial: Trial::test(name, run), lacks: None, is_slow: false }
    }

    /// A test that takes too long for every day.
    fn slow(name: impl Into<String>, run: impl FnOnce() -> Outcome + Send + 'static) -> Test {
        Test { is_slow: true, ..Test::new(name, run) }
    }

    /// The test, unless this machine lacks something.
    fn unless(self, lacks: Option<String>) -> Test {
        Test { lacks, ..self }
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let only_slow = std::mem::take(&mut arguments.ignored);
    let with_slow = std::mem::take(&mut arguments.include_ignored) || only_slow;
    let questions = Questions::read();
    let tests = [
        pairs::tests(&questions),
        traces::tests(&questions),
        workflows::tests(),
        generated::tests(&questions),
        builds::tests(&questions),
        images::tests(&questions),
    ];
    let tests = tests.into_iter().flatten().filter(|test| test.is_slow || !only_slow);
    let trials = tests.map(|test| {
        let name = test.trial.name().to_owned();
        let too_long = (test.is_slow && !with_slow).then(|| "takes minutes: --ignored".to_owned());
        let why = test.lacks.or(too_long);
        if let Some(why) = &why {
            eprintln!("skipped: {name}: {why}");
        }
        test.trial.with_ignored_flag(why.is_some())
    });
    let trials = trials.collect();
    // All are made in one folder, in this order.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}
