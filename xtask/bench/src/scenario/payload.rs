//! What an image costs by how much is in it.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::Opening;
use super::engine::Engine;
use super::tree::Tree;
use crate::bench::{Bench, GIGABYTE};
use crate::command::shell;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::{Quantity, measure};
use crate::report::Section;
use crate::report::growth::Points;
use crate::rounds::{Side, in_turn};

/// In GB.
const SIZES: [f64; 4] = [0.01, 0.1, 1.0, 10.0];
const COMPRESSION: &str = "zstd:balanced";

const HOW: &str = "A folder of the compiler's programs and libraries, which the system has in memory, becomes a layer on the \
                   disk, by zstd at level 3. Memory is that of the whole machine, without what files are kept in.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or the engine cannot be built.
pub(super) fn run(bench: &Bench, field: &Field) -> Result<Section> {
    let engine = Engine::build(bench, field, "payload")?;
    let mut tree = Tree::new(engine.folder().join("tree"))?;
    let opening = Opening::new(Scenario::Payload);
    let mut points = Points::new("GB");
    for size in SIZES {
        let bytes = size * bench.scaled(GIGABYTE) as f64;
        tree.grow_to(bytes as u64)?;
        let side = Side {
            name: Peer::Galley.word(),
            prepare: Box::new(|| engine.forget()),
            run: Box::new(|| measure(&bench.runner, vec![engine.layer(tree.folder(), COMPRESSION)?])),
        };
        points.add(bytes / GIGABYTE as f64, in_turn(vec![side], 1, bench.rounds(Scenario::Payload))?);
    }
    let command = shell(&engine.layer(tree.folder(), COMPRESSION)?);
    fs::remove_dir_all(engine.folder()).context("cannot remove a folder")?;
    let (rounds, growth) = points.finish(&[Quantity::Seconds, Quantity::Memory]);
    let mut section = opening.section(field, "An image by its size", HOW, Quantity::Seconds, rounds);
    section.grown(growth);
    section.commands = BTreeMap::from([(Peer::Galley.word(), command)]);
    Ok(section)
}
