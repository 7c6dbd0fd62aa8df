//! [CycloneDX 1.6](https://cyclonedx.org/docs/1.6/json/) as JSON.

use anyhow::Result;
use auditable_serde::Package;
use image_spec::time;
use serde::Serialize;

use super::{Binary, Inventory, TOOL, TOOL_VERSION, is_linked, keys, purl, to_json, uuid};
use crate::digest::Digest;

const IMAGE: &str = "image";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
}

#[derive(Debug, Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bom_ref: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

#[derive(Debug, Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Debug, Serialize)]
struct Licence {
    expression: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    from: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
}

/// The SBOM of `inventory`.
pub(super) fn document(inventory: &Inventory) -> Result<Vec<u8>> {
    let mut bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: time::rfc3339(inventory.created),
            tools: Tools {
                components: [Component {
                    version: Some(TOOL_VERSION.to_owned()),
                    ..component("application", None, TOOL)
                }],
            },
            component: None,
        },
        components: Vec::new(),
        dependencies: Vec::new(),
    };
    let refs: Vec<_> = (1..=inventory.binaries.len()).map(|number| format!("binary-{number}")).collect();
    if let Some(image) = &inventory.image {
        bom.metadata.component = Some(component("container", Some(IMAGE.to_owned()), image));
        bom.dependencies.push(Dependency { from: IMAGE.to_owned(), depends_on: refs.clone() });
    }
    for ((number, binary), own) in inventory.binaries.iter().enumerate().zip(refs) {
        bom.add(inventory, number, binary, own);
    }
    bom.serial_number = format!("urn:uuid:{}", uuid(&bom)?);
    to_json(&bom)
}

impl Bom {
    /// Adds a binary, which is what the document is about if it is alone, with its packages.
    fn add(&mut self, inventory: &Inventory, number: usize, binary: &Binary, own: String) {
        let packages = &binary.packages.packages;
        let refs = keys(number, packages);
        let roots = packages.iter().zip(&refs).filter(|(package, _)| package.root);
        let depends_on = roots.map(|(_, own)| own.clone()).collect();
        self.dependencies.push(Dependency { from: own.clone(), depends_on });
        let described = Component {
            version: binary.version(),
            hashes: binary.digest.map(hash).into_iter().collect(),
            ..component("application", Some(own), &binary.name)
        };
        if inventory.image.is_none() && inventory.binaries.len() == 1 {
            self.metadata.component = Some(described);
        } else {
            self.components.push(described);
        }
        for (package, own) in packages.iter().zip(&refs) {
            self.components.push(of_cargo(inventory, package, own));
            let depends_on = package.dependencies.iter().filter_map(|it| refs.get(*it).cloned()).collect();
            self.dependencies.push(Dependency { from: own.clone(), depends_on });
        }
    }
}

fn component(kind: &'static str, bom_ref: Option<String>, name: &str) -> Component {
    Component {
        kind,
        bom_ref,
        name: name.to_owned(),
        version: None,
        scope: None,
        hashes: Vec::new(),
        licenses: Vec::new(),
        purl: None,
    }
}

fn of_cargo(inventory: &Inventory, from: &Package, own: &str) -> Component {
    Component {
        version: Some(from.version.to_string()),
        // What only runs while others are compiled is not in the binary.
        scope: Some(if is_linked(from) { "required" } else { "excluded" }),
        licenses: inventory.licence(from).map(|expression| Licence { expression }).into_iter().collect(),
        purl: purl(from),
        ..component(if from.root { "application" } else { "library" }, Some(own.to_owned()), &from.name)
    }
}

fn hash(digest: Digest) -> Hash {
    Hash { alg: "SHA-256", content: digest.hex() }
}
