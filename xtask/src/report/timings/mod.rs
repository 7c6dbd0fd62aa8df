//! `--timings`: the waterfall of a run, as one HTML page that needs nothing besides itself.

mod cpu;
mod page;
mod run;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};

use super::event::Event;
use crate::files;
use crate::plan::Plan;
use cpu::Sampler;
use run::Run;

/// Collects what happens in a run until its page is written.
pub(crate) struct Timings {
    path: PathBuf,
    began: Instant,
    sampler: Option<Sampler>,
    run: Run,
}

impl Timings {
    /// The run of `task` begins. Its page goes to `file` or, without, to a file of its own below `folder`.
    ///
    /// # Errors
    /// When `file` is relative and the current folder is gone.
    pub(crate) fn new(task: &str, file: Option<&Path>, folder: &Path) -> Result<Timings> {
        // To the second, in UTC.
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        // A colon is nothing for a file's name.
        let stamp = time.replace(['-', ':'], "");
        let path = match file {
            // Steps run in another folder than the one that the user is in.
            Some(file) => std::path::absolute(file)
                .with_context(|| format!("--timings={}: the current folder is gone", file.display()))?,
            None => folder.join(format!("{task}-{stamp}.html")),
        };
        Ok(Timings { path, began: Instant::now(), sampler: Sampler::start(), run: Run::new(task, &time) })
    }

    /// The steps of `plan` may begin: no other run is in the way.
    pub(super) fn begin(&mut self, plan: &Plan) {
        self.run.begin(plan, self.began.elapsed().as_secs_f64());
    }

    /// Takes an event.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        self.run.take(event, self.began.elapsed().as_secs_f64());
    }

    /// Writes the page, and returns its path, relative to the current folder where it is inside.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(mut self) -> Result<PathBuf> {
        self.run.end(self.began.elapsed().as_secs_f64());
        self.run.cpu = self.sampler.take().and_then(Sampler::stop);
        files::write(&self.path, page::page(&self.run)?)
            .with_context(|| format!("cannot write the timings to {}", self.path.display()))?;
        let here = std::env::current_dir().unwrap_or_default();
        Ok(self.path.strip_prefix(here).unwrap_or(&self.path).to_owned())
    }
}
