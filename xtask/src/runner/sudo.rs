//! Has sudo ask for a password, where it needs one, before steps run: they have no terminal.

use std::io::{self, IsTerminal};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::plan::Plan;

/// Asks, if a step of `plan` begins with sudo and there is somebody to ask. sudo remembers the answer for a while.
///
/// # Errors
/// When sudo is not there, or was not given what it asked for.
pub(super) fn authenticate(plan: &Plan) -> Result<()> {
    let needs_it = |argv: &[String]| argv.first().is_some_and(|program| program == "sudo");
    let is_needed = plan.steps.iter().any(|step| step.skip.is_none() && needs_it(&step.argv));
    if !is_needed || !io::stdin().is_terminal() {
        return Ok(());
    }
    let status = Command::new("sudo").arg("--validate").status();
    let status = status.context("`sudo` is not on PATH: be root, or go without --system")?;
    if !status.success() {
        bail!("sudo does not let you install packages: go without --system");
    }
    Ok(())
}
