//! Blobs, in files, and manifests, in memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::http::{Answer, Request};

/// What a registry has.
pub(crate) struct Store {
    folder: PathBuf,
    uploads: AtomicU64,
    manifests: Mutex<Manifests>,
}

/// By repository and reference, which is a tag or a digest: media type and content.
type Manifests = BTreeMap<(String, String), (String, Vec<u8>)>;

impl Store {
    /// An empty one, whose blobs are in `folder`.
    pub(super) fn new(folder: &Path) -> Result<Store> {
        fs::create_dir_all(folder).context("cannot make a folder")?;
        Ok(Store { folder: folder.to_owned(), uploads: AtomicU64::new(0), manifests: Mutex::default() })
    }

    /// Bytes of each compressed layer of an image that was pushed; of one for several platforms, of that for `architecture`.
    ///
    /// # Errors
    /// When there is no such image.
    pub(crate) fn layers(&self, name: &str, tag: &str, architecture: &str) -> Result<Vec<u64>> {
        let read = |reference: &str| -> Result<Value> {
            let manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (name.to_owned(), reference.to_owned());
            let (_, text) =
                manifests.get(&key).with_context(|| format!("{name}:{reference} was not pushed"))?;
            serde_json::from_slice(text).context("a manifest is not JSON")
        };
        let mut manifest = read(tag)?;
        if let Some(images) = manifest["manifests"].as_array() {
            let is_wanted = |image: &&Value| image["platform"]["architecture"] == architecture;
            let image = images.iter().find(is_wanted).or(images.first());
            let digest = image.and_then(|image| image["digest"].as_str()).unwrap_or_default().to_owned();
            manifest = read(&digest)?;
        }
        let layers = manifest["layers"].as_array().context("a manifest has no layers")?;
        Ok(layers.iter().filter_map(|layer| layer["size"].as_u64()).collect())
    }

    /// One step of an upload: `rest` is empty at its beginning, and the upload's number later.
    pub(super) fn upload(&self, request: &mut Request<'_, '_>, name: &str, rest: &str) -> io::Result<Answer> {
        if request.method == "POST" {
            let known = request.query.get("mount").filter(|digest| self.path(digest).is_file());
            if let Some(digest) = known {
                return Ok(created(format!("/v2/{name}/blobs/{digest}"), digest));
            }
            let number = self.uploads.fetch_add(1, Ordering::Relaxed).to_string();
            File::create(self.folder.join(&number))?;
            return self.continued(request, name, &number);
        }
        // The number is from us, and nothing else is a file to write to.
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Answer::status(404));
        }
        self.continued(request, name, rest)
    }

    fn continued(&self, request: &mut Request<'_, '_>, name: &str, number: &str) -> io::Result<Answer> {
        let path = self.folder.join(number);
        let mut file = File::options().append(true).open(&path)?;
        request.body_to(&mut file)?;
        if let Some(digest) = request.query.get("digest") {
            fs::rename(&path, self.path(digest))?;
            return Ok(created(format!("/v2/{name}/blobs/{digest}"), digest));
        }
        let end = file.metadata()?.len().saturating_sub(1);
        let location = format!("/v2/{name}/blobs/uploads/{number}");
        Ok(Answer::status(202).with("Location", location).with("Range", format!("0-{end}")))
    }

    /// A blob by its digest.
    pub(super) fn blob(&self, digest: &str) -> Answer {
        let Ok(file) = File::open(self.path(digest)) else { return Answer::status(404) };
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let answer = Answer::status(200).with("Content-Type", "application/octet-stream");
        answer.with("Docker-Content-Digest", digest).file(file, length)
    }

    /// Takes a manifest by its tag or digest.
    pub(super) fn put_manifest(
        &self,
        request: &mut Request<'_, '_>,
        name: &str,
        reference: &str,
    ) -> io::Result<Answer> {
        let mut text = Vec::new();
        request.body_to(&mut text)?;
        let kind = request.header("content-type").unwrap_or_default().to_owned();
        let digest = digest_of(&text);
        let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        for reference in [reference, &digest] {
            manifests.insert((name.to_owned(), reference.to_owned()), (kind.clone(), text.clone()));
        }
        Ok(created(format!("/v2/{name}/manifests/{digest}"), &digest))
    }

    /// A manifest by its tag or digest.
    pub(super) fn manifest(&self, name: &str, reference: &str) -> Answer {
        let manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        match manifests.get(&(name.to_owned(), reference.to_owned())) {
            Some((kind, text)) => Answer::status(200)
                .with("Content-Type", kind.clone())
                .with("Docker-Content-Digest", digest_of(text))
                .text(text.clone()),
            None => Answer::status(404),
        }
    }

    /// Where a blob is: its digest without what no digest has, so that none leads elsewhere.
    fn path(&self, digest: &str) -> PathBuf {
        let name = digest.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        self.folder.join(format!("blob-{name}"))
    }
}

fn created(location: String, digest: &str) -> Answer {
    Answer::status(201).with("Location", location).with("Docker-Content-Digest", digest)
}

fn digest_of(text: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(text)))
}
