//! Trying again what may work the next time.

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result};

/// How often and how soon something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How often in all.
    pub attempts: u32,
    /// The pause after the first failure; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause of our own choice.
    pub longest_pause: Duration,
    /// The longest pause that a registry may ask for by Retry-After. One that wants more has to do without us.
    pub longest_wish: Duration,
}

impl Default for Policy {
    /// About 15 seconds in all: a registry that restarts is waited for, one that is gone is soon reported.
    fn default() -> Policy {
        Policy {
            attempts: 7,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(5),
            longest_wish: Duration::from_secs(60),
        }
    }
}

/// Why something failed.
#[derive(Debug)]
pub enum Failure {
    /// It may work later: not before this pause, if the registry asked for one.
    Passing(Error, Option<Duration>),
    /// The same, but it counts as the first attempt.
    Advanced(Error, Option<Duration>),
    /// It will not work.
    Final(Error),
}

impl Failure {
    /// Something that may work later.
    pub fn passing(error: impl Into<Error>) -> Failure {
        Failure::Passing(error.into(), None)
    }
}

/// How many bytes a transfer has brought, over all of its attempts.
#[derive(Debug, Default)]
pub struct Best(u64);

impl Best {
    /// Has an attempt that failed with `got` bytes in place not count against those that follow, if that is noticeably
    /// more than ever before. Large transfers over bad lines end in this way, and those that get nowhere as well.
    pub fn judge(&mut self, got: u64, failure: Failure) -> Failure {
        const NOTICEABLE: u64 = 1 << 20;
        match failure {
            Failure::Passing(error, wish) if got >= self.0 + NOTICEABLE => {
                self.0 = got;
                Failure::Advanced(error, wish)
            }
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Final(error)
    }
}

impl Policy {
    /// Calls `attempt` until it succeeds, fails for good, or has been tried often enough.
    ///
    /// # Errors
    /// The last failure, with the number of attempts if there were several.
    pub fn run<T>(&self, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T> {
        let (mut failed, mut pause) = (0, self.first_pause);
        loop {
            let (error, wish) = match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(error, wish)) => (error, wish),
                Err(Failure::Advanced(error, wish)) => {
                    (failed, pause) = (0, self.first_pause);
                    (error, wish)
                }
            };
            failed += 1;
            if let Some(wish) = wish.filter(|wish| *wish > self.longest_wish) {
                return Err(error.context(format!(
                    "it wants no further attempt for {} seconds; try again then",
                    wish.as_secs()
                )));
            }
            if failed >= self.attempts {
                return Err(error.context(format!("tried {failed} times")));
            }
            thread::sleep(wish.unwrap_or_default().max(jittered(pause)));
            pause = (pause * 2).min(self.longest_pause);
        }
    }
}

/// Between half of a pause and all of it, so that clients that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) as u32;
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use anyhow::anyhow;

    use super::*;

    const QUICK: Policy = Policy {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        longest_wish: Duration::from_millis(50),
    };

    /// Fails in this way until the given attempt; returns the result and the number of attempts.
    fn run(fails: u32, failure: impl Fn() -> Failure) -> (Result<u32>, u32) {
        let mut number = 0;
        let result = QUICK.run(|| {
            number += 1;
            if number > fails { Ok(number) } else { Err(failure()) }
        });
        (result, number)
    }

    #[test]
    fn passing_failures_are_tried_again_and_final_ones_are_not() {
        let passing = || Failure::passing(anyhow!("busy"));
        assert_eq!(run(3, passing).0.unwrap(), 4);
        let (result, number) = run(9, passing);
        assert_eq!((format!("{:#}", result.unwrap_err()).as_str(), number), ("tried 4 times: busy", 4));
        let (result, number) = run(9, || Failure::Final(anyhow!("denied")));
        assert_eq!((result.unwrap_err().to_string().as_str(), number), ("denied", 1));
    }

    #[test]
    fn a_wish_is_kept_unless_it_is_too_long() {
        let wish = |millis| move || Failure::Passing(anyhow!("busy"), Some(Duration::from_millis(millis)));
        let began = Instant::now();
        assert!(run(1, wish(30)).0.is_ok());
        assert!(began.elapsed() >= Duration::from_millis(30));
        let (result, number) = run(1, wish(5000));
        let message = "it wants no further attempt for 5 seconds; try again then: busy";
        assert_eq!((format!("{:#}", result.unwrap_err()).as_str(), number), (message, 1));
    }

    #[test]
    fn attempts_that_get_on_do_not_count() {
        let (mut number, mut best) = (0, Best::default());
        let result = QUICK.run(|| {
            number += 1;
            let got = u64::min(number, 10) << 20;
            Err::<(), _>(best.judge(got, Failure::passing(anyhow!("cut"))))
        });
        // The tenth was the first of the last four.
        assert_eq!((format!("{:#}", result.unwrap_err()).as_str(), number), ("tried 4 times: cut", 13));
    }
}
