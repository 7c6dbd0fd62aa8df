//! What the documents beside an image say.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::digest::Digest;
use crate::proof::provenance;
use crate::proof::sbom::Format;
use crate::registry::client::Client;
use crate::registry::referrers::Referring;

/// A kind of SBOM.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// What people call it.
    pub(super) name: &'static str,
    format: Format,
    /// Where the packages are in it.
    list: &'static str,
    /// Where a package has its URL.
    url: fn(&Value) -> Option<&str>,
}

/// [SPDX 2.3](https://spdx.github.io/spdx-spec/v2.3/package-information/).
pub(super) const SPDX: Kind = Kind {
    name: "SPDX",
    format: Format::Spdx,
    list: "packages",
    url: |package| {
        let references = package["externalRefs"].as_array()?;
        let url = references.iter().find(|one| one["referenceType"] == "purl")?;
        url["referenceLocator"].as_str()
    },
};

/// [CycloneDX](https://cyclonedx.org/docs/1.6/json/#components).
pub(super) const CYCLONEDX: Kind = Kind {
    name: "CycloneDX",
    format: Format::Cyclonedx,
    list: "components",
    url: |component| component["purl"].as_str(),
};

/// How many packages the SBOM of a kind lists by their package URL, by which scanners know them.
///
/// # Errors
/// There is none, or it is empty.
pub(super) fn packages(client: &Client, listed: &[Referring], kind: Kind, folder: &Path) -> Result<usize> {
    let document = fetch(client, listed, kind.format.media_type(), folder)?;
    let packages = document[kind.list].as_array().map(Vec::as_slice).unwrap_or_default();
    let known = packages.iter().filter(|package| (kind.url)(package).is_some()).count();
    ensure!(known > 0, "it lists no packages");
    Ok(known)
}

/// The commit that the provenance of `root` names.
///
/// # Errors
/// There is no provenance, or it is of something else.
pub(super) fn commit(client: &Client, listed: &[Referring], root: Digest, folder: &Path) -> Result<String> {
    let statement = fetch(client, listed, provenance::MEDIA_TYPE, folder)?;
    let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    ensure!(subjects.iter().any(|one| one["digest"]["sha256"] == *root.hex()), "it is of another image");
    let sources = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array();
    let commit = sources.into_iter().flatten().find_map(|one| one["digest"]["gitCommit"].as_str());
    Ok(commit.context("it names no commit")?.to_owned())
}

fn fetch(client: &Client, listed: &[Referring], kind: &str, folder: &Path) -> Result<Value> {
    let referring = listed.iter().find(|one| one.artifact_type.as_deref() == Some(kind)).context(
        "there is none beside the image; set [push] proofs = true in config/pipeline.toml, and push a commit without changes",
    )?;
    let bytes = client.referring_document(referring, folder)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", referring.digest))
}
