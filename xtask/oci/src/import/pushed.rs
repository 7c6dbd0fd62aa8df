//! The image that BuildKit pushed: looked at in its registry, and given SBOM and provenance where they are wanted.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{Base, ImageReport, ImageSpec, Output, Pins, Platform, Reference};

use super::found::{Found, Place};
use crate::atomic::TempPath;
use crate::attach::{self, Part};
use crate::digest::Digest;
use crate::document::DescriptorDocument;
use crate::error::PathContext as _;
use crate::pull::Sources;
use crate::registry::client::{Client, Connection};
use crate::registry::push;
use crate::spec;

/// Looks at the image that the registry has under the first tag of `spec`, and puts SBOM and provenance beside it where the
/// output wants that. Uses `folder` meanwhile. Of the platforms of `spec` only the names matter.
///
/// # Errors
/// The outputs are not one registry, there is no such image or one for other platforms, the registry cannot be reached or
/// refuses, a document is damaged or of an unknown type, or `folder` cannot be written.
pub fn pushed(spec: &ImageSpec, folder: &Path) -> Result<ImageReport> {
    spec::check(spec)?;
    let [Output::Registry { proofs, dry_run: false, .. }] = &spec.outputs[..] else {
        bail!("an image without --layout is one that BuildKit has pushed, so the one output is a registry");
    };
    let name = spec.tags.first().context("the image has no name that a registry could know it by")?;
    let connection = Connection::new(&spec.registries.without_mirrors());
    let client = connection.to_pull(name.repository());
    let tag = name.tag_or_latest();
    let temp = TempPath::beside(&folder.join("import"))?;
    fs::create_dir(temp.path()).cannot("create the folder", temp.path())?;
    let look = || {
        let root = client.manifest(&tag)?.context("it is not there; has BuildKit pushed it?")?;
        let descriptor = DescriptorDocument::new(root.media_type, root.digest, root.bytes.len() as u64);
        let place = Remote { client: &client, folder: temp.path() };
        let wanted = spec.platforms.keys().copied().collect::<Vec<Platform>>();
        Found::read(&place, &descriptor, root.bytes, &wanted)
    };
    let found = look().with_context(|| format!("the image {}", client.named(&tag)))?;
    let mut report = found.report(&found.root);
    if *proofs {
        report.remarks = prove(spec, &name.with_digest(&report.digest)?, &found, &connection, temp.path())?;
    }
    Ok(report)
}

/// Puts documents beside the image and returns what people should know of those that there are not.
fn prove(
    spec: &ImageSpec,
    name: &Reference,
    found: &Found,
    connection: &Connection,
    folder: &Path,
) -> Result<Vec<String>> {
    let sources = Sources::new(connection, &folder.join("blobs"), &folder.join("cache"), Pins::default());
    let base = base(spec)?;
    let parts = found.parts.iter().map(|part| {
        let image = sources.pull(name, part.platform)?;
        let programs = sources.programs(&image).with_context(|| format!("the image {name}"))?;
        Ok(Part {
            platform: part.platform,
            manifest: part.manifest.descriptor(),
            binaries: attach::binaries(&programs),
            base: base.clone(),
        })
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let (referrers, remarks) = attach::referrers(spec, &found.root.descriptor(), &parts)?;
    push::attach(&referrers, &spec.tags, connection)?;
    Ok(remarks)
}

/// The base by its name and digest, if it is somebody else's image whose digest was known to BuildKit.
fn base(spec: &ImageSpec) -> Result<Option<(String, Digest)>> {
    let Base::Image(reference) = &spec.base else { return Ok(None) };
    let name = reference.to_string();
    let Some((name, digest)) = name.split_once('@') else { return Ok(None) };
    Ok(Some((name.to_owned(), digest.parse()?)))
}

/// Documents in a repository, by way of a folder.
struct Remote<'a> {
    client: &'a Client,
    folder: &'a Path,
}

impl Place for Remote<'_> {
    fn manifest(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>> {
        let DescriptorDocument { digest, size, .. } = *descriptor;
        let name = self.client.named(&digest.to_string());
        let found = self.client.manifest(&digest.to_string())?;
        let found = found.with_context(|| format!("{name} is not there"))?;
        let length = found.bytes.len() as u64;
        ensure!(length == size, "{name} has {length} bytes, and its index promises {size}");
        Ok(found.bytes)
    }

    fn config(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>> {
        let path = self.folder.join(descriptor.digest.hex());
        self.client.download(descriptor.digest, descriptor.size, &path)?;
        fs::read(&path).cannot("read", &path)
    }
}
