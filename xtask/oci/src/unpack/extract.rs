//! Takes files out of an image: their content goes into files that are named by it, one pass for each layer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::listing::Items;
use super::path::{shown, split};
use super::stream::Stream;
use super::tree::{Node, NodeKind, Place};
use super::view::text;
use super::{PulledLayer, View};
use crate::atomic::AtomicFile;
use crate::cache;
use crate::digest::{Digest, Hasher};
use crate::files::{Content, Entries, Entry, Kind, is_normal};

/// How many names a message lists at most.
const NAMES_MAX: usize = 12;

/// The extracted contents, by where they are in the layers, with their sizes in bytes.
type Contents = BTreeMap<Place, (PathBuf, u64)>;

impl View {
    /// Takes files, and folders with all that is in them, out of the image. Each content becomes the file `folder/<SHA-256
    /// in hex>`, and nothing else is written.
    ///
    /// Links on the way to a path are followed, and so is a link at its end. The entries have the paths that were asked for:
    /// for `/lib` they begin with `/lib`, also where that is a link to `/usr/lib`. Links in a folder stay links.
    ///
    /// # Errors
    /// A path is not in the image, or it holds what cannot be copied: a device, a pipe, a sparse file, a name that is not
    /// UTF-8. A layer cannot be read or is not what the image config promises, or `folder` cannot be written to.
    pub fn extract(&self, wanted: &[&str], folder: &Path) -> Result<Entries> {
        let mut selected = BTreeMap::new();
        for path in wanted {
            self.select(path, &mut selected)?;
        }
        let mut places: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for node in selected.values() {
            if let NodeKind::File { place, .. } = &node.kind {
                places.entry(place.layer).or_default().insert(place.item);
            }
        }
        let mut contents = Contents::new();
        for (number, items) in places {
            let layer = self.layers.get(number).context("the image has lost a layer")?;
            read(layer, number, &items, folder, &mut contents).with_context(|| layer.name())?;
        }
        let entry = |(path, node)| Ok((path, entry(node, &contents)?));
        selected.into_iter().map(entry).collect()
    }

    /// Collects what is at `wanted`, and below it.
    fn select<'a>(&'a self, wanted: &str, selected: &mut BTreeMap<String, &'a Node>) -> Result<()> {
        ensure!(is_normal(wanted), "the path `{wanted}` must be absolute, such as /app, without //, . or ..");
        let found = self.tree.follow(wanted.as_bytes())?;
        let node = self.tree.get(&found);
        if node.is_none() && found != b"/" {
            bail!(self.missing(wanted, &found));
        }
        if let Some(node) = node {
            check(&found, node)?;
            if wanted != "/" {
                selected.insert(wanted.to_owned(), node);
            }
        }
        if node.is_some_and(|node| node.kind != NodeKind::Folder) {
            return Ok(());
        }
        let start = if found == b"/" { 0 } else { found.len() };
        for (path, node) in self.tree.below(&found) {
            check(path, node)?;
            let rest = text(&path[start..]).with_context(|| {
                format!("the name of `{}` is not UTF-8; name the files that are needed instead", shown(path))
            })?;
            selected.insert(format!("{}{rest}", wanted.trim_end_matches('/')), node);
        }
        Ok(())
    }

    /// Says what there is instead of `found`, to which `wanted` led.
    fn missing(&self, wanted: &str, found: &[u8]) -> String {
        let what = if wanted.as_bytes() == found {
            format!("`{wanted}` is not in the image")
        } else {
            format!("`{wanted}` leads to `{}`, which is not in the image", shown(found))
        };
        let mut path = found;
        let (folder, name) = loop {
            let (folder, name) = split(path);
            if folder == b"/" || self.tree.get(folder).is_some() {
                break (folder, name);
            }
            path = folder;
        };
        let shown_folder = shown(folder);
        if self.tree.get(folder).is_some_and(|node| node.kind != NodeKind::Folder) {
            return format!("{what}; `{shown_folder}` is no folder");
        }
        let children =
            self.tree.below(folder).map(|(path, _)| split(path)).filter(|(parent, _)| *parent == folder);
        let mut names: Vec<_> = children.map(|(_, name)| name).collect();
        let likeness = |other: &[u8]| other.iter().zip(name).take_while(|(a, b)| a == b).count();
        names.sort_by_key(|other| std::cmp::Reverse(likeness(other)));
        let more = names.len().saturating_sub(NAMES_MAX);
        let listed: Vec<_> = names.into_iter().take(NAMES_MAX).map(shown).collect();
        match (listed.join(", "), more) {
            (none, _) if none.is_empty() => format!("{what}; `{shown_folder}` is empty"),
            (names, 0) => format!("{what}; `{shown_folder}` holds {names}"),
            (names, more) => format!("{what}; `{shown_folder}` holds {names} and {more} more"),
        }
    }
}

/// Refuses what cannot be copied.
fn check(path: &[u8], node: &Node) -> Result<()> {
    let what = match &node.kind {
        NodeKind::Device => "is a device",
        NodeKind::Fifo => "is a pipe",
        NodeKind::File { is_sparse: true, .. } => "is stored as a sparse file",
        NodeKind::Link { target } if text(target).is_none() => "is a link to a name that is not UTF-8",
        _ => return Ok(()),
    };
    bail!("`{}` {what}, which cannot be copied; name the files that are needed instead", shown(path));
}

/// Goes through a layer once and writes the contents of `items`.
fn read(
    layer: &PulledLayer,
    number: usize,
    items: &BTreeSet<usize>,
    folder: &Path,
    contents: &mut Contents,
) -> Result<()> {
    let mut found = Items::new(Stream::open(layer)?);
    let mut item = 0;
    while found.next()?.is_some() {
        if items.contains(&item) {
            let dest = folder.join("content");
            let file = if contents.is_empty() {
                AtomicFile::create(&dest)?
            } else {
                AtomicFile::create_another(&dest)?
            };
            let mut hasher = Hasher::new(file);
            found.archive().copy(&mut hasher)?;
            let (file, digest, size) = hasher.finish();
            let path = folder.join(digest.hex());
            // Replacing a file makes some file systems write to the disk at once.
            if !is_intact(&path, digest) {
                file.commit_as(&path)?;
            }
            contents.insert(Place { layer: number, item }, (path, size));
        }
        item += 1;
    }
    found.finish().finish(layer.diff_id)
}

/// Whether there is a file with this content. That it was used now is noted in its modification time.
fn is_intact(path: &Path, digest: Digest) -> bool {
    cache::touch(path).is_ok() && Digest::of_file(path).is_ok_and(|found| found == digest)
}

fn entry(node: &Node, contents: &Contents) -> Result<Entry> {
    let kind = match &node.kind {
        NodeKind::File { place, .. } => {
            let lost = "a listing does not fit its layer; remove the cache and run again";
            let (path, size) = contents.get(place).context(lost)?;
            Kind::File { content: Content::Path(path.clone()), size: *size }
        }
        NodeKind::Link { target } => Kind::Link { target: text(target).unwrap_or_default() },
        NodeKind::Folder | NodeKind::Device | NodeKind::Fifo => Kind::Folder,
    };
    Ok(Entry { kind, mode: node.mode, uid: node.uid, gid: node.gid })
}
