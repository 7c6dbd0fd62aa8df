//! What an edit costs by how many images are made of it.

use anyhow::Result;

use super::{Opening, commands, side};
use crate::bench::Bench;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::Quantity;
use crate::peer::{Build, Goal};
use crate::platform::PLATFORMS;
use crate::project::SHALLOW;
use crate::report::Section;
use crate::report::growth::Points;
use crate::rounds::in_turn;

const HOW: &str = "Images for one to all databases, times one or two platforms. A string in app/src/server/mod.rs gets another \
                   number each time; all else was built before.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or galley cannot be built.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    field.build_those(bench, |peer| peer == Peer::Galley)?;
    let opening = Opening::new(Scenario::Matrix);
    let galley = field.galley()?;
    let all = &bench.settings.backends[..];
    let mut points = Points::new("images");
    for (name, platforms) in [("one platform", &PLATFORMS[..1]), ("two platforms", &PLATFORMS[..])] {
        for backends in 1..=all.len() {
            let build = Build { goal: Goal::Archive, backends: &all[..backends], platforms };
            let mut side = side(bench, galley, &build, || galley.project.edit(SHALLOW, bench.number()));
            name.clone_into(&mut side.name);
            let images = backends * platforms.len();
            points.add(images as f64, in_turn(vec![side], 1, bench.rounds(Scenario::Matrix))?);
        }
    }
    let build = Build { goal: Goal::Archive, backends: all, platforms: &PLATFORMS };
    let commands = commands(bench, &[galley], &build)?;
    let (rounds, growth) = points.finish(&[Quantity::Seconds, Quantity::Memory]);
    let mut section =
        opening.section(field, "An edit by the number of images", HOW, Quantity::Seconds, rounds);
    section.grown(growth);
    section.commands = commands;
    Ok(section)
}
