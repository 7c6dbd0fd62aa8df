//! `cargo xtask soak`: puts the service through what production will, and compares the figures with their limits.
//!
//! [`scenario`] has a file for each; the rest is what they share. xtask builds what is measured, and starts this. It also
//! starts [`train`], for the cargo profile `pgo`.

mod compare;
mod crowd;
mod figure;
mod flags;
mod http;
mod integrity;
mod load;
mod process;
mod report;
mod scenario;
mod service;
mod soak;
mod stats;
mod train;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::{Scenario, SoakFlags};
use crate::process::Machine;
use crate::report::{Report, Verdict};
use crate::soak::Soak;
use crate::train::Train;

/// Puts the service under load.
#[derive(Debug, Parser)]
#[command(name = "xtask-soak")]
struct Cli {
    #[command(flatten)]
    flags: SoakFlags,
    /// The folder that has, in a folder named after each database, the service `app` and its yardstick `bare`
    #[arg(long, value_name = "DIR")]
    binaries: PathBuf,
    /// The service for the first database, linked against musl; without it that scenario is skipped
    #[arg(long, value_name = "FILE")]
    musl: Option<PathBuf>,
    /// The file that the report is written to, besides standard output
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
}

// Everything that measures has a thread or a process of its own: this one only directs.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // What a scenario has started ends with it, whether it is over or dropped here.
    let result = tokio::select! {
        result = start() => result,
        code = interrupted() => code,
    };
    result.unwrap_or_else(|error| {
        say(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Trains where the first word says so, which is the name of no scenario, and measures otherwise.
async fn start() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1).peekable();
    if words.peek().is_some_and(|word| word == "train") {
        train::run(&Train::parse_from(words)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    run(Cli::parse()).await
}

/// Runs what was asked for. The exit code tells whether everything that was measured keeps to its limits.
async fn run(cli: Cli) -> Result<ExitCode> {
    let soak = Soak::new(&cli.flags, &cli.binaries, cli.musl.as_deref())?;
    let scenarios = match cli.flags.scenarios.as_slice() {
        [] => Scenario::value_variants(),
        some => some,
    };
    // Writing back what the build has left would go on beside the first measurements.
    rustix::fs::sync();
    let machine = Machine::this();
    say(&format!("{machine}; about {} minutes", scenario::minutes(scenarios, &soak)));

    let mut report = Report::new(machine);
    for scenario in scenarios {
        scenario::run(*scenario, &soak, &mut report).await;
    }

    let text = report.render(cli.flags.format);
    fs::write(&cli.report, &text).with_context(|| format!("cannot write {}", cli.report.display()))?;
    print(&text);
    let count = |verdict| report.count(verdict);
    let (passed, failed, skipped) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Skipped));
    say(&format!("{passed} passed, {failed} failed, {skipped} skipped; {}", cli.report.display()));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for a signal to stop. The exit code is the one that shells give to it.
async fn interrupted() -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle signals")?;
    let number = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
    };
    say("stopping");
    Ok(ExitCode::from(u8::try_from(128 + number).unwrap_or(1)))
}

/// Writes a line for whoever waits.
#[expect(clippy::print_stderr, reason = "a command line talks to its user")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
fn print(text: &str) {
    print!("{text}");
}
