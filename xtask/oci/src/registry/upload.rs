//! Blobs on their way to a registry: asked for first, then mounted from a neighbour, then uploaded.

use anyhow::{Context as _, Result, ensure};
use ureq::Body;
use ureq::http::{Method, Response, StatusCode};

use super::client::{Call, Client, DOCUMENT, header};
use super::retry::{Best, Failure};
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

/// How far an upload is, over all of its attempts.
#[derive(Default)]
struct Progress {
    /// Whether a part of it may have arrived.
    has_begun: bool,
    /// Where a large blob goes on.
    session: Option<String>,
    best: Best,
}

impl Client {
    /// Whether the repository has a blob.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn has_blob(&self, digest: Digest) -> Result<bool> {
        let what = format!("cannot look for {digest} in {}", self.name());
        self.policy.run(|| self.ask_for(&self.location.repository, digest)).context(what)
    }

    /// Whether a blob can be mounted from one of the repositories that this client was made with.
    pub fn can_mount(&self, digest: Digest) -> Result<bool> {
        // Not to be allowed to look is the same as not to have it.
        let has = |source: &String| self.policy.run(|| self.ask_for(source, digest)).unwrap_or(false);
        Ok(self.sources.iter().any(has))
    }

    fn ask_for(&self, repository: &str, digest: Digest) -> Result<bool, Failure> {
        let url = format!("{}/v2/{repository}/blobs/{digest}", self.location.origin());
        let answer = self.send(&Call::new(Method::HEAD, &url))?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refusal("the registry does not say whether it is there", answer)),
        }
    }

    /// Sees that the repository has `blob`.
    ///
    /// # Errors
    /// The registry cannot be reached, refuses, or keeps failing; or the blob's file cannot be read.
    pub fn upload(&self, blob: &Blob) -> Result<Transfer> {
        let what = format!("cannot upload {} to {}", blob.digest, self.name());
        let mut progress = Progress::default();
        self.policy.run(|| self.try_upload(blob, &mut progress)).context(what)
    }

    fn try_upload(&self, blob: &Blob, progress: &mut Progress) -> Result<Transfer, Failure> {
        // Before every attempt: it may be the answer to the one before that was lost.
        if self.ask_for(&self.location.repository, blob.digest)? {
            return Ok(if progress.has_begun { Transfer::Uploaded } else { Transfer::Present });
        }
        let (session, offset) = match self.resume(blob, progress)? {
            Some(found) => found,
            None => match self.begin(blob)? {
                Started::Mounted => return Ok(Transfer::Mounted),
                Started::Session(session) => (session, 0),
            },
        };
        progress.has_begun = true;
        if blob.size <= MAX_REQUEST {
            self.finish(blob, &session, part(blob, 0, blob.size), progress)?;
        } else {
            let session = self.upload_chunks(blob, session, offset, progress)?;
            self.finish(blob, &session, Source::Empty, progress)?;
        }
        Ok(Transfer::Uploaded)
    }

    /// Where the attempt before may go on, if the registry still knows of it.
    fn resume(&self, blob: &Blob, progress: &mut Progress) -> Result<Option<(String, u64)>, Failure> {
        let Some(session) = &progress.session else { return Ok(None) };
        match self.where_it_stands(session) {
            Ok(Some((session, offset))) if offset <= blob.size => Ok(Some((session, offset))),
            Ok(_) | Err(Failure::Final(_)) => {
                progress.session = None;
                Ok(None)
            }
            Err(passing) => Err(passing),
        }
    }

    /// Whether the registry mounts `blob` from another repository.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn mount(&self, blob: &Blob) -> Result<bool> {
        self.policy.run(|| Ok(matches!(self.try_mount(blob)?, Some(Started::Mounted))))
    }

    /// Begins an upload, unless the blob can be mounted.
    fn begin(&self, blob: &Blob) -> Result<Started, Failure> {
        match self.try_mount(blob) {
            // A session that was given instead of the mount is as good as one that was asked for.
            Ok(Some(started)) => Ok(started),
            // Not to be allowed to mount is no reason not to upload.
            Ok(None) | Err(Failure::Final(_)) => self.start(""),
            Err(passing) => Err(passing),
        }
    }

    fn try_mount(&self, blob: &Blob) -> Result<Option<Started>, Failure> {
        let (mut session, mut refusal) = (None, None);
        for source in &self.sources {
            match self.start(&format!("?mount={}&from={}", blob.digest, source.replace('/', "%2F"))) {
                Ok(Started::Mounted) => return Ok(Some(Started::Mounted)),
                Ok(started) => session = Some(started),
                // Another source may do.
                Err(Failure::Final(error)) => refusal = Some(error),
                Err(passing) => return Err(passing),
            }
        }
        match (session, refusal) {
            (None, Some(error)) => Err(Failure::Final(error)),
            (session, _) => Ok(session),
        }
    }

    pub(super) fn start(&self, query: &str) -> Result<Started, Failure> {
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

    /// Ends an upload.
    fn finish(
        &self,
        blob: &Blob,
        session: &str,
        source: Source<'_>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        let url = format!("{session}{}digest={}", if session.contains('?') { '&' } else { '?' }, blob.digest);
        let expected = Expected { stored: blob.size, ..DOCUMENT };
        let call = Call { headers, source, expected, ..Call::new(Method::PUT, &url) };
        let statuses = [StatusCode::CREATED, StatusCode::NO_CONTENT];
        match self.continued("the upload cannot end", &call, &statuses) {
            Ok(_) => Ok(()),
            Err(Failure::Final(error)) if is_damage(&error) => {
                check(blob)?;
                // Nothing may go on where the damage is.
                progress.session = None;
                Err(Failure::passing(error))
            }
            Err(other) => Err(other),
        }
    }

    /// Uploads a large blob from `offset` on, in pieces. Returns where it ends.
    fn upload_chunks(
        &self,
        blob: &Blob,
        mut session: String,
        mut offset: u64,
        progress: &mut Progress,
    ) -> Result<String, Failure> {
        while offset < blob.size {
            progress.session = Some(session.clone());
            let size = (blob.size - offset).min(MAX_REQUEST);
            let uploaded = self.upload_chunk(blob, &session, offset, size);
            (session, offset) = uploaded.map_err(|failure| progress.best.judge(offset, failure))?;
        }
        progress.session = Some(session.clone());
        Ok(session)
    }

    /// Uploads a piece. Returns where and with which byte the next one begins.
    fn upload_chunk(
        &self,
        blob: &Blob,
        session: &str,
        offset: u64,
        size: u64,
    ) -> Result<(String, u64), Failure> {
        let headers = vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("content-range", format!("{offset}-{}", offset + size - 1)),
        ];
        let expected = Expected { stored: size, ..DOCUMENT };
        let call =
            Call { headers, source: part(blob, offset, size), expected, ..Call::new(Method::PATCH, session) };
        let statuses = [StatusCode::ACCEPTED, StatusCode::NO_CONTENT];
        let answer = self.continued("a part cannot be uploaded", &call, &statuses)?;
        // A registry may keep less than it was sent.
        let next = stored(&answer).filter(|stored| (offset..offset + size).contains(stored));
        Ok((self.session(&answer)?, next.unwrap_or(offset + size)))
    }

    /// Where an upload goes on and how much of it the registry has, if it says so.
    fn where_it_stands(&self, session: &str) -> Result<Option<(String, u64)>, Failure> {
        let call = Call::new(Method::GET, session);
        let statuses = [StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::ACCEPTED];
        let answer = self.expect("the upload is lost", &call, &statuses)?;
        let session = self.session(&answer).unwrap_or_else(|_| session.to_owned());
        Ok(stored(&answer).map(|stored| (session, stored)))
    }

    /// A request within an upload. That the registry does not know the upload any more is no reason to give up.
    fn continued(
        &self,
        what: &str,
        call: &Call<'_>,
        statuses: &[StatusCode],
    ) -> Result<Response<Body>, Failure> {
        self.expect_or(what, call, statuses, |status, failure| match (status, failure) {
            (StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE, Failure::Final(error)) => {
                Failure::passing(error)
            }
            (_, other) => other,
        })
    }
}

/// How much of an upload a registry has. One that has nothing says 0-0, as does one that has a byte.
fn stored(answer: &Response<Body>) -> Option<u64> {
    let (_, last) = header(answer, "range")?.rsplit_once('-')?;
    last.parse().ok().map(|last: u64| if last == 0 { 0 } else { last.saturating_add(1) })
}

/// Whether a blob's file is what it was. If it is not, no further attempt is worth anything.
fn check(blob: &Blob) -> Result<()> {
    let Content::Path(path) = &blob.content else { return Ok(()) };
    let found = Digest::of_file(path)?;
    ensure!(found == blob.digest, "{} was changed while it was used; start again", path.display());
    Ok(())
}

pub(super) enum Started {
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
