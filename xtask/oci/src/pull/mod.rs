//! Images that others made, fetched for one platform: checked against their digests, and kept for the next time.

pub mod blobs;
pub mod lock;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{Pins, Platform, Reference};

use crate::digest::Digest;
use crate::document::{ConfigDocument, DescriptorDocument, Document, ManifestDocument};
use crate::files::Entries;
use crate::registry::client::{Client, Connection};
use crate::unpack::stored::Listings;
use crate::unpack::{Packing, PulledLayer, View};
use blobs::BlobStore;

/// Where images of others come from, and where they are kept.
#[derive(Clone, Debug)]
pub struct Sources {
    connection: Connection,
    store: BlobStore,
    listings: Listings,
    pins: Pins,
    /// The folder of files that were taken out of images.
    extracted: PathBuf,
}

impl Sources {
    /// Keeps blobs below `blobs`, and what is made of them below `cache`. Names stand for the digests that `pins` says.
    pub fn new(connection: &Connection, blobs: &Path, cache: &Path, pins: Pins) -> Sources {
        Sources {
            connection: connection.clone(),
            store: BlobStore::new(blobs),
            listings: Listings::new(cache),
            pins,
            extracted: cache.join("extracted"),
        }
    }

    /// Fetches an image for `platform`, as far as it is not here. With a known digest and all blobs here, no registry is
    /// asked.
    ///
    /// # Errors
    /// There is no such image or none for this platform, the registry cannot be reached or refuses, or what it gives is
    /// not what the digests promise.
    pub fn pull(&self, reference: &Reference, platform: Platform) -> Result<PulledImage> {
        let pinned = self.pins.pinned(reference);
        let client = self.connection.to_pull(reference.repository());
        fetch(pinned.as_ref().unwrap_or(reference), platform, &client, &self.store)
            .with_context(|| format!("the image {reference}"))
    }

    /// What an image holds.
    ///
    /// # Errors
    /// A layer cannot be read or is not what the image's config promises.
    pub fn view(&self, image: &PulledImage) -> Result<View> {
        View::of(image.layers.iter().map(Layer::to_read).collect(), &self.listings)
    }

    /// Takes the files out of an image that somebody may execute.
    ///
    /// # Errors
    /// As [`view`](Self::view), and when they cannot be written.
    pub fn programs(&self, image: &PulledImage) -> Result<Entries> {
        let view = self.view(image)?;
        let paths = view.programs().collect::<Vec<_>>();
        view.extract(&paths, &self.extracted)
    }

    /// Takes a file, or a folder with all that is in it, out of an image.
    ///
    /// # Errors
    /// As [`pull`](Self::pull) and [`view`](Self::view), and when the path is not there or cannot be copied.
    pub fn extract(&self, reference: &Reference, platform: Platform, path: &str) -> Result<Entries> {
        let image = self.pull(reference, platform)?;
        let extracted = self.view(&image).and_then(|view| view.extract(&[path], &self.extracted));
        extracted.with_context(|| format!("the image {reference}"))
    }
}

/// An image for one platform on this machine.
#[derive(Clone, Debug)]
pub struct PulledImage {
    /// What was asked for.
    pub reference: Reference,
    /// The digest that the reference stands for: that of an index, if there is one.
    pub digest: Digest,
    /// The digest of the manifest for the platform.
    pub manifest: Digest,
    /// Its config.
    pub config: ConfigDocument,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
}

impl PulledImage {
    /// Its name without the digest, for people.
    pub fn name(&self) -> String {
        let name = self.reference.to_string();
        name.split('@').next().unwrap_or(&name).to_owned()
    }
}

/// A layer of a pulled image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// How it is compressed.
    pub packing: Packing,
    /// Digest of the compressed layer.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Digest of its tar stream.
    pub diff_id: Digest,
    /// Where it is.
    pub path: PathBuf,
}

impl Layer {
    /// What reads it.
    pub fn to_read(&self) -> PulledLayer {
        PulledLayer { blob: self.path.clone(), packing: self.packing, diff_id: self.diff_id }
    }
}

fn fetch(
    reference: &Reference,
    platform: Platform,
    client: &Client,
    store: &BlobStore,
) -> Result<PulledImage> {
    let (digest, root) = document(client, store, &reference.digest_or_tag())?;
    let (own_digest, manifest) = match root {
        Document::Manifest(manifest) => (digest, manifest),
        Document::Index(index) => {
            let descriptor = index.select(platform)?;
            match document(client, store, &descriptor.digest.to_string())?.1 {
                Document::Manifest(manifest) => (descriptor.digest, manifest),
                Document::Index(_) => {
                    bail!("its index has an index for {platform}; name the inner one by its digest")
                }
            }
        }
    };
    let config = config(client, store, &manifest.config, platform)?;
    Ok(PulledImage {
        layers: layers(client, store, &manifest, &config)?,
        reference: reference.clone(),
        digest,
        manifest: own_digest,
        config,
    })
}

/// The digest that `reference` of the client's repository, a tag or a digest, stands for.
///
/// # Errors
/// There is no such image, or the registry cannot be reached or refuses.
pub fn resolve(reference: &Reference, connection: &Connection) -> Result<Digest> {
    let client = connection.to_pull(reference.repository());
    let tag = reference.tag_or_latest();
    let found = client.manifest(&tag)?.with_context(|| no_such(&client, &tag))?;
    Ok(found.digest)
}

fn document(client: &Client, store: &BlobStore, wanted: &str) -> Result<(Digest, Document)> {
    let known = wanted.parse::<Digest>().ok().and_then(|digest| Some((digest, store.document(digest)?)));
    let (digest, bytes) = match known {
        Some(known) => known,
        None => {
            let found = client.manifest(wanted)?.with_context(|| no_such(client, wanted))?;
            store.keep_document(found.digest, &found.bytes)?;
            (found.digest, found.bytes)
        }
    };
    Ok((digest, Document::parse(&bytes)?))
}

fn no_such(client: &Client, wanted: &str) -> String {
    format!(
        "{} is not there; look for a typo, or for the registry's mirror in [mirrors]",
        client.named(wanted)
    )
}

fn config(
    client: &Client,
    store: &BlobStore,
    descriptor: &DescriptorDocument,
    platform: Platform,
) -> Result<ConfigDocument> {
    let path = blob(client, store, descriptor)?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let config = ConfigDocument::parse(&bytes)?;
    config.check_platform(platform)?;
    Ok(config)
}

/// All layers, one after the other: they come from one place, and most images of this kind have one or two.
fn layers(
    client: &Client,
    store: &BlobStore,
    manifest: &ManifestDocument,
    config: &ConfigDocument,
) -> Result<Vec<Layer>> {
    let diff_ids = &config.rootfs.diff_ids;
    ensure!(
        diff_ids.len() == manifest.layers.len(),
        "its config has {} layers, its manifest {}; it is damaged",
        diff_ids.len(),
        manifest.layers.len()
    );
    let both = manifest.layers.iter().zip(diff_ids);
    both.map(|(descriptor, diff_id)| {
        // Before anything is fetched: some layers are not for us.
        let packing = Packing::of_media_type(&descriptor.media_type)?;
        let path = blob(client, store, descriptor)?;
        let packing = packing.of_content(&path)?;
        Ok(Layer { packing, digest: descriptor.digest, size: descriptor.size, diff_id: *diff_id, path })
    })
    .collect()
}

fn blob(client: &Client, store: &BlobStore, descriptor: &DescriptorDocument) -> Result<PathBuf> {
    let path = store.path(descriptor.digest);
    if !store.has(descriptor.digest, descriptor.size) {
        client.download(descriptor.digest, descriptor.size, &path)?;
    }
    Ok(path)
}
