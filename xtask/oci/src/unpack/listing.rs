//! What the entries of one layer mean, by the
//! [OCI layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md).

use std::io::BufRead;

use anyhow::{Context as _, Result, ensure};

use super::archive::{Archive, Member, Type};
use super::path::{brief, join, normalise, shown, split};
use super::stream::Stream;
use super::{ENTRIES_MAX, PATH_MAX, PATHS_MAX, PulledLayer};

/// Names with this beginning delete something from the layers below.
const WHITEOUT: &[u8] = b".wh.";
/// This name deletes all that the layers below have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Other names with this beginning are notes of the file system AUFS to itself.
const AUFS: &[u8] = b".wh..wh.";

/// What a layer holds, in the order of its archive. Later entries count more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its entries. The root itself and the notes of AUFS are left out.
    pub items: Vec<Item>,
}

/// An entry of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its absolute path without `.`, `..` or empty parts. Not every path is UTF-8.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: ItemKind,
    /// Its permission bits.
    pub mode: u32,
    /// Its numeric owner.
    pub uid: u32,
    /// Its numeric group.
    pub gid: u32,
}

/// What an entry of a layer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Whether its holes are left out, so that its content cannot be copied as it is.
        is_sparse: bool,
    },
    /// A symbolic link.
    Link {
        /// The path that it points to, as the link says it.
        target: Vec<u8>,
    },
    /// Another name of a file that is there already.
    HardLink {
        /// The absolute path of that file, normal as the item's own.
        target: Vec<u8>,
    },
    /// Nothing: the layers below lose what they have at this path.
    Whiteout,
    /// Nothing: the layers below lose what they have in this folder.
    Opaque,
    /// A device.
    Device,
    /// A named pipe.
    Fifo,
}

impl Listing {
    /// Reads a whole layer.
    ///
    /// # Errors
    /// It cannot be decompressed, is no tar, means nothing, goes beyond the limits of [`unpack`](super), or is not what the
    /// image config promises.
    pub fn read(layer: &PulledLayer) -> Result<Listing> {
        let read = || {
            let mut items = Items::new(Stream::open(layer)?);
            let mut listing = Listing::default();
            let mut bytes = 0;
            while let Some(item) = items.next()? {
                bytes += item.path.len() + item.target().len();
                ensure!(
                    bytes <= PATHS_MAX,
                    "its paths are longer than {PATHS_MAX} bytes together; use another image"
                );
                listing.items.push(item);
            }
            items.finish().finish(layer.diff_id)?;
            Ok(listing)
        };
        read().with_context(|| layer.name())
    }
}

impl Item {
    /// What a link of any kind points to, otherwise nothing.
    pub(super) fn target(&self) -> &[u8] {
        match &self.kind {
            ItemKind::Link { target } | ItemKind::HardLink { target } => target,
            _ => b"",
        }
    }
}

/// The entries of a tar stream that mean something. Their number is what a [`Listing`] knows them by.
pub(super) struct Items<R> {
    archive: Archive<R>,
    count: usize,
}

impl<R: BufRead> Items<R> {
    pub(super) fn new(reader: R) -> Self {
        Items { archive: Archive::new(reader), count: 0 }
    }

    /// The next entry, after which [`archive`](Self::archive) copies its content.
    pub(super) fn next(&mut self) -> Result<Option<Item>> {
        while let Some(member) = self.archive.next()? {
            if let Some(item) = item(member)? {
                self.count += 1;
                ensure!(
                    self.count <= ENTRIES_MAX,
                    "it has more than {ENTRIES_MAX} entries; use another image"
                );
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    pub(super) fn archive(&mut self) -> &mut Archive<R> {
        &mut self.archive
    }

    /// What the entries were read from.
    pub(super) fn finish(self) -> R {
        self.archive.into_inner()
    }
}

/// What a member means; `None` if that is nothing.
fn item(member: Member) -> Result<Option<Item>> {
    let path = normalise(&member.name)?;
    if path == b"/" {
        let is_root = member.kind == Type::Folder;
        ensure!(is_root, "the entry `{}` has no name; use another image", brief(&member.name));
        return Ok(None);
    }
    let (folder, name) = split(&path);
    if is_aufs(&path) {
        return Ok(None);
    }
    ensure!(
        !parts(folder).any(|part| part.starts_with(WHITEOUT)),
        "`{}` lies in a folder whose name begins with .wh., which means a deleted file; use another image",
        shown(&path)
    );
    let Member { mode, uid, gid, .. } = member;
    if name == OPAQUE {
        let path = folder.to_vec();
        return Ok(Some(Item { path, kind: ItemKind::Opaque, mode, uid, gid }));
    }
    if let Some(deleted) = name.strip_prefix(WHITEOUT) {
        ensure!(
            !matches!(deleted, b"" | b"." | b".."),
            "`{}` deletes nothing that has a name; use another image",
            shown(&path)
        );
        let path = join(folder, deleted);
        return Ok(Some(Item { path, kind: ItemKind::Whiteout, mode, uid, gid }));
    }
    let kind = kind(member).with_context(|| format!("the entry `{}`", shown(&path)))?;
    Ok(Some(Item { path, kind, mode, uid, gid }))
}

fn kind(member: Member) -> Result<ItemKind> {
    let target = member.target;
    Ok(match member.kind {
        Type::File => ItemKind::File { size: member.size, is_sparse: false },
        Type::Sparse => ItemKind::File { size: member.size, is_sparse: true },
        Type::Folder => ItemKind::Folder,
        Type::Link => {
            let is_path = !target.is_empty() && target.len() <= PATH_MAX && !target.contains(&0);
            ensure!(
                is_path,
                "it is a link to `{}`, which cannot be a path; use another image",
                brief(&target)
            );
            ItemKind::Link { target }
        }
        Type::HardLink => {
            ItemKind::HardLink { target: normalise(&target).context("it is another name of a file")? }
        }
        Type::Device => ItemKind::Device,
        Type::Fifo => ItemKind::Fifo,
    })
}

/// Whether AUFS noted this for itself. What deletes the content of a folder begins in the same way.
fn is_aufs(path: &[u8]) -> bool {
    parts(path).any(|part| part.starts_with(AUFS) && part != OPAQUE)
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}
