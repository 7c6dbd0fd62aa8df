//! Tests that hang: how long it is since a step's tests last had a result, and which of them have none.
//!
//! What is read is what [libtest](https://doc.rust-lang.org/rustc/tests/index.html), harnesses that print like it, and
//! [nextest](https://nexte.st) print.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::tools::output_of;

/// How many tests are worth naming.
const NAMED: usize = 8;

/// The tests of a step.
pub(super) struct Progress {
    limit: Duration,
    last: Instant,
    /// The program whose tests run.
    program: Option<String>,
    /// Its tests that have a result.
    finished: BTreeSet<String>,
    /// Tests that were said to take long.
    slow: BTreeSet<String>,
}

impl Progress {
    /// Tests of which one has to have a result every `limit`.
    pub(super) fn new(limit: Duration) -> Progress {
        Progress {
            limit,
            last: Instant::now(),
            program: None,
            finished: BTreeSet::new(),
            slow: BTreeSet::new(),
        }
    }

    /// How long it may still take until the next result.
    pub(super) fn patience(&self) -> Duration {
        self.limit.saturating_sub(self.last.elapsed())
    }

    /// All is built: the tests begin.
    pub(super) fn begin(&mut self) {
        self.last = Instant::now();
    }

    /// Takes a line that the step printed.
    pub(super) fn line(&mut self, line: &str) {
        match Said::of(line) {
            Said::Slow(test) => {
                self.slow.insert(test.to_owned());
                return;
            }
            Said::Finished(test) => {
                self.slow.remove(test);
                self.finished.insert(test.to_owned());
            }
            Said::Program(path) => {
                self.program = Some(path.to_owned());
                self.finished.clear();
                self.slow.clear();
            }
            Said::Else => {}
        }
        self.last = Instant::now();
    }

    /// What hangs, for people.
    pub(super) fn verdict(&self, cwd: &Path) -> String {
        let limit = self.limit.as_secs_f64();
        let tests = if self.slow.is_empty() { self.unfinished(cwd) } else { self.slow.clone() };
        let mut named = tests.iter().take(NAMED).map(|test| format!("`{test}`")).collect::<Vec<_>>();
        if tests.len() > NAMED {
            named.push(format!("{} more", tests.len() - NAMED));
        }
        let which = match (named.as_slice(), &self.program) {
            ([], None) => String::new(),
            ([], Some(program)) => format!(", of {program}"),
            (_, None) => format!(": {} hangs", named.join(" or ")),
            (_, Some(program)) => format!(": {} of {program} hangs", named.join(" or ")),
        };
        format!(
            "no test has had a result for {limit} s{which}; the limit is `check.test_limit` in config/pipeline.toml"
        )
    }

    /// The tests of the program that have no result.
    fn unfinished(&self, cwd: &Path) -> BTreeSet<String> {
        let list = |program: &String| {
            output_of(&cwd.join(program).to_string_lossy(), &["--list", "--format", "terse"])
        };
        let list = self.program.as_ref().and_then(list).unwrap_or_default();
        let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
        names.filter(|name| !self.finished.contains(*name)).map(str::to_owned).collect()
    }
}

/// What a line says of tests.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    /// The program whose tests come next.
    Program(&'a str),
    /// A test has a result.
    Finished(&'a str),
    /// A test takes long.
    Slow(&'a str),
    Else,
}

impl Said<'_> {
    fn of(line: &str) -> Said<'_> {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Running ") {
            let program = rest.rsplit_once('(').and_then(|(_, path)| path.strip_suffix(')'));
            return program.map_or(Said::Else, Said::Program);
        }
        if let Some(rest) = line.strip_prefix("SLOW [") {
            let test = rest.split_once(']').map_or(rest, |(_, test)| test).trim();
            // How many of how many it is comes in between.
            return Said::Slow(test.split_once(") ").map_or(test, |(_, name)| name.trim()));
        }
        let Some(test) = line.strip_prefix("test ") else { return Said::Else };
        match (test.split_once(" has been running for over "), test.rsplit_once(" ... ")) {
            (Some((name, _)), _) => Said::Slow(name),
            (None, Some((name, result))) if !result.is_empty() => Said::Finished(name),
            _ => Said::Else,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_libtest_and_nextest_are_understood() {
        let running = "     Running unittests src/lib.rs (target/debug/deps/app-9c9cde1a32489305)";
        assert_eq!(Said::of(running), Said::Program("target/debug/deps/app-9c9cde1a32489305"));
        assert_eq!(Said::of("test a::b ... ok"), Said::Finished("a::b"));
        assert_eq!(Said::of("test a::b ... ignored, no docker"), Said::Finished("a::b"));
        assert_eq!(Said::of("test a::b has been running for over 60 seconds"), Said::Slow("a::b"));
        let slow = "        SLOW [> 60.000s] (─────────) app::tls renewed";
        assert_eq!(Said::of(slow), Said::Slow("app::tls renewed"));
        for line in ["test result: ok. 15 passed; 0 failed", "running 15 tests", "testing ... done", ""] {
            assert_eq!(Said::of(line), Said::Else, "{line}");
        }
    }

    #[test]
    fn what_takes_long_is_named_unless_it_has_a_result() {
        let mut progress = Progress::new(Duration::from_secs(90));
        for line in [
            "test a has been running for over 60 seconds",
            "test b has been running for over 60 seconds",
            "test a ... ok",
        ] {
            progress.line(line);
        }
        let verdict = progress.verdict(Path::new("/"));
        assert!(verdict.starts_with("no test has had a result for 90 s: `b` hangs; "), "{verdict}");
    }

    #[test]
    fn only_results_count_as_progress() {
        let mut progress = Progress::new(Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(25));
        progress.line("test a has been running for over 60 seconds");
        assert_eq!(progress.patience(), Duration::ZERO);
        progress.line("test b ... ok");
        assert!(progress.patience() > Duration::ZERO);
    }

    #[test]
    fn tests_that_said_nothing_are_found_by_the_program_itself() {
        let program = std::env::current_exe().unwrap();
        let mut progress = Progress::new(Duration::from_secs(1));
        progress.line(&format!("Running unittests src/main.rs ({})", program.display()));
        let own = "runner::progress::tests::tests_that_said_nothing_are_found_by_the_program_itself";
        assert!(progress.unfinished(Path::new("/")).contains(own));
        progress.line(&format!("test {own} ... ok"));
        assert!(!progress.unfinished(Path::new("/")).contains(own));
    }
}
