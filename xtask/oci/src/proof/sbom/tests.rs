//! The structure of both formats. The schemas themselves are larger than all of this engine.

use serde_json::{Value, json};

use super::*;

fn package(
    name: &str,
    version: &str,
    source: Source,
    kind: DependencyKind,
    dependencies: &[usize],
) -> Package {
    Package {
        name: name.to_owned(),
        version: version.parse().unwrap(),
        source,
        kind,
        dependencies: dependencies.to_vec(),
        root: name == "app",
    }
}

fn binary(name: &str) -> Binary {
    let (build, runtime) = (DependencyKind::Build, DependencyKind::Runtime);
    let packages = vec![
        package("a_macro", "2.0.0", Source::CratesIo, build, &[]),
        package("app", "0.1.0", Source::Local, runtime, &[0, 2]),
        package("toml", "1.0.0+spec-1.1", Source::CratesIo, runtime, &[]),
    ];
    let packages = VersionInfo { packages, format: 1 };
    Binary { name: name.to_owned(), digest: Some(Digest::of(name.as_bytes())), packages }
}

fn inventory(image: Option<&str>, binaries: &[&str]) -> Inventory {
    let licence = (("toml".to_owned(), "1.0.0+spec-1.1".to_owned()), "MIT/Apache-2.0".to_owned());
    Inventory {
        image: image.map(str::to_owned),
        binaries: binaries.iter().copied().map(binary).collect(),
        licences: BTreeMap::from([licence]),
        created: 1_700_000_000,
    }
}

fn json(inventory: &Inventory, format: Format) -> Value {
    serde_json::from_slice(&document(inventory, format).unwrap()).unwrap()
}

/// The element of the array `of` whose `key` is `value`.
fn find<'a>(of: &'a Value, key: &str, value: &str) -> &'a Value {
    of.as_array().unwrap().iter().find(|it| it[key] == value).unwrap_or_else(|| panic!("no {value} in {of}"))
}

#[test]
fn spdx_says_what_a_binary_holds() {
    let document = json(&inventory(None, &["app"]), Format::Spdx);
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["name"], "app");
    assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    let namespace = document["documentNamespace"].as_str().unwrap();
    assert!(namespace.starts_with("https://spdx.org/spdxdocs/app-"), "{namespace}");

    let packages = &document["packages"];
    let binary = find(packages, "SPDXID", "SPDXRef-binary-1");
    assert_eq!(binary["versionInfo"], "0.1.0");
    assert_eq!(binary["checksums"][0]["checksumValue"], Digest::of(b"app").hex());
    let toml = find(packages, "SPDXID", "SPDXRef-binary-1-toml-1.0.0-spec-1.1");
    assert_eq!((&toml["name"], &toml["versionInfo"]), (&json!("toml"), &json!("1.0.0+spec-1.1")));
    assert_eq!(toml["licenseDeclared"], "MIT OR Apache-2.0");
    assert_eq!(toml["externalRefs"][0]["referenceLocator"], "pkg:cargo/toml@1.0.0%2Bspec-1.1");
    let root = find(packages, "SPDXID", "SPDXRef-binary-1-app-0.1.0");
    assert_eq!((&root["licenseDeclared"], &root["externalRefs"]), (&json!("NOASSERTION"), &Value::Null));
}

#[test]
fn spdx_says_how_packages_belong_together() {
    let document = json(&inventory(Some("example/app:1"), &["app", "tool"]), Format::Spdx);
    let relations: Vec<_> = document["relationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let field = |name: &str| it[name].as_str().unwrap().replace("SPDXRef-", "");
            [field("spdxElementId"), field("relationshipType"), field("relatedSpdxElement")].join(" ")
        })
        .collect();
    assert_eq!(
        relations[..6],
        [
            "DOCUMENT DESCRIBES image",
            "image CONTAINS binary-1",
            "binary-1 GENERATED_FROM binary-1-app-0.1.0",
            "binary-1-a-macro-2.0.0 BUILD_DEPENDENCY_OF binary-1-app-0.1.0",
            "binary-1-app-0.1.0 DEPENDS_ON binary-1-toml-1.0.0-spec-1.1",
            "binary-1 CONTAINS binary-1-toml-1.0.0-spec-1.1",
        ]
    );
    assert_eq!(relations[6], "image CONTAINS binary-2");
    assert_eq!(find(&document["packages"], "SPDXID", "SPDXRef-image")["name"], "example/app:1");
}

#[test]
fn cyclonedx_says_what_a_binary_holds_and_needs() {
    let bom = json(&inventory(None, &["app"]), Format::Cyclonedx);
    assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    assert_eq!(bom["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(bom["metadata"]["component"]["bom-ref"], "binary-1");
    assert_eq!(bom["metadata"]["component"]["hashes"][0]["content"], Digest::of(b"app").hex());
    assert_eq!(bom["components"].as_array().unwrap().len(), 3);
    let toml = find(&bom["components"], "name", "toml");
    assert_eq!(toml["purl"], "pkg:cargo/toml@1.0.0%2Bspec-1.1");
    assert_eq!((&toml["scope"], &toml["type"]), (&json!("required"), &json!("library")));
    assert_eq!(toml["licenses"], json!([{"expression": "MIT OR Apache-2.0"}]));
    assert_eq!(find(&bom["components"], "name", "a_macro")["scope"], "excluded");
    assert_eq!(
        bom["dependencies"],
        json!([
            {"ref": "binary-1", "dependsOn": ["binary-1-app-0.1.0"]},
            {"ref": "binary-1-a-macro-2.0.0"},
            {"ref": "binary-1-app-0.1.0", "dependsOn": ["binary-1-a-macro-2.0.0", "binary-1-toml-1.0.0-spec-1.1"]},
            {"ref": "binary-1-toml-1.0.0-spec-1.1"},
        ])
    );
}

#[test]
fn cyclonedx_puts_several_binaries_into_their_image() {
    let bom = json(&inventory(Some("example/app:1"), &["app", "tool"]), Format::Cyclonedx);
    assert_eq!(bom["metadata"]["component"]["type"], "container");
    assert_eq!(bom["dependencies"][0], json!({"ref": "image", "dependsOn": ["binary-1", "binary-2"]}));
    assert_eq!(bom["components"].as_array().unwrap().len(), 8);
    let refs: BTreeSet<_> =
        bom["dependencies"].as_array().unwrap().iter().map(|it| it["ref"].as_str()).collect();
    assert_eq!(refs.len(), 9, "a reference is not unique");
}

#[test]
fn documents_depend_on_their_input_alone() {
    let one = inventory(Some("example/app:1"), &["app"]);
    let mut other = one.clone();
    other.created += 1;
    for (format, field) in [(Format::Spdx, "documentNamespace"), (Format::Cyclonedx, "serialNumber")] {
        assert_eq!(document(&one, format).unwrap(), document(&one, format).unwrap());
        let unique = json(&one, format)[field].as_str().unwrap().to_owned();
        assert_ne!(
            unique,
            json(&other, format)[field].as_str().unwrap(),
            "another document has the same {field}"
        );
        let uuid = &unique[unique.len() - 36..];
        assert_eq!((&uuid[8..9], &uuid[14..15]), ("-", "8"), "{uuid}");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
    }
}

#[test]
fn keys_are_unique() {
    let package = |name: &str, version| package(name, version, Source::Git, DependencyKind::Runtime, &[]);
    let packages = [package("a_b", "1.0.0"), package("a-b", "1.0.0"), package("a-b", "1.0.0-2")];
    assert_eq!(keys(0, &packages), ["binary-1-a-b-1.0.0", "binary-1-a-b-1.0.0-2", "binary-1-a-b-1.0.0-2-2"]);
}

#[test]
fn what_cannot_be_described_is_refused() {
    let message = |inventory: &Inventory| document(inventory, Format::Spdx).unwrap_err().to_string();
    assert_eq!(message(&inventory(None, &[])), "there is no binary whose packages could be listed");
    let mut late = inventory(None, &["app"]);
    late.created = u64::MAX;
    assert!(message(&late).ends_with("give seconds, not milliseconds"));
}
