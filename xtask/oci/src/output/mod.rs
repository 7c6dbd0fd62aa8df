//! Where finished images go, and what every form of an OCI layout has in common.

pub mod archive;
pub mod layout;

use std::collections::BTreeSet;

use anyhow::Result;
use image_spec::{Base, ImageSpec, Output, PushReport, Reference};
use serde::Serialize;

use crate::image::Image;
use crate::oci::{self, Annotations, Index, annotation};
use crate::proof::referrer::Referrer;
use crate::registry::client::Connection;
use crate::registry::push::{self, Push};

/// The file that makes a folder an OCI layout.
const LAYOUT_FILE: &str = "oci-layout";
/// The file that names the images of a layout.
pub(crate) const INDEX_FILE: &str = "index.json";
/// The folder of its blobs.
pub(crate) const BLOBS: &str = "blobs/sha256";

/// Writes `image` to one place, whole or not at all. What is already the same is left untouched. Returns what went to a
/// registry.
pub fn write(
    image: &Image,
    output: &Output,
    spec: &ImageSpec,
    connection: &Connection,
    referrers: &[Referrer],
) -> Result<Option<PushReport>> {
    match output {
        Output::Layout { dest } => layout::write(image, dest).map(|()| None),
        Output::Archive { dest } => archive::write(image, dest).map(|()| None),
        Output::Registry { immutable, dry_run, .. } => {
            // Whoever may pull the base there may have its blobs here without an upload.
            let sources = match &spec.base {
                Base::Image(base) => vec![base.repository().clone()],
                Base::Static | Base::Scratch => Vec::new(),
            };
            let how = Push { sources, immutable, referrers, dry_run: *dry_run };
            push::push(image, connection, &how).map(Some)
        }
    }
}

/// The content of `oci-layout`.
fn layout_json() -> Vec<u8> {
    br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()
}

/// The content of `index.json`: the manifest, or the index of several platforms, once for every name.
fn index_json(image: &Image) -> Result<Vec<u8>> {
    let mut manifests = Vec::new();
    let mut tags = BTreeSet::new();
    for name in &image.names {
        let (tag, full) = (name.tag_or_latest(), full_name(name));
        // Tools that know no repositories find an image by its tag, so only one may have it.
        let reference = if tags.insert(tag.clone()) { tag } else { full.clone() };
        let mut descriptor = image.descriptor();
        descriptor.annotations.insert(annotation::REF_NAME.to_owned(), reference);
        descriptor.annotations.insert(annotation::IMAGE_NAME.to_owned(), full);
        manifests.push(descriptor);
    }
    if manifests.is_empty() {
        manifests.push(image.descriptor());
    }
    to_json(&Index { schema_version: 2, media_type: oci::INDEX, manifests, annotations: Annotations::new() })
}

/// The reference with registry and tag written out, as containerd stores it: `docker.io/library/app:latest` for `app`.
fn full_name(name: &Reference) -> String {
    let repository = name.repository();
    format!("{}/{}:{}", repository.registry(), repository.path(), name.tag_or_latest())
}

fn to_json(document: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(document)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_out_as_containerd_does() {
        for (name, full) in [
            ("app", "docker.io/library/app:latest"),
            ("app:1", "docker.io/library/app:1"),
            ("team/app:1", "docker.io/team/app:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app:1", "localhost:5000/app:1"),
            ("ghcr.io/team/app:1", "ghcr.io/team/app:1"),
        ] {
            assert_eq!(full_name(&name.parse().unwrap()), full);
        }
    }
}
