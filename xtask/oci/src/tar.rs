//! Writes tar streams whose bytes depend on nothing but the entries given.
//!
//! Format: [POSIX ustar](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), with a pax record where a
//! name is too long or not ASCII, or a file is larger than a ustar header can say. The size of a stream is known before
//! it is written, which lets the compressor choose its window and the cache say at once that it has no such layer.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::{Result, bail};

use crate::digest::CHUNK;
use crate::error::PathContext as _;
use crate::files::{Content, Entries, Entry, Kind};

const BLOCK: usize = 512;
/// Two blocks of zeros end a stream.
const END: usize = 2 * BLOCK;
const NAME_MAX: usize = 100;
const PREFIX_MAX: usize = 155;
/// The largest size that eleven octal digits can say: 8 GiB less one byte.
const SIZE_MAX: u64 = 0o777_7777_7777;

/// The length in bytes of the stream that [`write()`] writes.
pub fn size(entries: &Entries) -> u64 {
    let entry_size = |(path, entry): (&String, &Entry)| {
        let pax = records(path, entry).len();
        let pax = if pax > 0 { BLOCK + pax.next_multiple_of(BLOCK) } else { 0 };
        (pax + BLOCK) as u64 + entry.size().next_multiple_of(BLOCK as u64)
    };
    entries.iter().map(entry_size).sum::<u64>() + END as u64
}

/// Writes `entries` in their order, all with the modification time `mtime` in seconds since the Unix epoch.
///
/// # Errors
/// A source file cannot be read or changes its size meanwhile, an entry belongs to the base image, or `out` fails.
pub fn write(entries: &Entries, mtime: u64, out: &mut impl Write) -> Result<()> {
    let mut chunk = vec![0; CHUNK];
    for (path, entry) in entries {
        out.write_all(&headers(path, entry, mtime))?;
        match &entry.kind {
            Kind::File { content: Content::Bytes(bytes), .. } => out.write_all(bytes)?,
            Kind::File { content: Content::Path(source), size } => copy(source, *size, &mut chunk, out)?,
            Kind::BaseFile { .. } => bail!("{path} is in the base image and cannot be in another layer too"),
            Kind::Folder | Kind::Link { .. } => {}
        }
        out.write_all(padding(entry.size()))?;
    }
    out.write_all(&[0; END])?;
    Ok(())
}

/// Copies a file that must still have the size that its header says.
fn copy(source: &Path, size: u64, chunk: &mut [u8], out: &mut impl Write) -> Result<()> {
    // One byte more than expected, to notice that the file has grown.
    let mut file = File::open(source).cannot("open", source)?.take(size + 1);
    let mut copied = 0;
    loop {
        let length = file.read(chunk).cannot("read", source)?;
        copied += length as u64;
        if copied > size || (length == 0 && copied < size) {
            bail!("{} changed while it was read; run again when nothing writes to it", source.display());
        }
        if length == 0 {
            return Ok(());
        }
        out.write_all(&chunk[..length])?;
    }
}

fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    &ZEROS[..(size.next_multiple_of(BLOCK as u64) - size) as usize]
}

/// What the pax header of an entry says, if it needs one.
fn records(path: &str, entry: &Entry) -> Vec<u8> {
    let name = name(path, entry);
    let mut records = Vec::new();
    if split_name(&name).is_none() {
        records.extend(pax_record("path", &name));
    }
    if !fits(target(entry), NAME_MAX) {
        records.extend(pax_record("linkpath", target(entry)));
    }
    if entry.size() > SIZE_MAX {
        records.extend(pax_record("size", &entry.size().to_string()));
    }
    records
}

/// An entry's path as archives have it.
fn name<'a>(path: &'a str, entry: &Entry) -> Cow<'a, str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if entry.is_folder() { format!("{path}/").into() } else { path.into() }
}

/// What a link points to.
fn target(entry: &Entry) -> &str {
    match &entry.kind {
        Kind::Link { target } => target,
        _ => "",
    }
}

/// The header blocks of one entry: a ustar header, after a pax header if one is needed.
fn headers(path: &str, entry: &Entry, mtime: u64) -> Vec<u8> {
    let records = records(path, entry);
    let mut blocks = Vec::new();
    if !records.is_empty() {
        let pax = Header { kind: b'x', mode: 0o644, uid: 0, gid: 0, size: records.len() as u64, mtime };
        blocks.extend_from_slice(&pax.encode("", "PaxHeader", ""));
        let padding = padding(records.len() as u64);
        blocks.extend(records);
        blocks.extend_from_slice(padding);
    }
    let kind = match entry.kind {
        Kind::File { .. } | Kind::BaseFile { .. } => b'0',
        Kind::Link { .. } => b'2',
        Kind::Folder => b'5',
    };
    let header = Header {
        kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size().min(SIZE_MAX),
        mtime,
    };
    let name = name(path, entry);
    let (prefix, name) = split_name(&name).unwrap_or(("", "PaxEntry"));
    let target = target(entry);
    let target = if fits(target, NAME_MAX) { target } else { "" };
    blocks.extend_from_slice(&header.encode(prefix, name, target));
    blocks
}

fn fits(text: &str, length: usize) -> bool {
    text.is_ascii() && text.len() <= length
}

/// Splits a path at a slash into the ustar fields prefix and name, if it fits into them.
fn split_name(path: &str) -> Option<(&str, &str)> {
    if fits(path, NAME_MAX) {
        return Some(("", path));
    }
    path.match_indices('/')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
        .find(|(prefix, name)| fits(prefix, PREFIX_MAX) && fits(name, NAME_MAX) && !name.is_empty())
}

/// One record of a pax header: its own length in decimal, a space, `key=value` and a newline.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

/// The fields of a ustar header that are not names.
struct Header {
    kind: u8,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: u64,
}

impl Header {
    fn encode(&self, prefix: &str, name: &str, target: &str) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        // Most of the block is zeros, which the sum may skip.
        let mut sum = 0;
        let mut put = |at: usize, bytes: &[u8]| {
            block[at..at + bytes.len()].copy_from_slice(bytes);
            sum += bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        };
        put(0, name.as_bytes());
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, format!("{:07o}", self.uid).as_bytes());
        put(116, format!("{:07o}", self.gid).as_bytes());
        put(124, format!("{:011o}", self.size).as_bytes());
        put(136, format!("{:011o}", self.mtime).as_bytes());
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        put(345, prefix.as_bytes());
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Path, kind, mode, owner, time, target and content of an entry.
    type Read = (String, u8, u32, u64, u64, String, Vec<u8>);

    /// Writes `entries` and reads them back with another implementation.
    fn round_trip(entries: &Entries) -> Vec<Read> {
        let mut stream = Vec::new();
        write(entries, 1_700_000_000, &mut stream).unwrap();
        assert_eq!(stream.len() as u64, size(entries));
        let mut archive = ::tar::Archive::new(&stream[..]);
        let read = |entry: std::io::Result<::tar::Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let header = entry.header();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            (
                path,
                header.entry_type().as_byte(),
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.mtime().unwrap(),
                String::from_utf8(target).unwrap(),
                content,
            )
        };
        archive.entries().unwrap().map(read).collect()
    }

    #[test]
    fn another_implementation_reads_every_kind_of_entry() {
        let entries = Entries::from([
            ("/data".to_owned(), Entry::folder(0o700).owned_by(65532)),
            ("/etc/a".to_owned(), Entry::text("hello")),
            ("/etc/b".to_owned(), Entry::link("a".to_owned())),
        ]);
        let time = 1_700_000_000;
        assert_eq!(
            round_trip(&entries),
            [
                ("data/".to_owned(), b'5', 0o700, 65532, time, String::new(), vec![]),
                ("etc/a".to_owned(), b'0', 0o644, 0, time, String::new(), b"hello".to_vec()),
                ("etc/b".to_owned(), b'2', 0o777, 0, time, "a".to_owned(), vec![]),
            ]
        );
    }

    #[test]
    fn names_of_any_length_and_alphabet_survive() {
        for length in [1, 98, 99, 100, 101, 154, 155, 156, 254, 255, 256, 257, 1000] {
            for path in ["x".repeat(length), "é".repeat(length), "ab/".repeat(length) + "c"] {
                let target = "t".repeat(length);
                let entries = Entries::from([
                    (format!("/d{path}"), Entry::folder(0o755)),
                    (format!("/f{path}"), Entry::text("content")),
                    (format!("/l{path}"), Entry::link(target.clone())),
                ]);
                let read = round_trip(&entries);
                assert_eq!(read[0].0, format!("d{path}/"));
                assert_eq!((&read[1].0, &read[1].6), (&format!("f{path}"), &b"content".to_vec()));
                assert_eq!((&read[2].0, &read[2].5), (&format!("l{path}"), &target));
            }
        }
    }

    #[test]
    fn a_file_too_large_for_ustar_gets_a_pax_size() {
        let kind = Kind::File { content: Content::Path("/no/such".into()), size: SIZE_MAX + 1 };
        let blocks = headers("/big", &Entry { kind, ..Entry::text("") }, 0);
        assert_eq!(blocks.len(), 3 * BLOCK);
        assert!(String::from_utf8_lossy(&blocks).contains("19 size=8589934592\n"));
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growing");
        std::fs::write(&path, "12345").unwrap();
        for size in [4, 6] {
            let kind = Kind::File { content: Content::Path(path.clone()), size };
            let entries = Entries::from([("/f".to_owned(), Entry { kind, ..Entry::text("") })]);
            let error = write(&entries, 0, &mut std::io::sink()).unwrap_err().to_string();
            assert!(error.contains("growing changed while it was read"), "{error}");
        }
    }
}
