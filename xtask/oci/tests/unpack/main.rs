//! Layers that others made: what they mean, what is refused, and that nothing in them harms this machine.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod archives;
mod bombs;
#[path = "../common/mod.rs"]
mod common;
mod engine;
mod extract;
mod merge;
mod mutation;
mod raw;
mod stored;

use std::fs;
use std::path::{Path, PathBuf};

use raw::Tar;
use xtask_oci::digest::Digest;
use xtask_oci::unpack::listing::{Item, ItemKind, Listing};
use xtask_oci::unpack::stored::Listings;
use xtask_oci::unpack::{Packing, PulledLayer, View};

/// A folder for layers, gone when dropped.
struct Pulled(tempfile::TempDir);

impl Pulled {
    fn new() -> Pulled {
        Pulled(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A blob of this name, and the promise that its tar stream is `tar`.
    fn blob(&self, name: &str, packing: Packing, blob: &[u8], tar: &[u8]) -> PulledLayer {
        let blob_path = self.path(name);
        fs::write(&blob_path, blob).unwrap();
        PulledLayer { blob: blob_path, packing, diff_id: Digest::of(tar) }
    }

    /// Layers as archives say, lowest first.
    fn layers(&self, archives: &[Tar]) -> Vec<PulledLayer> {
        let layer = |(number, tar): (usize, &Tar)| {
            let tar = tar.clone().end();
            self.blob(&format!("layer{number}"), Packing::Tar, &tar, &tar)
        };
        archives.iter().enumerate().map(layer).collect()
    }

    fn view(&self, archives: &[Tar]) -> anyhow::Result<View> {
        View::of(self.layers(archives), &Listings::new(&self.path("cache")))
    }

    /// An error as people see it, without the folder's name.
    fn message(&self, error: &anyhow::Error) -> String {
        format!("{error:#}").replace(&format!("{}/", self.0.path().display()), "")
    }

    /// The names of what is in a folder, sorted.
    fn names(&self, folder: &Path) -> Vec<String> {
        let found = fs::read_dir(self.path(".").join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> = found.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What one archive means, an item a line.
fn read(tar: Vec<u8>) -> Result<Vec<String>, String> {
    let pulled = Pulled::new();
    let layer = pulled.blob("layer", Packing::Tar, &tar, &tar);
    match Listing::read(&layer) {
        Ok(listing) => Ok(listing.items.iter().map(describe).collect()),
        Err(error) => Err(pulled.message(&error)),
    }
}

fn describe(item: &Item) -> String {
    let path = String::from_utf8_lossy(&item.path);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kind = match &item.kind {
        ItemKind::Folder => "folder".to_owned(),
        ItemKind::File { size, is_sparse: false } => format!("file {size}"),
        ItemKind::File { size, is_sparse: true } => format!("sparse {size}"),
        ItemKind::Link { target } => format!("-> {}", text(target)),
        ItemKind::HardLink { target } => format!("= {}", text(target)),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{path} {kind} {:o} {}:{}", item.mode, item.uid, item.gid)
}
