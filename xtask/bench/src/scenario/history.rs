//! What an image costs by how long the repository's history is.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::{Opening, commands, side};
use crate::bench::Bench;
use crate::command::command;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::Quantity;
use crate::peer::{Build, Goal};
use crate::project::Project;
use crate::report::Section;
use crate::report::growth::Points;
use crate::rounds::in_turn;

/// How many commits there are on top of the repository's own.
const COUNTS: [u32; 4] = [100, 1_000, 10_000, 100_000];
/// How many files they change, one each.
const FILES: u32 = 100;

const HOW: &str = "An image is made again of what it was made of, in a repository with so many more commits.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or galley cannot be built.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    field.build_those(bench, |peer| peer == Peer::Galley)?;
    let opening = Opening::new(Scenario::History);
    let galley = field.galley()?;
    let build = Build { goal: Goal::Ready, backends: &bench.settings.backends[..1], platforms: &[] };
    let mut points = Points::new("commits");
    for count in COUNTS {
        with_history(bench, &galley.project, count)?;
        let side = side(bench, galley, &build, || Ok(()));
        points.add(f64::from(count), in_turn(vec![side], 1, bench.rounds(Scenario::History))?);
    }
    galley.project.restore(&bench.runner)?;
    let commands = commands(bench, &[galley], &build)?;
    let (rounds, growth) = points.finish(&[Quantity::Seconds, Quantity::Memory]);
    let title = "Nothing changed, by the length of history";
    let mut section = opening.section(field, title, HOW, Quantity::Seconds, rounds);
    section.grown(growth);
    section.commands = commands;
    Ok(section)
}

/// Puts `count` commits on top of the repository's own.
fn with_history(bench: &Bench, project: &Project, count: u32) -> Result<()> {
    let stream = bench.folder.join("history");
    fs::write(&stream, commits(&bench.commit, count)).context("cannot write a history")?;
    let mut import = command("sh", project.folder());
    import.args(["-c", &format!("git fast-import --quiet --force <{}", stream.display())]);
    bench.runner.run(import)?;
    let mut checkout = command("git", project.folder());
    checkout.args(["checkout", "--quiet", "--force", "--detach", "history"]);
    bench.runner.run(checkout)
}

/// As [git fast-import](https://git-scm.com/docs/git-fast-import#_input_format) reads them.
fn commits(first: &str, count: u32) -> String {
    let mut stream = String::new();
    for number in 0..count {
        let from = if number == 0 { format!("from {first}\n") } else { String::new() };
        let text = number.to_string();
        let _ = write!(
            stream,
            "commit refs/heads/history\ncommitter Bench <bench@example.com> {} +0000\ndata 8\na change\n{from}\
             M 644 inline history/{}\ndata {}\n{text}\n",
            1_700_000_000 + number,
            number % FILES,
            text.len(),
        );
    }
    stream
}
