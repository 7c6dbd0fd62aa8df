//! What levels of compression cost, at layers of two sizes, beside other programs that make layers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Opening;
use super::engine::Engine;
use super::tree::Tree;
use crate::bench::{Bench, GIGABYTE};
use crate::command::{command, shell};
use crate::docker;
use crate::field::Field;
use crate::flags::Scenario;
use crate::measure::{Quantity, Sample, measure};
use crate::report::Section;
use crate::rounds::{Side, in_turn};

const SIZES: [u64; 2] = [1, 5];
const LEVELS: [&str; 6] = ["zstd:balanced", "none", "zstd:fast", "zstd:small", "zstd:smallest", "gzip"];

const HOW: &str = "A folder of the compiler's programs and libraries, which the system has in memory, becomes a layer on the \
                   disk. The engine and BuildKit hash the layer before and after compression, the others do not. BuildKit has \
                   the folder before, so that only its export is measured.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or the engine cannot be built.
pub(super) fn run(bench: &Bench, field: &Field) -> Result<Vec<Section>> {
    let engine = Engine::build(bench, field, "layers")?;
    let mut tree = Tree::new(engine.folder().join("tree"))?;
    let mut sections = Vec::new();
    for size in SIZES {
        tree.grow_to(size * bench.scaled(GIGABYTE))?;
        sections.push(part(bench, field, &engine, &tree, size)?);
    }
    fs::remove_dir_all(engine.folder()).context("cannot remove a folder")?;
    Ok(sections)
}

fn part(bench: &Bench, field: &Field, engine: &Engine, tree: &Tree, size: u64) -> Result<Section> {
    let opening = Opening::new(Scenario::Layers);
    let out = engine.folder().join("out");
    let out = out.as_path();
    let mut commands = BTreeMap::new();
    let mut sides = Vec::new();
    for level in LEVELS {
        let name = format!("galley {level}");
        commands.insert(name.clone(), shell(&engine.layer(tree.folder(), level)?));
        sides.push(Side {
            name,
            prepare: Box::new(|| engine.forget()),
            run: Box::new(move || {
                let sample = measure(&bench.runner, vec![engine.layer(tree.folder(), level)?])?;
                Ok(with_size(sample, engine.size()?))
            }),
        });
    }
    for (name, program) in [("tar with zstd", "zstd -3 -T0 -q -c"), ("tar with gzip", "gzip")] {
        let piped = move || {
            let mut piped = command("sh", tree.folder());
            piped.args(["-c", &format!("tar -c . | {program} >{}", out.display())]);
            piped
        };
        commands.insert(name.to_owned(), shell(&piped()));
        sides.push(Side {
            name: name.to_owned(),
            prepare: Box::new(|| engine.forget()),
            run: Box::new(move || written(bench, piped(), out)),
        });
    }
    if docker::missing().is_none() {
        commands.insert("BuildKit".to_owned(), shell(&export(bench, tree.folder(), out)));
        sides.push(Side {
            name: "BuildKit".to_owned(),
            prepare: Box::new(|| {
                engine.forget()?;
                // A path of its own each time, as what was compressed once is not compressed again.
                let recipe = format!("FROM scratch\nCOPY . /{}\n", bench.number());
                fs::write(bench.folder.join("Dockerfile"), recipe).context("cannot write a Dockerfile")?;
                bench.runner.run(cached(bench, tree.folder()))
            }),
            run: Box::new(move || written(bench, export(bench, tree.folder(), out), out)),
        });
    }
    let rounds = in_turn(sides, 0, if size == 1 { bench.rounds(Scenario::Layers) } else { 1 })?;
    let title =
        format!("A layer of {} GB by level", size as f64 * bench.scaled(GIGABYTE) as f64 / GIGABYTE as f64);
    let mut section = opening.section(field, &title, HOW, Quantity::Seconds, rounds);
    section.base = format!("galley {}", LEVELS[0]);
    section.commands = commands;
    Ok(section)
}

/// Measures a program that writes the file `out`.
fn written(bench: &Bench, program: Command, out: &Path) -> Result<Sample> {
    let sample = measure(&bench.runner, vec![program])?;
    let size = fs::metadata(out).context("there is no layer")?.len();
    fs::remove_file(out).context("cannot remove a layer")?;
    Ok(with_size(sample, size))
}

fn with_size(mut sample: Sample, bytes: u64) -> Sample {
    sample.insert(Quantity::Size, bytes as f64);
    sample
}

/// Has BuildKit make the layer, and keep it to itself.
fn cached(bench: &Bench, tree: &Path) -> Command {
    let mut build = command("docker", tree);
    build.args(["buildx", "build", "--quiet", "--output", "type=cacheonly", "--file"]);
    build.arg(bench.folder.join("Dockerfile")).arg(".");
    build
}

/// Has BuildKit write an image with it.
fn export(bench: &Bench, tree: &Path, out: &Path) -> Command {
    let mut build = command("docker", tree);
    let output = format!(
        "type=oci,dest={},compression=zstd,compression-level=3,force-compression=true,oci-mediatypes=true",
        out.display()
    );
    build.args(["buildx", "build", "--quiet", "--provenance=false", "--output", &output, "--file"]);
    build.arg(bench.folder.join("Dockerfile")).arg(".");
    build
}
