//! The layers of an image on top of each other, as one file system.
//!
//! By the [OCI layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets):
//! entries are applied in the order of their archive, and what deletes something deletes from the layers below only. Links
//! on the way to an entry are followed inside the image, as containerd does it: an entry `bin/sh` belongs to `/usr/bin`
//! where a lower layer has `/bin` as a link to that.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use anyhow::{Context as _, Result, bail, ensure};

use super::listing::{Item, ItemKind, Listing};
use super::path::{join, shown, split};
use super::{ENTRIES_MAX, LINKS_MAX, PATHS_MAX};

/// The most parts of paths that are looked up for one image. Real ones need a tenth of it, and links on the way to links
/// could ask for any number.
const STEPS_MAX: usize = 20 * ENTRIES_MAX;

/// A file system made of layers.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// The length of all paths and targets together.
    bytes: usize,
    layers: usize,
    /// How many parts of paths were looked up.
    steps: usize,
    /// What the layer on top has deleted, by path, and whether that itself or only what is below it.
    deleted: BTreeSet<(Vec<u8>, bool)>,
    /// The folder that an entry was put into last, by its name in the layer and by its path. Most entries are beside the
    /// one before.
    last: Option<(Vec<u8>, Vec<u8>)>,
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
    /// The number of the layer that says so, the lowest being 0.
    pub layer: usize,
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
    /// An entry is another name of a file that is not there, links go round on the way to it, or the image goes beyond the
    /// limits of [`unpack`](super).
    pub fn add(&mut self, listing: &Listing) -> Result<()> {
        let layer = self.layers;
        self.layers += 1;
        self.deleted.clear();
        for (number, item) in listing.items.iter().enumerate() {
            let place = Place { layer, item: number };
            self.apply(place, item).with_context(|| format!("the entry `{}`", shown(&item.path)))?;
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

    /// As [`follow`](Self::follow), while the layers are put together: then somebody must count the steps.
    fn follow_counted(&mut self, path: &[u8]) -> Result<Vec<u8>> {
        let (found, steps) = self.walk(path)?;
        self.steps += steps;
        ensure!(
            self.steps <= STEPS_MAX,
            "the ways through the image's links are too long; use another image"
        );
        Ok(found)
    }

    /// Where `path` leads, and in how many steps.
    fn walk(&self, path: &[u8]) -> Result<(Vec<u8>, usize)> {
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

    fn apply(&mut self, place: Place, item: &Item) -> Result<()> {
        let layer = place.layer;
        if item.kind == ItemKind::Opaque {
            let folder = self.follow_counted(&item.path)?;
            return self.delete(folder, layer, false);
        }
        let (folder, name) = split(&item.path);
        if item.kind == ItemKind::Whiteout {
            let path = join(&self.follow_counted(folder)?, name);
            return self.delete(path, layer, true);
        }
        let path = join(&self.folder(folder, layer)?, name);
        let Item { mode, uid, gid, .. } = *item;
        let node = |kind| Node { kind, mode, uid, gid, layer };
        let node = match &item.kind {
            ItemKind::HardLink { target } => {
                self.remove(&path);
                Node { layer, ..self.linked(target)? }
            }
            ItemKind::File { size, is_sparse } => {
                node(NodeKind::File { size: *size, is_sparse: *is_sparse, place })
            }
            ItemKind::Link { target } => node(NodeKind::Link { target: target.clone() }),
            ItemKind::Device => node(NodeKind::Device),
            ItemKind::Fifo => node(NodeKind::Fifo),
            ItemKind::Folder | ItemKind::Whiteout | ItemKind::Opaque => node(NodeKind::Folder),
        };
        self.put(path, node)
    }

    /// What a hard link to `target` is.
    fn linked(&mut self, target: &[u8]) -> Result<Node> {
        let (folder, name) = split(target);
        let path = join(&self.follow_counted(folder)?, name);
        match self.nodes.get(&path) {
            Some(node) if node.kind != NodeKind::Folder => Ok(node.clone()),
            Some(_) => bail!("it is another name of the folder `{}`; use another image", shown(target)),
            None => bail!(
                "it is another name of `{}`, which is not there when the link is made; use another image",
                shown(target)
            ),
        }
    }

    /// The folder that `name` leads to, made if it is not there.
    fn folder(&mut self, name: &[u8], layer: usize) -> Result<Vec<u8>> {
        if let Some((last, path)) = &self.last
            && last == name
        {
            return Ok(path.clone());
        }
        let path = self.follow_counted(name)?;
        let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]).filter(|end| *end > 1) {
            let part = &path[..end];
            if self.nodes.get(part).is_none_or(|node| node.kind != NodeKind::Folder) {
                self.put(part.to_vec(), Node { kind: NodeKind::Folder, mode: 0o755, uid: 0, gid: 0, layer })?;
            }
        }
        self.last = Some((name.to_vec(), path.clone()));
        Ok(path)
    }

    /// Deletes what the layers below `layer` have below `path`, and at it too where `itself` says so. What `layer` has there
    /// stays, wherever its archive deletes.
    fn delete(&mut self, path: Vec<u8>, layer: usize, itself: bool) -> Result<()> {
        // Once is enough, and a layer that says it a million times would take forever.
        if self.deleted.contains(&(path.clone(), itself)) {
            return Ok(());
        }
        let mut deleted = self.nodes.extract_if(range_below(&path), |_, _| true).collect::<Vec<_>>();
        if itself {
            deleted.extend(self.nodes.remove_entry(&path));
        }
        self.deleted.insert((path, itself));
        self.bytes -= deleted.iter().map(|(path, node)| node.bytes(path)).sum::<usize>();
        self.last = None;
        for (path, node) in deleted.into_iter().filter(|(_, node)| node.layer == layer) {
            self.folder(split(&path).0, layer)?;
            self.put(path, node)?;
        }
        Ok(())
    }

    /// Puts a node in place of what is there. Only a folder in place of a folder keeps what is in it.
    fn put(&mut self, path: Vec<u8>, node: Node) -> Result<()> {
        let is_folder = |node: &Node| node.kind == NodeKind::Folder;
        match self.nodes.get(&path) {
            Some(old) if is_folder(old) && is_folder(&node) => self.bytes -= old.bytes(&path),
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
    fn remove(&mut self, path: &[u8]) {
        if let Some(node) = self.nodes.remove(path) {
            self.bytes -= node.bytes(path);
            if matches!(node.kind, NodeKind::Folder | NodeKind::Link { .. }) {
                let below = self.nodes.extract_if(range_below(path), |_, _| true);
                self.bytes -= below.map(|(path, node)| node.bytes(&path)).sum::<usize>();
                self.last = None;
            }
        }
    }
}

impl Node {
    fn bytes(&self, path: &[u8]) -> usize {
        path.len() + if let NodeKind::Link { target } = &self.kind { target.len() } else { 0 }
    }
}

/// The keys below a folder. `0` is the byte after `/`.
fn range_below(folder: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let bound = |last: &[u8]| Bound::Excluded([folder.strip_suffix(b"/").unwrap_or(folder), last].concat());
    (bound(b"/"), bound(b"0"))
}
