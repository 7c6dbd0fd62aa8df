//! The layers of an image on top of each other, as one file system.
//!
//! By the [OCI layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets),
//! and as overlay file systems do it, which Docker, containerd and podman use: each layer is unpacked by itself and then laid
//! over those below. What deletes something deletes from those only, and where a layer says nothing of the folder that it
//! puts something into, that stays what it is below.

use std::collections::BTreeMap;
use std::ops::Bound;

use anyhow::{Result, ensure};

use super::listing::Listing;
use super::overlay::Overlay;
use super::path::shown;
use super::{ENTRIES_MAX, LINKS_MAX, PATHS_MAX};

/// A file system made of layers.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// The length of all paths and targets together.
    bytes: usize,
    layers: usize,
    /// How many parts of paths were looked up while layers were read.
    steps: usize,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its permission bits.
    pub mode: u32,
    /// Its numeric owner.
    pub uid: u32,
    /// Its numeric group.
    pub gid: u32,
    /// Whether it is a folder that no layer has an entry for.
    pub is_implied: bool,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Whether its holes are left out, so that its content cannot be copied as it is.
        is_sparse: bool,
        /// Where its content is.
        place: Place,
    },
    /// A symbolic link.
    Link {
        /// The path that it points to.
        target: Vec<u8>,
    },
    /// A device.
    Device,
    /// A named pipe.
    Fifo,
}

/// Where a file's content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the layer, the lowest being 0.
    pub layer: usize,
    /// The number of the item in that layer's listing.
    pub item: usize,
}

impl Tree {
    /// What is at an absolute path, without following links. The root is no node.
    pub fn get(&self, path: &[u8]) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// All there is, by path.
    pub fn nodes(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_slice(), node))
    }

    /// All that is below a folder, by path.
    pub fn below(&self, folder: &[u8]) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.range(range_below(folder)).map(|(path, node)| (path.as_slice(), node))
    }

    /// Puts a layer on top.
    ///
    /// # Errors
    /// An entry is another name of a file that is not there, a file or links that go round are on the way to it, or the
    /// image goes beyond the limits of [`unpack`](super).
    pub fn add(&mut self, listing: &Listing) -> Result<()> {
        let Overlay { own, deleted, emptied, steps, .. } =
            Overlay::of(listing, self.layers, self.steps, self)?;
        (self.layers, self.steps) = (self.layers + 1, steps);
        deleted.iter().for_each(|path| self.remove(path));
        emptied.iter().for_each(|folder| self.empty(folder));
        for (path, node) in own.nodes {
            // A folder that the layer says nothing of stays what it is below.
            let stays = node.is_implied && self.get(&path).is_some_and(Node::is_folder);
            if !stays {
                self.put(path, node)?;
            }
        }
        Ok(())
    }

    /// The path that `path` leads to when every link is followed, inside the image only. What does not exist on the way
    /// leads where its name says.
    ///
    /// # Errors
    /// More than [`LINKS_MAX`] links are on the way.
    pub fn follow(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.walk(path).map(|(found, _)| found)
    }

    /// Where `path` leads, and in how many steps.
    pub(super) fn walk(&self, path: &[u8]) -> Result<(Vec<u8>, usize)> {
        let mut parts: Vec<&[u8]> = path.rsplit(|byte| *byte == b'/').collect();
        let mut at = Vec::new();
        let (mut links, mut steps) = (0, 0);
        while let Some(part) = parts.pop() {
            steps += 1;
            let folder = at.len();
            match part {
                b"" | b"." => continue,
                b".." => {
                    at.truncate(at.iter().rposition(|byte| *byte == b'/').unwrap_or_default());
                    continue;
                }
                name => at.extend([b"/", name].concat()),
            }
            if let Some(Node { kind: NodeKind::Link { target }, .. }) = self.nodes.get(&at) {
                links += 1;
                ensure!(
                    links <= LINKS_MAX,
                    "more than {LINKS_MAX} links are on the way to `{}`; use another image",
                    shown(path)
                );
                at.truncate(if target.starts_with(b"/") { 0 } else { folder });
                parts.extend(target.rsplit(|byte| *byte == b'/'));
            }
        }
        let found = if at.is_empty() { b"/".to_vec() } else { at };
        Ok((found, steps))
    }

    /// Puts a node in place of what is there. Only a folder in place of a folder keeps what is in it.
    pub(super) fn put(&mut self, path: Vec<u8>, node: Node) -> Result<()> {
        match self.nodes.get(&path) {
            Some(old) if old.is_folder() && node.is_folder() => self.bytes -= old.bytes(&path),
            Some(_) => self.remove(&path),
            None => {}
        }
        self.bytes += node.bytes(&path);
        self.nodes.insert(path, node);
        ensure!(
            self.nodes.len() <= ENTRIES_MAX && self.bytes <= PATHS_MAX,
            "the image has more than {ENTRIES_MAX} entries, or {PATHS_MAX} bytes of paths; use another image"
        );
        Ok(())
    }

    /// Removes what is at a path, and all below it.
    pub(super) fn remove(&mut self, path: &[u8]) {
        if let Some(node) = self.nodes.remove(path) {
            self.bytes -= node.bytes(path);
            if node.is_folder() {
                self.empty(path);
            }
        }
    }

    /// Removes all below a folder.
    fn empty(&mut self, folder: &[u8]) {
        let below = self.nodes.extract_if(range_below(folder), |_, _| true);
        self.bytes -= below.map(|(path, node)| node.bytes(&path)).sum::<usize>();
    }
}

impl Node {
    pub(super) fn is_folder(&self) -> bool {
        self.kind == NodeKind::Folder
    }

    fn bytes(&self, path: &[u8]) -> usize {
        path.len() + if let NodeKind::Link { target } = &self.kind { target.len() } else { 0 }
    }
}

/// The keys below a folder. `0` is the byte after `/`.
fn range_below(folder: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let bound = |last: &[u8]| Bound::Excluded([folder.strip_suffix(b"/").unwrap_or(folder), last].concat());
    (bound(b"/"), bound(b"0"))
}
