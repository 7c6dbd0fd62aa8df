//! One image for several platforms.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Sandbox, layers, program};
use image_spec::{ImageSpec, Layer, Platform};
use serde_json::json;

/// A project with a program for each platform.
fn project() -> (Sandbox, ImageSpec) {
    let sandbox = Sandbox::new();
    sandbox.file("app-arm64", &program(Platform::LinuxArm64));
    let mut spec = sandbox.spec();
    let mut arm64 = layers(&mut spec).clone();
    arm64[1].files = vec![sandbox.entry("app-arm64", "/app", Some(0o755))];
    spec.platforms.insert(Platform::LinuxArm64, arm64);
    (sandbox, spec)
}

#[test]
fn an_index_names_the_image_for_each_platform() {
    let (sandbox, spec) = project();
    let report = sandbox.write(&spec);
    let index = sandbox.json(&report.digest);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index["annotations"]["org.opencontainers.image.title"], "test");
    let platforms = index["manifests"].as_array().unwrap().iter().map(|manifest| &manifest["platform"]);
    assert_eq!(
        platforms.collect::<Vec<_>>(),
        [&json!({"architecture": "amd64", "os": "linux"}), &json!({"architecture": "arm64", "os": "linux"}),]
    );
    for (number, platform) in report.platforms.iter().enumerate() {
        assert_eq!(index["manifests"][number]["digest"], platform.digest.as_str());
        let config = sandbox.json(&platform.config_digest);
        assert_eq!(config["architecture"], platform.platform.architecture());
    }
}

#[test]
fn what_is_the_same_for_all_platforms_is_there_once() {
    let (sandbox, spec) = project();
    let report = sandbox.write(&spec);
    let [amd64, arm64] = [0, 1].map(|number| &report.platforms[number].layers);
    assert_eq!(amd64[0].digest, arm64[0].digest);
    assert_eq!(amd64[1].digest, arm64[1].digest);
    assert_ne!(amd64[2].digest, arm64[2].digest);

    let names = sandbox.names("layout/blobs").into_iter().collect::<BTreeSet<_>>();
    assert_eq!(names.len(), 1 + 2 + 2 + 4, "an index, two manifests, two configs, four layers: {names:?}");
    let archive = fs::read(sandbox.path("image.tar")).unwrap();
    let mut archive = tar::Archive::new(&archive[..]);
    let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    let paths = paths.collect::<Vec<_>>();
    assert_eq!(paths.iter().filter(|path| path.starts_with("blobs/sha256/") && path.len() > 20).count(), 9);
    assert!(!paths.contains(&"manifest.json".to_owned()), "which knows no platforms: {paths:?}");
}

#[test]
fn a_program_for_another_platform_is_refused_in_each() {
    let (sandbox, mut spec) = project();
    sandbox.file("app-arm64", &program(Platform::LinuxAmd64));
    assert_eq!(
        sandbox.refuse(&spec),
        "app-arm64 is built for amd64, not for linux/arm64; build it with `--platform linux/arm64`"
    );
    spec.platforms.clear();
    assert_eq!(sandbox.refuse(&spec), "the image is for no platform; name one, such as linux/amd64");
}

#[test]
fn every_platform_needs_its_program() {
    let (sandbox, mut spec) = project();
    let arm64: &mut Vec<Layer> = spec.platforms.get_mut(&Platform::LinuxArm64).unwrap();
    arm64.pop();
    let message = sandbox.refuse(&spec);
    assert!(message.starts_with("the entrypoint `/app` is not in the image"), "{message}");
}
