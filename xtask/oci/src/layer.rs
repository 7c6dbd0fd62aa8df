//! Turns a list of files into a layer, or finds it in the cache.

use std::io;

use anyhow::{Context as _, Result};
use image_spec::{Compression, time};

use crate::cache::{Cache, Cached};
use crate::compress::LayerWriter;
use crate::digest::{Digest, Hasher};
use crate::files::LayerFiles;
use crate::oci::History;
use crate::tar;
use crate::unpack::PulledLayer;

/// A finished layer.
#[derive(Clone, Debug)]
pub struct LayerBlob {
    /// What it holds, for people.
    pub name: String,
    /// Digest of the tar stream, by which the image config names it.
    pub diff_id: Digest,
    /// How it is compressed, as a media type.
    pub media_type: &'static str,
    /// The compressed layer, by which the manifest names it.
    pub blob: Cached,
    /// Whether it was there already.
    pub cached: bool,
}

/// What the image config says of a layer that holds `files`.
pub fn history(files: &LayerFiles) -> History {
    History {
        created: Some(time::rfc3339(files.mtime)),
        created_by: Some(files.name.clone()),
        ..History::default()
    }
}

/// Makes the layer that holds `files`.
///
/// # Errors
/// A file cannot be read, or the cache cannot be written.
pub fn make(files: &LayerFiles, compression: Compression, cache: &Cache) -> Result<LayerBlob> {
    let name = &files.name;
    let made = find_or_make(files, compression, cache).with_context(|| format!("layer `{name}`"))?;
    let (diff_id, blob, cached) = made;
    Ok(LayerBlob { name: name.clone(), diff_id, media_type: compression.layer_media_type(), blob, cached })
}

fn find_or_make(
    files: &LayerFiles,
    compression: Compression,
    cache: &Cache,
) -> Result<(Digest, Cached, bool)> {
    let tar_size = tar::size(&files.entries);
    if cache.has_size(tar_size) {
        let mut hasher = Hasher::new(io::sink());
        tar::write(&files.entries, files.mtime, &mut hasher)?;
        let (_, diff_id, _) = hasher.finish();
        if let Some(blob) = cache.get(tar_size, diff_id) {
            return Ok((diff_id, blob, true));
        }
    }
    let mut writer = LayerWriter::new(cache.start()?, compression, Some(tar_size))?;
    tar::write(&files.entries, files.mtime, &mut writer)?;
    let layer = writer.finish()?;
    Ok((layer.diff_id, cache.keep(tar_size, layer)?, false))
}

/// Compresses somebody else's layer anew. Its content, and so its diff id, stays the same.
///
/// # Errors
/// The layer cannot be read, or the cache cannot be written.
pub fn recompress(
    name: &str,
    layer: &PulledLayer,
    compression: Compression,
    cache: &Cache,
) -> Result<LayerBlob> {
    // The size of its tar stream is not known before it is read.
    const UNKNOWN: u64 = 0;
    let (blob, cached) = match cache.get(UNKNOWN, layer.diff_id) {
        Some(blob) => (blob, true),
        None => {
            let mut writer = LayerWriter::new(cache.start()?, compression, None)?;
            layer.copy(&mut writer)?;
            (cache.keep(UNKNOWN, writer.finish()?)?, false)
        }
    };
    let media_type = compression.layer_media_type();
    Ok(LayerBlob { name: name.to_owned(), diff_id: layer.diff_id, media_type, blob, cached })
}
