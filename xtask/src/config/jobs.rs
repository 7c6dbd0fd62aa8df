//! How many jobs there are to be in all.

use std::env;
use std::num::NonZeroUsize;

use anyhow::Result;

use crate::error::Usage;

/// The variable that cargo reads as [`build.jobs`](https://doc.rust-lang.org/cargo/reference/config.html#buildjobs).
const VARIABLE: &str = "CARGO_BUILD_JOBS";

/// Those that were `asked` for, or what cargo is told by the environment; as many as there are cores without.
///
/// # Errors
/// What the environment says is no number that cargo would take.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> Result<Option<NonZeroUsize>> {
    match (asked, env::var(VARIABLE)) {
        (None, Ok(text)) => read(&text, num_cpus::get()),
        (asked, _) => Ok(asked),
    }
}

/// A negative number is one to take from the number of cores, as cargo has it.
fn read(text: &str, cores: usize) -> Result<Option<NonZeroUsize>> {
    if text == "default" {
        return Ok(None);
    }
    let jobs = text.parse::<isize>().ok().filter(|jobs| *jobs != 0).map(|jobs| match usize::try_from(jobs) {
        Ok(jobs) => jobs,
        Err(_) => cores.saturating_sub(jobs.unsigned_abs()).max(1),
    });
    let jobs = jobs.and_then(NonZeroUsize::new);
    let wrong = || Usage(format!("{VARIABLE} is `{text}`; cargo takes a number that is not 0, or `default`"));
    jobs.map(Some).ok_or_else(|| wrong().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read_as_cargo_reads_them() {
        let jobs = |text: &str| read(text, 8).unwrap().map(NonZeroUsize::get);
        assert_eq!(jobs("3"), Some(3));
        assert_eq!(jobs("-2"), Some(6));
        assert_eq!(jobs("-20"), Some(1));
        assert_eq!(jobs("default"), None);
        for wrong in ["0", "", "many", "1.5"] {
            assert!(read(wrong, 8).unwrap_err().to_string().contains(wrong), "{wrong}");
        }
    }
}
