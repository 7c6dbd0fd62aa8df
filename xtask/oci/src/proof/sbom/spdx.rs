//! [SPDX 2.3](https://spdx.github.io/spdx-spec/v2.3/) as JSON.

use anyhow::Result;
use auditable_serde::{Package, Source};
use image_spec::time;
use serde::Serialize;

use super::{Binary, Inventory, TOOL, TOOL_VERSION, is_linked, keys, purl, to_json, uuid};
use crate::digest::Digest;

/// What SPDX says where nothing is known.
const UNKNOWN: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-image";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<SpdxPackage>,
    relationships: Vec<Relationship>,
}

#[derive(Debug, Serialize)]
struct CreationInfo {
    created: String,
    creators: [String; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_file_name: Option<String>,
    supplier: &'static str,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// The SBOM of `inventory`.
pub(super) fn document(inventory: &Inventory) -> Result<Vec<u8>> {
    let name = inventory.name();
    let mut document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: name.clone(),
        document_namespace: String::new(),
        creation_info: CreationInfo {
            created: time::rfc3339(inventory.created),
            creators: [format!("Tool: {TOOL}-{TOOL_VERSION}")],
        },
        packages: Vec::new(),
        relationships: Vec::new(),
    };
    if let Some(image) = &inventory.image {
        document.relate(DOCUMENT, "DESCRIBES", IMAGE);
        document.packages.push(package(IMAGE, image, "CONTAINER"));
    }
    for (number, binary) in inventory.binaries.iter().enumerate() {
        document.add(inventory, number, binary);
    }
    let safe = name.replace(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')), "-");
    document.document_namespace = format!("https://spdx.org/spdxdocs/{safe}-{}", uuid(&document)?);
    to_json(&document)
}

impl Document {
    /// Adds a binary with its packages.
    fn add(&mut self, inventory: &Inventory, number: usize, binary: &Binary) {
        let id = format!("SPDXRef-binary-{}", number + 1);
        match inventory.image {
            Some(_) => self.relate(IMAGE, "CONTAINS", &id),
            None => self.relate(DOCUMENT, "DESCRIBES", &id),
        }
        self.packages.push(SpdxPackage {
            version_info: binary.version(),
            package_file_name: Some(binary.name.clone()),
            checksums: binary.digest.map(checksum).into_iter().collect(),
            ..package(&id, &binary.name, "APPLICATION")
        });
        let packages = &binary.packages.packages;
        let ids: Vec<_> = keys(number, packages).into_iter().map(|key| format!("SPDXRef-{key}")).collect();
        for (package, own) in packages.iter().zip(&ids) {
            self.packages.push(of_cargo(inventory, package, own));
            if package.root {
                self.relate(&id, "GENERATED_FROM", own);
            } else if is_linked(package) {
                self.relate(&id, "CONTAINS", own);
            }
            for (dependency, other) in
                package.dependencies.iter().filter_map(|it| packages.get(*it).zip(ids.get(*it)))
            {
                if is_linked(dependency) {
                    self.relate(own, "DEPENDS_ON", other);
                } else {
                    self.relate(other, "BUILD_DEPENDENCY_OF", own);
                }
            }
        }
    }

    fn relate(&mut self, from: &str, relationship_type: &'static str, to: &str) {
        self.relationships.push(Relationship {
            spdx_element_id: from.to_owned(),
            relationship_type,
            related_spdx_element: to.to_owned(),
        });
    }
}

fn package(id: &str, name: &str, purpose: &'static str) -> SpdxPackage {
    SpdxPackage {
        id: id.to_owned(),
        name: name.to_owned(),
        version_info: None,
        package_file_name: None,
        supplier: UNKNOWN,
        download_location: UNKNOWN.to_owned(),
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: UNKNOWN,
        license_declared: UNKNOWN.to_owned(),
        copyright_text: UNKNOWN,
        primary_package_purpose: purpose,
        external_refs: Vec::new(),
    }
}

fn of_cargo(inventory: &Inventory, from: &Package, id: &str) -> SpdxPackage {
    let version = from.version.to_string();
    let download_location = match from.source {
        Source::CratesIo => format!("https://crates.io/api/v1/crates/{}/{version}/download", from.name),
        _ => UNKNOWN.to_owned(),
    };
    let purl = purl(from).map(|reference_locator| ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator,
    });
    SpdxPackage {
        version_info: Some(version),
        download_location,
        license_declared: inventory.licence(from).unwrap_or_else(|| UNKNOWN.to_owned()),
        external_refs: purl.into_iter().collect(),
        ..package(id, &from.name, if from.root { "APPLICATION" } else { "LIBRARY" })
    }
}

fn checksum(digest: Digest) -> Checksum {
    Checksum { algorithm: "SHA256", checksum_value: digest.hex() }
}
