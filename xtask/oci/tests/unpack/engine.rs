//! What the engine makes of a base image that somebody else made.

use std::collections::BTreeMap;
use std::fs;

use image_spec::{Base, FileEntry, FolderEntry, Layer, Pins, Platform, Registries};
use serde_json::json;
use xtask_oci::digest::Digest;
use xtask_oci::files::Kind;
use xtask_oci::make::{self, Places};
use xtask_oci::pull::Sources;
use xtask_oci::pull::blobs::BlobStore;
use xtask_oci::registry::client::Connection;
use xtask_oci::rootfs::Rootfs;
use xtask_oci::startable;

use crate::Pulled;
use crate::raw::{Head, Tar};

fn base() -> Tar {
    Tar::new()
        .folder("usr/lib64")
        .put(&Head { mode: 0o755, ..Head::new(b'0', b"usr/lib64/ld-linux-x86-64.so.2") }, b"elf")
        .put(&Head { mode: 0o755, ..Head::new(b'0', b"usr/bin/sh") }, b"elf")
        .link("lib64", "usr/lib64")
        .link("bin", "usr/bin")
        .put(&Head { mode: 0o1777, ..Head::new(b'5', b"tmp") }, b"")
        .put(&Head { mode: 0o750, uid: 1000, ..Head::new(b'5', b"home/app") }, b"")
        .file("etc/passwd", "root")
        .block(Head::new(b'3', b"dev/null").block())
        .block(Head::new(b'0', b"caf\xe9").block())
}

/// The engine's own layers on top of `base`.
fn on_base(pulled: &Pulled, files: &[(&str, &[u8], &str)]) -> anyhow::Result<Rootfs> {
    let mut rootfs = Rootfs { base: pulled.view(&[base()])?.entries(), ..Rootfs::default() };
    let file = |(name, content, dest): &(&str, &[u8], &str)| {
        fs::write(pulled.path(name), content).unwrap();
        FileEntry {
            from: None,
            src: pulled.path(name),
            dest: (*dest).to_owned(),
            mode: Some(0o755),
            owner: None,
        }
    };
    let folders = vec![FolderEntry { dest: "/home/app/data".to_owned(), owner: "1000".to_owned() }];
    let layer =
        Layer { name: "own".to_owned(), files: files.iter().map(file).collect(), folders, links: vec![] };
    let connection = Connection::new(&Registries::default());
    let sources = Sources::new(&connection, &pulled.path("blobs"), &pulled.path("cache"), Pins::default());
    rootfs.add(&layer, Platform::LinuxAmd64, &sources, 0)?;
    Ok(rootfs)
}

#[test]
fn the_engine_sees_the_base_below_its_layers() {
    let pulled = Pulled::new();
    let rootfs = on_base(&pulled, &[("f", b"1", "/tmp/f"), ("passwd", b"2", "/etc/passwd")]).unwrap();
    assert_eq!(rootfs.get("/lib64").unwrap().kind, Kind::Link { target: "usr/lib64".to_owned() });
    assert_eq!(rootfs.get("/usr/bin/sh").unwrap().kind, Kind::BaseFile { size: 3 });
    assert_eq!(rootfs.get("/etc/passwd").unwrap().size(), 1);
    assert_eq!((rootfs.get("/dev/null"), rootfs.base.len()), (None, 13));
    // Folders that are merely passed through stay what they are in the base.
    let own: BTreeMap<_, _> = rootfs.layers[0]
        .entries
        .iter()
        .map(|(path, entry)| (path.as_str(), (entry.mode, entry.uid)))
        .collect();
    let expected = [
        ("/etc", (0o755, 0)),
        ("/etc/passwd", (0o755, 0)),
        ("/home", (0o755, 0)),
        ("/home/app", (0o750, 1000)),
        ("/home/app/data", (0o755, 1000)),
        ("/tmp", (0o1777, 0)),
        ("/tmp/f", (0o755, 0)),
    ];
    assert_eq!(own, BTreeMap::from(expected));

    for (dest, message) in [
        (
            "/bin/tool",
            "layer `own`: /bin would be a folder, but is a link to usr/bin in the base; use that as the destination",
        ),
        (
            "/bin",
            "layer `own`: /bin is claimed twice: by a link to usr/bin and by f; give one of them another destination",
        ),
        (
            "/usr/bin/sh/x",
            "layer `own`: /usr/bin/sh would be a folder, but is a file of the base already; rename one of them",
        ),
    ] {
        let error = on_base(&pulled, &[("f", b"", dest)]).unwrap_err();
        assert_eq!(pulled.message(&error), message);
    }
}

#[test]
fn the_base_brings_loaders_and_interpreters() {
    let pulled = Pulled::new();
    let program = crate::common::dynamic_program(Platform::LinuxAmd64, "/lib64/ld-linux-x86-64.so.2");
    let mut spec = crate::common::Sandbox::new().spec();
    let check = |program: &[u8], spec: &image_spec::ImageSpec| {
        startable::check(&on_base(&pulled, &[("app", program, "/app")]).unwrap(), spec, Platform::LinuxAmd64)
    };
    check(&program, &spec).unwrap();
    check(b"#!/bin/sh\n", &spec).unwrap();
    let other = crate::common::dynamic_program(Platform::LinuxAmd64, "/lib/ld-musl-x86_64.so.1");
    assert!(
        check(&other, &spec).unwrap_err().to_string().contains("needs the loader /lib/ld-musl-x86_64.so.1")
    );
    spec.config.entrypoint = vec!["sh".to_owned()];
    check(&program, &spec).unwrap();
    spec.config.entrypoint = vec!["/etc/passwd".to_owned()];
    let message = "/etc/passwd may not be executed by the user 65532:65532 (mode 0644); run `chmod +x` on it or give it the mode 0755";
    assert_eq!(check(&program, &spec).unwrap_err().to_string(), message);
}

#[test]
fn files_of_the_base_never_get_into_a_layer() {
    let pulled = Pulled::new();
    let entries = pulled.view(&[base()]).unwrap().entries();
    let error = xtask_oci::tar::write(&entries, 0, &mut std::io::sink()).unwrap_err().to_string();
    assert_eq!(error, "/etc/passwd is in the base image and cannot be in another layer too");
}

/// Docker's classic store names all layers gzip when it pushes.
#[test]
fn a_layer_gets_the_media_type_that_it_has() {
    let (pulled, sandbox) = (Pulled::new(), crate::common::Sandbox::new());
    let store = BlobStore::new(&pulled.path("blobs"));
    let keep = |blob: &[u8]| {
        let digest = Digest::of(blob);
        store.keep_document(digest, blob).unwrap();
        json!({"mediaType": "", "digest": digest.to_string(), "size": blob.len()})
    };
    let tar = base().end();
    let mut layers = [zstd::encode_all(&tar[..], 3).unwrap(), tar.clone()].map(|blob| keep(&blob));
    for layer in &mut layers {
        layer["mediaType"] = json!("application/vnd.docker.image.rootfs.diff.tar.gzip");
    }
    let diff_ids = [Digest::of(&tar).to_string(), Digest::of(&tar).to_string()];
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": diff_ids}});
    let config = keep(config.to_string().as_bytes());
    let manifest =
        keep(json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string().as_bytes());
    let reference = format!("registry.example/base@{}", manifest["digest"].as_str().unwrap());

    let mut spec = sandbox.spec();
    spec.base = Base::Image(reference.parse().unwrap());
    let places = Places { blobs: pulled.path("blobs"), ..sandbox.places() };
    let report = make::image(&spec, &places).unwrap();
    let manifest = sandbox.json(&report.digest);
    let types = manifest["layers"].as_array().unwrap()[..2].iter().map(|layer| layer["mediaType"].as_str());
    let types = types.map(Option::unwrap).collect::<Vec<_>>();
    assert_eq!(
        types,
        ["application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.v1.tar"]
    );
}
