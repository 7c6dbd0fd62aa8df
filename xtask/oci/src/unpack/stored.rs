//! Listings, kept between runs, so that a layer is decompressed once.
//!
//! One file a layer, `listings-<generation>/<diff id>`: the SHA-256 of what it says and of what it is for, in hex, and then
//! the entries. A file that does not fit its sum is made anew and never believed.
//!
//! An entry is a letter for its kind, how much of its path it shares with the entry before, the rest of the path, and its
//! numbers. All of them are little-endian groups of seven bits, the highest bit saying that more follow.
//!
//! The folder may be deleted at any time. It lies where [`cache::prune`] looks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::listing::{Item, ItemKind, Listing};
use super::path::normalise;
use super::{ENTRIES_MAX, PATHS_MAX, PulledLayer};
use crate::atomic;
use crate::cache;
use crate::digest::Digest;

/// Part of the folder's name and of every sum. To be raised when the form of the files changes, or when the same layer is
/// read as something else than before.
pub const GENERATION: u32 = 1;

/// The length of a sum in hex.
const SUM: usize = 64;

/// The folder of listings.
#[derive(Clone, Debug)]
pub struct Listings {
    folder: PathBuf,
}

impl Listings {
    /// The listings below `root`, the folder of the engine's cache.
    pub fn new(root: &Path) -> Listings {
        Listings { folder: root.join(format!("listings-{GENERATION}")) }
    }

    /// What a layer holds, from its file or from the layer.
    ///
    /// # Errors
    /// As [`Listing::read`], or the listing cannot be written.
    pub fn of(&self, layer: &PulledLayer) -> Result<Listing> {
        if let Some(listing) = self.get(layer.diff_id) {
            return Ok(listing);
        }
        let listing = Listing::read(layer)?;
        let body = encode(&listing);
        let mut file = sum(layer.diff_id, &body).into_bytes();
        file.extend(body);
        atomic::write(&self.path(layer.diff_id), &file)?;
        Ok(listing)
    }

    /// What the layer with this diff id holds, if there is an intact file that says so.
    pub fn get(&self, diff_id: Digest) -> Option<Listing> {
        let path = self.path(diff_id);
        let file = fs::read(&path).ok()?;
        let listing = file
            .split_at_checked(SUM)
            .filter(|(promised, body)| sum(diff_id, body).as_bytes() == *promised)
            .and_then(|(_, body)| decode(body));
        if listing.is_none() {
            let _ = fs::remove_file(&path);
            return None;
        }
        let _ = cache::touch(&path);
        listing
    }

    fn path(&self, diff_id: Digest) -> PathBuf {
        self.folder.join(diff_id.hex())
    }
}

/// The sum of what a file says, what it is for and how it is written, so that no file passes for another.
fn sum(diff_id: Digest, body: &[u8]) -> String {
    let mut bytes = format!("{GENERATION} {diff_id}\n").into_bytes();
    bytes.extend(body);
    Digest::of(&bytes).hex()
}

fn encode(listing: &Listing) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(listing.items.len() * 32);
    let mut last: &[u8] = b"";
    for item in &listing.items {
        let shared = last.iter().zip(&item.path).take_while(|(a, b)| a == b).count();
        bytes.push(letter(&item.kind));
        put(&mut bytes, shared as u64);
        put_bytes(&mut bytes, &item.path[shared..]);
        [item.mode, item.uid, item.gid].into_iter().for_each(|number| put(&mut bytes, number.into()));
        match &item.kind {
            ItemKind::File { size, .. } => put(&mut bytes, *size),
            ItemKind::Link { target } | ItemKind::HardLink { target } => put_bytes(&mut bytes, target),
            _ => {}
        }
        last = &item.path;
    }
    bytes
}

fn letter(kind: &ItemKind) -> u8 {
    match kind {
        ItemKind::Folder => b'd',
        ItemKind::File { is_sparse: false, .. } => b'f',
        ItemKind::File { is_sparse: true, .. } => b's',
        ItemKind::Link { .. } => b'l',
        ItemKind::HardLink { .. } => b'h',
        ItemKind::Whiteout => b'w',
        ItemKind::Opaque => b'o',
        ItemKind::Device => b'c',
        ItemKind::Fifo => b'p',
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_bytes(bytes: &mut Vec<u8>, text: &[u8]) {
    put(bytes, text.len() as u64);
    bytes.extend(text);
}

/// `None` if the bytes are not what [`encode`] writes, or beyond what a layer may hold.
fn decode(mut body: &[u8]) -> Option<Listing> {
    let mut listing = Listing::default();
    let mut total = 0;
    while let Some((letter, rest)) = body.split_first() {
        body = rest;
        let last = listing.items.last().map_or(&b""[..], |item: &Item| &item.path);
        let shared = usize::try_from(take(&mut body)?).ok()?;
        let mut path = last.get(..shared)?.to_vec();
        path.extend(take_bytes(&mut body)?);
        let mut number = || u32::try_from(take(&mut body)?).ok();
        let (mode, uid, gid) = (number()?, number()?, number()?);
        let kind = take_kind(*letter, &mut body)?;
        let item = Item { path, kind, mode, uid, gid };
        total += item.path.len() + item.target().len();
        let has_name = item.path != b"/" || item.kind == ItemKind::Opaque;
        let is_normal = has_name && normalise(&item.path).is_ok_and(|path| path == item.path);
        if !is_normal || total > PATHS_MAX || listing.items.len() == ENTRIES_MAX {
            return None;
        }
        listing.items.push(item);
    }
    Some(listing)
}

fn take_kind(letter: u8, body: &mut &[u8]) -> Option<ItemKind> {
    Some(match letter {
        b'd' => ItemKind::Folder,
        b'f' | b's' => ItemKind::File { size: take(body)?, is_sparse: letter == b's' },
        b'l' => ItemKind::Link { target: take_bytes(body)?.to_vec() },
        b'h' => ItemKind::HardLink { target: take_bytes(body)?.to_vec() },
        b'w' => ItemKind::Whiteout,
        b'o' => ItemKind::Opaque,
        b'c' => ItemKind::Device,
        b'p' => ItemKind::Fifo,
        _ => return None,
    })
}

fn take(body: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = body.split_first()?;
        *body = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_bytes<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take(body)?).ok()?;
    let (bytes, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(bytes)
}
