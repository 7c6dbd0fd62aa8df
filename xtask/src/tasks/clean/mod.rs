//! `clean`: what takes space in the target folder, and its removal by age or down to a size.
//!
//! Here it is chosen what goes; [`crate::disk`] finds and removes it.

pub(super) mod builder;
mod choose;
mod table;

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Result;

use crate::cli::{CleanFlags, Limits, RunFlags};
use crate::config::{self, Config};
use crate::disk::{self, Found, Item, Locking};
use crate::report::{Event, Removed, Report, Space};
use crate::runner;
use choose::{choose, total};

/// Shows what takes space or removes some of it, and has the builder's cache keep to the same limits where that is asked
/// for. The exit code is 1 where something that was to go could not be removed.
///
/// # Errors
/// As [`Config::load`], [`builder::plan`] and [`runner::run`].
pub(crate) fn run(flags: &CleanFlags, run: &RunFlags, report: &mut Report) -> Result<ExitCode> {
    let config = Config::load_for(|pipeline| builder::need(pipeline, flags))?;
    if !flags.limits.are_set() {
        return Ok(show(&config, report));
    }
    // Before anything is removed, whatever keeps the rest from being done is said.
    let builder = if flags.builder { Some(builder::plan(&config, &flags.limits)?) } else { None };
    let is_done = remove(&config, &flags.limits, run.dry_run, report);
    let mut code = ExitCode::SUCCESS;
    if let Some((plan, idle)) = builder {
        idle.into_iter().for_each(|message| report.event(&Event::Note { message }));
        match (plan.steps.is_empty(), run.dry_run) {
            (true, _) => {}
            (false, true) => report.plan(&plan),
            (false, false) => code = runner::run(&plan, config::jobs(run.jobs)?, report)?,
        }
    }
    Ok(if is_done { code } else { ExitCode::FAILURE })
}

/// Shows what takes space.
fn show(config: &Config, report: &mut Report) -> ExitCode {
    let now = SystemTime::now();
    let found = disk::scan(&config.host.target_dir, &config.host.bin_dir, Locking::None);
    report.space(&Space {
        folder: found.root.display().to_string(),
        rows: table::rows(&found.items, now),
        total: total(&found.items),
        builder: builder::space(config),
        next: table::next(&found.items, now),
    });
    if tell_failures(&found, "read", report) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Removes what `limits` do not let stay, or says what that would be. Whether all of it could be done.
fn remove(config: &Config, limits: &Limits, dry_run: bool, report: &mut Report) -> bool {
    // Nothing writes in a dry run, not even a lock.
    let locking = if dry_run { Locking::Existing } else { Locking::All };
    let found = disk::scan(&config.host.target_dir, &config.host.bin_dir, locking);
    let now = SystemTime::now();
    let mut is_done = tell_failures(&found, "read or lock", report);
    for place in &found.in_use {
        let message = match &**place {
            "." => "another `cargo xtask` builds in this folder: nothing is removed".to_owned(),
            place => format!("a running build uses {place}: nothing is removed there"),
        };
        report.event(&Event::Note { message });
    }
    let mut gone = Vec::<&Item>::new();
    for item in choose(&found.items, limits, now).into_iter().map(|index| &found.items[index]) {
        match if dry_run { Ok(()) } else { disk::remove(item) } {
            Ok(()) => gone.push(item),
            Err(failure) => {
                report.error(
                    &anyhow::Error::new(failure.error)
                        .context(format!("cannot remove {}", failure.path.display())),
                );
                is_done = false;
            }
        }
    }
    let size = total(gone.iter().copied());
    report.removed(&Removed {
        folder: found.root.display().to_string(),
        dry_run,
        rows: table::rows(gone, now),
        size,
        left: total(&found.items) - size,
        in_use: found.in_use.clone(),
    });
    is_done
}

/// Names what could not be looked at; whether there was nothing to name.
fn tell_failures(found: &Found, verb: &str, report: &mut Report) -> bool {
    for failure in &found.failures {
        let message = format!("cannot {verb} {}: {}", failure.path.display(), failure.error);
        report.event(&Event::Error { message });
    }
    found.failures.is_empty()
}
