//! `cargo xtask release`: proposes the next version from the commits since the last one, and releases it when asked to.
//!
//! It is a program of its own because what reads commits would make xtask compile a quarter longer.

mod apply;
mod changelog;
mod commits;
mod files;
mod flags;
mod git;
mod obstacles;
mod proposal;
mod report;
mod undo;

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use image_spec::time::rfc3339;
use semver::Version;

use crate::apply::{Left, Release};
use crate::changelog::Section;
use crate::files::{Edit, Manifest};
use crate::flags::ReleaseFlags;
use crate::git::Git;
use crate::obstacles::Registry;
use crate::proposal::{Outcome, Proposal, Usage};
use crate::report::ReleaseReport;

/// Proposes and makes releases of the workspace in the working folder.
#[derive(Debug, Parser)]
#[command(name = "xtask-release")]
struct Cli {
    #[command(flatten)]
    flags: ReleaseFlags,
    /// The program that asks the image's registry. The repository is a CheckSpec as JSON, on standard input.
    #[arg(long, value_name = "FILE", requires = "names")]
    engine: Option<String>,
    /// What tags of images are called, `{version}` for the version; may be repeated
    #[arg(long = "image-tag", value_name = "NAME")]
    names: Vec<String>,
    /// Where to write what is proposed, as JSON, also where something stands in its way
    #[arg(long, value_name = "FILE")]
    report_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let (text, code) = match run(Cli::parse()) {
        Ok((text, is_done)) => (text, if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Err(error) => (format!("error: {error:#}"), ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })),
    };
    // Who has read enough may close it.
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
    code
}

/// Does what is asked for. Returns what there is to say, and whether nothing stands in the way.
fn run(cli: Cli) -> Result<(String, bool)> {
    let flags = &cli.flags;
    let git = Git::open(&env::current_dir().context("there is no working folder")?)?;
    if flags.undo {
        return Ok((undo::undo(&git, flags)?, true));
    }
    let registry = match cli.engine.filter(|_| !flags.offline) {
        Some(engine) => {
            let spec = serde_json::from_reader(io::stdin()).context("standard input is no CheckSpec")?;
            Some(Registry { engine, names: cli.names, spec })
        }
        None => None,
    };
    release(&git, flags, registry.as_ref(), cli.report_file.as_deref(), &today()?)
}

fn release(
    git: &Git,
    flags: &ReleaseFlags,
    registry: Option<&Registry>,
    report_file: Option<&Path>,
    date: &str,
) -> Result<(String, bool)> {
    match apply::left(git)? {
        Left::Nothing => {}
        Left::Files(_) if !flags.execute => return Ok((INTERRUPTED.to_owned(), false)),
        Left::Files(release) => release.take_back(git)?,
        Left::Commit(version) => return finish(git, &version, flags, registry),
    }
    let manifest = Manifest::read(git.folder())?;
    let current = manifest.version()?;
    let proposal = match proposal::propose(git, &current, flags)? {
        Outcome::Next(proposal) => *proposal,
        Outcome::Nothing(last) => {
            let why = format!("nothing has changed since v{last}, so there is nothing to release");
            tell(report_file, &proposal::nothing(&last, &current, &why))?;
            return Ok((why, true));
        }
    };
    let section = Section { version: &proposal.next, date, changes: &proposal.changes };
    let obstacles = obstacles::find(git, &proposal.next, flags, registry)?;
    tell(report_file, &proposal.report(&current, &obstacles))?;
    let release = prepared(git, &manifest, &proposal, &section)?;
    let mut text = format!("{proposal}\nnew in {}:\n\n", changelog::PATH);
    text.extend(section.text().lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n"));
    text.push('\n');
    if obstacles.is_empty() && flags.execute {
        release.run(git)?;
        return Ok(end(&text, &[], &done(&proposal.next)));
    }
    let paths = release.edits.iter().map(|edit| edit.path.as_str()).collect::<Vec<_>>().join(", ");
    let next = format!(
        "nothing is changed; with --execute, this writes {paths}, commits and tags v{}",
        proposal.next
    );
    Ok(end(&text, &obstacles, &next))
}

/// Writes what is proposed, for programs that want it.
fn tell(file: Option<&Path>, report: &ReleaseReport) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(file, serde_json::to_vec(report)?).with_context(|| format!("cannot write {}", file.display()))
}

/// What is said after a run that was killed amid files.
const INTERRUPTED: &str = "\
a release, or what took it back, was interrupted amid files: `cargo xtask release --execute` puts them back and begins \
anew, and `cargo xtask release --undo` only puts them back";

/// Tags a release that is committed already.
fn finish(
    git: &Git,
    version: &Version,
    flags: &ReleaseFlags,
    registry: Option<&Registry>,
) -> Result<(String, bool)> {
    let found = format!("HEAD is the release v{version}, and has no tag");
    if !flags.execute {
        let text = format!("{found}: `cargo xtask release --execute` tags it, and --undo takes it back");
        return Ok((text, false));
    }
    let obstacles = obstacles::find(git, version, flags, registry)?;
    if obstacles.is_empty() {
        apply::tag_head(git, &version.to_string())?;
    }
    Ok(end(&format!("{found}\n"), &obstacles, &done(version)))
}

fn done(version: &Version) -> String {
    format!(
        "v{version} is committed and tagged; `git push --follow-tags` publishes it, and until then \
         `cargo xtask release --undo` takes it back"
    )
}

fn end(text: &str, obstacles: &[String], good: &str) -> (String, bool) {
    if obstacles.is_empty() {
        return (format!("{text}{good}"), true);
    }
    let obstacles = obstacles.iter().map(|obstacle| format!("error: {obstacle}\n")).collect::<String>();
    (format!("{text}{obstacles}nothing is changed"), false)
}

/// The release as it would be made.
fn prepared(git: &Git, manifest: &Manifest, proposal: &Proposal, section: &Section<'_>) -> Result<Release> {
    let old = files::read(&git.folder().join(changelog::PATH))?;
    let new = changelog::with(old.as_deref(), section)?;
    let mut edits = files::edits(git, manifest, &proposal.next)?;
    edits.push(Edit { path: changelog::PATH.to_owned(), old, new });
    for Edit { path, .. } in &edits {
        let is_link = fs::symlink_metadata(git.folder().join(path)).is_ok_and(|found| found.is_symlink());
        ensure!(!is_link, "{path} is a link; a release writes files, so put the file itself there");
    }
    let is_conventional = proposal.changes.iter().any(|change| change.conventional.is_some());
    let message = apply::message(&proposal.next, is_conventional);
    let head = git.find("HEAD")?.unwrap_or_default();
    Ok(Release::new(&proposal.next, head, message, edits))
}

/// The date in UTC, by the clock or by
/// [`SOURCE_DATE_EPOCH`](https://reproducible-builds.org/docs/source-date-epoch/).
fn today() -> Result<String> {
    let seconds = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            text.parse().with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970"))?
        }
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
    };
    Ok(rfc3339(seconds).chars().take("2026-11-22".len()).collect())
}
