//! Layers that want more of this machine than they should get, and streams that are broken.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use xtask_oci::digest::Digest;
use xtask_oci::unpack::listing::Listing;
use xtask_oci::unpack::{Packing, PulledLayer};

use crate::raw::{Head, Tar};
use crate::{Pulled, read};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn small() -> Vec<u8> {
    let lines = (0..20_000).fold(String::new(), |mut text, n: u64| {
        let _ = writeln!(text, "{}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        text
    });
    Tar::new().folder("d").file("d/f", &lines).end()
}

/// The message for a blob that promises the tar stream `tar`.
fn message(packing: Packing, blob: &[u8], tar: &[u8]) -> Option<String> {
    let pulled = Pulled::new();
    let layer = pulled.blob("blob", packing, blob, tar);
    Listing::read(&layer).err().map(|error| pulled.message(&error))
}

fn refused(packing: Packing, blob: &[u8], expected: &str) {
    let message = message(packing, blob, &small()).expect("the layer was read");
    assert_eq!(message, format!("the layer blob: {expected}"));
}

#[test]
fn streams_of_several_parts_are_whole() {
    let tar = small();
    let (start, end) = tar.split_at(100_000);
    assert_eq!(message(Packing::Tar, &tar, &tar), None);
    assert_eq!(message(Packing::Gzip, &[gzip(start), gzip(end)].concat(), &tar), None);
    let skippable = b"\x5a\x2a\x4d\x18\x04\0\0\0note".to_vec();
    assert_eq!(
        message(Packing::Zstd, &[zstd(start), skippable.clone(), zstd(end), skippable].concat(), &tar),
        None
    );
}

#[test]
fn streams_that_are_cut_short_or_go_on() {
    let tar = small();
    for (packing, blob, what) in [(Packing::Gzip, gzip(&tar), "gzip"), (Packing::Zstd, zstd(&tar), "zstd")] {
        for length in [blob.len() / 2, blob.len() - 1] {
            let message = message(packing, &blob[..length], &tar).unwrap();
            assert!(
                message.starts_with(&format!("the layer blob: its {what} stream cannot be read after ")),
                "{message}"
            );
            assert!(message.ends_with("; pull it again or use another image"), "{message}");
        }
        for garbage in [&b"garbage"[..], &[0; 600], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"] {
            let message = message(packing, &[&blob[..], garbage].concat(), &tar).unwrap();
            assert!(
                message.contains(&format!("its {what} stream cannot be read after {} bytes: ", tar.len())),
                "{message}"
            );
        }
    }
}

#[test]
fn streams_that_are_something_else() {
    let tar = small();
    for (packing, blob, message) in [
        (
            Packing::Gzip,
            zstd(&tar),
            "its gzip stream cannot be read after 0 bytes: invalid gzip header; pull it again or use another image",
        ),
        (
            Packing::Zstd,
            gzip(&tar),
            "its zstd stream cannot be read after 0 bytes: Unknown frame descriptor; pull it again or use another image",
        ),
        (Packing::Tar, gzip(&tar), "after 0 headers comes one with a wrong checksum; use another image"),
    ] {
        refused(packing, &blob, message);
    }
    // An empty file is an empty stream to both, but not what was promised.
    for packing in [Packing::Tar, Packing::Gzip, Packing::Zstd] {
        assert!(message(packing, b"", &tar).is_some());
    }
}

#[test]
fn another_diff_id_than_promised() {
    let other = Tar::new().file("other", "").end();
    let (found, promised) = (Digest::of(&other), Digest::of(&small()));
    let message = format!(
        "its content has the digest {found}, but the image config promises {promised}; the image is broken, use another"
    );
    refused(Packing::Tar, &other, &message);
    refused(Packing::Gzip, &gzip(&other), &message);
    refused(Packing::Zstd, &zstd(&other), &message);
    // What comes after the end mark belongs to the stream too.
    let longer = [&small()[..], &[0; 512]].concat();
    assert!(
        crate::bombs::message(Packing::Tar, &longer, &small())
            .unwrap()
            .contains("its content has the digest")
    );
}

#[test]
fn a_missing_blob_is_named() {
    let pulled = Pulled::new();
    let layer = PulledLayer { blob: pulled.path("none"), packing: Packing::Gzip, diff_id: Digest::of(b"") };
    let message = pulled.message(&Listing::read(&layer).unwrap_err());
    assert_eq!(message, "the layer none: cannot open none: No such file or directory (os error 2)");
}

/// A zstd frame that asks for a window and then repeats a zero. Format: RFC 8878, section 3.1.1.
fn zstd_of_zeros(window_log: u8, blocks: usize) -> Vec<u8> {
    const LENGTH: u32 = 128 << 10;
    let block = |last: u32| (LENGTH << 3 | 1 << 1 | last).to_le_bytes()[..3].to_vec();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3];
    for number in 1..=blocks {
        frame.extend(block(u32::from(number == blocks)));
        frame.push(0);
    }
    frame
}

#[test]
fn zstd_windows_are_limited() {
    let zeros = vec![0; 4 * (128 << 10)];
    for log in [17, 23, 27] {
        assert_eq!(message(Packing::Zstd, &zstd_of_zeros(log, 4), &zeros), None, "{log}");
    }
    for log in [28, 31, 41] {
        let message = message(Packing::Zstd, &zstd_of_zeros(log, 4), &zeros).unwrap();
        assert!(message.contains("Frame requires too much memory for decoding"), "{message}");
    }
}

#[test]
fn a_bomb_is_left_alone_after_a_gibibyte() {
    // 4 MiB of zeros for each 128 bytes: 60 GiB would be 2 MiB.
    let bomb = zstd_of_zeros(27, 10_000);
    let message = message(Packing::Zstd, &bomb, b"").unwrap();
    assert_eq!(
        message,
        "the layer blob: it is larger than 1073741824 bytes uncompressed, too much for its compressed size; use another \
         image"
    );
}

#[test]
fn headers_that_would_fill_the_memory() {
    for (kind, size) in [(b'x', 1 << 20), (b'L', 1 << 32), (b'K', 8 << 30), (b'g', 1 << 21)] {
        let size = size + 1;
        let tar = Tar::new().block(Head { size: size.min(0o777_7777_7777), ..Head::new(kind, b"") }.block());
        let message = read(tar.end()).unwrap_err();
        assert!(
            message.contains("describes an entry, and 1048576 are enough; use another image"),
            "{message}"
        );
    }
    let most = "x".repeat((1 << 20) - 24);
    assert!(read(Tar::new().pax(&[("SCHILY.xattr.a", &most)]).file("f", "").end()).is_ok());
}

#[test]
fn a_hundred_thousand_entries_are_read_at_once() {
    let tar = (0..100_000).fold(Tar::new(), |tar, n| tar.file(&format!("usr/lib/d{}/file{n}", n % 300), ""));
    let tar = tar.end();
    let pulled = Pulled::new();
    let layer = pulled.blob("layer", Packing::Zstd, &zstd(&tar), &tar);
    let start = Instant::now();
    assert_eq!(Listing::read(&layer).unwrap().items.len(), 100_000);
    println!("100,000 entries: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
