//! An OCI image layout: a folder of blobs with an index.
//!
//! A new layout is filled beside its place and renamed. An existing one gets the new blobs, then in one step a new
//! `index.json`, and then loses the old blobs: whoever reads it, and whenever a run is killed, it holds the old or the
//! new image whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::{BLOBS, INDEX_FILE, LAYOUT_FILE, index_json, layout_json};
use crate::atomic::{self, TempPath};
use crate::digest::Digest;
use crate::error::PathContext as _;
use crate::files::Content;
use crate::image::{Blob, Image};

/// Writes the layout, unless `dest` already holds this image under these names.
///
/// # Errors
/// `dest` is something else than a layout, and is not touched.
pub fn write(image: &Image, dest: &Path) -> Result<()> {
    let is_new = fs::read_dir(dest).map_or_else(|_| !dest.exists(), |mut found| found.next().is_none());
    if is_new {
        let folder = TempPath::beside(dest)?;
        fill(image, folder.path())?;
        match folder.commit() {
            // Another run was faster: what is there now is a layout.
            Err(_) if dest.join(LAYOUT_FILE).exists() => {}
            result => return result,
        }
    }
    ensure!(
        dest.join(LAYOUT_FILE).is_file(),
        "{} is there already and is not an OCI layout; remove it or choose another folder",
        dest.display()
    );
    // Two runs at once would each remove the other's blobs.
    let lock = File::open(dest).cannot("open", dest)?;
    lock.lock().cannot("lock", dest)?;
    let is_same =
        fs::read(dest.join(INDEX_FILE)).is_ok_and(|old| index_json(image).is_ok_and(|new| old == new));
    if is_same && image.blobs().all(|blob| is_intact(blob, &blob_path(dest, blob))) {
        return Ok(());
    }
    fill(image, dest)
}

/// Puts the image into `folder`, so that nothing there refers to what is not there yet, and removes what is left over.
fn fill(image: &Image, folder: &Path) -> Result<()> {
    let blobs = folder.join(BLOBS);
    fs::create_dir_all(&blobs).cannot("create the folder", &blobs)?;
    let mut added = Added(Vec::new());
    for blob in image.blobs() {
        let path = blob_path(folder, blob);
        if !is_intact(blob, &path) {
            place(blob, &path)?;
            added.0.push(path);
        }
    }
    let marker = folder.join(LAYOUT_FILE);
    if !marker.exists() {
        atomic::write(&marker, &layout_json())?;
    }
    atomic::write(&folder.join(INDEX_FILE), &index_json(image)?)?;
    added.0.clear();
    remove_others(image, &blobs);
    Ok(())
}

/// Blobs that nothing refers to yet, removed when dropped.
struct Added(Vec<PathBuf>);

impl Drop for Added {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

fn blob_path(folder: &Path, blob: &Blob) -> PathBuf {
    folder.join(BLOBS).join(blob.digest.hex())
}

fn is_intact(blob: &Blob, path: &Path) -> bool {
    Digest::of_file(path).is_ok_and(|digest| digest == blob.digest)
}

/// Writes a blob, or links to it where the cache is on the same disk.
fn place(blob: &Blob, path: &Path) -> Result<()> {
    match &blob.content {
        Content::Bytes(bytes) => atomic::write(path, bytes),
        Content::Path(source) => {
            let temp = TempPath::beside(path)?;
            if fs::hard_link(source, temp.path()).is_err() {
                fs::copy(source, temp.path()).cannot("write", path)?;
            }
            temp.commit()
        }
    }
}

/// Removes the blobs of older images. What cannot be removed harms nobody: the index does not refer to it.
fn remove_others(image: &Image, blobs: &Path) {
    let wanted: BTreeSet<_> = image.blobs().map(|blob| blob.digest.hex()).collect();
    for entry in fs::read_dir(blobs).into_iter().flatten().flatten() {
        let is_wanted = entry.file_name().to_str().is_some_and(|name| wanted.contains(name));
        if !is_wanted {
            let _ = fs::remove_file(entry.path());
        }
    }
}
