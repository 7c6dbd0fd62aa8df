//! Software bills of materials: what an image or a binary consists of, as [SPDX 2.3](https://spdx.github.io/spdx-spec/v2.3/)
//! and as [CycloneDX 1.6](https://cyclonedx.org/docs/1.6/json/), from the lists of packages inside the binaries.
//!
//! The same input gives the same bytes: what the formats want to be unique is made of the content.

mod cyclonedx;
mod licence;
mod spdx;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use auditable_serde::{DependencyKind, Package, Source, VersionInfo};
use clap::ValueEnum;
use image_spec::time;
use serde::Serialize;

use super::audit;
use crate::digest::Digest;

/// The name of this program in documents that it makes.
const TOOL: &str = env!("CARGO_PKG_NAME");
const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A format of SBOMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// SPDX 2.3 as JSON.
    Spdx,
    /// CycloneDX 1.6 as JSON.
    Cyclonedx,
}

impl Format {
    /// The [media type](https://www.iana.org/assignments/media-types) of documents in this format.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Spdx => "application/spdx+json",
            Format::Cyclonedx => "application/vnd.cyclonedx+json",
        }
    }
}

/// What an SBOM describes.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The name of the image that the binaries are in, if they are in one.
    pub image: Option<String>,
    /// The binaries.
    pub binaries: Vec<Binary>,
    /// The licences that are known, by name and version of the package.
    pub licences: BTreeMap<(String, String), String>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: u64,
}

/// A binary in an SBOM.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Its file name, or its path in the image.
    pub name: String,
    /// The digest of its content, where the document is to be of that binary alone.
    pub digest: Option<Digest>,
    /// What it was compiled from.
    pub packages: VersionInfo,
}

impl Binary {
    /// Reads from the file `path` what it was compiled from.
    ///
    /// # Errors
    /// It cannot be read, is no ELF file, or has no list of packages or a damaged one.
    pub fn read(path: &Path) -> Result<Binary> {
        let packages = audit::read(path)?.with_context(|| {
            format!(
                "{} does not say what it was compiled from; place it by `artifact --cargo-metadata`, without UPX",
                path.display()
            )
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Binary { name, digest: Some(Digest::of_file(path)?), packages })
    }

    fn version(&self) -> Option<String> {
        let root = self.packages.packages.iter().find(|package| package.root);
        root.map(|package| package.version.to_string())
    }
}

/// The SBOM of `inventory`, as JSON for people and programs.
///
/// # Errors
/// There is no binary to describe, or the creation time is out of range.
pub fn document(inventory: &Inventory, format: Format) -> Result<Vec<u8>> {
    ensure!(!inventory.binaries.is_empty(), "there is no binary whose packages could be listed");
    ensure!(
        inventory.created <= time::MAX,
        "the creation time {} is after {}; give seconds, not milliseconds",
        inventory.created,
        time::rfc3339(time::MAX)
    );
    match format {
        Format::Spdx => spdx::document(inventory),
        Format::Cyclonedx => cyclonedx::document(inventory),
    }
}

impl Inventory {
    fn name(&self) -> String {
        match &self.image {
            Some(image) => image.clone(),
            None => self.binaries.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", "),
        }
    }

    fn licence(&self, package: &Package) -> Option<String> {
        let key = (package.name.clone(), package.version.to_string());
        self.licences.get(&key).and_then(|text| licence::expression(text))
    }
}

/// A name for each package of the binary with the number `binary`, unique in the document, of letters, digits, `.` and `-`.
fn keys(binary: usize, packages: &[Package]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let key = |package: &Package| {
        let name = format!("binary-{}-{}-{}", binary + 1, package.name, package.version);
        let name = name.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '.'), "-");
        // The same version from two sources is rare, and so are names that differ in nothing else.
        let numbered = (2usize..).map(|number| format!("{name}-{number}"));
        let mut candidates = [name.clone()].into_iter().chain(numbered);
        candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or(name)
    };
    packages.iter().map(key).collect()
}

/// The [package URL](https://github.com/package-url/purl-spec/blob/main/types-doc/cargo-definition.md) of a package.
/// Those of the workspace have none: it would be that of somebody else's package on crates.io.
fn purl(package: &Package) -> Option<String> {
    let is_published = package.source != Source::Local;
    // Of the letters that a version may have, this one alone must be escaped.
    let version = package.version.to_string().replace('+', "%2B");
    is_published.then(|| format!("pkg:cargo/{}@{version}", package.name))
}

fn is_linked(package: &Package) -> bool {
    package.kind == DependencyKind::Runtime
}

/// A UUID of version 8 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.8)) that depends on `document` alone.
fn uuid(document: &impl Serialize) -> Result<String> {
    let mut hex: Vec<char> = Digest::of(&serde_json::to_vec(document)?).hex().chars().take(32).collect();
    hex[12] = '8';
    hex[16] = ['8', '9', 'a', 'b'][hex[16].to_digit(16).unwrap_or_default() as usize % 4];
    let text: String = hex.into_iter().collect();
    Ok(format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]))
}

fn to_json(document: &impl Serialize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(document)?;
    json.push(b'\n');
    Ok(json)
}
