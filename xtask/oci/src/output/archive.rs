//! One tar that is an OCI layout and a `docker save` archive at once.
//!
//! Docker's containerd store, podman and skopeo read the OCI side; Docker's classic store and older tools read
//! `manifest.json`, which points at the same blobs. It knows no platforms, so an image for several goes without.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::{BLOBS, INDEX_FILE, LAYOUT_FILE};
use crate::atomic::AtomicFile;
use crate::digest::CHUNK;
use crate::files::{Entries, Entry};
use crate::image::{Blob, Image};
use crate::tar;

/// The one image of a `manifest.json`, as `docker save` writes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Writes the archive, unless `dest` already is this archive.
///
/// # Errors
/// A blob cannot be read or `dest` cannot be written.
pub fn write(image: &Image, dest: &Path) -> Result<()> {
    let entries = entries(image)?;
    if is_same(&entries, image.created, dest) {
        return Ok(());
    }
    let mut file = AtomicFile::create(dest)?;
    tar::write(&entries, image.created, &mut file)?;
    file.commit_durably()
}

fn entries(image: &Image) -> Result<Entries> {
    let blob_path = |blob: &Blob| format!("{BLOBS}/{}", blob.digest.hex());
    let mut entries = Entries::from([
        ("/blobs".to_owned(), Entry::folder(0o755)),
        (format!("/{BLOBS}"), Entry::folder(0o755)),
        (format!("/{LAYOUT_FILE}"), Entry::bytes(super::layout_json())),
        (format!("/{INDEX_FILE}"), Entry::bytes(super::index_json(image)?)),
    ]);
    if let [only] = &image.platforms[..] {
        let manifest = [DockerManifest {
            config: blob_path(&only.config),
            // Written out, because podman takes a short name here for one of `localhost/`.
            repo_tags: image.names.iter().map(super::full_name).collect(),
            layers: only.layers.iter().map(blob_path).collect(),
        }];
        entries.insert("/manifest.json".to_owned(), Entry::bytes(super::to_json(&manifest)?));
    }
    entries.extend(image.blobs().map(|blob| (format!("/{}", blob_path(blob)), blob.entry())));
    Ok(entries)
}

/// Whether `dest` holds exactly the bytes that would be written. It stops at the first byte that differs.
fn is_same(entries: &Entries, mtime: u64, dest: &Path) -> bool {
    let Ok(file) = File::open(dest) else {
        return false;
    };
    let has_size = fs::metadata(dest).is_ok_and(|found| found.len() == tar::size(entries));
    let mut comparer = Comparer { file: BufReader::with_capacity(CHUNK, file), chunk: Vec::new() };
    has_size && tar::write(entries, mtime, &mut comparer).is_ok()
}

/// A writer that fails unless it is given what a file holds.
struct Comparer<R> {
    file: R,
    chunk: Vec<u8>,
}

impl<R: Read> Write for Comparer<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.resize(bytes.len(), 0);
        self.file.read_exact(&mut self.chunk)?;
        if self.chunk == bytes { Ok(bytes.len()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
