//! Plans of `bd` for several backends, platforms and programs, and for every place that an image can go to.

use expect_test::expect;
use image_spec::{ImageSpec, Platform};

use super::{bare_config, check_error, check_steps};
use crate::cli::{BdFlags, BuildFlags, ImageFlags, Output, Store};
use crate::config::fixture::config;
use crate::plan::Product;
use crate::tasks::bd;

/// All backends for both platforms, with a further tag.
fn everything(output: Option<Output>) -> BdFlags {
    let build = BuildFlags {
        backends: vec!["all".to_owned()],
        platforms: Platform::ALL.to_vec(),
        ..BuildFlags::default()
    };
    let tags = vec!["next".parse().unwrap()];
    BdFlags { image: ImageFlags { build, tags, ..ImageFlags::default() }, output, ..BdFlags::default() }
}

#[test]
fn one_backend_is_packed_while_the_next_is_compiled() {
    let plan = bd::plan(&config(), &everything(None)).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile-sqlite after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --config target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages-sqlite-arm64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_sqlite
            packages-sqlite-amd64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact-sqlite-amd64 after compile-sqlite, engine, packages-sqlite-amd64: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            artifact-sqlite-arm64 after compile-sqlite, engine, packages-sqlite-arm64: target/debug/xtask-oci artifact --platform linux/arm64 --package app --cargo-metadata target/packages-sqlite-linux-arm64.json target/aarch64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-arm64
            image-sqlite after artifact-sqlite-amd64, artifact-sqlite-arm64: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite.json
            compile-postgres after artifact-sqlite-amd64, artifact-sqlite-arm64: target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_postgres --profile release --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"] --config target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages-postgres-arm64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_postgres
            packages-postgres-amd64 after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_postgres
            artifact-postgres-amd64 after compile-postgres, engine, packages-postgres-amd64: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-postgres-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-postgres-linux-amd64
            artifact-postgres-arm64 after compile-postgres, engine, packages-postgres-arm64: target/debug/xtask-oci artifact --platform linux/arm64 --package app --cargo-metadata target/packages-postgres-linux-arm64.json target/aarch64-unknown-linux-musl/release/app target/dist/app-postgres-linux-arm64
            image-postgres after artifact-postgres-amd64, artifact-postgres-arm64: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-postgres.json
        "#]],
    );
    let tags = plan.products.iter().filter_map(|product| match product {
        Product::Image { tags, .. } => Some(tags.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => None,
    });
    expect![[r#"
        [
            [
                "team/app:1.2.3",
                "team/app:latest",
                "team/app:next",
            ],
            [
                "team/app:postgres-1.2.3",
                "team/app:postgres-next",
            ],
        ]
    "#]]
    .assert_debug_eq(&tags.collect::<Vec<_>>());
}

#[test]
fn several_platforms_or_backends_do_not_go_everywhere() {
    check_error(
        bd::plan(&config(), &everything(Some(Output::Load(Store::Docker)))),
        &expect!["docker 29.1.0 takes one platform at a time; name one with --platform, or use --output oci"],
    );
    check_error(
        bd::plan(&config(), &everything(Some(Output::Archive(Some("all.tar".into()))))),
        &expect!["the images of several backends cannot all be all.tar; leave out dest="],
    );
    let mut config = config();
    config.host.tools.zig = false;
    check_error(
        bd::plan(&config, &everything(None)),
        &expect![[r#"
        no way to link a static binary for linux/amd64 and linux/arm64 works here
          zigbuild: `pip install ziglang==0.15.2`
          musl-gcc: only for the platform of this machine
          host: only for the platform of this machine"#]],
    );
}

#[test]
fn further_binaries_and_arguments_go_along() {
    let mut config = config();
    config.pipeline.build.binaries = vec!["app".to_owned(), "worker".to_owned()];
    config.pipeline.image.args = vec!["--log.format=json".to_owned()];
    let plan = bd::plan(&config, &BdFlags::default()).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --bin worker --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact-app after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            artifact-worker after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/worker target/dist/worker-sqlite-linux-amd64
            image after artifact-app, artifact-worker: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json
            load after image: docker load --quiet --input target/images/app-sqlite-linux-amd64.tar
        "#]],
    );
    let image = plan.steps.iter().find(|step| step.name == "image").unwrap();
    let spec: ImageSpec = serde_json::from_str(image.stdin.as_deref().unwrap()).unwrap();
    expect![[r#"
        (
            [
                "/app/app",
                "--log.format=json",
            ],
            Layer {
                name: "binary",
                files: [
                    FileEntry {
                        from: None,
                        src: "target/dist/app-sqlite-linux-amd64",
                        dest: "/app/app",
                        mode: Some(
                            493,
                        ),
                        owner: None,
                    },
                    FileEntry {
                        from: None,
                        src: "target/dist/worker-sqlite-linux-amd64",
                        dest: "/app/worker",
                        mode: Some(
                            493,
                        ),
                        owner: None,
                    },
                ],
                folders: [],
                links: [],
            },
        )
    "#]]
    .assert_debug_eq(&(&spec.config.entrypoint, &spec.platforms[&Platform::LinuxAmd64][1]));
}

#[test]
fn every_store_has_its_command() {
    let mut config = config();
    config.host.tools.found.extend(["ctr", "kind", "k3s"]);
    let stores = [
        Store::Containerd { namespace: "k8s.io".to_owned() },
        Store::Kind { cluster: "dev".to_owned() },
        Store::K3s,
    ];
    let commands = stores.map(|store| {
        let flags = BdFlags { output: Some(Output::Load(store)), ..BdFlags::default() };
        let plan = bd::plan(&config, &flags).unwrap();
        let load = plan.steps.last().unwrap();
        format!("{}: {}", load.why, load.argv.join(" "))
    });
    expect![[r#"
        load the image into the namespace k8s.io of containerd: ctr --namespace k8s.io images import target/images/app-sqlite-linux-amd64.tar
        load the image into the kind cluster dev: kind load image-archive --name dev target/images/app-sqlite-linux-amd64.tar
        load the image into k3s: k3s ctr images import target/images/app-sqlite-linux-amd64.tar"#]].assert_eq(&commands.join("\n"));
    let flags = BdFlags { output: Some(Output::Load(Store::K3s)), ..BdFlags::default() };
    check_error(
        bd::plan(&bare_config(), &flags),
        &expect!["k3s is not on PATH; `cargo xtask doctor` shows how to install it"],
    );
}

#[test]
fn bd_pushes_the_platform_of_this_machine() {
    let flags = BdFlags { output: Some(Output::Registry), ..BdFlags::default() };
    let plan = bd::plan(&config(), &flags).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            access after engine: target/debug/xtask-oci access
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            push after artifact, access: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json
        "#]],
    );
}
