//! Layouts that a stranger could write, and what is said of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use image_spec::{Base, Compression, ImageReport, ImageSpec, Output, Platform, Registries, RunConfig};
use serde_json::{Value, json};

use super::{layout, pushed};
use crate::digest::Digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layout as BuildKit writes it, gone when dropped.
struct Layout(tempfile::TempDir);

impl Layout {
    fn new() -> Layout {
        let layout = Layout(tempfile::tempdir().unwrap());
        fs::create_dir_all(layout.path("blobs/sha256")).unwrap();
        layout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn blob_path(&self, descriptor: &Value) -> PathBuf {
        self.path(&format!("blobs/sha256/{}", &descriptor["digest"].as_str().unwrap()[7..]))
    }

    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        fs::write(self.path(&format!("blobs/sha256/{}", digest.hex())), content).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": content.len()})
    }

    fn json(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    fn config(&self, architecture: &str) -> Value {
        let history = json!([
            {"created_by": "ENV A=1", "empty_layer": true},
            {"created_by": "COPY a\u{1b}b\nc /d # buildkit"},
        ]);
        let diff_ids = [Digest::of(b"layer")];
        let rootfs = json!({"type": "layers", "diff_ids": diff_ids});
        self.json(
            CONFIG,
            &json!({"architecture": architecture, "os": "linux", "rootfs": rootfs, "history": history}),
        )
    }

    fn manifest(&self, config: &Value, layers: &[Value]) -> Value {
        self.json(MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": layers}))
    }

    fn image(&self, architecture: &str) -> Value {
        let mut manifest = self.manifest(&self.config(architecture), &[self.blob(LAYER, b"layer")]);
        manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
        manifest
    }

    fn index(&self, manifests: &[Value]) -> Value {
        self.json(INDEX, &json!({"schemaVersion": 2, "manifests": manifests}))
    }

    fn hold(&self, images: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": images});
        fs::write(self.path("index.json"), index.to_string()).unwrap();
    }

    fn import(&self, platforms: &[Platform]) -> Result<ImageReport, String> {
        let outputs = vec![
            Output::Archive { dest: self.path("image.tar") },
            Output::Layout { dest: self.path("imported") },
        ];
        let result = layout(&spec(platforms, outputs), self.0.path(), &self.path("temp"));
        let written = ["image.tar", "imported"].map(|name| self.path(name).exists());
        assert_eq!(written, [result.is_ok(); 2]);
        let start = format!("{}/", self.0.path().display());
        result.map_err(|error| format!("{error:#}").replace(&start, ""))
    }

    /// What the layout is refused with, without who wrote it.
    fn refused(&self, platforms: &[Platform]) -> String {
        let error = self.import(platforms).unwrap_err();
        let start = format!("the image that BuildKit wrote to {}: ", self.0.path().display());
        error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
    }

    /// What an image for one platform is refused with whose manifest is this one.
    fn refused_manifest(&self, manifest: Value) -> String {
        self.hold(&[manifest]);
        self.refused(&[Platform::LinuxAmd64])
    }
}

fn spec(platforms: &[Platform], outputs: Vec<Output>) -> ImageSpec {
    ImageSpec {
        base: Base::Scratch,
        tags: vec!["127.0.0.1:1/team/app:1".parse().unwrap()],
        created: 0,
        compression: Compression::default(),
        recompress: false,
        config: RunConfig {
            user: "1:1".to_owned(),
            entrypoint: vec!["/app".to_owned()],
            env: BTreeMap::new(),
            ports: vec![],
            workdir: "/".to_owned(),
            stop_signal: "SIGTERM".to_owned(),
        },
        labels: BTreeMap::new(),
        platforms: platforms.iter().map(|platform| (*platform, vec![])).collect(),
        build: BTreeMap::new(),
        run: None,
        outputs,
        registries: Registries::default(),
    }
}

const AMD64: [Platform; 1] = [Platform::LinuxAmd64];
const BOTH: [Platform; 2] = Platform::ALL;

#[test]
fn an_index_stays_as_it_is_unless_it_has_attestations() {
    let made = Layout::new();
    let images = ["amd64", "arm64"].map(|architecture| made.image(architecture));
    let index = made.index(&images);
    // Once for each name.
    made.hold(&[index.clone(), index.clone()]);
    let report = made.import(&BOTH).unwrap();
    assert_eq!(report.digest, index["digest"]);
    let [amd64, arm64] = &report.platforms[..] else { panic!("{report:?}") };
    assert_eq!((&json!(amd64.digest), &json!(arm64.digest)), (&images[0]["digest"], &images[1]["digest"]));
    assert_eq!((amd64.size, amd64.layers.len(), &*amd64.layers[0].name), (5, 1, "COPY a b c /d"));

    let mut attestation = made.blob(MANIFEST, b"not looked at");
    attestation["platform"] = json!({"architecture": "unknown", "os": "unknown"});
    let [amd64, arm64] = images;
    made.hold(&[made.index(&[amd64, arm64, attestation.clone()])]);
    fs::remove_file(made.blob_path(&attestation)).unwrap();
    fs::remove_file(made.path("image.tar")).unwrap();
    fs::remove_dir_all(made.path("imported")).unwrap();
    let without = made.import(&BOTH).unwrap();
    assert_eq!(without.platforms, report.platforms);
    let index = fs::read_to_string(made.path(&format!("imported/blobs/sha256/{}", &without.digest[7..])));
    assert!(index.is_ok_and(|index| !index.contains("unknown")));
}

#[test]
fn one_platform_is_no_index() {
    let made = Layout::new();
    let image = made.image("amd64");
    made.hold(&[made.index(std::slice::from_ref(&image))]);
    assert_eq!(made.import(&AMD64).unwrap().digest, image["digest"]);
}

#[test]
fn documents_of_docker_are_known() {
    let made = Layout::new();
    let mut config = made.config("amd64");
    config["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
    let layer = made.blob("application/vnd.docker.image.rootfs.diff.tar.gzip", b"layer");
    let mut manifest = made.manifest(&config, &[layer]);
    manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json");
    made.hold(&[manifest]);
    made.import(&AMD64).unwrap();
    let index = fs::read_to_string(made.path("imported/index.json")).unwrap();
    assert!(index.contains("application/vnd.docker.distribution.manifest.v2+json"), "{index}");
}

#[test]
fn images_for_other_platforms_are_refused() {
    let made = Layout::new();
    let image = made.image("amd64");
    made.hold(&[made.index(std::slice::from_ref(&image))]);
    assert_eq!(made.refused(&BOTH), "it is for linux/amd64, and should be for linux/amd64, linux/arm64");
    made.hold(&[made.index(&[image.clone(), made.image("arm64")])]);
    assert_eq!(made.refused(&AMD64), "it is for linux/amd64, linux/arm64, and should be for linux/amd64");
    made.hold(&[made.index(&[image.clone(), image.clone()])]);
    assert_eq!(made.refused(&AMD64), "it is for linux/amd64, linux/amd64, and should be for linux/amd64");
    made.hold(std::slice::from_ref(&image));
    let message = "it is an image for one platform, and should be for linux/amd64 and linux/arm64";
    assert_eq!(made.refused(&BOTH), message);
    let message = made.refused_manifest(made.image("arm64"));
    assert_eq!(message, "it is for linux/arm64, not for linux/amd64; choose an image that has this platform");

    let mut inner = made.index(&[]);
    inner["platform"] = json!({"architecture": "amd64", "os": "linux"});
    let message = made.refused_manifest(made.index(&[inner]));
    assert_eq!(message, "the image for linux/amd64: its index has an index for linux/amd64");
}

#[test]
fn a_layout_holds_one_image() {
    let made = Layout::new();
    assert!(made.refused(&AMD64).starts_with("cannot read index.json: No such file"));
    fs::write(made.path("index.json"), "[]").unwrap();
    assert!(made.refused(&AMD64).starts_with("it is no JSON document of an image: "));
    made.hold(&[]);
    assert_eq!(made.refused(&AMD64), "the layout holds no image; build it again");
    made.hold(&["amd64", "arm64"].map(|architecture| made.image(architecture)));
    assert_eq!(made.refused(&AMD64), "the layout holds several images; remove it and build again");
    fs::write(made.path("index.json"), vec![b' '; (4 << 20) + 1]).unwrap();
    assert_eq!(made.refused(&AMD64), "index.json has 4194305 bytes, and 4194304 are allowed");
}

#[test]
fn types_that_nobody_knows_are_refused_by_name() {
    let made = Layout::new();
    let (config, layer) = (made.config("amd64"), made.blob(LAYER, b"layer"));
    let other = |value: &Value, media_type: &str| {
        let mut value = value.clone();
        value["mediaType"] = json!(media_type);
        value
    };
    let manifest = made.manifest(&config, std::slice::from_ref(&layer));
    let unknown = |what: &str, media_type: &str| {
        format!("its {what} is of the unknown type `{media_type}`; have BuildKit write an OCI image")
    };
    assert_eq!(made.refused_manifest(other(&manifest, INDEX)), unknown("manifest", INDEX));
    assert_eq!(
        made.refused_manifest(other(&made.index(&[made.image("amd64")]), "x\u{1b}")),
        unknown("index", "x\\u{1b}")
    );
    let strange = made.manifest(&other(&config, "text/plain"), std::slice::from_ref(&layer));
    assert_eq!(made.refused_manifest(strange), unknown("config", "text/plain"));
    let xz = "application/vnd.oci.image.layer.v1.tar+xz";
    let strange = made.manifest(&config, &[other(&layer, xz)]);
    assert_eq!(
        made.refused_manifest(strange),
        format!("the image for linux/amd64: {}", unknown("layer", xz))
    );
    assert_eq!(
        made.refused_manifest(made.manifest(&config, &[])),
        "its config has 1 layers, its manifest 0; it is damaged"
    );
}

#[test]
fn what_is_not_what_its_digest_says_is_refused() {
    let made = Layout::new();
    let (config, layer) = (made.config("amd64"), made.blob(LAYER, b"layer"));
    let manifest = made.manifest(&config, std::slice::from_ref(&layer));
    made.hold(std::slice::from_ref(&manifest));
    for blob in [&manifest, &config, &layer] {
        let (path, digest) = (made.blob_path(blob), blob["digest"].as_str().unwrap());
        let good = fs::read(&path).unwrap();
        let name = path.strip_prefix(made.0.path()).unwrap().display().to_string();

        let mut bad = good.clone();
        bad[0] ^= 1;
        fs::write(&path, &bad).unwrap();
        let message = made.refused(&AMD64);
        assert!(
            message.contains(&format!("{digest} has the digest {}; build", Digest::of(&bad))),
            "{message}"
        );
        fs::write(&path, &good[1..]).unwrap();
        let message = made.refused(&AMD64);
        assert!(message.contains(&format!("{digest} has {} instead of", good.len() - 1)), "{message}");
        fs::write(&path, [&good[..], b"x"].concat()).unwrap();
        assert!(made.refused(&AMD64).contains(&format!("has {}", good.len() + 1)));
        fs::remove_file(&path).unwrap();
        assert!(made.refused(&AMD64).contains(&format!("cannot read {name}: No such file")));
        fs::write(made.path("elsewhere"), &good).unwrap();
        std::os::unix::fs::symlink(made.path("elsewhere"), &path).unwrap();
        assert!(made.refused(&AMD64).contains(&format!("{name} is no file")));
        fs::remove_file(&path).unwrap();
        fs::write(&path, &good).unwrap();
    }
    made.import(&AMD64).unwrap();
}

#[test]
fn a_document_that_would_not_fit_into_memory_is_never_read() {
    let made = Layout::new();
    let mut config = made.config("amd64");
    config["size"] = json!(u64::MAX);
    let message = made.refused_manifest(made.manifest(&config, &[made.blob(LAYER, b"layer")]));
    assert!(
        message
            .ends_with("has 18446744073709551615 bytes, and no document of an image needs more than 4194304")
    );
}

#[test]
fn what_was_pushed_has_one_registry() {
    let made = Layout::new();
    made.hold(&[made.image("amd64")]);
    let registry = |dry_run| Output::Registry { immutable: vec![], proofs: true, fallback: None, dry_run };
    let archive = Output::Archive { dest: made.path("image.tar") };
    for outputs in [vec![], vec![archive.clone()], vec![registry(false), archive], vec![registry(true)]] {
        let error = pushed(&spec(&AMD64, outputs), &made.path("temp")).unwrap_err().to_string();
        assert!(error.starts_with("an image without --layout is one that BuildKit has pushed"), "{error}");
    }
    let mut nameless = spec(&AMD64, vec![registry(false)]);
    nameless.tags.clear();
    let error = pushed(&nameless, &made.path("temp")).unwrap_err().to_string();
    assert_eq!(error, "the image has no name that a registry could know it by");
    assert!(!made.path("temp").exists() && !made.path("image.tar").exists());
}
