//! Layers as they come from a registry: read, put on top of each other, and taken apart into files.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use xtask_oci::digest::{Digest, Hasher};
use xtask_oci::files::{Content, Kind};
use xtask_oci::unpack::listing::{ItemKind, Listing};
use xtask_oci::unpack::stored::Listings;
use xtask_oci::unpack::{ENTRIES_MAX, PATH_MAX, Packing, PulledLayer, View};

use super::tree;

const BLOCK: usize = 512;
/// Where ustar's mark and the checksum are in a header.
const MAGIC: usize = 257;
const SUM: std::ops::Range<usize> = 148..156;
/// How much of a stream's content the promise of its digest is made for, in bytes.
const PROMISED_MAX: u64 = 256 << 20;

/// What the first byte asks for. The letters `@` and `A` to `O` have every combination.
struct Mode(u8);

impl Mode {
    fn packing(&self) -> Packing {
        [Packing::Tar, Packing::Gzip, Packing::Zstd, Packing::Tar][usize::from(self.0 & 3)]
    }

    /// Whether the bytes are compressed already, or something else altogether.
    fn is_packed(&self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether headers keep a wrong checksum. With all of them wrong nothing behind them would ever be seen.
    fn keeps_sums(&self) -> bool {
        self.0 & 8 != 0
    }
}

/// Reads one or two layers: after the mode comes in blocks how long the lower one is.
pub fn check(data: &[u8]) {
    let [mode, blocks, rest @ ..] = data else { return };
    let mode = Mode(*mode);
    let (lower, upper) = rest.split_at(rest.len().min(usize::from(*blocks) * BLOCK));
    let folder = tempfile::tempdir().expect("a folder");
    let mut layers = vec![layer(&mode, upper, folder.path().join("upper"))];
    if !lower.is_empty() {
        layers.insert(0, layer(&mode, lower, folder.path().join("lower")));
    }
    go_through(&layers, folder.path());
    let names = names(folder.path());
    let known = ["cache", "lower", "out", "upper"].map(str::to_owned);
    assert!(names.is_subset(&known.into()), "written elsewhere: {names:?}");
}

fn layer(mode: &Mode, bytes: &[u8], path: std::path::PathBuf) -> PulledLayer {
    let packing = mode.packing();
    let mut bytes = bytes.to_vec();
    if !mode.is_packed() && !mode.keeps_sums() {
        bytes.chunks_exact_mut(BLOCK).filter(|block| block[MAGIC..].starts_with(b"ustar")).for_each(sum);
    }
    let (blob, diff_id) = match (mode.is_packed(), packing) {
        (true, _) => (bytes.clone(), promised(&bytes, packing)),
        (false, Packing::Tar) => (bytes.clone(), Digest::of(&bytes)),
        (false, Packing::Gzip) => (gzip(&bytes), Digest::of(&bytes)),
        (false, Packing::Zstd) => (zstd::encode_all(&bytes[..], 1).expect("memory"), Digest::of(&bytes)),
    };
    fs::write(&path, blob).expect("a file");
    PulledLayer { blob: path, packing, diff_id }
}

/// Gives a header its checksum.
fn sum(block: &mut [u8]) {
    block[SUM].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[SUM][..7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The digest of what comes out of `bytes`. Without the right one nothing would get past the promise.
fn promised(bytes: &[u8], packing: Packing) -> Digest {
    let reader: Box<dyn Read + '_> = match packing {
        Packing::Tar => Box::new(bytes),
        Packing::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        Packing::Zstd => Box::new(zstd::Decoder::with_buffer(bytes).expect("memory")),
    };
    let mut hasher = Hasher::new(io::sink());
    let _ = io::copy(&mut reader.take(PROMISED_MAX), &mut hasher);
    hasher.finish().1
}

fn go_through(layers: &[PulledLayer], folder: &Path) {
    let read = layers.iter().map(Listing::read).collect::<Result<Vec<_>, _>>();
    let Ok(read) = read else { return };
    read.iter().for_each(is_normal);
    let listings = Listings::new(&folder.join("cache"));
    let Ok(view) = View::of(layers.to_vec(), &listings) else { return };
    for (layer, listing) in layers.iter().zip(&read) {
        let stored = listings.get(layer.diff_id).expect("what was stored is found");
        assert!(stored == *listing, "what is stored is what was read");
    }
    tree::adds_up(view.tree(), &read);
    let out = folder.join("out");
    let whole = takes_out(&view, "/", &out);
    let entries = view.entries();
    if !whole {
        // Something in it cannot be copied, which is no reason to keep from the rest.
        for path in entries.keys().take(8) {
            takes_out(&view, path, &out);
        }
    }
}

/// What a listing promises to those who go on with it.
fn is_normal(listing: &Listing) {
    assert!(listing.items.len() <= ENTRIES_MAX);
    for item in &listing.items {
        let is_root = item.path == b"/" && item.kind == ItemKind::Opaque;
        assert!(is_root || is_path(&item.path), "{item:?}");
        match &item.kind {
            ItemKind::HardLink { target } => assert!(is_path(target) || target == b"/", "{item:?}"),
            ItemKind::Link { target } => assert!(!target.is_empty() && !target.contains(&0), "{item:?}"),
            _ => {}
        }
        assert!(item.mode <= 0o7777, "{item:?}");
    }
}

fn is_path(path: &[u8]) -> bool {
    let is_part = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    let is_long = path.len() > PATH_MAX;
    !is_long && path.strip_prefix(b"/").is_some_and(|path| path.split(|byte| *byte == b'/').all(is_part))
}

/// Takes a path out of the image and says whether that could be done. Either way there are only files that are named by
/// what is in them.
fn takes_out(view: &View, path: &str, out: &Path) -> bool {
    let result = view.extract(&[path], out);
    for name in names(out) {
        let digest = Digest::of_file(&out.join(&name)).expect("a file");
        assert_eq!(digest.hex(), name, "a file is whole or not there");
    }
    let Ok(entries) = &result else { return false };
    for (found, entry) in entries {
        assert!(found.starts_with(path), "{found} is not in {path}");
        let Kind::File { content: Content::Path(file), size } = &entry.kind else { continue };
        assert_eq!(file.parent(), Some(out));
        assert_eq!(fs::metadata(file).expect("a file").len(), *size, "{found}");
    }
    true
}

fn names(folder: &Path) -> BTreeSet<String> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.file_name().into_string().expect("our own names")).collect()
}
