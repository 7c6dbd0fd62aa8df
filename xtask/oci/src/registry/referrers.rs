//! What refers to an image in a registry: SBOM, provenance, signatures.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use ureq::http::{Method, StatusCode};

use super::client::{Call, Client};
use super::retry::Failure;
use crate::digest::Digest;
use crate::document::Document;
use crate::proof::referrer::fallback_tag;

/// The most that a document may have, in bytes: it is read as a whole.
const MAX_CONTENT: u64 = 64 << 20;

/// What a list of referrers says of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referring {
    /// The digest of its manifest.
    pub digest: Digest,
    /// What kind of document it is.
    pub artifact_type: Option<String>,
}

impl Client {
    /// What refers to `subject`: by the registry's own list or, where it has none, by the index under the
    /// [tag](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema) for it.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses, or what it has is no such list.
    pub fn referrers(&self, subject: Digest) -> Result<Vec<Referring>> {
        match self.listed_referrers(subject) {
            Ok(listed) if !listed.is_empty() => Ok(listed),
            _ => match self.manifest(&fallback_tag(subject))? {
                Some(index) => parse(&index.bytes)?.into_iter().map(|one| self.typed(one)).collect(),
                None => Ok(Vec::new()),
            },
        }
    }

    /// The same with its kind, if only its manifest says that: tools that copy an index and do not know the field leave it
    /// out.
    fn typed(&self, referring: Referring) -> Result<Referring> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Manifest {
            artifact_type: Option<String>,
        }
        if referring.artifact_type.is_some() {
            return Ok(referring);
        }
        let found = self.manifest(&referring.digest.to_string())?;
        let manifest = found.and_then(|found| serde_json::from_slice::<Manifest>(&found.bytes).ok());
        Ok(Referring { artifact_type: manifest.and_then(|manifest| manifest.artifact_type), ..referring })
    }

    /// The registry's own list of what refers to `subject`.
    ///
    /// # Errors
    /// It has none, cannot be reached or refuses.
    pub fn listed_referrers(&self, subject: Digest) -> Result<Vec<Referring>> {
        let url = self.location.url(&format!("referrers/{subject}"));
        let ask = || {
            let call = Call::new(Method::GET, &url);
            let mut answer = self.expect("it has no list of them", &call, &[StatusCode::OK])?;
            answer.body_mut().read_to_string().map_err(Failure::passing)
        };
        parse(self.policy.run(ask)?.as_bytes())
    }

    /// The document that a manifest of [`referrers`](Self::referrers) stands for. It is put into `folder` on the way.
    ///
    /// # Errors
    /// It is not there, or not what its digests say, or too large.
    pub fn referring_document(&self, referring: &Referring, folder: &Path) -> Result<Vec<u8>> {
        let name = referring.digest.to_string();
        let found = self.manifest(&name)?.with_context(|| format!("{} is not there", self.named(&name)))?;
        let Document::Manifest(manifest) = Document::parse(&found.bytes)? else {
            bail!("{name} is no manifest of a document")
        };
        let [layer] = &manifest.layers[..] else { bail!("{name} has no document, or several") };
        ensure!(layer.size <= MAX_CONTENT, "{} has more than {} MiB", layer.digest, MAX_CONTENT >> 20);
        let path = folder.join(layer.digest.hex());
        self.download(layer.digest, layer.size, &path)?;
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

fn parse(list: &[u8]) -> Result<Vec<Referring>> {
    #[derive(Deserialize)]
    struct List {
        manifests: Vec<Referring>,
    }
    let list: List = serde_json::from_slice(list).context("the registry's list of referrers is damaged")?;
    Ok(list.manifests)
}
