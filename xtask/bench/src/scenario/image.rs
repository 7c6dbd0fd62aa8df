//! How large images are, as a registry has them.

use anyhow::Result;

use super::Opening;
use crate::bench::{Bench, Network};
use crate::docker::docker;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::{Quantity, Sample};
use crate::peer::{Contestant, TAG};
use crate::platform::architecture;
use crate::report::Section;
use crate::rounds::{Side, in_turn};

const HOW: &str = "The compressed layers of each image in a registry, as its manifest counts them: what is pulled by who has \
                   nothing of it.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    field.build(bench)?;
    let opening = Opening::new(Scenario::Size);
    let network = bench.network()?;
    network.line.limit(None);
    let sides = with_images(field).map(|contestant| Side {
        name: contestant.name.clone(),
        prepare: Box::new(|| Ok(())),
        run: Box::new(move || {
            let image = Remote::push(bench, network, contestant)?;
            let sizes = network.registry.store.layers(&image.path, &image.tag, architecture())?;
            Ok(Sample::from([
                (Quantity::Size, sizes.iter().sum::<u64>() as f64),
                (Quantity::Layers, sizes.len() as f64),
            ]))
        }),
    });
    let rounds = in_turn(sides.collect(), 0, bench.rounds(Scenario::Size))?;
    Ok(opening.section(field, "The image's size", HOW, Quantity::Size, rounds))
}

/// Those who make images.
pub(super) fn with_images(field: &Field) -> impl Iterator<Item = &Contestant> {
    field.contestants.iter().filter(|contestant| contestant.peer != Peer::Cargo)
}

/// An image in the registry.
pub(super) struct Remote {
    /// Its repository, without the registry.
    pub(super) path: String,
    /// The whole name without a tag.
    pub(super) name: String,
    /// Its tag.
    pub(super) tag: String,
}

impl Remote {
    /// Where a contestant's image is.
    pub(super) fn of(bench: &Bench, network: &Network, contestant: &Contestant) -> Remote {
        let path = contestant.image(bench);
        Remote { name: format!("{}/{path}", network.line.address), path, tag: TAG.to_owned() }
    }

    /// Pushes what a contestant has built.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn push(bench: &Bench, network: &Network, contestant: &Contestant) -> Result<Remote> {
        let remote = Remote::of(bench, network, contestant);
        remote.tag(bench, contestant)?;
        bench.runner.run(contestant.push(bench, &remote.name)?)?;
        Ok(remote)
    }

    /// Names what a contestant has built so that Docker can push it there.
    ///
    /// # Errors
    /// When Docker has no such image.
    pub(super) fn tag(&self, bench: &Bench, contestant: &Contestant) -> Result<()> {
        if contestant.peer == Peer::Galley {
            return Ok(());
        }
        docker(&[
            "tag",
            &format!("{}:{TAG}", contestant.image(bench)),
            &format!("{}:{}", self.name, self.tag),
        ])
        .map(drop)
    }
}
