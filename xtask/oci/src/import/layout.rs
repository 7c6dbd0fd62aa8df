//! The layout that BuildKit wrote: one image, checked to the last byte, and written where it is wanted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{ImageReport, ImageSpec, Output};

use super::found::{Found, Part, Place, media_type, small};
use super::pushed;
use crate::digest::Digest;
use crate::document::{DescriptorDocument, Document};
use crate::error::PathContext as _;
use crate::files::Content;
use crate::image::{Blob, Image, PlatformImage};
use crate::output::{self, BLOBS, INDEX_FILE};
use crate::registry::client::{Connection, MAX_DOCUMENT};
use crate::spec;

const LAYERS: [&str; 5] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
];

/// Writes the image in the layout `folder` to every output of `spec`, under its tags, and puts SBOM and provenance beside
/// it where a registry is to have them. Of its platforms only the names matter. An image for one platform is no index, as
/// those of our own engine; attestations are left behind. Uses `temp` meanwhile.
///
/// # Errors
/// The layout holds no image or several, or one for other platforms; something in it is missing, damaged or of an unknown
/// type; an output cannot be written. Everything is checked before anything is written.
pub fn layout(spec: &ImageSpec, folder: &Path, temp: &Path) -> Result<ImageReport> {
    spec::check(spec)?;
    let (image, mut report) = Layout { folder }
        .image(spec)
        .with_context(|| format!("the image that BuildKit wrote to {}", folder.display()))?;
    let connection = Connection::new(&spec.registries);
    for output in &spec.outputs {
        report.push = output::write(&image, output, spec, &connection, &[])?.or(report.push);
    }
    if let [Output::Registry { proofs: true, dry_run: false, .. }] = &spec.outputs[..] {
        report.remarks = pushed(spec, temp)?.remarks;
    }
    Ok(report)
}

/// A folder that nobody has checked.
struct Layout<'a> {
    folder: &'a Path,
}

impl Layout<'_> {
    fn image(&self, spec: &ImageSpec) -> Result<(Image, ImageReport)> {
        let wanted = spec.platforms.keys().copied().collect::<Vec<_>>();
        let root = self.root()?;
        let found = Found::read(self, &root, self.manifest(small(&root)?)?, &wanted)?;
        let platforms = found.parts.iter().map(|part| self.platform(part)).collect::<Result<_>>()?;
        let mut image = Image::new(spec, platforms)?;
        // With attestations it would refer to what is left behind.
        if image.index.is_some() && !found.has_attestations {
            image.index = Some(found.root.clone());
        }
        let report = found.report(image.root());
        Ok((image, report))
    }

    /// The one image. With several names it is there several times.
    fn root(&self) -> Result<DescriptorDocument> {
        let bytes = bounded(&self.folder.join(INDEX_FILE), MAX_DOCUMENT)?;
        let Document::Index(index) = Document::parse(&bytes)? else { bail!("{INDEX_FILE} is no index") };
        let images = index.images().map(|image| (image.digest, image)).collect::<BTreeMap<_, _>>();
        let mut images = images.into_values();
        match (images.next(), images.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => bail!("the layout holds no image; build it again"),
            _ => bail!("the layout holds several images; remove it and build again"),
        }
    }

    fn platform(&self, part: &Part) -> Result<PlatformImage> {
        let layers = part.layers.iter().map(|layer| self.layer(layer)).collect::<Result<_>>();
        Ok(PlatformImage {
            platform: part.platform,
            manifest: part.manifest.clone(),
            config: part.config.clone(),
            layers: layers.with_context(|| format!("the image for {}", part.platform))?,
        })
    }

    fn layer(&self, descriptor: &DescriptorDocument) -> Result<Blob> {
        let DescriptorDocument { digest, size, .. } = *descriptor;
        let media_type = media_type("layer", &LAYERS, &descriptor.media_type)?;
        let path = self.blob(digest);
        let length = length(&path)?;
        ensure!(length == size, "{digest} has {length} instead of {size} bytes; build it again");
        check(digest, Digest::of_file(&path)?)?;
        Ok(Blob { media_type, digest, size, content: Content::Path(path) })
    }

    fn document(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>> {
        let DescriptorDocument { digest, size, .. } = *descriptor;
        let bytes = bounded(&self.blob(digest), size)?;
        let length = bytes.len() as u64;
        ensure!(length == size, "{digest} has {length} instead of {size} bytes; build it again");
        check(digest, Digest::of(&bytes))?;
        Ok(bytes)
    }

    fn blob(&self, digest: Digest) -> PathBuf {
        self.folder.join(BLOBS).join(digest.hex())
    }
}

impl Place for Layout<'_> {
    fn manifest(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>> {
        self.document(descriptor)
    }

    fn config(&self, descriptor: &DescriptorDocument) -> Result<Vec<u8>> {
        self.document(descriptor)
    }
}

fn check(promised: Digest, found: Digest) -> Result<()> {
    ensure!(found == promised, "{promised} has the digest {found}; build it again");
    Ok(())
}

/// The content of a file that has no more than `limit` bytes.
fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let length = length(path)?;
    ensure!(length <= limit, "{} has {length} bytes, and {limit} are allowed", path.display());
    let mut bytes = Vec::new();
    File::open(path).cannot("open", path)?.take(limit).read_to_end(&mut bytes).cannot("read", path)?;
    Ok(bytes)
}

/// The size in bytes of what has to be a file. Whoever opens a pipe waits for ever, and a link could be of any file.
fn length(path: &Path) -> Result<u64> {
    let found = fs::symlink_metadata(path).cannot("read", path)?;
    ensure!(found.is_file(), "{} is no file", path.display());
    Ok(found.len())
}
