//! A valid layer with random damage: read or refused, but nothing worse.

use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use xtask_oci::digest::Digest;
use xtask_oci::unpack::listing::Listing;
use xtask_oci::unpack::stored::Listings;
use xtask_oci::unpack::{Packing, PulledLayer, View};

use crate::Pulled;
use crate::raw::{Head, Tar, sum};

const ROUNDS: usize = 3_000;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// A layer in which every part of the reader has something to do.
fn valid() -> Vec<u8> {
    let mut sparse = Head { size: 512, ..Head::new(b'S', b"sparse") }.block();
    sparse[257..265].copy_from_slice(b"ustar  \0");
    sparse[482] = 1;
    sparse[483..495].copy_from_slice(b"00000100000\0");
    let long = "d/".repeat(120);
    Tar::new()
        .folder("./")
        .folder("etc")
        .file("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        .link("bin", "usr/bin")
        .link("etc/up", "../../..")
        .pax(&[
            ("path", &format!("{long}pax")),
            ("mtime", "1.5"),
            ("uid", "65532"),
            ("SCHILY.xattr.user.a", "b\nc"),
        ])
        .file("short", "content")
        .gnu_long(b'L', &format!("{long}gnu"))
        .gnu_long(b'K', "etc/passwd")
        .hard_link("short", "short")
        .block(sum(sparse))
        .block([0; 512])
        .content(&[7; 512])
        .pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "s"), ("GNU.sparse.realsize", "99")])
        .file("GNUSparseFile/s", "0\n")
        .block(Head::new(b'3', b"dev/null").block())
        .file("etc/.wh.shadow", "")
        .file("var/.wh..wh..opq", "")
        .file("bin/sh", "#!")
        .end()
}

/// Damages a place or two: single bits, single bytes, runs, the end. Mostly the headers get their checksums back, or hardly
/// anything behind the checksum would ever be seen.
fn damage(bytes: &[u8], random: &mut Random, is_tar: bool) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..=random.below(2) {
        if damaged.is_empty() {
            break;
        }
        let at = random.below(damaged.len());
        match random.below(10) {
            0..4 => damaged[at] ^= 1 << random.below(8),
            4..6 => damaged[at] = [0, 0xff, 0x80, b'/', b'.', b'9', b'\n', b' '][random.below(8)],
            6 => damaged[at] = random.below(256) as u8,
            7 => {
                let (from, length) = (random.below(damaged.len()), random.below(600));
                let run = damaged[from..damaged.len().min(from + length)].to_vec();
                let length = run.len().min(damaged.len() - at);
                damaged[at..at + length].copy_from_slice(&run[..length]);
            }
            8 => {
                // Whole blocks, so that the rest stays readable.
                let at = at / 512 * 512;
                drop(damaged.drain(at..damaged.len().min(at + 512 * random.below(3))));
            }
            _ => damaged.truncate(at),
        }
    }
    if is_tar && random.below(4) > 0 {
        for block in damaged.as_chunks_mut::<512>().0 {
            if block[257..262] == *b"ustar" {
                *block = sum(*block);
            }
        }
    }
    damaged
}

/// Reads, merges and extracts, and says how far it got.
fn go_through(pulled: &Pulled, layer: &PulledLayer, base: &PulledLayer) -> usize {
    let Ok(listing) = Listing::read(layer) else { return 0 };
    let listings = Listings::new(&pulled.path("cache"));
    assert_eq!(listings.of(layer).unwrap(), listing);
    assert_eq!(listings.of(layer).unwrap(), listing, "what is stored is what was read");
    let Ok(view) = View::of(vec![base.clone(), layer.clone()], &listings) else { return 1 };
    let paths: Vec<_> = view.entries().into_keys().filter(|path| path.len() < 100).collect();
    let _ = view.extract(&["/"], &pulled.path("out"));
    let some = paths.iter().skip(listing.items.len() % 5).step_by(7);
    let extracted = some.filter(|path| view.extract(&[path], &pulled.path("out")).is_ok()).count();
    2 + usize::from(extracted > 0)
}

#[test]
fn damage_never_does_harm() {
    let tar = valid();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&tar).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(&tar[..], 19).unwrap();
    let around = tempfile::tempdir().unwrap();
    let pulled = Pulled(tempfile::tempdir_in(&around).unwrap());
    let lower = Tar::new().folder("usr/bin").file("etc/shadow", "x").file("var/log/a", "").end();
    let base = pulled.blob("base", Packing::Tar, &lower, &lower);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut reached = [0; 4];
    for round in 0..ROUNDS {
        let (packing, whole) =
            [(Packing::Tar, &tar), (Packing::Tar, &tar), (Packing::Gzip, &gzip), (Packing::Zstd, &zstd)]
                [round % 4];
        let blob = damage(whole, &mut random, packing == Packing::Tar);
        // Without a fitting promise nothing would get past the digest.
        let promised = if packing == Packing::Tar { Digest::of(&blob) } else { Digest::of(&tar) };
        let layer = PulledLayer { diff_id: promised, ..pulled.blob("layer", packing, &blob, b"") };
        match catch_unwind(AssertUnwindSafe(|| go_through(&pulled, &layer, &base))) {
            Ok(steps) => reached[steps] += 1,
            Err(_) => {
                let kept = std::env::temp_dir().join("unpack-panic");
                fs::write(&kept, &blob).unwrap();
                panic!("round {round} with {packing:?}: see {}", kept.display());
            }
        }
    }
    println!("refused, listed, merged, extracted: {reached:?}");
    assert!(reached[0] > 500 && reached[3] > 500, "too little is tried: {reached:?}");
    // Nothing but the blobs, the listings, and files that are named by their content.
    assert_eq!(fs::read_dir(&around).unwrap().count(), 1);
    assert_eq!(pulled.names(".".as_ref()), ["base", "cache", "layer", "out"]);
    assert_eq!(pulled.names("cache".as_ref()), ["listings-1"]);
    for name in pulled.names("out".as_ref()) {
        assert_eq!(Digest::of_file(&pulled.path("out").join(&name)).unwrap().hex(), name);
    }
}
