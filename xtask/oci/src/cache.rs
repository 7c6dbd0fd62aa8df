//! Finished layers, kept between runs.
//!
//! One file a layer, and its name says all that is known of it:
//! `<generation>-<compression>/<size of the tar stream>-<diff id>-<digest>`. It is written under another name and then
//! renamed, and hashed again before it is trusted, so a truncated or altered layer is made anew and never served.
//!
//! The folder may be deleted at any time. It keeps itself below [`LIMIT`] by dropping what was not used for longest.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use image_spec::Compression;

use crate::atomic::AtomicFile;
use crate::compress::Compressed;
use crate::digest::Digest;
use crate::error::PathContext as _;

/// Part of every entry's name. To be raised when the same layer is compressed to other bytes than before, or images
/// would differ between a machine with old entries and one without.
pub const GENERATION: u32 = 1;

/// What a cache holds at most, in bytes, not counting what was used within the last hour.
pub const LIMIT: u64 = 1 << 30;

/// An entry this young may belong to a run that is under way.
const IN_USE: Duration = Duration::from_secs(60 * 60);

/// What the blobs of registries may take, which all projects of a user share.
pub const LIMIT_OF_BLOBS: u64 = 8 << 30;

/// Drops what was not used for longest from the folders in `root`, until the rest is below `limit` bytes.
///
/// # Errors
/// Something old cannot be removed.
pub fn prune(root: &Path, limit: u64) -> Result<()> {
    let mut entries = Vec::new();
    for folder in fs::read_dir(root).into_iter().flatten().flatten() {
        for entry in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            // What another run has just removed needs no attention.
            if let Ok(found) = entry.metadata() {
                let age = found.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
                entries.push((age, found.len(), entry.path()));
            }
        }
    }
    entries.sort();
    let mut total = 0;
    for (age, size, path) in entries {
        total += size;
        if total > limit && age > IN_USE {
            fs::remove_file(&path).cannot("remove the old layer", &path)?;
        }
    }
    Ok(())
}

/// Notes that a file is used: the modification time says when it last was.
///
/// # Errors
/// The file is not there, or cannot be written. It merely goes sooner then.
pub fn touch(path: &Path) -> io::Result<()> {
    File::options().append(true).open(path)?.set_modified(SystemTime::now())
}

/// The folder of layers with one compression.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A layer in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The compressed layer.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Cache {
    /// The cache below `root` for layers with `compression`.
    pub fn new(root: &Path, compression: Compression) -> Cache {
        let name = format!("{GENERATION}-{compression}").replace(':', "-");
        Cache { folder: root.join(name) }
    }

    /// Whether some layer has a tar stream of this size in bytes. If none has, there is no need to read files twice, once
    /// to know what they hold and once to compress them.
    pub fn has_size(&self, tar_size: u64) -> bool {
        self.find(&format!("{tar_size}-")).next().is_some()
    }

    /// The layer whose tar stream has this size in bytes and digest, if it is there and intact.
    pub fn get(&self, tar_size: u64, diff_id: Digest) -> Option<Cached> {
        self.find(&format!("{tar_size}-{}-", diff_id.hex())).find_map(|(path, promised)| {
            let digest = Digest::of_file(&path).ok()?;
            if digest.hex() != promised {
                let _ = fs::remove_file(&path);
                return None;
            }
            let size = fs::metadata(&path).ok()?.len();
            let _ = touch(&path);
            Some(Cached { path, digest, size })
        })
    }

    /// Starts a new entry.
    pub fn start(&self) -> Result<AtomicFile> {
        AtomicFile::create(&self.folder.join("layer"))
    }

    /// Keeps a finished entry.
    pub fn keep(&self, tar_size: u64, layer: Compressed<AtomicFile>) -> Result<Cached> {
        let Compressed { inner, diff_id, digest, size } = layer;
        let path = self.folder.join(format!("{tar_size}-{}-{}", diff_id.hex(), digest.hex()));
        inner.commit_as(&path)?;
        Ok(Cached { path, digest, size })
    }

    /// Entries whose name starts with `prefix`: their path, and the rest of their name.
    fn find(&self, prefix: &str) -> impl Iterator<Item = (PathBuf, String)> {
        fs::read_dir(&self.folder).into_iter().flatten().flatten().filter_map(move |entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((entry.path(), name.strip_prefix(prefix)?.to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::compress::LayerWriter;

    fn add(cache: &Cache, content: &[u8]) -> Cached {
        let size = content.len() as u64;
        let mut writer = LayerWriter::new(cache.start().unwrap(), Compression::None, Some(size)).unwrap();
        writer.write_all(content).unwrap();
        cache.keep(size, writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_layer_is_found_by_size_and_content() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path(), Compression::None);
        assert!(!cache.has_size(5));
        let kept = add(&cache, b"layer");
        assert!(cache.has_size(5) && !cache.has_size(50) && !cache.has_size(6));
        assert_eq!(cache.get(5, Digest::of(b"layer")), Some(kept));
        assert_eq!(cache.get(5, Digest::of(b"other")), None);
        assert!(!Cache::new(root.path(), Compression::Zstd(3)).has_size(5));
    }

    #[test]
    fn a_damaged_layer_is_dropped_and_never_served() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path(), Compression::None);
        for damage in [&b"lay"[..], b"lover", b""] {
            let kept = add(&cache, b"layer");
            fs::write(&kept.path, damage).unwrap();
            assert_eq!(cache.get(5, Digest::of(b"layer")), None);
            assert!(!kept.path.exists());
        }
    }

    #[test]
    fn the_oldest_layers_go_first_and_young_ones_stay() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path(), Compression::None);
        let kept = [b"one", b"two", b"six"].map(|content| add(&cache, content).path);
        for (path, hours) in kept.iter().zip([3, 2, 0]) {
            let time = SystemTime::now() - Duration::from_secs(hours * 3600);
            File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        }
        prune(root.path(), 6).unwrap();
        assert_eq!(kept.each_ref().map(|path| path.exists()), [false, true, true]);
        prune(root.path(), 0).unwrap();
        assert_eq!(kept.each_ref().map(|path| path.exists()), [false, false, true]);
    }
}
