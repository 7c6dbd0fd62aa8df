//! Plans of what is done with an image after it was pushed: `bdp --sign`, `verify`, `scan`.

use std::path::Path;

use expect_test::expect;
use image_spec::{Platform, VerifySpec};

use super::{check_error, check_steps};
use crate::cli::{BuildFlags, ImageFlags, ScanFlags, Severity, VerifyFlags};
use crate::config::Config;
use crate::config::fixture::config;
use crate::tasks::bdp::{self, Push};
use crate::tasks::{scan, verify};
use crate::tools::Tools;

fn with(tool: &'static str) -> Config {
    let mut config = config();
    config.host.tools.found.push(tool);
    config
}

fn no_compiler() -> Config {
    let mut config = config();
    config.host.tools = Tools::default();
    config
}

#[test]
fn what_was_pushed_is_signed_by_its_digest() {
    let flags = ImageFlags::default();
    let amd64 = [Platform::LinuxAmd64];
    let sign =
        |config: &Config, key| bdp::plan(config, &flags, &amd64, Push { sign: key, ..Push::default() });
    let mut plan = sign(&with("cosign"), Some("cosign.key")).unwrap();
    plan.steps.drain(..4);
    check_steps(
        &plan,
        &expect![[r#"
            artifact after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            push after artifact, access: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json --digest-file target/images/app-sqlite-linux-amd64.digest
            sign after push: sh -c image=$(cat "$1") && shift && exec cosign sign --yes --recursive "$@" "$image" sign target/images/app-sqlite-linux-amd64.digest --key cosign.key
        "#]],
    );
    let digest_file = Some(Path::new("target/digest"));
    let push = Push { sign: Some(""), digest_file, ..Push::default() };
    let mut plan = bdp::plan(&with("cosign"), &flags, &amd64, push).unwrap();
    plan.steps.drain(..5);
    check_steps(
        &plan,
        &expect![[r#"
        push after artifact, access: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json --digest-file target/digest
        sign after push: sh -c image=$(cat "$1") && shift && exec cosign sign --yes --recursive "$@" "$image" sign target/digest
    "#]],
    );
    let build = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    let several = ImageFlags { build, ..ImageFlags::default() };
    check_error(
        bdp::plan(&config(), &several, &amd64, Push { digest_file, ..Push::default() }),
        &expect!["--digest-file is for one image, and each backend is one: name one --backend"],
    );
    let keyless = sign(&with("cosign"), Some("")).unwrap();
    assert!(!keyless.steps.last().unwrap().argv.contains(&"--key".to_owned()));
    check_error(
        sign(&config(), Some("")),
        &expect!["cosign is not on PATH, and --sign needs it; `cargo xtask doctor` shows how to install it"],
    );

    let push = Push { dry_run: true, sign: Some(""), ..Push::default() };
    let plan = bdp::plan(&with("cosign"), &flags, &amd64, push).unwrap();
    assert!(plan.steps.iter().all(|step| step.name != "sign"), "nothing was pushed that could be signed");
}

#[test]
fn verify_builds_in_a_folder_of_its_own() {
    let flags = VerifyFlags {
        build: BuildFlags { platforms: vec![Platform::LinuxArm64], ..BuildFlags::default() },
        ..VerifyFlags::default()
    };
    let plan = verify::plan(&config(), &flags).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile after : target/debug/xtask zigbuild --folder target/verify/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target aarch64-unknown-linux-musl --config target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --target-dir target/verify
            packages after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/arm64 --package app --cargo-metadata target/verify/packages-sqlite-linux-arm64.json target/verify/aarch64-unknown-linux-musl/release/app target/verify/dist/app-sqlite-linux-arm64
            image after artifact: target/debug/xtask-oci image --cache target/verify/images/cache --metadata-file target/verify/images/app-sqlite-linux-arm64.json
            verify after engine, image: target/debug/xtask-oci verify --folder target/images --rebuilt target/verify/images/app-sqlite-linux-arm64.json
        "#]],
    );
    let input = plan.steps.last().unwrap().stdin.as_deref().unwrap();
    let input: VerifySpec = serde_json::from_str(input).unwrap();
    assert_eq!(input.image.to_string(), "team/app:1.2.3");
    assert_eq!((&input.platforms[..], &*input.user), (&[Platform::LinuxArm64][..], "65532:65532"));
}

#[test]
fn verify_looks_at_any_image() {
    let reference = "ghcr.io/team/app:2".parse().unwrap();
    let flags = VerifyFlags { reference: Some(reference), no_rebuild: true, ..VerifyFlags::default() };
    check_steps(
        &verify::plan(&config(), &flags).unwrap(),
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            verify after engine: target/debug/xtask-oci verify --folder target/images
        "#]],
    );
    assert!(verify::plan(&config(), &flags).unwrap() == verify::plan(&no_compiler(), &flags).unwrap());
    let build = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    let flags = VerifyFlags { build, ..VerifyFlags::default() };
    check_error(
        verify::plan(&config(), &flags),
        &expect!["an image is of one backend; name that one with --backend"],
    );
}

#[test]
fn scan_takes_the_scanner_that_is_there() {
    let flags = |reference: Option<&str>| ScanFlags {
        reference: reference.map(|reference| reference.parse().unwrap()),
        build: BuildFlags::default(),
        fail_on: Severity::High,
        sarif: None,
    };
    check_error(
        scan::plan(&config(), &flags(None)),
        &expect!["neither trivy nor grype is on PATH; `cargo xtask doctor` shows how to install one"],
    );
    for (tool, expected) in [
        (
            "trivy",
            expect![[r#"
                image after artifact: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json
                scan after image: trivy image --exit-code 1 --severity HIGH,CRITICAL --input target/images/app-sqlite-linux-amd64-scan
                scan after : trivy image --exit-code 1 --severity HIGH,CRITICAL ghcr.io/team/app:2
                scan after : trivy image --exit-code 1 --severity HIGH,CRITICAL --format sarif --output target/scan.sarif ghcr.io/team/app:2
            "#]],
        ),
        (
            "grype",
            expect![[r#"
                image after artifact: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json
                scan after image: grype --fail-on high oci-dir:target/images/app-sqlite-linux-amd64-scan
                scan after : grype --fail-on high registry:ghcr.io/team/app:2
                scan after : grype --fail-on high --output=sarif=target/scan.sarif registry:ghcr.io/team/app:2
            "#]],
        ),
    ] {
        let mut plan = scan::plan(&with(tool), &flags(None)).unwrap();
        plan.steps.drain(..4);
        let registry = scan::plan(&with(tool), &flags(Some("ghcr.io/team/app:2"))).unwrap();
        plan.steps.extend(registry.steps);
        let sarif = Some("target/scan.sarif".into());
        let reference = "ghcr.io/team/app:2";
        plan.steps
            .extend(scan::plan(&with(tool), &ScanFlags { sarif, ..flags(Some(reference)) }).unwrap().steps);
        check_steps(&plan, &expected);
    }
    let build = BuildFlags { platforms: Platform::ALL.to_vec(), ..BuildFlags::default() };
    check_error(
        scan::plan(&with("grype"), &ScanFlags { build, ..flags(None) }),
        &expect!["scanners take one image at a time; name one --backend and one --platform"],
    );
}
