//! Lines for people: live ones on a terminal, plain ones elsewhere.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use image_spec::size;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::event::{Event, Failure, Outcome};
use super::summary::{self, End, Row, painted};
use super::tail::Tail;
use super::watch;
use crate::config;
use crate::plan::Plan;

/// How long a vertex has to take for a row in the table, in seconds.
const WORTH_A_ROW: f64 = 0.1;

/// Shows events on standard error.
pub(crate) struct Human {
    quiet: bool,
    colour: bool,
    out: Box<dyn Write>,
    /// A live line for each running step; only on a terminal.
    live: Option<MultiProgress>,
    bars: HashMap<String, ProgressBar>,
    /// What each step printed, as far as it is worth repeating.
    tails: HashMap<String, Tail>,
    /// The step whose line was printed last.
    last: Option<String>,
    /// The vertex that failed first, by the step that it is a part of.
    failed_vertices: HashMap<String, String>,
    rows: Vec<Row>,
    products: String,
    /// The page of the run, until it is told.
    timings: Option<String>,
    /// The room for names, in columns.
    width: usize,
}

impl Human {
    /// A report on standard error.
    pub(super) fn new(quiet: bool) -> Human {
        let is_terminal = io::stderr().is_terminal() && !config::is_dumb_terminal();
        Human {
            colour: is_terminal && !config::no_color(),
            live: (is_terminal && !quiet).then(MultiProgress::new),
            ..Human::plain(quiet, Box::new(io::stderr()))
        }
    }

    /// A report in plain lines on `out`.
    pub(super) fn plain(quiet: bool, out: Box<dyn Write>) -> Human {
        Human {
            quiet,
            colour: false,
            out,
            live: None,
            bars: HashMap::new(),
            tails: HashMap::new(),
            last: None,
            failed_vertices: HashMap::new(),
            rows: Vec::new(),
            products: String::new(),
            timings: None,
            width: summary::WIDTH,
        }
    }

    /// Whether colours are shown.
    pub(super) fn is_coloured(&self) -> bool {
        self.colour
    }

    /// Whether only warnings and errors are shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Makes room for the names of the steps.
    pub(super) fn begin(&mut self, plan: &Plan) {
        let names = plan.steps.iter().map(|step| step.name.len());
        self.width = names.max().unwrap_or_default().max(summary::WIDTH);
    }

    /// Shows an event.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Plan { .. } | Event::Tools { .. } | Event::Definition { .. } | Event::Crate(_) => {}
            Event::Space(_) | Event::Removed(_) => {}
            // The step itself has told it.
            Event::Release(_) | Event::Registry(_) => {}
            Event::Note { message } => {
                self.line(&format!("{} {message}", painted("note:", "36", self.colour)))
            }
            Event::StepStarted { cached: true, .. } => {}
            Event::StepStarted { step, why, .. } => self.started(step, why),
            Event::StepSkipped { step, why, reason } => self.skipped(step, why, reason),
            Event::Output { step, line } => self.output(step, line),
            Event::StepFinished { step, outcome, seconds, part_of: None, .. } => {
                self.finished_step(step, *outcome, *seconds);
            }
            Event::StepFinished { step, outcome, seconds, part_of: Some(whole), .. } => {
                self.finished_vertex(step, *outcome, *seconds, whole);
            }
            Event::Artifact { path, size, .. } => {
                self.products +=
                    &format!("{:>1$}  {path} ({2})\n", "artifact", self.width, size::bytes(*size));
            }
            Event::Image(image) => self.products += &summary::image(image, self.width),
            Event::Service { urls, end } => self.products += &summary::service(urls, end, self.width),
            Event::Timings { path } => self.timings = Some(path.clone()),
            Event::Changed { .. } | Event::StageStarted { .. } | Event::CycleFinished { .. } => {
                if let Some(line) = watch::line(event, self.quiet, self.width) {
                    self.line(&line);
                }
            }
            Event::Error { message } => {
                self.tell_timings();
                self.line(&format!("{} {message}", painted("error:", "1;31", self.colour)))
            }
            Event::Finished { exit_code, seconds, failures, .. } => {
                self.finished(*exit_code, *seconds, failures);
            }
        }
    }

    fn started(&mut self, step: &str, why: &str) {
        if let Some(live) = &self.live {
            let bar = live
                .add(ProgressBar::new_spinner().with_prefix(step.to_owned()).with_message(why.to_owned()));
            let template = format!("{{prefix:>{}}} {{spinner}} {{elapsed}} {{wide_msg}}", self.width);
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            self.bars.insert(step.to_owned(), bar);
        } else if !self.quiet {
            self.line(&format!("{step:>0$} > {why}", self.width));
        }
    }

    /// Shown even when quiet: what was not checked must not pass for checked.
    fn skipped(&mut self, step: &str, why: &str, reason: &str) {
        let warning = painted("warning:", "33", self.colour);
        self.line(&format!("{warning} step `{step}` is skipped ({why}): {reason}"));
        self.rows.push(Row { step: step.to_owned(), end: End::Skipped, part_of: None });
    }

    fn output(&mut self, step: &str, line: &str) {
        self.tails.entry(step.to_owned()).or_default().push(line);
        if self.quiet {
            return;
        }
        self.line(&format!("{} {line}", painted(&format!("{step:>0$} |", self.width), "2", self.colour)));
        self.last = Some(step.to_owned());
    }

    fn finished_step(&mut self, step: &str, outcome: Outcome, seconds: f64) {
        self.remove_bar(step);
        self.rows.push(Row { step: step.to_owned(), end: End::Ran { outcome, seconds }, part_of: None });
    }

    fn finished_vertex(&mut self, step: &str, outcome: Outcome, seconds: f64, whole: &str) {
        self.remove_bar(step);
        if outcome == Outcome::Failed {
            self.failed_vertices.entry(whole.to_owned()).or_insert_with(|| step.to_owned());
        } else {
            self.tails.remove(step);
        }
        if outcome == Outcome::Failed || seconds >= WORTH_A_ROW {
            let label = step.strip_prefix(&format!("{whole}: ")).unwrap_or(step).to_owned();
            let part_of = Some(whole.to_owned());
            self.rows.push(Row { step: label, end: End::Ran { outcome, seconds }, part_of });
        }
    }

    fn remove_bar(&mut self, step: &str) {
        if let Some(bar) = self.bars.remove(step) {
            bar.finish_and_clear();
        }
    }

    /// The page of a run that did not come to a good end; the error is to be the last line.
    fn tell_timings(&mut self) {
        if let Some(path) = self.timings.take().filter(|_| !self.quiet) {
            self.line(&format!("{} the waterfall is in {path}", painted("note:", "36", self.colour)));
        }
    }

    fn finished(&mut self, exit_code: u8, seconds: f64, failures: &[Failure<'_>]) {
        if exit_code != 0 {
            self.tell_timings();
        }
        let table = summary::steps(&self.rows, seconds, self.width);
        if let [only] = failures {
            self.repeat_output(only.step);
            self.line(&summary::failure(only, self.colour));
        } else if !failures.is_empty() {
            for failure in failures {
                self.line(&format!("\n{}", painted(&format!("{}:", failure.step), "1", self.colour)));
                self.repeat_output(failure.step);
            }
            self.line(&format!("\n{table}"));
            failures.iter().for_each(|failure| self.line(&summary::failure(failure, self.colour)));
        } else if exit_code == 0 && !self.quiet {
            let timings = self.timings.iter().map(|path| format!("{:>1$}  {path}\n", "timings", self.width));
            self.products += &timings.collect::<String>();
            self.line(format!("\n{table}\n{}", self.products).trim_end());
        }
    }

    /// Shows again what a failed step printed, or the vertex of it that failed.
    fn repeat_output(&mut self, step: &str) {
        let vertex = self.failed_vertices.remove(step).filter(|vertex| self.tails.contains_key(vertex));
        let step = vertex.as_deref().unwrap_or(step);
        let tail = self.tails.remove(step).unwrap_or_default();
        let was_last = self.last.as_deref() == Some(step);
        tail.lines(was_last).iter().for_each(|line| self.line(line));
    }

    fn line(&mut self, text: &str) {
        self.last = None;
        let shown = self.live.as_ref().is_some_and(|live| live.println(text).is_ok());
        if !shown {
            let _ = writeln!(self.out, "{text}");
        }
    }
}
