//! `check`: the whole gate.

mod cargo;
mod code;
mod inputs;
mod quick;
mod select;

use anyhow::{Result, bail};
use db_servers::Backend;

use super::{MESSAGES, databases, databases_step, debug, service, words};
use crate::cli::CheckFlags;
use crate::config::Config;
use crate::plan::{Passed, Plan, Step};
pub(crate) use inputs::Files;
use inputs::{Affected, Inputs};
pub(crate) use select::IMAGES; // template: if pipeline_tests
use select::Selection;
pub(crate) use select::{QUICK, parts};

/// What all of the gate follows from.
struct Gate<'a> {
    config: &'a Config,
    files: &'a Files,
    flags: &'a CheckFlags,
    selection: Selection,
    keep_going: bool,
}

/// A step, and what decides how it ends.
struct Part {
    step: Step,
    inputs: Inputs,
}

impl Part {
    /// The same after these steps as well.
    fn after(self, needs: &[String]) -> Part {
        let needs = [&self.step.needs, needs].concat();
        Part { step: Step { needs, ..self.step }, ..self }
    }

    /// The same, which cannot run for this reason, if there is one.
    fn skipped(self, reason: Option<&str>) -> Part {
        let Some(reason) = reason else { return self };
        Part { step: Step { skip: Some(reason.to_owned()), needs: vec![], ..self.step }, ..self }
    }
}

/// Plans `check`. The service is checked once for each backend, with exactly that backend's features.
///
/// # Errors
/// For a step or backend that there is not. With `--strict`, and in continuous integration, where something is missing;
/// elsewhere the steps that need it are skipped.
pub(crate) fn plan(config: &Config, files: &Files, flags: &CheckFlags) -> Result<Plan> {
    let all = ["all".to_owned()];
    let mut backends = config.backends(if flags.backends.is_empty() { &all } else { &flags.backends })?;
    // The last tests have nothing to run beside, and those without a server take least.
    backends.sort_by_key(|backend| backend.parse().is_ok_and(|backend: Backend| backend.facts().is_none()));
    let selection = Selection::new(flags, &backends)?;
    let keep_going = flags.keep_going || config.host.ci;
    let gate = Gate { config, files, flags, selection, keep_going };

    let mut parts = gate.quick();
    let pipeline = gate.pipeline();
    let images = gate.images(&pipeline); // template: if pipeline_tests
    parts.extend(pipeline);
    parts.extend(images); // template: if pipeline_tests
    parts.extend(backends.iter().flat_map(|backend| gate.backend(backend)));
    gate.format(&mut parts);
    if flags.strict || config.host.ci {
        allow_no_skipped(&parts)?;
    }
    let mut steps = parts.into_iter().map(|part| gate.finished(part)).collect::<Vec<_>>();
    if let Some(first) = steps.iter().position(needs_database) {
        steps.insert(first, gate.finished(Part { step: databases_step(config), inputs: Inputs::Pipeline }));
    }
    let counts = !flags.fresh && !flags.fix && !config.host.ci;
    let passed =
        files.tree.clone().map(|tree| Passed { folder: config.target("check/passed"), tree, counts });
    let (cwd, repeat) = (config.root.clone(), Some("cargo xtask check --only"));
    Ok(Plan { cwd, steps, keep_going, passed, repeat, ..Plan::default() })
}

/// Whether `step` runs, and beside a database.
fn needs_database(step: &Step) -> bool {
    step.skip.is_none() && step.needs.iter().any(|need| need == "databases")
}

fn allow_no_skipped(parts: &[Part]) -> Result<()> {
    let mut missing = parts.iter().filter_map(|part| part.step.skip.as_deref()).collect::<Vec<_>>();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}\nwith --strict, and with CI set, nothing is left out", missing.join("\n"))
}

impl Gate<'_> {
    /// The step with what follows from the files that it reads.
    fn finished(&self, part: Part) -> Step {
        let Part { mut step, inputs } = part;
        step.digest = self.files.digest(self.config, inputs, &step.argv);
        match self.files.affected(self.config, inputs) {
            Affected::Unasked => {}
            Affected::By(path) => step.why += &format!(", since {path} has changed"),
            Affected::No(revision) => {
                let reason = format!("nothing that it reads has changed since {revision}");
                step.skip = step.skip.or(Some(reason));
            }
        }
        step
    }
}
