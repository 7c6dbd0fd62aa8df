//! Blobs of registries, kept for every project of this user: `sha256/<hex>`, under their digest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::atomic;
use crate::cache;
use crate::digest::Digest;

/// The folder of blobs. It may be deleted at any time.
#[derive(Clone, Debug)]
pub struct BlobStore {
    folder: PathBuf,
}

impl BlobStore {
    /// The store below `root`.
    pub fn new(root: &Path) -> BlobStore {
        BlobStore { folder: root.join("sha256") }
    }

    /// Where a blob is, or would be.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.hex())
    }

    /// Whether a blob is there and intact. A damaged one is removed.
    pub fn has(&self, digest: Digest, size: u64) -> bool {
        let path = self.path(digest);
        let Ok(found) = fs::metadata(&path) else { return false };
        let is_intact = found.len() == size && Digest::of_file(&path).is_ok_and(|is| is == digest);
        if is_intact {
            let _ = cache::touch(&path);
        } else {
            let _ = fs::remove_file(&path);
        }
        is_intact
    }

    /// A manifest, index or config, if it is there and intact.
    pub fn document(&self, digest: Digest) -> Option<Vec<u8>> {
        fs::read(self.path(digest)).ok().filter(|bytes| Digest::of(bytes) == digest)
    }

    /// Keeps a document.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_document(&self, digest: Digest, bytes: &[u8]) -> Result<()> {
        atomic::write(&self.path(digest), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_blob_is_never_served() {
        let root = tempfile::tempdir().unwrap();
        let store = BlobStore::new(root.path());
        let digest = Digest::of(b"blob");
        store.keep_document(digest, b"blob").unwrap();
        assert!(store.has(digest, 4));
        assert_eq!(store.document(digest).as_deref(), Some(&b"blob"[..]));
        for damage in [&b"blo"[..], b"blub", b""] {
            fs::write(store.path(digest), damage).unwrap();
            assert_eq!(store.document(digest), None);
            assert!(!store.has(digest, 4) && !store.path(digest).exists());
        }
    }
}
