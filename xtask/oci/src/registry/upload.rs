//! Blobs on their way to a registry: asked for first, then mounted from a neighbour, then uploaded.

use anyhow::{Context as _, Result, anyhow};
use ureq::Body;
use ureq::http::{Method, Response, StatusCode};

use super::client::{Call, Client, DOCUMENT, header};
use super::retry::Failure;
use super::source::Source;
use super::transport::{Expected, refusal};
use crate::digest::Digest;
use crate::files::Content;
use crate::image::Blob;

/// The most that one request carries, in bytes. Some hosted registries refuse bodies of 100 MB.
pub const MAX_REQUEST: u64 = 64 << 20;

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The repository has it.
    Present,
    /// It was in another repository of the registry.
    Mounted,
    /// It went over the network.
    Uploaded,
}

impl Client {
    /// Whether the repository has a blob.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn has_blob(&self, digest: Digest) -> Result<bool> {
        self.policy.run(|| self.ask_for(&self.location.url(&format!("blobs/{digest}"))))
    }

    /// Whether a blob can be mounted from one of the repositories that this client was made with.
    pub fn can_mount(&self, digest: Digest) -> Result<bool> {
        for source in &self.sources {
            let url = format!("{}/v2/{source}/blobs/{digest}", self.location.origin());
            // Not to be allowed to look is the same as not to have it.
            if self.policy.run(|| self.ask_for(&url)).unwrap_or(false) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ask_for(&self, url: &str) -> Result<bool, Failure> {
        let answer = self.send(&Call::new(Method::HEAD, url))?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refusal(&format!("cannot look for a blob in {}", self.name()), answer)),
        }
    }

    /// Sees that the repository has `blob`.
    ///
    /// # Errors
    /// The registry cannot be reached, refuses, or keeps failing; or the blob's file cannot be read.
    pub fn upload(&self, blob: &Blob) -> Result<Transfer> {
        if self.has_blob(blob.digest)? {
            return Ok(Transfer::Present);
        }
        let what = format!("cannot upload {} to {}", blob.digest, self.name());
        self.policy.run(|| self.mount_or_upload(blob)).context(what)
    }

    /// Whether the registry mounts `blob` from another repository.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn mount(&self, blob: &Blob) -> Result<bool> {
        self.policy.run(|| Ok(matches!(self.try_mount(blob)?, Some(Started::Mounted))))
    }

    fn mount_or_upload(&self, blob: &Blob) -> Result<Transfer, Failure> {
        let started = match self.try_mount(blob)? {
            // A session that was given instead of the mount is as good as one that was asked for.
            Some(started) => started,
            None => self.start("")?,
        };
        let session = match started {
            Started::Mounted => return Ok(Transfer::Mounted),
            Started::Session(url) => url,
        };
        if blob.size <= MAX_REQUEST {
            self.finish(blob, &session, part(blob, 0, blob.size))?;
        } else {
            let session = self.upload_chunks(blob, session)?;
            self.finish(blob, &session, Source::Empty)?;
        }
        Ok(Transfer::Uploaded)
    }

    fn try_mount(&self, blob: &Blob) -> Result<Option<Started>, Failure> {
        let mut started = None;
        for source in &self.sources {
            let source = source.replace('/', "%2F");
            started = Some(self.start(&format!("?mount={}&from={source}", blob.digest))?);
            if matches!(started, Some(Started::Mounted)) {
                break;
            }
        }
        Ok(started)
    }

    fn start(&self, query: &str) -> Result<Started, Failure> {
        let url = self.location.url(&format!("blobs/uploads/{query}"));
        let answer = self.expect(
            "an upload cannot begin",
            &Call::new(Method::POST, &url),
            &[StatusCode::ACCEPTED, StatusCode::CREATED],
        )?;
        if answer.status() == StatusCode::CREATED {
            return Ok(Started::Mounted);
        }
        Ok(Started::Session(self.session(&answer)?))
    }

    /// Where an upload goes on.
    fn session(&self, answer: &Response<Body>) -> Result<String> {
        let place =
            header(answer, "location").context("the registry does not say where to upload (no Location)")?;
        self.location.resolve(&self.location.origin(), place)
    }

    /// Ends an upload. What was damaged on its way is worth another attempt.
    fn finish(&self, blob: &Blob, session: &str, source: Source<'_>) -> Result<(), Failure> {
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        let url = format!("{session}{}digest={}", if session.contains('?') { '&' } else { '?' }, blob.digest);
        let expected = Expected { stored: blob.size, ..DOCUMENT };
        let call = Call { headers, source, expected, ..Call::new(Method::PUT, &url) };
        match self.expect("the upload cannot end", &call, &[StatusCode::CREATED, StatusCode::NO_CONTENT]) {
            Ok(_) => Ok(()),
            Err(Failure::Final(error)) if is_damage(&error) => Err(Failure::passing(error)),
            Err(other) => Err(other),
        }
    }

    /// Uploads a large blob in pieces; a piece that fails goes on where the registry lost it. Returns where it ends.
    fn upload_chunks(&self, blob: &Blob, mut session: String) -> Result<String, Failure> {
        let mut offset = 0;
        while offset < blob.size {
            let resumed = self.policy.run(|| {
                let size = (blob.size - offset).min(MAX_REQUEST);
                match self.upload_chunk(blob, &session, offset, size) {
                    Ok(next) => {
                        (session, offset) = (next, offset + size);
                        Ok(())
                    }
                    Err(Failure::Passing(error, wish)) => {
                        (session, offset) = self.where_it_stands(&session)?;
                        Err(Failure::Passing(error, wish))
                    }
                    Err(other) => Err(other),
                }
            });
            // The session itself is lost: everything begins anew, if it may.
            resumed.map_err(Failure::passing)?;
        }
        Ok(session)
    }

    fn upload_chunk(&self, blob: &Blob, session: &str, offset: u64, size: u64) -> Result<String, Failure> {
        let headers = vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("content-range", format!("{offset}-{}", offset + size - 1)),
        ];
        let expected = Expected { stored: size, ..DOCUMENT };
        let call =
            Call { headers, source: part(blob, offset, size), expected, ..Call::new(Method::PATCH, session) };
        let statuses = [StatusCode::ACCEPTED, StatusCode::NO_CONTENT];
        Ok(self.session(&self.expect("a part cannot be uploaded", &call, &statuses)?)?)
    }

    /// How much of an upload the registry has.
    fn where_it_stands(&self, session: &str) -> Result<(String, u64), Failure> {
        let call = Call::new(Method::GET, session);
        let statuses = [StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::ACCEPTED];
        let answer = self.expect("the upload is lost", &call, &statuses)?;
        let last = header(&answer, "range")
            .and_then(|range| range.rsplit_once('-'))
            .map(|(_, last)| last.parse::<u64>());
        let offset = match last {
            // A registry that has nothing says 0-0, as does one that has a byte; no part is as small as that.
            Some(Ok(0)) | None => 0,
            Some(Ok(last)) => last + 1,
            Some(Err(_)) => return Err(Failure::Final(anyhow!("the registry's Range is not understood"))),
        };
        let session = self.session(&answer).unwrap_or_else(|_| session.to_owned());
        Ok((session, offset))
    }
}

enum Started {
    Mounted,
    Session(String),
}

fn part(blob: &Blob, offset: u64, size: u64) -> Source<'_> {
    match &blob.content {
        Content::Bytes(bytes) => Source::Bytes(&bytes[offset as usize..(offset + size) as usize]),
        Content::Path(path) => Source::Part { path, offset, size },
    }
}

/// Whether the registry got other bytes than were meant.
fn is_damage(error: &anyhow::Error) -> bool {
    ["DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN"]
        .iter()
        .any(|code| error.to_string().contains(code))
}
