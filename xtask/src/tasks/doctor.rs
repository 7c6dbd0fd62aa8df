//! `doctor`: what this machine has, what it lacks, and how to install it.

use std::process::ExitCode;

use super::inventory::{self, Item};
use crate::cli::{DoctorFlags, MessageFormat};
use crate::config::{Config, Linker};
use crate::platform;
use crate::report::{Report, ToolStatus};
use crate::tools::Goal;

/// Reports every tool; fails only when `cargo xtask bd` cannot work. With `--for`, reports what that needs, and fails when
/// some of it is missing.
pub(crate) fn run(config: &Config, flags: &DoctorFlags, report: &mut Report) -> ExitCode {
    let mut all = inventory::of(config);
    if let Some(goal) = flags.goal {
        all.retain(|item| item.goals.contains(&goal));
    }
    let verdict = match flags.goal {
        Some(goal) => verdict_for(goal, &all),
        None => verdict(config, &all),
    };
    let (Ok(text) | Err(text)) = &verdict;
    let tools = all.iter().map(|item| status(config, item)).collect::<Vec<_>>();
    match flags.format {
        MessageFormat::Json => report.document(&tools, text),
        MessageFormat::Human => report.tools(&tools, text, hint(flags, &all)),
    }
    if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn status(config: &Config, item: &Item) -> ToolStatus {
    ToolStatus {
        name: item.name.clone(),
        version: item.version(),
        purpose: item.purpose.clone(),
        install: item.install.line(&config.host.tools.system),
        required: item.required,
        goals: item.goals,
    }
}

/// What installs the missing tools that are not a verdict's business.
fn hint(flags: &DoctorFlags, all: &[Item]) -> Option<&'static str> {
    let is_lacking = all.iter().any(|item| item.is_missing() && item.goals.contains(&Goal::Check));
    let hint = "`cargo xtask setup --for check` installs what is missing for check";
    (flags.goal.is_none() && is_lacking).then_some(hint)
}

/// Whether everything is there that `goal` needs, in a sentence.
fn verdict_for(goal: Goal, needed: &[Item]) -> Result<String, String> {
    let goal = goal.name();
    let missing = needed.iter().filter(|item| item.is_missing());
    let missing = missing.map(|item| item.name.as_str()).collect::<Vec<_>>().join(", ");
    if missing.is_empty() {
        Ok(format!("everything is there that {goal} needs"))
    } else {
        Err(format!("{goal} lacks {missing}: `cargo xtask setup --for {goal}`"))
    }
}

/// Whether images can be made, in a sentence.
fn verdict(config: &Config, all: &[Item]) -> Result<String, String> {
    if let Some(why) = platform::LACKING {
        return Err(format!("`cargo xtask bd` cannot work: {why}"));
    }
    if all.iter().any(|item| item.required && item.is_missing()) {
        return Err("`cargo xtask bd` cannot work: install what is marked as required".to_owned());
    }
    let platform = config.own_platform();
    match super::linking::choose(config, Linker::Auto, &[platform]) {
        Err(error) => Err(format!("`cargo xtask bd` cannot work: {error:#}")),
        Ok(way) => Ok(format!("`cargo xtask bd` works: it links for {platform} by {}", way.by)),
    }
}
