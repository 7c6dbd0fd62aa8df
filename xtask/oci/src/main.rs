//! The command line of the native engine.

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use cli::{Cli, Command};
use image_spec::{CheckSpec, PinSpec};
use xtask_oci::make::Places;
use xtask_oci::pull::lock;
use xtask_oci::registry::check::{self, Finding};
use xtask_oci::registry::client::Connection;
use xtask_oci::{artifact, make, spec};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(warnings) => {
            warnings.iter().for_each(|warning| say("warning", warning));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say("error", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Does what is asked for and returns what the caller should be warned of.
fn run(command: Command) -> Result<Vec<String>> {
    match command {
        Command::Image { spec, cache, images, metadata_file } => {
            let places = Places { cache, blobs: images.blobs, lock: images.lock };
            let report = make::image(&spec::read(&spec)?, &places)?;
            if let Some(file) = metadata_file {
                spec::write_report(&file, &report)?;
            }
            Ok(Vec::new())
        }
        Command::Pin { spec, lock } => {
            let PinSpec { images, registries } = spec::read(&spec)?;
            let (_, changes) = lock::pin(&lock, &images, true, &Connection::new(&registries))?;
            changes.iter().for_each(|change| say("pinned", change));
            Ok(Vec::new())
        }
        Command::Check { spec } => {
            let CheckSpec { repository, registries } = spec::read(&spec)?;
            let findings = check::check(&repository, &Connection::new(&registries))?;
            for Finding { feature, refusal, advice } in &findings {
                match refusal {
                    None => say("yes", feature),
                    Some(reason) => say("NO", &format!("{feature}: {reason}; {advice}")),
                }
            }
            Ok(Vec::new())
        }
        Command::Artifact { src, dest, platform, upx } => {
            Ok(artifact::place(&src, &dest, platform, upx)?.into_iter().collect())
        }
    }
}

/// Writes one line for people. That nobody may be there to read it is no reason to fail.
fn say(kind: &str, message: &str) {
    let _ = writeln!(std::io::stderr(), "{kind}: {message}");
}
