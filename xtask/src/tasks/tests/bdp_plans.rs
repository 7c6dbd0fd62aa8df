//! Plans of `bdp`.

use expect_test::expect;
use image_spec::{ImageSpec, Output, Platform};

use super::{check_error, check_steps};
use crate::cli::{BuildFlags, ImageFlags};
use crate::config::fixture::config;
use crate::tasks::bdp::{self, Push};

#[test]
fn bdp_pushes_every_platform() {
    let plan = bdp::plan(&config(), &ImageFlags::default(), &Platform::ALL, Push::default()).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            access after engine: target/debug/xtask-oci access
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --config target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages-arm64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_sqlite
            packages-amd64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact-amd64 after compile, engine, packages-amd64: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            artifact-arm64 after compile, engine, packages-arm64: target/debug/xtask-oci artifact --platform linux/arm64 --package app --cargo-metadata target/packages-sqlite-linux-arm64.json target/aarch64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-arm64
            push after artifact-amd64, artifact-arm64, access: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite.json
        "#]],
    );
    let spec: ImageSpec = serde_json::from_str(plan.steps.last().unwrap().stdin.as_deref().unwrap()).unwrap();
    assert_eq!(
        spec.outputs,
        [Output::Registry { immutable: vec![], proofs: false, fallback: None, dry_run: false }]
    );
}

#[test]
fn variants_are_pushed_while_the_next_is_compiled() {
    let build = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    let plan =
        bdp::plan(&config(), &ImageFlags { build, ..ImageFlags::default() }, &Platform::ALL, Push::default())
            .unwrap();
    let needs = plan.steps.iter().map(|step| format!("{} after {}", step.name, step.needs.join(", ")));
    expect![[r#"
        [
            "engine after ",
            "access after engine",
            "compile-sqlite after ",
            "packages-sqlite-arm64 after engine",
            "packages-sqlite-amd64 after engine",
            "artifact-sqlite-amd64 after compile-sqlite, engine, packages-sqlite-amd64",
            "artifact-sqlite-arm64 after compile-sqlite, engine, packages-sqlite-arm64",
            "push-sqlite after artifact-sqlite-amd64, artifact-sqlite-arm64, access",
            "compile-postgres after artifact-sqlite-amd64, artifact-sqlite-arm64",
            "packages-postgres-arm64 after engine",
            "packages-postgres-amd64 after engine",
            "artifact-postgres-amd64 after compile-postgres, engine, packages-postgres-amd64",
            "artifact-postgres-arm64 after compile-postgres, engine, packages-postgres-arm64",
            "push-postgres after artifact-postgres-amd64, artifact-postgres-arm64, access",
        ]
    "#]]
    .assert_debug_eq(&needs.collect::<Vec<_>>());
}

#[test]
fn what_the_configuration_says_of_registries_reaches_the_engine() {
    let mut config = config();
    config.pipeline.push.immutable = vec!["*.*.*".to_owned()];
    config.pipeline.registries.insecure = vec!["registry.internal:5000".to_owned()];
    config.pipeline.mirrors.registries = [("gcr.io".to_owned(), "mirror.example.com/gcr".to_owned())].into();
    config.pipeline.mirrors.crates_io = Some("sparse+https://mirror.example.com/crates/".to_owned());
    let plan =
        bdp::plan(&config, &ImageFlags::default(), &Platform::ALL, Push { dry_run: true, ..Push::default() })
            .unwrap();
    let cargo = plan.steps.iter().filter(|step| step.argv.contains(&"cargo".to_owned()));
    for step in cargo {
        let line = step.argv.join(" ");
        assert!(line.contains("--config source.crates-io.replace-with='mirror'"), "{line}");
        assert!(
            line.contains("source.mirror.registry=\"sparse+https://mirror.example.com/crates/\""),
            "{line}"
        );
    }
    let spec: ImageSpec = serde_json::from_str(plan.steps.last().unwrap().stdin.as_deref().unwrap()).unwrap();
    expect![[r#"
        (
            Registries {
                mirrors: {
                    "gcr.io": "mirror.example.com/gcr",
                },
                insecure: [
                    "registry.internal:5000",
                ],
            },
            [
                Registry {
                    immutable: [
                        "*.*.*",
                    ],
                    proofs: false,
                    fallback: None,
                    dry_run: true,
                },
            ],
        )
    "#]]
    .assert_debug_eq(&(&spec.registries, &spec.outputs));
}

#[test]
fn a_name_that_nobody_can_push_to_is_refused() {
    let flags = ImageFlags { image: Some("galley".parse().unwrap()), ..ImageFlags::default() };
    check_error(
        bdp::plan(&config(), &flags, &Platform::ALL, Push::default()),
        &expect![
            "`galley` is in no registry that you can push to; write --image registry.example.com/team/galley, or set [image] repository in config/pipeline.toml"
        ],
    );
}
