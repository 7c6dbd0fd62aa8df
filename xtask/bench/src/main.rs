//! `cargo xtask bench`: measures the pipeline against what people use, on the machine that it runs on.
//!
//! [`peer`] has who takes part, [`scenario`] what is measured; [`measure`] says what each figure is.

mod against;
mod bench;
mod command;
mod docker;
mod field;
mod flags;
mod janitor;
mod machine;
mod measure;
mod peer;
mod platform;
mod project;
mod registry;
mod report;
mod revision;
mod rounds;
mod scenario;
mod stats;
mod throttle;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::against::Verdict;
use crate::bench::Bench;
use crate::command::{output_of, signal, stopped};
use crate::field::Field;
use crate::flags::{BenchFlags, Peer, Scenario};
use crate::machine::Machine;
use crate::report::Report;

/// Measures the pipeline.
#[derive(Debug, Parser)]
#[command(name = "xtask-bench")]
struct Cli {
    #[command(flatten)]
    flags: BenchFlags,
}

fn main() -> ExitCode {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["janitor", folder, id] => janitor::main(&PathBuf::from(folder), id).map(|()| ExitCode::SUCCESS),
        _ => run(&Cli::parse().flags),
    };
    result.unwrap_or_else(|error| match signal() {
        // As shells have it.
        Some(signal) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)),
        None => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    })
}

/// Measures what was asked for. The exit code tells whether all could be, and whether nothing got worse.
fn run(flags: &BenchFlags) -> Result<ExitCode> {
    let root =
        output_of("git", &["rev-parse", "--show-toplevel"]).context("run this inside the repository")?;
    command::handle_signals()?;
    let bench = Bench::new(flags, Path::new(&root))?;
    let mut report = opening(&bench, flags);
    say(&report.machine.to_string());
    report.notes.iter().for_each(|note| say(&format!("note: {note}")));

    let mut has_failed = measure_all(&bench, flags, &mut report)?;
    if let Err(stopped) = stopped() {
        if !report.sections.is_empty() {
            report.notes.push(format!("{stopped:#}: what was still to be measured is not here"));
            finish(&bench, flags, &report)?;
        }
        return Err(stopped);
    }
    bench.prune();

    if let Some(revision) = &flags.against {
        report.changes = report.sections.iter().filter_map(|one| against::compare(one, revision)).collect();
        // A gate that has compared nothing has not passed.
        has_failed |= report.changes.is_empty();
    }
    has_failed |= report.changes.iter().any(|change| change.verdict == Verdict::Worse);
    finish(&bench, flags, &report)?;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures one scenario after the other, until a signal asks us to stop. Whether one could not be measured.
fn measure_all(bench: &Bench, flags: &BenchFlags, report: &mut Report) -> Result<bool> {
    let mut field = Field::new(bench, flags, &peers(flags))?;
    let mut has_failed = false;
    for scenario in scenarios(flags) {
        say(&format!("{}:", scenario::word(scenario)));
        let sections = scenario::run(bench, &mut field, scenario);
        if signal().is_some() {
            break;
        }
        match sections {
            Ok(sections) => report.sections.extend(sections),
            Err(error) => {
                say(&format!("        failed: {error:#}"));
                report.notes.push(format!("{} could not be measured: {error:#}", scenario::word(scenario)));
                has_failed = true;
            }
        }
    }
    Ok(has_failed)
}

fn opening(bench: &Bench, flags: &BenchFlags) -> Report {
    let words = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let mut notes = Vec::new();
    if output_of("git", &["status", "--porcelain", "--untracked-files=no"]).is_some() {
        notes.push("what is not committed is no part of what is measured".to_owned());
    }
    if flags.quick {
        notes.push(
            "the service is not optimised (opt-level 0): only ratios of galley to cargo mean something"
                .to_owned(),
        );
    }
    Report {
        began: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: format!("cargo xtask bench {words}"),
        commit: bench.commit.clone(),
        machine: Machine::this(&bench.folder),
        notes,
        sections: Vec::new(),
        changes: Vec::new(),
    }
}

fn finish(bench: &Bench, flags: &BenchFlags, report: &Report) -> Result<()> {
    let file = flags.report.clone().unwrap_or_else(|| PathBuf::from("target/bench/report.json"));
    report.write(&file)?;
    print(&report.table());
    say(&format!("{} and {}", file.display(), file.with_extension("html").display()));
    // Who interrupts does not wait for a browser.
    if let Some(folder) = flags.png.as_ref().filter(|_| signal().is_none()) {
        let files = report::png::write(report, folder, &bench.folder)?;
        files.iter().for_each(|file| say(&file.display().to_string()));
    }
    Ok(())
}

/// Who takes part, each once.
fn peers(flags: &BenchFlags) -> Vec<Peer> {
    let mut peers = match flags.peers.as_slice() {
        [] if flags.quick || flags.against.is_some() => vec![Peer::Galley, Peer::Cargo],
        [] => Peer::value_variants().to_vec(),
        some => some.to_vec(),
    };
    // Ratios are to galley; and nothing is compared with another revision but these two.
    peers.push(Peer::Galley);
    if flags.against.is_some() {
        peers.push(Peer::Cargo);
    }
    peers.sort_unstable();
    peers.dedup();
    peers
}

fn scenarios(flags: &BenchFlags) -> Vec<Scenario> {
    match flags.scenarios.as_slice() {
        [] if flags.quick => vec![Scenario::Edit, Scenario::Same],
        [] => Scenario::value_variants().to_vec(),
        some => some.to_vec(),
    }
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
