//! Turns a list of files into a layer, or finds it in the cache.

use std::io;

use anyhow::{Context as _, Result};
use image_spec::Compression;

use crate::cache::{Cache, Cached};
use crate::compress::LayerWriter;
use crate::digest::{Digest, Hasher};
use crate::files::LayerFiles;
use crate::tar;

/// A finished layer.
#[derive(Clone, Debug)]
pub struct LayerBlob {
    /// What it holds, for people.
    pub name: String,
    /// The modification time of its files, in seconds since the Unix epoch.
    pub mtime: u64,
    /// Digest of the tar stream, by which the image config names it.
    pub diff_id: Digest,
    /// The compressed layer, by which the manifest names it.
    pub blob: Cached,
    /// Whether it was in the cache.
    pub cached: bool,
}

/// Makes the layer that holds `files`.
pub fn make(files: &LayerFiles, compression: Compression, cache: &Cache) -> Result<LayerBlob> {
    find_or_make(files, compression, cache).with_context(|| format!("layer `{}`", files.name))
}

fn find_or_make(files: &LayerFiles, compression: Compression, cache: &Cache) -> Result<LayerBlob> {
    let (name, mtime) = (files.name.clone(), files.mtime);
    let tar_size = tar::size(&files.entries, mtime);
    if cache.has_size(tar_size) {
        let mut hasher = Hasher::new(io::sink());
        tar::write(&files.entries, mtime, &mut hasher)?;
        let (_, diff_id, _) = hasher.finish();
        if let Some(blob) = cache.get(tar_size, diff_id) {
            return Ok(LayerBlob { name, mtime, diff_id, blob, cached: true });
        }
    }
    let mut writer = LayerWriter::new(cache.start()?, compression, tar_size)?;
    tar::write(&files.entries, mtime, &mut writer)?;
    let layer = writer.finish()?;
    Ok(LayerBlob { name, mtime, diff_id: layer.diff_id, blob: cache.keep(tar_size, layer)?, cached: false })
}
