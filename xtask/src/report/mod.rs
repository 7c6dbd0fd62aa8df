//! The report: the only place that prints. Events become lines for people or JSON.

mod event;
mod human;
mod products;
mod summary;

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::MessageFormat;
use crate::plan::{Plan, Product};

pub(crate) use event::{Event, Outcome, ToolStatus};
use human::Human;

/// Shows events in the form that was asked for.
pub(crate) enum Report {
    /// Lines on standard error; what was asked for, such as a plan, on standard output.
    Human(Box<Human>),
    /// One object a line on standard output.
    Json,
}

impl Report {
    /// A report in `format`; `quiet` leaves only warnings and errors.
    pub(crate) fn new(format: MessageFormat, quiet: bool) -> Report {
        match format {
            MessageFormat::Human => Report::Human(Box::new(Human::new(quiet))),
            MessageFormat::Json => Report::Json,
        }
    }

    /// A report for people on `out`.
    #[cfg(test)]
    pub(crate) fn on(out: impl Write + 'static) -> Report {
        Report::Human(Box::new(Human::plain(false, Box::new(out))))
    }

    /// Whether children should colour what they print.
    pub(crate) fn is_coloured(&self) -> bool {
        matches!(self, Report::Human(human) if human.is_coloured())
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match self {
            Report::Human(human) => human.event(event),
            Report::Json => print_json(event),
        }
    }

    /// Prepares for the steps of a plan that is about to run.
    pub(crate) fn begin(&mut self, plan: &Plan) {
        if let Report::Human(human) = self {
            human.begin(plan);
        }
    }

    /// Shows a plan instead of running it.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        match self {
            Report::Human(_) => print(&plan.to_string()),
            Report::Json => print_json(&Event::Plan { plan }),
        }
    }

    /// Shows the tools of this machine.
    pub(crate) fn tools(&mut self, tools: &[ToolStatus], verdict: &str) {
        match self {
            Report::Human(human) => print(&summary::tools(tools, verdict, human.is_coloured())),
            Report::Json => print_json(&Event::Tools { tools, verdict }),
        }
    }

    /// Shows an error with its causes.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        self.event(&Event::Error { message: format!("{error:#}") });
    }

    /// Shows what a finished plan made.
    ///
    /// # Errors
    /// When a product is not where the plan says.
    pub(crate) fn products(&mut self, products: &[Product]) -> anyhow::Result<()> {
        for product in products {
            let event = products::finished(product)?;
            if let (Report::Human(_), Event::Definition { text }) = (&self, &event) {
                print(text);
            }
            self.event(&event);
        }
        Ok(())
    }
}

/// A reader that went away, such as `head`, is no reason to fail.
fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

fn print_json(event: &Event<'_>) {
    #[derive(Serialize)]
    struct Versioned<'a> {
        v: u32,
        #[serde(flatten)]
        event: &'a Event<'a>,
    }
    if let Ok(json) = serde_json::to_string(&Versioned { v: event::VERSION, event }) {
        print(&format!("{json}\n"));
    }
}
