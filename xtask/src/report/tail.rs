//! What is worth repeating of a step that failed: where its tests say why, and its last lines.

use std::collections::VecDeque;

/// How many of the last lines are kept.
const LAST: usize = 40;
/// How many of them follow upon what tests said.
const AFTER_FAILURES: usize = 4;
/// How many lines are kept of what tests said.
const FAILURES: usize = 200;

/// The output of a step, as far as it is kept.
#[derive(Default)]
pub(super) struct Tail {
    last: VecDeque<String>,
    /// What stands between `failures:` and the result of each test binary with a failure, as libtest prints it. Others run
    /// after it, so that it can be far from the end.
    failures: Vec<String>,
    /// How many lines `failures` had before the binary that is being told of; nothing outside of that.
    open: Option<usize>,
    /// How many lines followed since the first of the failures.
    since: usize,
}

impl Tail {
    /// Takes the next line.
    pub(super) fn push(&mut self, line: &str) {
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
        self.since = if self.failures.is_empty() { 0 } else { self.since + 1 };
        match self.open {
            None if line == "failures:" => self.open = Some(self.failures.len()),
            None => return,
            // A test that passed can have printed the word.
            Some(before) if line.starts_with("test result: ok") => {
                self.failures.truncate(before);
                self.open = None;
                return;
            }
            Some(_) if line.starts_with("test result: ") => self.open = None,
            Some(_) => {}
        }
        if self.failures.len() < FAILURES {
            self.failures.push(line.to_owned());
        }
    }

    /// What is to be repeated. Nothing where the step `was_last` to print something and all of it is still in sight.
    pub(super) fn lines(&self, was_last: bool) -> Vec<&str> {
        let told = !self.failures.is_empty();
        if was_last && (!told || self.since < LAST) {
            return vec![];
        }
        let from = if told { self.last.len().saturating_sub(AFTER_FAILURES) } else { 0 };
        self.failures.iter().chain(self.last.range(from..)).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Tail {
        let mut tail = Tail::default();
        lines.into_iter().for_each(|line| tail.push(line.as_ref()));
        tail
    }

    #[test]
    fn of_what_is_long_the_end_is_repeated() {
        let tail = tail((0..100).map(|number| number.to_string()));
        assert_eq!(tail.lines(false), (60..100).map(|number| number.to_string()).collect::<Vec<_>>());
        assert!(tail.lines(true).is_empty());
    }

    #[test]
    fn a_test_that_failed_long_before_the_end_is_repeated() {
        let failed =
            ["failures:", "---- a ----", "it broke", "failures:", "    a", "test result: FAILED. 0 passed"];
        let passed = ["failures:", "printed by a test", "test result: ok. 1 passed"];
        let others = vec!["test b ... ok"; 100];
        let end = "error: 1 target failed:";
        let lines = [&["running 1 test"], &failed[..], &passed[..], &others[..], &[end]].concat();
        let expected = [&failed[..], &others[..3], &[end]].concat();
        assert_eq!(tail(&lines).lines(true), expected);
        assert!(tail(failed).lines(true).is_empty(), "it is in sight");
        assert_eq!(tail(failed).lines(false)[..failed.len()], failed);
    }
}
