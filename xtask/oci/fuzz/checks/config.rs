//! Image configs of bases, and what becomes of them in the image that is made on top.

use std::collections::BTreeMap;

use image_spec::{Base, Compression, ImageSpec, Platform, Reference, Registries, RunConfig};
use serde_json::Value;
use xtask_oci::base::Foundation;
use xtask_oci::container::search_path;
use xtask_oci::digest::Digest;
use xtask_oci::document::ConfigDocument;
use xtask_oci::files::{Content, Entries, Entry, LayerFiles};
use xtask_oci::image::PlatformImage;
use xtask_oci::pull::PulledImage;
use xtask_oci::rootfs::Rootfs;
use xtask_oci::startable;

const PLATFORM: Platform = Platform::LinuxAmd64;

/// Reads a config and makes an image on top of it.
pub fn check(data: &[u8]) {
    let Ok(config) = ConfigDocument::parse(data) else { return };
    let reference: Reference = "base.example.com/team/base:1".parse().expect("a legal name");
    let digest = Digest::of(data);
    let base = PulledImage { reference: reference.clone(), digest, manifest: digest, config, layers: vec![] };
    let base = Foundation { files: None, image: Some(base), entries: Entries::new() };
    let spec = spec(reference);
    let image = PlatformImage::new(&spec, PLATFORM, &base, &[], base.history()).expect("an image is made");
    let Content::Bytes(made) = &image.config.content else { panic!("a config is kept in memory") };
    let made = ConfigDocument::parse(made).expect("others can read what was made");
    runs_as_asked(&made, &spec.config);
    assert_eq!(made.history, base.history());
    starts(&base, &spec);
}

fn spec(base: Reference) -> ImageSpec {
    let texts = |pairs: &[(&str, &str)]| {
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    ImageSpec {
        base: Base::Image(base),
        tags: vec![],
        created: 0,
        compression: Compression::default(),
        recompress: false,
        config: RunConfig {
            user: "65532:65532".to_owned(),
            entrypoint: vec!["app".to_owned()],
            env: texts(&[("A", "ours"), ("B", "")]),
            ports: vec![80],
            workdir: "/data".to_owned(),
            stop_signal: "SIGTERM".to_owned(),
        },
        labels: texts(&[("title", "ours")]),
        platforms: BTreeMap::new(),
        build: BTreeMap::new(),
        run: None,
        outputs: vec![],
        registries: Registries::default(),
    }
}

/// Whatever the base says, what the spec says counts.
fn runs_as_asked(made: &ConfigDocument, run: &RunConfig) {
    assert_eq!(made.config["User"], run.user);
    assert_eq!(made.config["WorkingDir"], run.workdir);
    assert_eq!(made.config["Entrypoint"], serde_json::json!(run.entrypoint));
    assert_eq!(made.config["Labels"]["title"], "ours");
    assert!(made.config["ExposedPorts"]["80/tcp"].is_object());
    assert!(made.config.values().all(|value| !value.is_null()));
    assert!(!made.config.contains_key("Cmd"));
    let env = made.config["Env"].as_array().expect("a list").iter().filter_map(Value::as_str);
    let env: Vec<_> = env.map(|variable| variable.split_once('=').unwrap_or((variable, ""))).collect();
    for (name, value) in &run.env {
        // Runtimes differ in which of two they believe.
        let values: Vec<_> = env.iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect();
        assert_eq!(values, [value], "{name}");
    }
    let paths: Vec<_> = env.iter().filter(|(name, _)| *name == "PATH").map(|(_, value)| *value).collect();
    assert_eq!(paths, [search_path(&made.config, run)], "the program is found where it was looked for");
}

/// Looks for the entrypoint on the base's search path.
fn starts(base: &Foundation, spec: &ImageSpec) {
    let mut rootfs = Rootfs::on(base);
    let entries = [
        ("/bin", Entry::link("usr/bin".to_owned())),
        ("/usr", Entry::folder(0o755)),
        ("/usr/bin", Entry::folder(0o755)),
        ("/usr/bin/app", Entry { mode: 0o755, ..Entry::text("#!/bin/app\n") }),
    ];
    let entries = entries.map(|(path, entry)| (path.to_owned(), entry)).into();
    rootfs.layers.push(LayerFiles { name: String::new(), entries, mtime: 0 });
    let error = startable::check(&rootfs, spec, PLATFORM).expect_err("a script cannot interpret itself");
    assert!(!error.to_string().is_empty());
}
