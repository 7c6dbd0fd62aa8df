//! One layer by itself, as it is laid over those below.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};

use super::ENTRIES_MAX;
use super::listing::{Item, ItemKind, Listing};
use super::path::{join, shown, split};
use super::tree::{Node, NodeKind, Place, Tree};

/// The most parts of paths that are looked up for one image. Real ones need a fraction of it, and links on the way to links
/// could ask for any number.
const STEPS_MAX: usize = 10 * ENTRIES_MAX;

/// A layer, with its own links followed.
pub(super) struct Overlay<'a> {
    /// What it holds.
    pub(super) own: Tree,
    /// What it deletes from the layers below.
    pub(super) deleted: BTreeSet<Vec<u8>>,
    /// The folders whose content it deletes from the layers below.
    pub(super) emptied: BTreeSet<Vec<u8>>,
    /// How many parts of paths were looked up so far.
    pub(super) steps: usize,
    number: usize,
    below: &'a Tree,
    /// The folder that an entry was put into last, by its name in the layer and by its path. Most entries are beside the
    /// one before.
    last: Option<(Vec<u8>, Vec<u8>)>,
}

impl Overlay<'_> {
    /// Reads the layer with this number, after so many steps, that comes on top of `below`.
    pub(super) fn of<'a>(
        listing: &Listing,
        number: usize,
        steps: usize,
        below: &'a Tree,
    ) -> Result<Overlay<'a>> {
        let (deleted, emptied) = (BTreeSet::new(), BTreeSet::new());
        let mut overlay =
            Overlay { own: Tree::default(), deleted, emptied, steps, number, below, last: None };
        for (number, item) in listing.items.iter().enumerate() {
            overlay.add(number, item).with_context(|| format!("the entry `{}`", shown(&item.path)))?;
        }
        Ok(overlay)
    }

    fn add(&mut self, number: usize, item: &Item) -> Result<()> {
        if item.kind == ItemKind::Opaque {
            let folder = self.folder(&item.path)?;
            self.emptied.insert(folder);
            return Ok(());
        }
        let (folder, name) = split(&item.path);
        let path = join(&self.folder(folder)?, name);
        let place = Place { layer: self.number, item: number };
        let kind = match &item.kind {
            ItemKind::Whiteout => {
                self.deleted.insert(path);
                return Ok(());
            }
            ItemKind::HardLink { target } => {
                self.remove(&path);
                let node = self.linked(target)?;
                return self.put(path, node);
            }
            ItemKind::File { size, is_sparse } => {
                NodeKind::File { size: *size, is_sparse: *is_sparse, place }
            }
            ItemKind::Link { target } => NodeKind::Link { target: target.clone() },
            ItemKind::Device => NodeKind::Device,
            ItemKind::Fifo => NodeKind::Fifo,
            ItemKind::Folder | ItemKind::Opaque => NodeKind::Folder,
        };
        let Item { mode, uid, gid, .. } = *item;
        self.put(path, Node { kind, mode, uid, gid, is_implied: false })
    }

    /// What a hard link to `target` is. Overlay file systems have it find files of the same layer only, others all.
    fn linked(&mut self, target: &[u8]) -> Result<Node> {
        let (folder, name) = split(target);
        let path = join(&self.follow(folder)?, name);
        let found = match self.own.get(&path) {
            Some(node) => Some(node),
            None => {
                let (folder, steps) = self.below.walk(folder)?;
                self.count(steps)?;
                self.below.get(&join(&folder, name))
            }
        };
        match found {
            Some(node) if !node.is_folder() => Ok(node.clone()),
            Some(_) => bail!("it is another name of the folder `{}`; use another image", shown(target)),
            None => bail!(
                "it is another name of `{}`, which is not there when the link is made; use another image",
                shown(target)
            ),
        }
    }

    /// The folder that `name` leads to, made if nothing is there.
    fn folder(&mut self, name: &[u8]) -> Result<Vec<u8>> {
        if let Some((last, path)) = &self.last
            && last == name
        {
            return Ok(path.clone());
        }
        let path = self.follow(name)?;
        let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]).filter(|end| *end > 1) {
            let part = &path[..end];
            match self.own.get(part) {
                Some(node) if node.is_folder() => {}
                Some(_) => bail!("`{}` is on its way and is no folder; use another image", shown(part)),
                None => {
                    let kind = NodeKind::Folder;
                    self.put(part.to_vec(), Node { kind, mode: 0o755, uid: 0, gid: 0, is_implied: true })?;
                }
            }
        }
        self.last = Some((name.to_vec(), path.clone()));
        Ok(path)
    }

    fn follow(&mut self, path: &[u8]) -> Result<Vec<u8>> {
        let (found, steps) = self.own.walk(path)?;
        self.count(steps)?;
        Ok(found)
    }

    fn count(&mut self, steps: usize) -> Result<()> {
        self.steps += steps;
        ensure!(
            self.steps <= STEPS_MAX,
            "the ways through the image's links are too long; use another image"
        );
        Ok(())
    }

    fn put(&mut self, path: Vec<u8>, node: Node) -> Result<()> {
        self.forget(&path, &node.kind);
        self.own.put(path, node)
    }

    fn remove(&mut self, path: &[u8]) {
        self.last = None;
        self.own.remove(path);
    }

    /// What replaces a folder or a link may change where the last folder is.
    fn forget(&mut self, path: &[u8], kind: &NodeKind) {
        let is_way = |node: &Node| node.is_folder() || matches!(node.kind, NodeKind::Link { .. });
        if *kind != NodeKind::Folder && self.own.get(path).is_some_and(is_way) {
            self.last = None;
        }
    }
}
