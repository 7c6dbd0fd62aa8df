//! Images as they are written: their content, their digests, and what is reused.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use common::{Sandbox, layers, program};
use image_spec::{Base, Compression, FolderEntry, Layer, Output, Platform};
use xtask_oci::digest::Digest;
use xtask_oci::make;

/// What a layer holds: path, mode, owner, content or target.
fn entries(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let describe = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap_or_default();
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), 1_700_000_000);
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        let target = entry.link_name().unwrap().map(|target| format!(" -> {}", target.display()));
        let (path, mode, uid) = (entry.path().unwrap(), header.mode().unwrap(), header.uid().unwrap());
        format!("{} {mode:o} {uid}{}", path.display(), target.unwrap_or_default())
    };
    archive.entries().unwrap().map(describe).collect()
}

#[test]
fn the_same_content_gives_the_same_image_wherever_it_lies() {
    let (one, two) = (Sandbox::new(), Sandbox::new());
    for sandbox in [&one, &two] {
        fs::remove_dir_all(sandbox.path("config")).unwrap();
    }
    for name in ["a", "b/c", "b/d", "e"] {
        one.file(&format!("config/{name}"), name.as_bytes());
    }
    for name in ["e", "b/d", "b/c", "a"] {
        let path = two.file(&format!("config/{name}"), name.as_bytes());
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    fs::set_permissions(two.path("config/b"), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(one.write(&one.spec()), two.write(&two.spec()));
    assert_eq!(fs::read(one.path("image.tar")).unwrap(), fs::read(two.path("image.tar")).unwrap());
    assert_eq!(one.names("layout"), two.names("layout"));
}

#[test]
fn config_and_manifest_say_what_the_spec_says() {
    let sandbox = Sandbox::new();
    let report = sandbox.write(&sandbox.spec());
    let (manifest, config) = (sandbox.json(&report.digest), sandbox.json(&report.platforms[0].config_digest));
    assert_eq!(manifest["config"]["digest"], report.platforms[0].config_digest.as_str());
    let labels = &config["config"]["Labels"];
    assert_eq!(labels["org.opencontainers.image.title"], "test");
    assert_eq!(labels["org.opencontainers.image.created"], "2023-11-14T22:13:20Z");
    let mut annotations = manifest["annotations"].clone();
    // That of the base is different for each platform.
    for (key, start) in [("name", "static"), ("digest", "sha256:")] {
        let value =
            annotations.as_object_mut().unwrap().remove(&format!("org.opencontainers.image.base.{key}"));
        assert!(value.is_some_and(|value| value.as_str().unwrap().starts_with(start)), "{manifest}");
    }
    assert_eq!(&annotations, labels);
    let run = serde_json::json!({
        "User": "65532:65532",
        "ExposedPorts": {"8080/tcp": {}},
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "APP_LOG=info"],
        "Entrypoint": ["/app"],
        "WorkingDir": "/data",
        "Labels": labels,
        "StopSignal": "SIGTERM",
    });
    assert_eq!(config["config"], run);
    assert_eq!((&config["architecture"], &config["os"]), (&"amd64".into(), &"linux".into()));
    let layers: Vec<_> = config["history"].as_array().unwrap().iter().map(|h| &h["created_by"]).collect();
    assert_eq!(layers, ["base static", "config", "app"]);
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 3);
}

#[test]
fn the_base_is_the_same_layer_in_every_image() {
    let sandbox = Sandbox::new();
    let first = sandbox.write(&sandbox.spec());
    let mut spec = sandbox.spec();
    spec.created += 1;
    let second = sandbox.write(&spec);
    assert_eq!(first.platforms[0].layers[0].digest, second.platforms[0].layers[0].digest);
    assert_ne!(first.platforms[0].layers[1].digest, second.platforms[0].layers[1].digest);
}

#[test]
fn the_base_alone_is_what_images_on_it_name() {
    for compression in [Compression::Gzip(6), Compression::default()] {
        let sandbox = Sandbox::new();
        let mut spec = sandbox.spec();
        spec.compression = compression;
        let report = sandbox.write(&spec);
        let named =
            sandbox.json(&report.digest)["annotations"]["org.opencontainers.image.base.digest"].clone();

        let cache = sandbox.path("cache");
        let platforms = Platform::ALL.into();
        make::base(&platforms, compression, &cache, &sandbox.path("layout")).unwrap();
        let index = fs::read(sandbox.path("layout/index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
        let [root] = &index["manifests"].as_array().unwrap()[..] else { panic!("{index}") };
        let images = sandbox.json(root["digest"].as_str().unwrap());
        let [amd64, arm64] = &images["manifests"].as_array().unwrap()[..] else { panic!("{images}") };
        assert_eq!((&amd64["digest"], &arm64["platform"]["architecture"]), (&named, &"arm64".into()));

        let before = identity(&sandbox.path("layout/index.json"));
        make::base(&platforms, compression, &cache, &sandbox.path("layout")).unwrap();
        assert_eq!(identity(&sandbox.path("layout/index.json")), before);
        make::base(&[Platform::LinuxAmd64].into(), compression, &cache, &sandbox.path("one")).unwrap();
        let index = fs::read_to_string(sandbox.path("one/index.json")).unwrap();
        assert!(index.contains("application/vnd.oci.image.index.v1+json\",\"digest"), "{index}");
        assert!(make::base(&[].into(), compression, &cache, &sandbox.path("none")).is_err());
    }
}

#[test]
fn scratch_has_no_layer_of_its_own() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    spec.base = Base::Scratch;
    let report = sandbox.write(&spec);
    assert_eq!(
        report.platforms[0].layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(),
        ["config", "app"]
    );
    let annotations = &sandbox.json(&report.digest)["annotations"];
    assert!(annotations.get("org.opencontainers.image.base.name").is_none());
}

#[test]
fn every_compression_reads_back_and_has_its_media_type() {
    for (compression, media_type) in [
        ("zstd:3", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("gzip:6", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("none", "application/vnd.oci.image.layer.v1.tar"),
    ] {
        let sandbox = Sandbox::new();
        let mut spec = sandbox.spec();
        spec.compression = compression.parse().unwrap();
        let report = sandbox.write(&spec);
        let (manifest, config) =
            (sandbox.json(&report.digest), sandbox.json(&report.platforms[0].config_digest));
        for (index, layer) in report.platforms[0].layers.iter().enumerate() {
            assert_eq!(manifest["layers"][index]["mediaType"], media_type);
            let blob = sandbox.blob(&layer.digest);
            assert_eq!(
                (Digest::of(&blob).to_string(), blob.len() as u64),
                (layer.digest.clone(), layer.size)
            );
            let tar = decompress(&blob, spec.compression);
            assert_eq!(config["rootfs"]["diff_ids"][index], Digest::of(&tar).to_string());
        }
    }
}

fn decompress(blob: &[u8], compression: Compression) -> Vec<u8> {
    let mut tar = Vec::new();
    match compression {
        Compression::None => tar.extend(blob),
        Compression::Gzip(_) => drop(flate2::read::GzDecoder::new(blob).read_to_end(&mut tar).unwrap()),
        Compression::Zstd(_) => zstd::stream::copy_decode(blob, &mut tar).unwrap(),
    }
    tar
}

#[test]
fn entries_have_plain_modes_and_folders_keep_their_owner() {
    let sandbox = Sandbox::new();
    let script = sandbox.file("tree/run", &program(Platform::LinuxAmd64));
    fs::set_permissions(script, Permissions::from_mode(0o700)).unwrap();
    sandbox.file("tree/deep/er/file", b"");
    std::os::unix::fs::symlink("deep/../run", sandbox.path("tree/link")).unwrap();
    let mut spec = sandbox.spec();
    spec.compression = Compression::None;
    let files = vec![
        sandbox.entry("tree", "/home/nonroot/tree", None),
        sandbox.entry("app", "/opt/app", Some(0o500)),
    ];
    let data = FolderEntry { dest: "/opt/data".to_owned(), owner: "1000:50".to_owned() };
    layers(&mut spec).push(Layer { name: "tree".to_owned(), files, folders: vec![data], links: vec![] });
    let report = sandbox.write(&spec);
    assert_eq!(
        entries(&sandbox.blob(&report.platforms[0].layers[3].digest)),
        [
            "home/ 755 0",
            "home/nonroot/ 700 65532",
            "home/nonroot/tree/ 755 0",
            "home/nonroot/tree/deep/ 755 0",
            "home/nonroot/tree/deep/er/ 755 0",
            "home/nonroot/tree/deep/er/file 644 0",
            "home/nonroot/tree/link 777 0 -> deep/../run",
            "home/nonroot/tree/run 755 0",
            "opt/ 755 0",
            "opt/app 500 0",
            "opt/data/ 755 1000",
        ]
    );
}

#[test]
fn only_what_changed_is_made_again() {
    let sandbox = Sandbox::new();
    let cached =
        |spec| sandbox.write(spec).platforms[0].layers.iter().map(|layer| layer.cached).collect::<Vec<_>>();
    let spec = sandbox.spec();
    assert_eq!(cached(&spec), [false, false, false]);
    assert_eq!(cached(&spec), [true, true, true]);
    let mut other = program(Platform::LinuxAmd64);
    other.extend(b"another build");
    sandbox.file("app", &other);
    assert_eq!(cached(&spec), [true, true, false]);
    sandbox.file("app", &program(Platform::LinuxAmd64));
    assert_eq!(cached(&spec), [true, true, true]);
}

#[test]
fn a_damaged_cache_is_made_again_and_never_served() {
    let sandbox = Sandbox::new();
    // Layers are linked into a layout, so damage to the cache is tried without one.
    let mut spec = sandbox.spec();
    spec.outputs.truncate(1);
    let report = sandbox.write(&spec);
    let archive = fs::read(sandbox.path("image.tar")).unwrap();
    for (at, damage) in [&b""[..], b"short", &[0; 300]].into_iter().enumerate() {
        for entry in fs::read_dir(sandbox.path("cache/1-zstd-3")).unwrap().flatten() {
            fs::write(entry.path(), damage).unwrap();
        }
        fs::remove_file(sandbox.path("image.tar")).unwrap();
        assert_eq!(sandbox.write(&spec), report, "{at}");
        assert_eq!(fs::read(sandbox.path("image.tar")).unwrap(), archive);
    }
}

/// What tells whether a file was touched.
fn identity(path: &Path) -> (u64, i64, i64) {
    let found = fs::metadata(path).unwrap();
    (found.ino(), found.mtime(), found.mtime_nsec())
}

#[test]
fn outputs_that_are_the_same_are_left_untouched() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec();
    sandbox.write(&spec);
    let identities = || {
        ["image.tar", "layout", "layout/index.json", "layout/blobs/sha256"]
            .map(|name| identity(&sandbox.path(name)))
    };
    let before = identities();
    std::thread::sleep(Duration::from_millis(20));
    sandbox.write(&spec);
    assert_eq!(identities(), before);
}

#[test]
fn outputs_that_are_damaged_are_written_again() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec();
    let report = sandbox.write(&spec);
    let archive = fs::read(sandbox.path("image.tar")).unwrap();
    let mut damaged = archive.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(sandbox.path("image.tar"), damaged).unwrap();
    let blob = sandbox.path("layout/blobs/sha256").join(&report.platforms[0].config_digest[7..]);
    fs::write(&blob, "{}").unwrap();
    sandbox.write(&spec);
    assert_eq!(fs::read(sandbox.path("image.tar")).unwrap(), archive);
    assert_eq!(Digest::of_file(&blob).unwrap().to_string(), report.platforms[0].config_digest);
}

#[test]
fn a_layout_holds_the_newest_image_only() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    sandbox.write(&spec);
    let count = sandbox.names("layout").len();
    spec.config.ports = vec![9090];
    spec.tags.push("example.com/team/app:2".parse().unwrap());
    spec.tags.push("example.com/team/app:latest".parse().unwrap());
    let report = sandbox.write(&spec);
    assert_eq!(sandbox.names("layout").len(), count);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(sandbox.path("layout/index.json")).unwrap()).unwrap();
    let names: Vec<_> = index["manifests"].as_array().unwrap().iter().map(|m| &m["annotations"]).collect();
    assert_eq!(names[0]["io.containerd.image.name"], "docker.io/library/xtask-oci-test:latest");
    assert_eq!(names[0]["org.opencontainers.image.ref.name"], "latest");
    assert_eq!(names[1]["io.containerd.image.name"], "example.com/team/app:2");
    // A tag means one image only to tools that know no repositories.
    assert_eq!(names[2]["org.opencontainers.image.ref.name"], "example.com/team/app:latest");
    assert_eq!(index["manifests"][1]["digest"], report.digest.as_str());
}

#[test]
fn a_folder_that_is_no_layout_is_never_replaced() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    spec.outputs = vec![Output::Layout { dest: sandbox.path("config") }];
    let error = make::image(&spec, &sandbox.places()).unwrap_err().to_string();
    assert!(
        error.contains("config is there already and is not an OCI layout; remove it or choose another"),
        "{error}"
    );
    assert_eq!(sandbox.names("config"), ["app.toml", "empty.toml"]);
}

#[test]
fn two_runs_at_once_leave_one_whole_image() {
    let sandbox = Sandbox::new();
    let mut specs = [sandbox.spec(), sandbox.spec()];
    specs[1].config.ports = vec![1];
    for _ in 0..10 {
        let digests = std::thread::scope(|scope| {
            let runs = specs.each_ref().map(|spec| scope.spawn(|| sandbox.write(spec).digest));
            runs.map(|run| run.join().unwrap())
        });
        let index = fs::read_to_string(sandbox.path("layout/index.json")).unwrap();
        assert!(digests.iter().any(|digest| index.contains(digest)));
        sandbox.check_layout();
        assert!(sandbox.names(".").iter().all(|name| !name.ends_with(".tmp")));
    }
}
