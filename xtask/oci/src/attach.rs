//! The documents that go beside a pushed image: what its binaries consist of, and how it was made.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;

use anyhow::{Context as _, Result};
use image_spec::{ImageSpec, Platform, time};
use serde_json::{Value, json};

use crate::base::Foundation;
use crate::digest::Digest;
use crate::files::{Content, Entries, Kind};
use crate::image::PlatformImage;
use crate::oci::{Annotations, Descriptor, annotation};
use crate::proof::audit;
use crate::proof::provenance::{self, Builder, Dependency, GitSource, Provenance, Subject};
use crate::proof::referrer::Referrer;
use crate::proof::sbom::{self, Binary, Format, Inventory};
use crate::rootfs::Rootfs;

/// Says how the parameters are to be understood, and who builds.
const BUILD_TYPE: &str = "https://github.com/galley-rs/galley/blob/main/docs/images.md#proofs";

/// What the documents say of one platform.
#[derive(Clone, Debug)]
pub struct Part {
    /// The platform.
    pub platform: Platform,
    /// The image for it.
    pub manifest: Descriptor,
    /// Binaries that say what they were compiled from.
    pub binaries: Vec<Binary>,
    /// The base by its name and digest, if it is somebody else's image.
    pub base: Option<(String, Digest)>,
}

impl Part {
    /// Looks at every program that `rootfs` adds to its base.
    pub fn of(image: &PlatformImage, base: &Foundation, rootfs: &Rootfs) -> Part {
        let binaries = rootfs.layers.iter().flat_map(|layer| binaries(&layer.entries)).collect();
        let base = base.image.as_ref().map(|image| (image.name(), image.digest));
        Part { platform: image.platform, manifest: image.manifest.descriptor(), binaries, base }
    }
}

/// The programs among `entries` that say what they were compiled from.
pub fn binaries(entries: &Entries) -> Vec<Binary> {
    let mut binaries = Vec::new();
    for (path, entry) in entries {
        if let Kind::File { content: Content::Path(source), .. } = &entry.kind
            && entry.mode & 0o111 != 0
            && let Ok(Some(packages)) = audit::read(source)
        {
            binaries.push(Binary { name: path.clone(), digest: None, packages });
        }
    }
    binaries
}

/// The documents of the image `root`, and what people should know of those that there are not.
///
/// # Errors
/// What is said of the source or the build cannot be published, such as a password in a URL.
pub fn referrers(
    spec: &ImageSpec,
    root: &Descriptor,
    parts: &[Part],
) -> Result<(Vec<Referrer>, Vec<String>)> {
    let (mut documents, mut remarks) = (Vec::new(), Vec::new());
    for part in parts {
        if part.binaries.is_empty() {
            remarks.push(format!("no SBOM for {}: no program says what it was compiled from", part.platform));
            continue;
        }
        documents.extend(sboms(spec, part)?);
    }
    match source(spec) {
        Some(source) => documents.push(origin(spec, root, parts, source)?),
        None => remarks.push("no provenance: the image is of no commit, or of one with changes".to_owned()),
    }
    Ok((documents, remarks))
}

/// The SBOMs of a platform. They say nothing that is another with each commit, neither a time nor digests nor a tag: with the
/// same packages they are the same documents, which a registry has already. The manifest of each says what image it is of,
/// and when that was made.
fn sboms(spec: &ImageSpec, part: &Part) -> Result<Vec<Referrer>> {
    let inventory = Inventory {
        image: Some(repository(spec)),
        binaries: part.binaries.clone(),
        licences: BTreeMap::new(),
        created: 0,
    };
    let documents = [Format::Spdx, Format::Cyclonedx].map(|format| {
        let content = sbom::document(&inventory, format)?;
        Referrer::new(&part.manifest, format.media_type(), content, annotations(spec, []))
    });
    documents.into_iter().collect()
}

fn origin(spec: &ImageSpec, root: &Descriptor, parts: &[Part], source: GitSource) -> Result<Referrer> {
    let name = repository(spec);
    // Of one platform they may be the same.
    let manifests = parts.iter().map(|part| part.manifest.digest).filter(|digest| *digest != root.digest);
    let digests = iter::once(root.digest).chain(manifests);
    let platforms = spec.platforms.keys().map(ToString::to_string).collect::<Vec<_>>();
    let mut parameters: BTreeMap<String, Value> =
        spec.build.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    parameters.insert("platforms".to_owned(), json!(platforms));
    parameters.insert("compression".to_owned(), json!(spec.compression));
    let mut dependencies = parts
        .iter()
        .filter_map(|part| part.base.clone())
        .map(|(name, digest)| Dependency { name, uri: None, digest });
    let base = dependencies.next();
    let lock = Path::new("Cargo.lock");
    let lock = lock.is_file().then(|| Digest::of_file(lock)).transpose()?;
    let lock = lock.map(|digest| Dependency { name: "Cargo.lock".to_owned(), uri: None, digest });
    let version = [("xtask-oci".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    let statement = provenance::statement(&Provenance {
        subjects: digests.map(|digest| Subject { name: name.clone(), digest }).collect(),
        build_type: BUILD_TYPE.to_owned(),
        parameters,
        source,
        dependencies: base.into_iter().chain(lock).collect(),
        builder: Builder { id: BUILD_TYPE.to_owned(), version: version.into() },
        invocation: spec.run.clone(),
    });
    let statement = statement.context("the provenance cannot be written")?;
    let predicate = [("in-toto.io/predicate-type".to_owned(), provenance::PREDICATE_TYPE.to_owned())];
    Referrer::new(root, provenance::MEDIA_TYPE, statement, annotations(spec, predicate))
}

/// What the image is called, whatever its tags are.
fn repository(spec: &ImageSpec) -> String {
    spec.tags.first().map(|tag| tag.repository().to_string()).unwrap_or_default()
}

fn annotations<const N: usize>(spec: &ImageSpec, more: [(String, String); N]) -> Annotations {
    let created = (annotation::CREATED.to_owned(), time::rfc3339(spec.created));
    [created].into_iter().chain(more).collect()
}

/// The commit that the labels name, if it is one without changes.
fn source(spec: &ImageSpec) -> Option<GitSource> {
    let repository = spec.labels.get(annotation::SOURCE)?.clone();
    let commit = spec.labels.get(annotation::REVISION)?.clone();
    (!commit.ends_with("-dirty")).then_some(GitSource { repository, commit })
}
