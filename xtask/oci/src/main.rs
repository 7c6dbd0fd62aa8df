//! The command line of the native engine.

mod cli;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser as _;
use cli::{Cli, Command, Files};
use image_spec::{CheckSpec, FeatureReport, ImageReport, ImageSpec, PinSpec};
use xtask_oci::artifact::{Options, Packages};
use xtask_oci::make::Places;
use xtask_oci::proof::sbom::{self, Binary, Inventory};
use xtask_oci::proof::{audit, metadata};
use xtask_oci::pull::lock;
use xtask_oci::registry::check;
use xtask_oci::registry::client::Connection;
use xtask_oci::registry::push;
use xtask_oci::verify::{self, Check};
use xtask_oci::{artifact, atomic, import, make, spec};

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

/// Writes what is said of an image, and returns what the caller should be warned of.
fn describe(files: &Files, spec: &ImageSpec, report: ImageReport) -> Result<Vec<String>> {
    if let Some(file) = &files.metadata_file {
        spec::write_report(file, &report)?;
    }
    if let Some(file) = &files.digest_file {
        spec::write_digest(file, spec, &report)?;
    }
    Ok(report.remarks)
}

/// Does what is asked for and returns what the caller should be warned of.
fn run(command: Command) -> Result<Vec<String>> {
    match command {
        Command::Image { spec, cache, images, files } => {
            let places = Places { cache, blobs: images.blobs, lock: images.lock };
            let spec = spec::read(&spec)?;
            return describe(&files, &spec, make::image(&spec, &places)?);
        }
        Command::Import { spec, layout, files, folder } => {
            let spec = spec::read(&spec)?;
            let report = match layout {
                Some(layout) => import::layout(&spec, &layout, &folder)?,
                None => import::pushed(&spec, &folder)?,
            };
            return describe(&files, &spec, report);
        }
        Command::Artifact { src, dest, platform, cargo_metadata, package, keep_symbols, upx } => {
            let metadata = cargo_metadata.as_deref().map(metadata::read).transpose()?;
            let packages = metadata.as_ref().zip(package.as_ref());
            let packages = packages.map(|(metadata, root)| Packages { metadata, root });
            return artifact::place(&src, &dest, &Options { platform, packages, keep_symbols, pack: upx });
        }
        Command::Base { platform, compression, cache, dest } => {
            make::base(&platform.into_iter().collect(), compression, &cache, &dest)?;
        }
        Command::Pin { spec, lock } => {
            let PinSpec { images, registries } = spec::read(&spec)?;
            let (_, changes) = lock::pin(&lock, &images, true, &Connection::new(&registries))?;
            changes.iter().for_each(|change| say("pinned", change));
        }
        Command::Check { spec, report_file } => check_registry(&spec::read(&spec)?, report_file.as_deref())?,
        Command::Access { spec } => check_access(&spec::read(&spec)?)?,
        Command::Existing { spec } => list_existing(&spec::read(&spec)?)?,
        Command::Verify { spec, rebuilt, folder } => {
            let rebuilt = rebuilt.as_deref().map(spec::read).transpose()?;
            tell(&verify::verify(&spec::read(&spec)?, rebuilt.as_ref(), &folder)?)?;
        }
        Command::Packages { cargo_metadata, package, dest } => {
            let list = audit::encode(&audit::packages(&metadata::read(&cargo_metadata)?, &package)?)?;
            if !fs::read(&dest).is_ok_and(|old| old == list) {
                atomic::write(&dest, &list)?;
            }
        }
        Command::Sbom { binary, format, created, cargo_metadata } => {
            let metadata = cargo_metadata.as_deref().map(metadata::read).transpose()?;
            let licences = metadata.as_deref().map_or(Ok(BTreeMap::new()), metadata::licences)?;
            let binaries = vec![Binary::read(&binary)?];
            print(&sbom::document(&Inventory { image: None, binaries, licences, created }, format)?)?;
        }
    }
    Ok(Vec::new())
}

/// Says what a registry can do, line by line.
fn check_registry(spec: &CheckSpec, report_file: Option<&Path>) -> Result<()> {
    let report = check::report(&spec.repository, &Connection::new(&spec.registries));
    report_file.map_or(Ok(()), |file| spec::write_report(file, &report))?;
    if let Some(problem) = report.problem {
        bail!(problem);
    }
    for FeatureReport { feature, refusal, advice } in report.features {
        answer(&feature, refusal.map(|reason| format!("{reason}; {advice}")).as_deref());
    }
    Ok(())
}

/// Sees that a push may be, and moves no tag that is not to move.
fn check_access(spec: &CheckSpec) -> Result<()> {
    let connection = Connection::new(&spec.registries);
    connection.to_push(&spec.repository, &[]).check_access()?;
    push::check_new(&spec.tags, &spec.immutable, &connection)
}

/// Prints those names that a registry has already.
fn list_existing(spec: &CheckSpec) -> Result<()> {
    // What counts is what the registry has itself.
    let connection = Connection::new(&spec.registries.without_mirrors());
    let existing = push::existing(&spec.tags, &connection)?;
    print(existing.iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes())
}

/// Says what came of each check of an image.
fn tell(checks: &[Check]) -> Result<()> {
    checks.iter().for_each(|Check { what, problem }| answer(what, problem.as_deref()));
    let failed = checks.iter().filter(|check| check.problem.is_some()).count();
    ensure!(failed == 0, "the image is not what it should be: {failed} of {} checks failed", checks.len());
    Ok(())
}

/// Writes what was asked for to standard output. Who has read enough of it may close it.
fn print(document: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(document) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Says whether something is so, and if not, why.
fn answer(what: &str, problem: Option<&str>) {
    match problem {
        None => say("yes", what),
        Some(problem) => say("NO", &format!("{what}: {problem}")),
    }
}

/// Writes one line for people. That nobody may be there to read it is no reason to fail.
fn say(kind: &str, message: &str) {
    let _ = writeln!(std::io::stderr(), "{kind}: {message}");
}
