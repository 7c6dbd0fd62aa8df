//! The command line of throw-away databases.

mod cli;
mod exec;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser as _;
use cli::{Cli, Command, Folders, QueriesCommand};
use xtask_db::queries::{self, Difference, Kind};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Exec(flags) => exec::run(&flags),
        Command::Queries { command: QueriesCommand::Check { folders, repair } } => check(&folders, &repair),
        Command::Queries { command: QueriesCommand::Replace(folders) } => {
            let changed = queries::replace(&folders.fresh, &folders.kept)?;
            say(&format!("{}: {}", folders.kept.display(), summary(&changed)));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(folders: &Folders, repair: &str) -> Result<ExitCode> {
    let wrong = queries::differences(&folders.fresh, &folders.kept)?;
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let lines =
        wrong.iter().map(|d| format!("  {}: {} ({})", word(d.kind), d.sql, d.file)).collect::<Vec<_>>();
    bail!("{} is out of date; `{repair}` renews it\n{}", folders.kept.display(), lines.join("\n"));
}

/// What was changed, in a few words.
fn summary(changed: &[Difference]) -> String {
    let count = |kind: Kind| changed.iter().filter(|difference| difference.kind == kind).count();
    match changed.len() {
        0 => "up to date".to_owned(),
        _ => format!(
            "{} added, {} renewed, {} removed",
            count(Kind::Missing),
            count(Kind::Stale),
            count(Kind::Superfluous)
        ),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Missing => "missing",
        Kind::Stale => "stale",
        Kind::Superfluous => "superfluous",
    }
}

/// Writes one line for people. That nobody may be there to read it is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
