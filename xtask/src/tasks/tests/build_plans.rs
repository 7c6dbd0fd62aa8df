//! Plans of `build`.

use expect_test::expect;
use image_spec::Platform;

use super::{bare_config, check_plan, check_steps};
use crate::cli::BuildFlags;
use crate::config::fixture::config;
use crate::config::{Linker, Profile};
use crate::plan::Step;
use crate::tasks::build;

#[test]
fn build_takes_the_first_way_to_link_that_works() {
    check_plan(
        build::plan(&config(), &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and sqlite, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn packages_are_listed_only_where_manifests_have_changed() {
    let mut config = config();
    config.lists.digest = Some("0123".to_owned());
    let flags = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    let plan = build::plan(&config, &flags).unwrap();
    let list = |step: &&Step| step.name == "packages-sqlite";
    let list = plan.steps.iter().find(list).unwrap().outputs[0].clone();

    config.lists.found = vec![config.root.join(&list)];
    let plan = build::plan(&config, &flags).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
        engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
        compile-sqlite after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
        artifact-sqlite after compile-sqlite, engine: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64-5b4b59d4dc53.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
        compile-postgres after artifact-sqlite: target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_postgres --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
        packages-postgres after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_postgres
        artifact-postgres after compile-postgres, engine, packages-postgres: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-postgres-linux-amd64-f3e4843dec83.json target/x86_64-unknown-linux-musl/release/app target/dist/app-postgres-linux-amd64
    "#]],
    );
}

#[test]
fn build_with_every_flag() {
    let flags = BuildFlags {
        backends: vec!["postgres".to_owned()],
        platforms: vec![Platform::LinuxArm64],
        variant: None,
        profile: Some(Profile::Dist),
        linker: Some(Linker::Zigbuild),
        upx: true,
    };
    check_plan(
        build::plan(&config(), &flags),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/arm64 and postgres, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_postgres --profile dist --target aarch64-unknown-linux-musl --config 'target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/arm64 and postgres is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_postgres >target/packages-postgres-linux-arm64.json.$$
            mv target/packages-postgres-linux-arm64.json.$$ target/packages-postgres-linux-arm64.json

            # artifact: put the binary in its place, packed by UPX
            target/debug/xtask-oci artifact --platform linux/arm64 --package app --cargo-metadata target/packages-postgres-linux-arm64.json --upx target/aarch64-unknown-linux-musl/dist/app target/dist/app-postgres-linux-arm64
        "#]],
    );
}

#[test]
fn build_by_musl_gcc() {
    let flags = BuildFlags { linker: Some(Linker::MuslGcc), ..BuildFlags::default() };
    check_plan(
        build::plan(&config(), &flags),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and sqlite, static by musl-gcc
            APP_COMMIT=0123abcd0123 cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_on_a_machine_with_nothing_but_a_compiler() {
    check_plan(
        build::plan(&bare_config(), &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            APP_COMMIT=0123abcd0123 cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-gnu --no-default-features --features db_sqlite >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-gnu/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_adds_to_the_rustflags_of_the_user() {
    let mut config = bare_config();
    config.host.rustflags = Some("-C target-cpu=native".to_owned());
    check_plan(
        build::plan(&config, &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            APP_COMMIT=0123abcd0123 RUSTFLAGS='-C target-cpu=native -C target-feature=+crt-static --remap-path-prefix=/home/me/.cargo=/cargo --remap-path-prefix=/galley=/src -C link-arg=-Wl,--build-id=sha1' cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-gnu --no-default-features --features db_sqlite >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-gnu/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_keeps_to_a_target_folder_elsewhere() {
    let mut config = bare_config();
    config.host.target_dir = "/var/build cache".into();
    config.host.bin_dir = "/var/build cache/debug".into();
    check_plan(
        build::plan(&config, &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            APP_COMMIT=0123abcd0123 cargo build --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and sqlite is made of
            mkdir -p '/var/build cache'
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-gnu --no-default-features --features db_sqlite >'/var/build cache/packages-sqlite-linux-amd64.json'.$$
            mv '/var/build cache/packages-sqlite-linux-amd64.json'.$$ '/var/build cache/packages-sqlite-linux-amd64.json'

            # artifact: put the binary in its place
            '/var/build cache/debug/xtask-oci' artifact --platform linux/amd64 --package app --cargo-metadata '/var/build cache/packages-sqlite-linux-amd64.json' '/var/build cache/x86_64-unknown-linux-gnu/release/app' '/var/build cache/dist/app-sqlite-linux-amd64'
        "#]],
    );
}
