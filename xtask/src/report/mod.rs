//! The report: the only place that prints. Events become lines for people or JSON.

mod event;
mod human;
mod products;
mod record; // template: if kitchen
// The program that proposes releases writes it.
#[path = "../../release/src/report.rs"]
mod release;
mod space;
mod summary;
mod tail;
mod timings;
mod watch;

use std::io::{self, IsTerminal, Write};
use std::path::Path; // template: if kitchen

use serde::Serialize;

use crate::cli::MessageFormat;
use crate::plan::{Plan, Product};

pub(crate) use event::{CrateFinished, Event, Failure, Outcome, ToolStatus};
use human::Human;
use record::Record; // template: if kitchen
pub(crate) use space::{BuilderSpace, Removed, Space, SpaceRow, Used};
pub(crate) use timings::Timings;

/// Shows events in the form that was asked for.
pub(crate) struct Report {
    form: Form,
    kept: Kept,
}

/// What is kept of the events besides.
#[derive(Default)]
struct Kept {
    /// Where there is to be a page of the run.
    timings: Option<Timings>,
    // template: if kitchen
    /// Where Kitchen is to have the run.
    record: Option<Record>,
    // template: end
}

enum Form {
    /// Lines on standard error; what was asked for, such as a plan, on standard output.
    Human(Box<Human>),
    /// One object a line on standard output.
    Json,
}

impl Report {
    /// A report in `format`; `quiet` leaves only warnings and errors.
    pub(crate) fn new(format: MessageFormat, quiet: bool) -> Report {
        let form = match format {
            MessageFormat::Human => Form::Human(Box::new(Human::new(quiet))),
            MessageFormat::Json => Form::Json,
        };
        Report { form, kept: Kept::default() }
    }

    // template: if pipeline_tests
    /// A report for people on `out`.
    #[cfg(all(test, unix))]
    pub(crate) fn on(out: impl Write + 'static) -> Report {
        Report { form: Form::Human(Box::new(Human::plain(false, Box::new(out)))), kept: Kept::default() }
    }

    // template: end
    /// Also collects the run that is about to begin, and writes its page at the end, however that comes.
    pub(crate) fn record(&mut self, timings: Timings) {
        self.kept.timings = Some(timings);
    }

    // template: if kitchen
    /// Also records the run that is about to begin, if a Kitchen was opened in the project at `root`.
    pub(crate) fn record_for_kitchen(&mut self, root: &Path) {
        match Record::begin(root) {
            Ok(record) => self.kept.record = record,
            Err(error) => self.show(&Event::Note { message: format!("{error:#}") }),
        }
    }

    fn add_to_record(&mut self, event: &Event<'_>) {
        if let Some(record) = &mut self.kept.record
            && let Err(error) = record.event(event)
        {
            self.kept.record = None;
            self.show(&Event::Note { message: format!("{error:#}") });
        }
    }

    // template: end
    /// Whether children should colour what they print.
    pub(crate) fn is_coloured(&self) -> bool {
        matches!(&self.form, Form::Human(human) if human.is_coloured())
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        if let Some(timings) = &mut self.kept.timings {
            timings.event(event);
        }
        self.add_to_record(event); // template: if kitchen
        if matches!(event, Event::Finished { .. } | Event::Error { .. }) {
            self.write_timings();
        }
        self.show(event);
    }

    fn show(&mut self, event: &Event<'_>) {
        match &mut self.form {
            Form::Human(human) => human.event(event),
            Form::Json => print_json(event),
        }
    }

    /// A run is what it is without its page.
    fn write_timings(&mut self) {
        let Some(timings) = self.kept.timings.take() else { return };
        self.show(&match timings.write() {
            Ok(path) => Event::Timings { path: path.display().to_string() },
            Err(error) => Event::Note { message: format!("{error:#}") },
        });
    }

    /// Prepares for the steps of a plan that is about to run.
    pub(crate) fn begin(&mut self, plan: &Plan) {
        if let Some(timings) = &mut self.kept.timings {
            timings.begin(plan);
        }
        if let Form::Human(human) = &mut self.form {
            human.begin(plan);
        }
    }

    /// Shows a plan instead of running it.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        match &self.form {
            Form::Human(_) => print(&plan.to_string()),
            Form::Json => print_json(&Event::Plan { plan }),
        }
    }

    /// Shows the tools of this machine, and to people a hint.
    pub(crate) fn tools(&mut self, tools: &[ToolStatus], verdict: &str, hint: Option<&str>) {
        match &self.form {
            Form::Human(human) => print(&summary::tools(tools, verdict, hint, human.is_coloured())),
            Form::Json => print_json(&Event::Tools { tools, verdict }),
        }
    }

    /// Shows what takes space.
    pub(crate) fn space(&mut self, space: &Space) {
        match &self.form {
            Form::Human(_) => print(&space::space(space)),
            Form::Json => print_json(&Event::Space(space)),
        }
    }

    /// Shows what was removed, or would be.
    pub(crate) fn removed(&mut self, removed: &Removed) {
        match &self.form {
            Form::Human(human) if human.is_quiet() && !removed.dry_run => {}
            Form::Human(_) => print(&space::removed(removed)),
            Form::Json => print_json(&Event::Removed(removed)),
        }
    }

    /// Shows the tools of this machine as one JSON document, whatever the form of events.
    pub(crate) fn document(&self, tools: &[ToolStatus], verdict: &str) {
        #[derive(Serialize)]
        struct Document<'a> {
            tools: &'a [ToolStatus],
            verdict: &'a str,
        }
        if let Ok(json) = serde_json::to_string_pretty(&Document { tools, verdict }) {
            print(&format!("{json}\n"));
        }
    }

    /// Asks on the terminal; no is the answer that is no answer. `None` where there is no terminal.
    pub(crate) fn ask(&mut self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let _ = write!(io::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        let _ = io::stdin().read_line(&mut answer);
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Shows an error with its causes.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        self.event(&Event::Error { message: format!("{error:#}") });
    }

    /// Forgets what earlier runs have found out.
    pub(crate) fn forget(&self, products: &[Product]) {
        products.iter().for_each(products::forget);
    }

    /// Shows what was found out before a plan failed.
    ///
    /// # Errors
    /// When it is not what the step should have left.
    pub(crate) fn findings(&mut self, products: &[Product]) -> anyhow::Result<()> {
        for product in products.iter().filter(|product| products::is_found(product)) {
            self.event(&products::finished(product)?);
        }
        Ok(())
    }

    /// Shows what a finished plan made.
    ///
    /// # Errors
    /// When a product is not where the plan says.
    pub(crate) fn products(&mut self, products: &[Product]) -> anyhow::Result<()> {
        for product in products {
            let event = products::finished(product)?;
            if let (Form::Human(_), Event::Definition { text }) = (&self.form, &event) {
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
