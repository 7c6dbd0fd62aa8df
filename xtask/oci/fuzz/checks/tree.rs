//! Layers on top of each other, written down as text: a line is an entry, `---` begins the next layer. What a layer means
//! is tried far more often so than by way of archives, most of which are no archives.

use std::borrow::Cow;

use xtask_oci::unpack::listing::{Item, ItemKind, Listing};
use xtask_oci::unpack::tree::{Node, NodeKind, Tree};
use xtask_oci::unpack::{ENTRIES_MAX, LINKS_MAX};

/// Puts layers on top of each other.
pub fn check(data: &[u8]) {
    let layers = layers(data);
    let mut tree = Tree::default();
    for layer in &layers {
        if tree.add(layer).is_err() {
            return;
        }
    }
    adds_up(&tree, &layers);
    // One layer with all there is means the same.
    let flat = flat(&tree);
    let mut alone = Tree::default();
    alone.add(&flat).expect("a file system can be a layer");
    assert_eq!(described(&alone), described(&tree));
    // And is nothing new on top of it.
    let mut twice = tree.clone();
    twice.add(&flat).expect("a layer can be there twice");
    assert_eq!(described(&twice), described(&tree));
}

/// What holds for the file system that layers add up to.
pub fn adds_up(tree: &Tree, layers: &[Listing]) {
    assert!(tree.nodes().count() <= ENTRIES_MAX);
    assert_eq!(tree.nodes().count(), tree.below(b"/").count());
    for (path, node) in tree.nodes() {
        let folder = &path[..path.iter().rposition(|byte| *byte == b'/').expect("paths are absolute")];
        let is_in_folder = folder.is_empty() || tree.get(folder).is_some_and(is_folder);
        assert!(is_in_folder, "{} is in no folder", shown(path));
        assert!(folder.is_empty() || tree.below(folder).any(|(below, _)| below == path));
        if let NodeKind::File { size, is_sparse, place } = &node.kind {
            let item = layers.get(place.layer).and_then(|layer| layer.items.get(place.item));
            let kind = ItemKind::File { size: *size, is_sparse: *is_sparse };
            assert_eq!(item.map(|item| &item.kind), Some(&kind), "{} has content", shown(path));
        }
        match tree.follow(path) {
            Ok(found) => assert!(!tree.get(&found).is_some_and(is_link), "{} leads to a link", shown(path)),
            Err(_) => assert!(tree.nodes().any(|(_, node)| is_link(node)), "{LINKS_MAX} links and none"),
        }
    }
}

fn is_folder(node: &Node) -> bool {
    node.kind == NodeKind::Folder
}

fn is_link(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Link { .. })
}

/// A layer that holds all of `tree` by its paths.
fn flat(tree: &Tree) -> Listing {
    let item = |(path, node): (&[u8], &Node)| {
        let kind = match &node.kind {
            NodeKind::Folder => ItemKind::Folder,
            NodeKind::File { size, is_sparse, .. } => ItemKind::File { size: *size, is_sparse: *is_sparse },
            NodeKind::Link { target } => ItemKind::Link { target: target.clone() },
            NodeKind::Device => ItemKind::Device,
            NodeKind::Fifo => ItemKind::Fifo,
        };
        Item { path: path.to_vec(), kind, mode: node.mode, uid: node.uid, gid: node.gid }
    };
    Listing { items: tree.nodes().map(item).collect() }
}

/// A tree by what containers see of it.
fn described(tree: &Tree) -> Vec<Item> {
    flat(tree).items
}

/// The layers that a text describes.
fn layers(data: &[u8]) -> Vec<Listing> {
    let mut layers = vec![Listing::default()];
    for line in data.split(|byte| *byte == b'\n') {
        match (line, layers.last_mut()) {
            (b"---", _) => layers.push(Listing::default()),
            (_, Some(layer)) => layer.items.extend(item(line)),
            (_, None) => {}
        }
    }
    layers
}

/// An entry such as `f /a/b`, or `l /a ../b` for a link.
fn item(line: &[u8]) -> Option<Item> {
    let mut words = line.split(|byte| *byte == b' ');
    let (letter, path) = (words.next()?, normal(words.next()?)?);
    let target = words.next().unwrap_or_default();
    let kind = match letter {
        b"d" => ItemKind::Folder,
        b"f" => ItemKind::File { size: target.len() as u64, is_sparse: false },
        b"s" => ItemKind::File { size: 1, is_sparse: true },
        b"l" if !target.is_empty() => ItemKind::Link { target: target.to_vec() },
        b"h" => ItemKind::HardLink { target: normal(target)? },
        b"w" => ItemKind::Whiteout,
        b"o" => ItemKind::Opaque,
        b"c" => ItemKind::Device,
        b"p" => ItemKind::Fifo,
        _ => return None,
    };
    let is_named = path != b"/" || kind == ItemKind::Opaque;
    // Numbers that differ, so that one entry is not taken for another.
    let uid = line.len() as u32;
    is_named.then_some(Item { path, kind, mode: 0o755, uid, gid: 7 })
}

/// A path as a listing has it, or the root if nothing is left.
fn normal(path: &[u8]) -> Option<Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"." | b".."));
    let path = parts.flat_map(|part| [b"/", part].concat()).collect::<Vec<_>>();
    Some(if path.is_empty() { b"/".to_vec() } else { path })
}

fn shown(path: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(path)
}
