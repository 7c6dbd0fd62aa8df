//! From a change of the source to an image, with all else built before.

use std::fs;

use anyhow::{Context, Result, bail};

use super::{Opening, commands, side};
use crate::bench::Bench;
use crate::command::command;
use crate::field::Field;
use crate::flags::Scenario;
use crate::measure::Quantity;
use crate::peer::{Build, Contestant, Goal};
use crate::project::{DEEP, SHALLOW};
use crate::report::Section;
use crate::rounds::in_turn;

/// A leaf of the service's dependencies with many versions, any of which will do. Each round takes one that was not there
/// before, as what was compiled once stays.
const LEAF: &str = "itoa";
const LEAF_VERSIONS: [&str; 12] = [
    "1.0.17", "1.0.16", "1.0.15", "1.0.14", "1.0.13", "1.0.12", "1.0.11", "1.0.10", "1.0.9", "1.0.8",
    "1.0.7", "1.0.6",
];

/// What there is to read about a scenario.
fn texts(scenario: Scenario) -> (&'static str, &'static str) {
    match scenario {
        Scenario::Same => ("Nothing changed", "An image is made again of what it was made of."),
        Scenario::Deep => (
            "A module edited that all handlers use",
            "A string in app/src/http/problem.rs gets another number each time; all else was built before.",
        ),
        Scenario::Bump => (
            "A leaf of the dependencies changed",
            "Cargo.lock gets another version of itoa each time, which was downloaded for cargo on this machine; all else was \
             built before.",
        ),
        Scenario::Lock => (
            "Cargo.lock refreshed",
            "After `cargo update`, once; crates were downloaded for cargo on this machine, and all was built by the old \
             Cargo.lock before.",
        ),
        _ => (
            "One line edited",
            "A string in app/src/server/mod.rs gets another number each time; all else was built before.",
        ),
    }
}

/// Measures a scenario.
///
/// # Errors
/// When a signal asks us to stop.
pub(super) fn run(bench: &Bench, field: &mut Field, scenario: Scenario) -> Result<Section> {
    field.build(bench)?;
    let opening = Opening::new(scenario);
    let build = Build { goal: Goal::Ready, backends: &bench.settings.backends[..1], platforms: &[] };
    let locks =
        field.contestants.iter().map(|one| one.project.read("Cargo.lock")).collect::<Result<Vec<_>>>()?;
    let commands = commands(bench, &field.contestants.iter().collect::<Vec<_>>(), &build)?;
    let sides = field.contestants.iter().map(|contestant| {
        let mut round = 0;
        side(bench, contestant, &build, move || {
            round += 1;
            change(bench, contestant, scenario, round - 1)
        })
    });
    // An edit that is the first since the service was built has more to compile than those that follow.
    let warm_up = if scenario == Scenario::Lock { 0 } else { 1 };
    let rounds = in_turn(sides.collect(), warm_up, bench.rounds(scenario))?;
    for (contestant, lock) in field.contestants.iter().zip(locks) {
        contestant.project.enter()?;
        fs::write(contestant.project.folder().join("Cargo.lock"), lock)
            .context("cannot restore Cargo.lock")?;
    }
    let (title, how) = texts(scenario);
    let mut section = opening.section(field, title, how, Quantity::Seconds, rounds);
    section.limit = Some("cargo".to_owned());
    section.commands = commands;
    Ok(section)
}

fn change(bench: &Bench, contestant: &Contestant, scenario: Scenario, round: usize) -> Result<()> {
    let project = &contestant.project;
    project.enter()?;
    let cargo = |args: &[&str]| {
        let mut cargo = command("cargo", project.folder());
        cargo.args(args).arg("--quiet");
        bench.runner.run(cargo)
    };
    match scenario {
        Scenario::Deep => project.edit(DEEP, bench.number()),
        Scenario::Bump => {
            let version = LEAF_VERSIONS
                .get(round)
                .context("there are no more versions of the leaf; ask for fewer rounds")?;
            cargo(&["update", LEAF, "--precise", version])?;
            cargo(&["fetch", "--locked"])
        }
        Scenario::Lock => {
            let before = project.read("Cargo.lock")?;
            cargo(&["update"])?;
            if project.read("Cargo.lock")? == before {
                bail!("Cargo.lock has the newest version of everything");
            }
            cargo(&["fetch", "--locked"])
        }
        Scenario::Edit => project.edit(SHALLOW, bench.number()),
        _ => Ok(()),
    }
}
