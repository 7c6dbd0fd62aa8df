//! Manifests and indexes, as a registry answers them.

use image_spec::Platform;
use serde_json::Value;
use xtask_oci::document::{Document, IndexDocument, ManifestDocument};
use xtask_oci::unpack::Packing;

/// Reads a document and chooses from it what the engine would fetch next.
pub fn check(data: &[u8]) {
    let Ok(document) = Document::parse(data) else { return };
    // Of text that nobody looks at the engine's reader asks less.
    let whole: Option<Value> = serde_json::from_slice(data).ok();
    let has = |key: &str| whole.as_ref().is_some_and(|whole| whole.get(key).is_some_and(|it| !it.is_null()));
    assert!(!(has("manifests") && has("layers")), "it is one or the other");
    assert!(!has("fsLayers"), "schema 1 has no digests");
    match document {
        Document::Index(index) => selects(&index, whole.as_ref()),
        Document::Manifest(manifest) => fetches(&manifest),
    }
}

/// What is selected is one of the index's images for the platform.
fn selects(index: &IndexDocument, whole: Option<&Value>) {
    let platforms = index.platforms();
    for platform in Platform::ALL {
        let Ok(found) = index.select(platform) else {
            assert!(!platforms.contains(&format!("linux/{}", platform.architecture())));
            continue;
        };
        assert!(platforms.contains(&format!("linux/{}", platform.architecture())));
        let Some(all) = whole.and_then(|whole| whole["manifests"].as_array()) else { continue };
        let is_it = |one: &&Value| {
            one["digest"] == found.digest.to_string()
                && one["size"] == found.size
                && one["platform"]["os"] == "linux"
                && one["platform"]["architecture"] == platform.architecture()
        };
        assert!(all.iter().any(|one| is_it(&one)), "{found:?}");
    }
}

fn fetches(manifest: &ManifestDocument) {
    for blob in manifest.layers.iter().chain([&manifest.config]) {
        assert_eq!(blob.digest.to_string().parse(), Ok(blob.digest));
        if let Ok(packing) = Packing::of_media_type(&blob.media_type) {
            assert_eq!(Packing::of_media_type(packing.layer_media_type()).ok(), Some(packing));
        }
    }
}
