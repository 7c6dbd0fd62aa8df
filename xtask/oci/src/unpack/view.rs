//! An image that somebody else made, as the engine sees it.

use anyhow::{Context as _, Result};

use super::PulledLayer;
use super::stored::Listings;
use super::tree::{Node, NodeKind, Tree};
use crate::files::{Entries, Entry, Kind};

/// The layers of an image and what they add up to.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) layers: Vec<PulledLayer>,
    pub(super) tree: Tree,
}

impl View {
    /// Reads the layers of an image, lowest first. Those that `listings` knows are not decompressed.
    ///
    /// # Errors
    /// A layer cannot be read, is not what the image config promises, or does not fit onto those below it.
    pub fn of(layers: Vec<PulledLayer>, listings: &Listings) -> Result<View> {
        let mut tree = Tree::default();
        for layer in &layers {
            let listing = listings.of(layer)?;
            tree.add(&listing).with_context(|| layer.name())?;
        }
        Ok(View { layers, tree })
    }

    /// The file system that the layers add up to.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The paths of files that somebody may execute, as far as they are UTF-8 and their content can be copied.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        let is_program = |node: &Node| {
            matches!(node.kind, NodeKind::File { is_sparse: false, .. }) && node.mode & 0o111 != 0
        };
        let programs = self.tree.nodes().filter(move |(_, node)| is_program(node));
        programs.filter_map(|(path, _)| std::str::from_utf8(path).ok())
    }

    /// What a container of the image would see. The content of files stays in the layers.
    ///
    /// Devices and pipes are left out, and what has a name that is not UTF-8: nothing in an
    /// [`ImageSpec`](image_spec::ImageSpec) could name it.
    pub fn entries(&self) -> Entries {
        let named = |(path, node): (&[u8], &Node)| Some((text(path)?, entry(node)?));
        self.tree.nodes().filter_map(named).collect()
    }
}

fn entry(node: &Node) -> Option<Entry> {
    let kind = match &node.kind {
        NodeKind::Folder => Kind::Folder,
        NodeKind::File { size, .. } => Kind::BaseFile { size: *size },
        NodeKind::Link { target } => Kind::Link { target: text(target)? },
        NodeKind::Device | NodeKind::Fifo => return None,
    };
    Some(Entry { kind, mode: node.mode, uid: node.uid, gid: node.gid })
}

/// Bytes as text, if that is what they are.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}
