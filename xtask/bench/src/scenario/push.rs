//! What a push costs after an edit, by networks of two bandwidths.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use anyhow::{Context, Result};

use super::Opening;
use super::image::{Remote, with_images};
use crate::bench::{Bench, Network};
use crate::command::shell;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::{Quantity, Sample, measure};
use crate::peer::{Contestant, binary};
use crate::project::SHALLOW;
use crate::report::{Row, Section};
use crate::rounds::{Side, in_turn};

/// Bits a second, and how one calls that.
const LINES: [(u64, &str); 2] = [(50_000_000, "50 Mbit/s"), (1_000_000_000, "1 Gbit/s")];

const HOW: &str = "To a registry on this machine, by a proxy that lets bytes through at that rate. An image was pushed before; \
                   since then one line of the service was edited, and its image made, which is not measured. The limit is \
                   galley's new binary, alone and by zstd at level 3, over the bandwidth.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Vec<Section>> {
    field.build(bench)?;
    LINES.iter().map(|(bits, name)| part(bench, field, *bits, name)).collect()
}

fn part(bench: &Bench, field: &Field, bits: u64, name: &str) -> Result<Section> {
    let opening = Opening::new(Scenario::Push);
    let network = bench.network()?;
    let least = Rc::new(RefCell::new(Vec::new()));
    let sides = with_images(field).map(|contestant| Side {
        name: contestant.name.clone(),
        prepare: Box::new(move || {
            network.line.limit(None);
            contestant.project.edit(SHALLOW, bench.number())?;
            contestant.ready(bench)?;
            Remote::of(bench, network, contestant).tag(bench, contestant)
        }),
        run: Box::new({
            let least = Rc::clone(&least);
            move || {
                let sample = push(bench, network, contestant, bits)?;
                if contestant.peer == Peer::Galley && !contestant.name.contains('@') {
                    least.borrow_mut().push(compressed(bench, contestant)?);
                }
                Ok(sample)
            }
        }),
    });
    // The first push sends everything.
    let warm_up = 1;
    let mut rounds = in_turn(sides.collect(), warm_up, bench.rounds(Scenario::Push))?;
    let least = least.borrow();
    let samples = least.iter().skip(warm_up as usize).map(|bytes| {
        Sample::from([(Quantity::Seconds, bytes * 8.0 / bits as f64), (Quantity::Sent, *bytes)])
    });
    rounds.rows.push(Row { name: "limit".to_owned(), samples: samples.collect() });
    let mut section =
        opening.section(field, &format!("A push after an edit, at {name}"), HOW, Quantity::Seconds, rounds);
    section.limit = Some("limit".to_owned());
    section.commands = with_images(field)
        .map(|one| Ok((one.name.clone(), shell(&one.push(bench, &Remote::of(bench, network, one).name)?))))
        .collect::<Result<BTreeMap<_, _>>>()?;
    Ok(section)
}

fn push(bench: &Bench, network: &Network, contestant: &Contestant, bits: u64) -> Result<Sample> {
    let remote = Remote::of(bench, network, contestant);
    network.line.limit(Some(bits));
    let before = network.line.sent();
    let sample = measure(&bench.runner, vec![contestant.push(bench, &remote.name)?]);
    network.line.limit(None);
    let mut sample = sample?;
    sample.insert(Quantity::Sent, (network.line.sent() - before) as f64);
    Ok(sample)
}

/// Bytes of the binary by zstd, which is what has changed of the image.
fn compressed(bench: &Bench, galley: &Contestant) -> Result<f64> {
    let path = binary(galley.project.folder(), &bench.settings.backends[0]);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(zstd::bulk::compress(&bytes, 3).context("cannot compress the binary")?.len() as f64)
}
