//! Events as lines for people.

use std::fmt::Write as _;

use crate::build::event::Event;

/// The lines of an event, each with its end; nothing for one that is not shown.
pub(crate) fn of_event(event: &Event) -> Option<String> {
    match event {
        Event::Plan { steps } => Some(steps.iter().fold(String::new(), |mut text, step| {
            let _ = writeln!(text, "{step}");
            text
        })),
        Event::Definition { text } => Some(format!("{}\n", text.trim_end())),
        Event::StepStarted { step, why, .. } => Some(format!("{step} > {why}\n")),
        Event::StepSkipped { step, reason, .. } => Some(format!("{step} - skipped: {reason}\n")),
        Event::Output { step, line } => Some(format!("{step} | {line}\n")),
        Event::StepFinished { step, outcome, seconds } => {
            Some(format!("{step} < {outcome} in {seconds:.2} s\n"))
        }
        Event::Note { message } => Some(format!("note: {message}\n")),
        Event::Error { message } => Some(format!("error: {message}\n")),
        Event::Crate { .. }
        | Event::Artifact { .. }
        | Event::Image { .. }
        | Event::Finished { .. }
        | Event::Other => None,
    }
}
