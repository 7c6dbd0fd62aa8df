//! `cargo xtask kitchen`: the dashboard itself, and what asks it from a shell.

mod ask;
mod flags;
mod listen;
mod serve;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use xtask_kitchen::place::Place;

use crate::flags::{KitchenFlags, KitchenTask};

/// The build dashboard.
#[derive(Debug, Parser)]
#[command(name = "xtask-kitchen", disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    flags: KitchenFlags,
}

fn main() -> ExitCode {
    match run(&Cli::parse().flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // That nobody may be there to read it is no reason to fail otherwise.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &KitchenFlags) -> Result<()> {
    let root = std::env::current_dir().context("the current folder")?;
    let place = Place::at(&root);
    match &flags.task {
        None => serve::serve(&Place::in_project(&root)?, flags),
        Some(KitchenTask::Builds) => ask::builds(&place),
        Some(KitchenTask::Logs { build, follow: false }) => ask::logs(&place, *build),
        Some(KitchenTask::Logs { build, follow: true }) => ask::follow(&place, *build),
        Some(KitchenTask::Export { build }) => ask::export(&place, *build),
        Some(KitchenTask::Kill { build }) => ask::kill(&place, *build),
    }
}
