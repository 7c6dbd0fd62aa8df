//! Documents beside an image: an artifact whose manifest names the image as its subject, and so refers to it.
//!
//! By the OCI [image](https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md#guidelines-for-artifact-usage)
//! and [distribution](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema)
//! specifications 1.1. A registry that does not know referrers finds them in an index under a tag of its own.

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::image::Blob;
use crate::oci::{Annotations, Descriptor, INDEX, MANIFEST};

/// Media type of the config of an artifact that has none.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The most that the index of referrers may take, in bytes: what every registry accepts of a manifest.
pub const MAX_INDEX: usize = 4 << 20;

const EMPTY_CONTENT: &[u8] = b"{}";

/// A document that refers to an image.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// The manifest, by whose digest the document is known. To be written last.
    pub manifest: Blob,
    /// The empty config.
    pub config: Blob,
    /// The document.
    pub layer: Blob,
    /// The digest of what it refers to.
    pub subject: Digest,
    annotations: Annotations,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactManifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    subject: Descriptor,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}

impl Referrer {
    /// The artifact that holds the document `content`, of the type `media_type`, and refers to `subject`.
    ///
    /// # Errors
    /// The manifest cannot be written as JSON.
    pub fn new(
        subject: &Descriptor,
        media_type: &'static str,
        content: Vec<u8>,
        annotations: Annotations,
    ) -> Result<Referrer> {
        let config = Blob::document(EMPTY, EMPTY_CONTENT.to_vec());
        let layer = Blob::document(media_type, content);
        let manifest = ArtifactManifest {
            schema_version: 2,
            media_type: MANIFEST,
            artifact_type: media_type,
            config: config.descriptor(),
            layers: [layer.descriptor()],
            // Where the subject stands in an index is nothing that it is known by.
            subject: Descriptor { annotations: Annotations::new(), platform: None, ..subject.clone() },
            annotations: &annotations,
        };
        let manifest = Blob::document(MANIFEST, serde_json::to_vec(&manifest)?);
        Ok(Referrer { manifest, config, layer, subject: subject.digest, annotations })
    }

    /// Everything that it consists of, in the order in which a registry takes it.
    pub fn blobs(&self) -> [&Blob; 3] {
        [&self.config, &self.layer, &self.manifest]
    }

    /// What the index of referrers says of it.
    fn entry(&self) -> Value {
        let mut entry = json!({
            "mediaType": MANIFEST,
            "digest": self.manifest.digest,
            "size": self.manifest.size,
            "artifactType": self.layer.media_type,
        });
        if !self.annotations.is_empty() {
            entry["annotations"] = json!(self.annotations);
        }
        entry
    }
}

/// The tag of the index of referrers to `subject`, in registries that do not know referrers.
pub fn fallback_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The content of the index of referrers with `referrer` in it, from the `old` one, if there is one. An index that has it
/// already stays as it is, to the byte.
///
/// # Errors
/// The old index is none, or one of both is larger than [`MAX_INDEX`].
pub fn fallback_index(old: Option<&[u8]>, referrer: &Referrer) -> Result<Vec<u8>> {
    let mut index = match old {
        None => json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}),
        Some(old) => {
            check_size(old)?;
            let index = serde_json::from_slice(old).map_err(anyhow::Error::new).and_then(checked);
            index
                .context("the registry's index of referrers is damaged; delete its tag to begin a new one")?
        }
    };
    let digest = referrer.manifest.digest.to_string();
    let Some(Value::Array(manifests)) = index.get_mut("manifests") else {
        bail!("the registry's index of referrers has no manifests");
    };
    if let Some(old) = old.filter(|_| manifests.iter().any(|it| it["digest"] == digest.as_str())) {
        return Ok(old.to_vec());
    }
    manifests.push(referrer.entry());
    let new = serde_json::to_vec(&index)?;
    check_size(&new)?;
    Ok(new)
}

fn check_size(index: &[u8]) -> Result<()> {
    let size = index.len();
    ensure!(
        size <= MAX_INDEX,
        "the index of referrers would have {size} bytes, and registries take {MAX_INDEX}; delete old referrers"
    );
    Ok(())
}

/// Checks that what a registry had is an image index.
fn checked(index: Value) -> Result<Value> {
    let Value::Object(fields) = &index else {
        bail!("it is no JSON object");
    };
    ensure!(fields.get("schemaVersion") == Some(&json!(2)), "its schemaVersion is not 2");
    ensure!(fields.get("mediaType").is_none_or(|found| found == INDEX), "its mediaType is not {INDEX}");
    let Some(Value::Array(manifests)) = fields.get("manifests") else {
        bail!("it has no list of manifests");
    };
    for (place, manifest) in manifests.iter().enumerate() {
        ensure!(manifest.as_object().is_some_and(is_descriptor), "its manifest {place} is no descriptor");
    }
    Ok(index)
}

fn is_descriptor(fields: &Map<String, Value>) -> bool {
    let text = |name| fields.get(name).and_then(Value::as_str);
    text("mediaType").is_some()
        && text("digest").is_some_and(|digest| digest.contains(':'))
        && fields.get("size").is_some_and(Value::is_u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Content;

    const SPDX: &str = "application/spdx+json";

    fn subject() -> Descriptor {
        let image = Blob::document(MANIFEST, b"image".to_vec());
        let annotations =
            Annotations::from([("org.opencontainers.image.ref.name".to_owned(), "1".to_owned())]);
        Descriptor { annotations, ..image.descriptor() }
    }

    fn referrer(content: &str, annotations: Annotations) -> Referrer {
        Referrer::new(&subject(), SPDX, content.as_bytes().to_vec(), annotations).unwrap()
    }

    fn bytes(blob: &Blob) -> &[u8] {
        match &blob.content {
            Content::Bytes(bytes) => bytes,
            Content::Path(path) => panic!("{} is a file", path.display()),
        }
    }

    fn update(old: &str) -> Result<Vec<u8>, String> {
        let new = referrer("document", Annotations::new());
        fallback_index(Some(old.as_bytes()), &new).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn an_artifact_has_one_layer_an_empty_config_and_a_subject() {
        let annotations =
            Annotations::from([("org.opencontainers.image.created".to_owned(), "now".to_owned())]);
        let made = referrer("document", annotations.clone());
        let manifest: Value = serde_json::from_slice(bytes(&made.manifest)).unwrap();
        let expected = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": SPDX,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "size": 2,
            },
            "layers": [{"mediaType": SPDX, "digest": Digest::of(b"document"), "size": 8}],
            "subject": {"mediaType": MANIFEST, "digest": Digest::of(b"image"), "size": 5},
            "annotations": annotations,
        });
        assert_eq!(manifest, expected);
        assert_eq!((bytes(&made.config), bytes(&made.layer)), (&b"{}"[..], &b"document"[..]));
        for blob in made.blobs() {
            assert_eq!((blob.digest, blob.size), (Digest::of(bytes(blob)), bytes(blob).len() as u64));
        }
        assert_eq!(made.manifest.digest, referrer("document", annotations).manifest.digest);
    }

    #[test]
    fn the_tag_is_the_digest_as_a_tag_may_be_written() {
        let tag = fallback_tag(Digest::of(b""));
        assert_eq!(tag, "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_index_grows_by_what_it_has_not() {
        let annotations = Annotations::from([("a".to_owned(), "b".to_owned())]);
        let (one, two) = (referrer("one", annotations), referrer("two", Annotations::new()));
        let first = fallback_index(None, &one).unwrap();
        let second = fallback_index(Some(&first), &two).unwrap();
        let index: Value = serde_json::from_slice(&second).unwrap();
        let entry = |of: &Referrer| json!({"mediaType": MANIFEST, "digest": of.manifest.digest, "size": of.manifest.size, "artifactType": SPDX});
        let mut with_annotations = entry(&one);
        with_annotations["annotations"] = json!({"a": "b"});
        let manifests = [with_annotations, entry(&two)];
        assert_eq!(index, json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}));
        for again in [&one, &two] {
            assert_eq!(fallback_index(Some(&second), again).unwrap(), second);
        }
    }

    #[test]
    fn what_others_wrote_into_an_index_stays() {
        let old = r#"{"schemaVersion":2,"annotations":{"k":"v"},"manifests":[{"mediaType":"m","digest":"sha512:1","size":1,"x":[1]}]}"#;
        let new: Value = serde_json::from_slice(&update(old).unwrap()).unwrap();
        assert_eq!(new["annotations"], json!({"k": "v"}));
        assert_eq!(new["manifests"][0], json!({"mediaType": "m", "digest": "sha512:1", "size": 1, "x": [1]}));
        assert_eq!(new["manifests"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let damaged = "the registry's index of referrers is damaged; delete its tag to begin a new one: ";
        for (old, why) in [
            ("[]", "it is no JSON object"),
            (r#"{"manifests":[]}"#, "its schemaVersion is not 2"),
            (
                r#"{"schemaVersion":2,"mediaType":"x","manifests":[]}"#,
                &format!("its mediaType is not {INDEX}"),
            ),
            (r#"{"schemaVersion":2}"#, "it has no list of manifests"),
            (r#"{"schemaVersion":2,"manifests":[1]}"#, "its manifest 0 is no descriptor"),
            (
                r#"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"d:1","size":-1}]}"#,
                "its manifest 0 is no descriptor",
            ),
        ] {
            assert_eq!(update(old).unwrap_err(), format!("{damaged}{why}"), "{old}");
        }
        assert!(update("{").unwrap_err().starts_with(damaged));
        let large = format!("{}{}", r#"{"schemaVersion":2,"manifests":[]}"#, " ".repeat(MAX_INDEX));
        assert!(update(&large).unwrap_err().contains("and registries take 4194304"));
        let full = format!(r#"{{"schemaVersion":2,"x":"{}","manifests":[]}}"#, " ".repeat(MAX_INDEX - 60));
        assert!(update(&full).unwrap_err().ends_with("delete old referrers"));
    }
}
