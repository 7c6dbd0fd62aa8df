//! What a container sees: the layers of an image one above the other.

use anyhow::{Context as _, Result};
use image_spec::{Layer, Platform};

use crate::base::Foundation;
use crate::collect::Collector;
use crate::container::Container;
use crate::files::{Entries, Entry, LayerFiles};
use crate::pull::Sources;

/// The layers of an image, lowest first, as a container would see them.
#[derive(Clone, Debug, Default)]
pub struct Rootfs {
    /// How containers of the base run.
    pub container: Container,
    /// What the base holds, if there is one: its layers are below all others.
    pub base: Entries,
    /// The layers of the spec.
    pub layers: Vec<LayerFiles>,
}

impl Rootfs {
    /// An image of nothing but a base.
    pub fn on(base: &Foundation) -> Rootfs {
        Rootfs { container: base.container(), base: base.entries.clone(), layers: Vec::new() }
    }

    /// What is at `path`: the entry of the highest layer that has it.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let above = self.layers.iter().rev().find_map(|layer| layer.entries.get(path));
        above.or_else(|| self.base.get(path))
    }

    /// Collects a layer for `platform` from this machine and from images of others, and puts it on top.
    ///
    /// # Errors
    /// A source cannot be read, is neither file, folder nor link, or two of them claim the same place.
    pub fn add(&mut self, layer: &Layer, platform: Platform, sources: &Sources, mtime: u64) -> Result<()> {
        let mut collector = Collector { below: self, platform, sources, entries: Entries::new() };
        let collected = layer.files.iter().try_for_each(|file| collector.collect(file));
        collected
            .and_then(|()| layer.folders.iter().try_for_each(|folder| collector.own_folder(folder)))
            .and_then(|()| layer.links.iter().try_for_each(|link| collector.link(link)))
            .with_context(|| format!("layer `{}`", layer.name))?;
        let entries = collector.entries;
        self.layers.push(LayerFiles { name: layer.name.clone(), entries, mtime });
        Ok(())
    }
}
