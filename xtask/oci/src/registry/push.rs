//! A whole image on its way to a registry: blobs side by side, then manifests, and tags last of all.
//!
//! Nothing refers to what is not there yet, so whoever pulls, and whenever a push is killed, gets the old or the new image
//! whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use image_spec::{PushReport, Reference, Repository};
use ureq::http::{Method, StatusCode};

use super::client::{Call, Client, Connection, header};
use super::retry::Failure;
use super::source::Source;
use super::upload::Transfer;
use crate::digest::Digest;
use crate::files::Content;
use crate::image::{Blob, Image};
use crate::oci;
use crate::proof::referrer::{self, Referrer};

/// How many blobs go at a time. More do not fill a connection better, and registries begin to refuse.
const PARALLEL: usize = 4;

/// A registry that has every blob does not take the manifest: something in it is beyond it.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the registry takes no such image; `cargo xtask registry check` shows what it takes")
    }
}

/// How to push.
#[derive(Clone, Debug, Default)]
pub struct Push<'a> {
    /// Repositories whose blobs may be mounted, such as the base's.
    pub sources: Vec<Repository>,
    /// Tags that never move once they exist; `*` stands for any characters.
    pub immutable: &'a [String],
    /// Documents that refer to the image, and go along.
    pub referrers: &'a [Referrer],
    /// Whether to look only, and upload nothing.
    pub dry_run: bool,
}

/// Pushes `image` under all of its names.
///
/// # Errors
/// A tag exists and may not move, or the registry cannot be reached or refuses. No tag has moved then, unless it was the
/// registry that failed amid several tags.
pub fn push(image: &Image, connection: &Connection, how: &Push<'_>) -> Result<PushReport> {
    let repositories = by_repository(&image.names);
    ensure!(!repositories.is_empty(), "the image has no name to push it under; give it a tag");
    let clients = repositories
        .into_iter()
        .map(|(repository, tags)| (connection.to_push(repository, &how.sources), tags));
    let clients = clients.collect::<Vec<_>>();
    for (client, tags) in &clients {
        refuse_moves(client, tags, how.immutable, Some(image.root().digest))?;
    }
    let mut report = PushReport { dry_run: how.dry_run, ..PushReport::default() };
    for (client, _) in &clients {
        let transfers = blobs(client, image, how.dry_run)?;
        for (blob, transfer) in transfers {
            *match transfer {
                Transfer::Present => &mut report.present,
                Transfer::Mounted => &mut report.mounted,
                Transfer::Uploaded => &mut report.uploaded,
            } += blob.size;
        }
        if !how.dry_run {
            manifests(client, image)?;
            how.referrers.iter().try_for_each(|referrer| client.attach(referrer))?;
        }
    }
    if !how.dry_run {
        clients.iter().try_for_each(|(client, tags)| {
            tags.iter().try_for_each(|tag| client.put_tag(image.root(), tag))
        })?;
    }
    Ok(report)
}

/// Refuses names that are taken and may not move, before there is an image to push under them.
///
/// # Errors
/// A name is taken, or a registry cannot be reached or refuses.
pub fn check_new(names: &[Reference], immutable: &[String], connection: &Connection) -> Result<()> {
    by_repository(names).into_iter().try_for_each(|(repository, tags)| {
        refuse_moves(&connection.to_push(repository, &[]), &tags, immutable, None)
    })
}

/// Those of `names` that are taken. To ask takes no right to push.
///
/// # Errors
/// A registry cannot be reached or refuses.
pub fn existing(names: &[Reference], connection: &Connection) -> Result<Vec<Reference>> {
    let mut existing = Vec::new();
    for name in names {
        if connection.to_pull(name.repository()).manifest(&name.tag_or_latest())?.is_some() {
            existing.push(name.clone());
        }
    }
    Ok(existing)
}

/// Puts documents beside an image that is in a registry already, wherever `names` say that it is.
///
/// # Errors
/// A registry cannot be reached or refuses.
pub fn attach(referrers: &[Referrer], names: &[Reference], connection: &Connection) -> Result<()> {
    by_repository(names).into_keys().try_for_each(|repository| {
        let client = connection.to_push(repository, &[]);
        referrers.iter().try_for_each(|referrer| client.attach(referrer))
    })
}

/// The tags that `names` have in each repository.
fn by_repository(names: &[Reference]) -> BTreeMap<&Repository, Vec<String>> {
    let mut repositories = BTreeMap::<_, Vec<_>>::new();
    for name in names {
        repositories.entry(name.repository()).or_default().push(name.tag_or_latest());
    }
    repositories
}

/// Refuses when a tag is there, may not move, and is not what it is going to be anyway.
fn refuse_moves(client: &Client, tags: &[String], immutable: &[String], new: Option<Digest>) -> Result<()> {
    for tag in tags.iter().filter(|tag| immutable.iter().any(|pattern| matches(pattern, tag))) {
        let Some(found) = client.manifest(tag)? else { continue };
        ensure!(
            Some(found.digest) == new,
            "{} exists and is immutable ({}); raise the version, or change [push] immutable in config/pipeline.toml",
            client.named(tag),
            found.digest
        );
    }
    Ok(())
}

/// Sees that the repository has every blob, several at a time. After a failure no further one is begun.
fn blobs<'a>(client: &Client, image: &'a Image, dry_run: bool) -> Result<Vec<(&'a Blob, Transfer)>> {
    let unique = image.contents().map(|blob| (blob.digest, blob)).collect::<BTreeMap<_, _>>();
    let mut blobs = unique.into_values().collect::<Vec<_>>();
    // The largest first: nothing long begins when all else is done.
    blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (done, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let Some(blob) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            match if dry_run { foresee(client, blob) } else { client.upload(blob) } {
                Ok(transfer) => {
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*blob, transfer))
                }
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                }
            }
        }
    };
    thread::scope(|scope| (0..PARALLEL.min(blobs.len())).for_each(|_| drop(scope.spawn(work))));
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
    }
}

/// What would become of a blob.
fn foresee(client: &Client, blob: &Blob) -> Result<Transfer> {
    if client.has_blob(blob.digest)? {
        return Ok(Transfer::Present);
    }
    Ok(if client.can_mount(blob.digest)? { Transfer::Mounted } else { Transfer::Uploaded })
}

/// Puts the manifests, and the index above them, under their digests.
fn manifests(client: &Client, image: &Image) -> Result<()> {
    let all = image.platforms.iter().map(|platform| &platform.manifest).chain(&image.index);
    for manifest in all {
        client.put_manifest(manifest, &manifest.digest.to_string())?;
    }
    Ok(())
}

impl Client {
    /// Puts a document beside the image that it refers to: by the registry's own list or, where it has none, in an index
    /// under a tag that is made of the image's digest.
    fn attach(&self, referrer: &Referrer) -> Result<()> {
        for blob in [&referrer.config, &referrer.layer] {
            self.upload(blob)?;
        }
        if self.put_manifest(&referrer.manifest, &referrer.manifest.digest.to_string())? {
            return Ok(());
        }
        let tag = referrer::fallback_tag(referrer.subject);
        let old = self.manifest(&tag)?.map(|found| found.bytes);
        let index = referrer::fallback_index(old.as_deref(), referrer)?;
        if old.as_ref() != Some(&index) {
            self.put_manifest(&Blob::document(oci::INDEX, index), &tag)?;
        }
        Ok(())
    }

    /// Puts a manifest or an index under a tag or its digest. Returns whether the registry keeps a list of what refers to
    /// the manifest's subject, as the distribution specification 1.1 has it.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn put_manifest(&self, manifest: &Blob, reference: &str) -> Result<bool> {
        let Content::Bytes(bytes) = &manifest.content else { bail!("{} is not a document", manifest.digest) };
        let url = self.location.url(&format!("manifests/{reference}"));
        let call = Call {
            headers: vec![("content-type", manifest.media_type.to_owned())],
            source: Source::Bytes(bytes),
            ..Call::new(Method::PUT, &url)
        };
        let put = || {
            let what = "the registry does not take it";
            let answer =
                self.expect_or(what, &call, &[StatusCode::CREATED], |status, failure| match failure {
                    Failure::Final(error) if is_about_content(status) => {
                        Failure::Final(error.context(Refused))
                    }
                    other => other,
                })?;
            match header(&answer, "docker-content-digest") {
                Some(other) if other != manifest.digest.to_string() => {
                    Err(Failure::Final(anyhow!("the registry made {other} of {}", manifest.digest)))
                }
                _ => Ok(header(&answer, "oci-subject").is_some()),
            }
        };
        self.policy.run(put).with_context(|| format!("cannot put {}", self.named(reference)))
    }

    /// Has a tag point at a manifest or an index, and reads back that it does.
    fn put_tag(&self, root: &Blob, tag: &str) -> Result<()> {
        self.put_manifest(root, tag)?;
        let found =
            self.manifest(tag)?.with_context(|| format!("{} is gone after it was put", self.named(tag)))?;
        ensure!(
            found.digest == root.digest,
            "{} is {} after {} was put; somebody else pushed at the same time",
            self.named(tag),
            found.digest,
            root.digest
        );
        Ok(())
    }
}

/// Whether a manifest was refused for what it is, and not for who sends it or where to. Registries have several ways to
/// say so.
fn is_about_content(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// Whether `text` is like `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).filter(|at| left.is_char_boundary(*at)).any(|at| matches(rest, &left[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in
            [("1.2.3", "1.2.3"), ("*", ""), ("*.*.*", "1.2.3"), ("*.*.*", "one-1.2.3"), ("v*", "v1")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("1.2", "1.2.3"), ("*.*.*", "latest"), ("v*", "1v"), ("", "x"), ("*a", "ab")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
