//! From a fresh clone to an image: for one database and platform, or for more.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::Opening;
use crate::bench::Bench;
use crate::command::{output_of, shell};
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::{Quantity, Sample, measure};
use crate::peer::{Build, Contestant, Goal, TAG};
use crate::platform::PLATFORMS;
use crate::report::Section;
use crate::rounds::{Side, in_turn};

const HOW: &str = "Each time from a fresh clone with an empty target folder, and without what zig keeps of the C that it has \
                   compiled; in a container without anything that the builder had cached but base images. Crates were \
                   downloaded for who compiles on this machine; containers download them, and install tools, as their \
                   recipes have it.";

/// Some of the platforms that the service is built for.
type Platforms = &'static [&'static str];

/// A variant of who takes part: what it adds to the name, and what is built.
type Variant<'a> = (&'static str, &'a [String], Platforms);

/// Measures a scenario.
///
/// # Errors
/// When a signal asks us to stop.
pub(super) fn run(bench: &Bench, field: &mut Field, scenario: Scenario) -> Result<Section> {
    let opening = Opening::new(scenario);
    let all = &bench.settings.backends[..];
    let (title, peers, variants): (_, _, Vec<Variant<'_>>) = match scenario {
        Scenario::Backends => (
            "Several databases against one, from a fresh clone",
            &[Peer::Galley, Peer::Cargo][..],
            vec![(", one", &all[..1], &[]), (", all", all, &[])],
        ),
        Scenario::Platforms => (
            "Two platforms against one, from a fresh clone",
            &[Peer::Galley, Peer::Zig],
            vec![(", one", &all[..1], &PLATFORMS[..1]), (", two", &all[..1], &PLATFORMS)],
        ),
        _ => ("A fresh clone", &[], vec![("", &all[..1], &[])]),
    };
    let goal = if scenario == Scenario::Fresh { Goal::Ready } else { Goal::Archive };
    let takes_part = |one: &&Contestant| peers.is_empty() || peers.contains(&one.peer);
    let mut commands = BTreeMap::new();
    let mut sides = Vec::new();
    for contestant in field.contestants.iter().filter(takes_part) {
        for (suffix, backends, platforms) in &variants {
            let build = Build { goal: goal.clone(), backends, platforms };
            let name = format!("{}{suffix}", contestant.name);
            let shown = contestant.build(bench, &build)?.iter().map(shell).collect::<Vec<_>>().join(" && ");
            commands.insert(name.clone(), shown);
            sides.push(Side {
                name,
                prepare: Box::new(|| Ok(())),
                run: Box::new(move || once(bench, contestant, &build)),
            });
        }
    }
    let rounds = in_turn(sides, 0, bench.rounds(scenario))?;
    let mut section = opening.section(field, title, HOW, Quantity::Seconds, rounds);
    section.base = format!("galley{}", variants[0].0);
    section.limit = (scenario == Scenario::Fresh).then(|| "cargo".to_owned());
    section.commands = commands;
    Ok(section)
}

/// Makes a copy like that of `contestant`, builds it, and removes all that.
fn once(bench: &Bench, contestant: &Contestant, build: &Build<'_>) -> Result<Sample> {
    let note = format!("-fresh-{}", bench.number());
    let fresh = contestant.again(bench, &note)?;
    let mut commands = fresh.build(bench, build)?;
    forget_zig(&fresh, &mut commands);
    let sample = measure(&bench.runner, commands);
    discard(bench, &fresh, &build.goal)?;
    sample
}

/// Has zig begin with nothing: elsewhere it would find the C of crates, and of musl, that it has compiled before.
pub(super) fn forget_zig(fresh: &Contestant, commands: &mut [Command]) {
    for command in commands {
        command.env("ZIG_GLOBAL_CACHE_DIR", fresh.project.folder().join("target/zig"));
    }
}

/// Removes a copy, and the image that was made of it.
///
/// # Errors
/// When the copy cannot be removed.
pub(super) fn discard(bench: &Bench, fresh: &Contestant, goal: &Goal) -> Result<()> {
    fs::remove_dir_all(fresh.project.folder()).context("cannot remove a clone")?;
    // Where it is not in Docker, there is none to remove.
    if *goal == Goal::Ready {
        output_of("docker", &["image", "rm", "--force", &format!("{}:{TAG}", fresh.image(bench))]);
    }
    Ok(())
}
