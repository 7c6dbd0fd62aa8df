//! Documents and blobs on their way from a registry: nothing is believed before its digest is checked.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use ureq::http::{Method, StatusCode};

use super::client::{Call, Client, MAX_DOCUMENT, header};
use super::retry::{Best, Failure};
use super::transport::{Expected, cut, refusal};
use crate::atomic::AtomicFile;
use crate::digest::{CHUNK, Digest, Hasher};
use crate::oci;

/// A manifest or an index as a registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    /// What it says it is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Client {
    /// The manifest or index with this tag or digest, if there is one.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses, or what it gives is too large or has another digest.
    pub fn manifest(&self, reference: &str) -> Result<Option<RawDocument>> {
        let what = format!("cannot read {}", self.named(reference));
        self.policy.run(|| self.try_manifest(reference)).context(what)
    }

    /// A tag or digest of the repository, for people.
    pub fn named(&self, reference: &str) -> String {
        format!("{}{}{reference}", self.name(), if reference.contains(':') { '@' } else { ':' })
    }

    fn try_manifest(&self, reference: &str) -> Result<Option<RawDocument>, Failure> {
        let url = self.location.url(&format!("manifests/{reference}"));
        let accept = [oci::INDEX, oci::MANIFEST, oci::DOCKER_INDEX, oci::DOCKER_MANIFEST].join(", ");
        let call = Call { headers: vec![("accept", accept)], ..Call::new(Method::GET, &url) };
        let answer = self.send(&call)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(refusal("the registry refuses", answer)),
        }
        let media_type = header(&answer, "content-type").unwrap_or_default().to_owned();
        let promised = header(&answer, "docker-content-digest").map(str::to_owned);
        let mut bytes = Vec::new();
        let mut body = answer.into_body();
        let mut reader = body.with_config().limit(u64::MAX).reader().take(MAX_DOCUMENT + 1);
        reader.read_to_end(&mut bytes).map_err(|error| cut("the document is cut off", error))?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(Failure::Final(anyhow!(
                "it has more than {} MiB, which no manifest needs",
                MAX_DOCUMENT >> 20
            )));
        }
        let digest = Digest::of(&bytes);
        let asked = reference.contains(':').then(|| reference.to_owned());
        for expected in asked.into_iter().chain(promised) {
            if expected.starts_with("sha256:") && expected != digest.to_string() {
                return Err(Failure::passing(anyhow!("its digest is {digest} instead of {expected}")));
            }
        }
        Ok(Some(RawDocument { media_type, digest, bytes }))
    }

    /// Writes the blob with this digest and size to `dest`, whole and checked. What came before a connection was cut is
    /// kept, and the rest asked for.
    ///
    /// # Errors
    /// The registry cannot be reached, has no such blob or another one, or `dest` cannot be written.
    pub fn download(&self, digest: Digest, size: u64, dest: &Path) -> Result<()> {
        let what = format!("cannot download {digest} from {}", self.name());
        let (mut begun, mut best) = (None, Best::default());
        self.policy.run(|| self.try_download(digest, size, dest, &mut begun, &mut best)).context(what)
    }

    fn try_download(
        &self,
        digest: Digest,
        size: u64,
        dest: &Path,
        begun: &mut Option<Hasher<AtomicFile>>,
        best: &mut Best,
    ) -> Result<(), Failure> {
        let mut hasher = match begun.take() {
            Some(hasher) => hasher,
            None => Hasher::new(AtomicFile::create(dest)?),
        };
        if let Err(failure) = self.receive(digest, size, &mut hasher) {
            let failure = best.judge(hasher.size(), failure);
            *begun = Some(hasher);
            return Err(failure);
        }
        let (file, found, _) = hasher.finish();
        if found != digest {
            // What came so far is gone with the file: nothing may go on where the damage is.
            return Err(Failure::passing(anyhow!("its digest is {found}")));
        }
        Ok(file.commit()?)
    }

    /// Receives what is still to come.
    fn receive(&self, digest: Digest, size: u64, hasher: &mut Hasher<AtomicFile>) -> Result<(), Failure> {
        let got = hasher.size();
        if got > 0 && got == size {
            return Ok(());
        }
        let url = self.location.url(&format!("blobs/{digest}"));
        let expected = Expected { body: size, stored: 0 };
        let mut call = Call { expected, ..Call::new(Method::GET, &url) };
        call.headers.extend((got > 0).then(|| ("range", format!("bytes={got}-"))));
        let statuses = [StatusCode::OK, StatusCode::PARTIAL_CONTENT];
        let answer = self.expect("the registry does not give it", &call, &statuses)?;
        let skip = if answer.status() == StatusCode::PARTIAL_CONTENT { 0 } else { got };
        let mut body = answer.into_body();
        let mut reader = body.with_config().limit(u64::MAX).reader();
        std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink())
            .map_err(|error| cut("the blob is cut off", error))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) if hasher.size() == size => return Ok(()),
                Ok(0) => {
                    return Err(Failure::passing(anyhow!("it ends after {} of {size} bytes", hasher.size())));
                }
                Ok(length) if hasher.size() + length as u64 > size => {
                    return Err(Failure::Final(anyhow!(
                        "it has more than the {size} bytes that its manifest says"
                    )));
                }
                Ok(length) => hasher.write_all(&chunk[..length]).map_err(anyhow::Error::from)?,
                Err(error) => return Err(cut("the blob is cut off", error)),
            }
        }
    }
}
