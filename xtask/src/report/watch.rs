//! What `watch` says between the runs of its stages.

use super::event::{Event, Outcome};

/// How many of the files that changed are named.
const NAMED: usize = 3;

/// The line for an event of `watch`, if it has one; with `quiet`, only for what is wrong.
pub(super) fn line(event: &Event<'_>, quiet: bool, width: usize) -> Option<String> {
    match event {
        Event::CycleFinished { outcome: Outcome::Failed, stage, seconds } => {
            Some(format!("red after {seconds:.2} s: `{}`; waiting for a change", stage.unwrap_or_default()))
        }
        _ if quiet => None,
        Event::Changed { paths } => Some(format!("changed: {}", names(paths))),
        Event::StageStarted { stage, why, .. } => Some(format!("{stage:>width$} > {why}")),
        Event::CycleFinished { outcome: Outcome::Done, seconds, .. } => {
            Some(format!("green after {seconds:.2} s"))
        }
        _ => None,
    }
}

fn names(paths: &[String]) -> String {
    let mut names = paths.iter().take(NAMED).cloned().collect::<Vec<_>>();
    if let Some(more) = paths.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_counted() {
        let paths = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(names(&paths[..3]), "a, b, c");
        assert_eq!(names(&paths), "a, b, c, 2 more");
    }
}
