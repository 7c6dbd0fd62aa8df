//! What an edit costs in workspaces of more and more crates.

use std::fs;

use anyhow::{Context, Result};

use super::{Opening, commands, side};
use crate::bench::Bench;
use crate::command::command;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::Quantity;
use crate::peer::{Build, Goal};
use crate::project::{Project, SHALLOW};
use crate::report::Section;
use crate::report::growth::Points;
use crate::rounds::in_turn;

/// How many crates the service needs besides.
const COUNTS: [u32; 3] = [1, 10, 50];
/// How many functions each of them has.
const FUNCTIONS: u32 = 100;

const HOW: &str = "The service needs so many more crates of its workspace, each of 100 small functions. A string in \
                   app/src/server/mod.rs gets another number each time; all else was built before.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    let takes_part = |peer| matches!(peer, Peer::Galley | Peer::Cargo);
    field.build_those(bench, takes_part)?;
    let opening = Opening::new(Scenario::Crates);
    let contestants = field.contestants.iter().filter(|one| takes_part(one.peer)).collect::<Vec<_>>();
    let build = Build { goal: Goal::Ready, backends: &bench.settings.backends[..1], platforms: &[] };
    let mut points = Points::new("crates");
    for count in COUNTS {
        for contestant in &contestants {
            with_crates(bench, &contestant.project, count)?;
        }
        let sides = contestants
            .iter()
            .map(|one| side(bench, one, &build, move || one.project.edit(SHALLOW, bench.number())));
        points.add(f64::from(count), in_turn(sides.collect(), 1, bench.rounds(Scenario::Crates))?);
    }
    let commands = commands(bench, &contestants, &build)?;
    contestants.iter().try_for_each(|one| one.project.restore(&bench.runner))?;
    let (rounds, growth) = points.finish(&[Quantity::Seconds, Quantity::Memory]);
    let mut section =
        opening.section(field, "An edit by the number of crates", HOW, Quantity::Seconds, rounds);
    section.grown(growth);
    section.commands = commands;
    Ok(section)
}

/// Has the service need `count` crates of its workspace besides.
fn with_crates(bench: &Bench, project: &Project, count: u32) -> Result<()> {
    project.restore(&bench.runner)?;
    let mut dependencies = String::new();
    for number in 1..=count {
        let folder = project.folder().join(format!("generated/{number}"));
        fs::create_dir_all(folder.join("src")).context("cannot make a crate")?;
        let manifest =
            format!("[package]\nname = \"generated-{number}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        fs::write(folder.join("Cargo.toml"), manifest).context("cannot write a manifest")?;
        fs::write(folder.join("src/lib.rs"), source(number)).context("cannot write a crate")?;
        dependencies += &format!("generated-{number} = {{ path = \"../generated/{number}\" }}\n");
    }
    let manifest = project.read("app/Cargo.toml")?;
    let (before, after) =
        manifest.split_once("[dependencies]\n").context("app/Cargo.toml has no [dependencies]")?;
    fs::write(
        project.folder().join("app/Cargo.toml"),
        format!("{before}[dependencies]\n{dependencies}{after}"),
    )
    .context("cannot write app/Cargo.toml")?;
    let mut update = command("cargo", project.folder());
    update.args(["update", "--quiet", "--workspace", "--offline"]);
    bench.runner.run(update)
}

/// Code that differs from crate to crate.
fn source(number: u32) -> String {
    let function = |index: u32| {
        format!(
            "pub fn f{index}(x: u64) -> String {{\n    let list = (0..x % {}).map(|i| i * {number}).collect::<Vec<_>>();\n    \
             format!(\"{index} {{list:?}}\")\n}}\n",
            index + 2
        )
    };
    (0..FUNCTIONS).map(function).collect()
}
