//! Plans of builds whose compilations many hosts share.

use expect_test::expect;

use super::{check_error, check_plan, check_steps};
use crate::cli::{BuildFlags, VerifyFlags};
use crate::config::Config;
use crate::config::fixture::config;
use crate::tasks::{build, verify};

fn sharing() -> Config {
    let mut config = config();
    config.pipeline.cache.sccache = Some("redis://cache.example.com:6379".parse().unwrap());
    config.host.tools.found.push("sccache");
    config
}

#[test]
fn the_service_is_compiled_through_sccache() {
    check_plan(
        build::plan(&sharing(), &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # sccache: share compilations through redis://cache.example.com:6379
            SCCACHE_SERVER_UDS=/galley/target/sccache.sock target/debug/xtask sccache redis://cache.example.com:6379

            # compile: compile the service for linux/amd64 and sqlite, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 CARGO_TERM_COLOR=never RUSTC_WRAPPER=sccache SCCACHE_IGNORE_SERVER_IO_ERROR=1 SCCACHE_REDIS_ENDPOINT=redis://cache.example.com:6379 SCCACHE_SERVER_UDS=/galley/target/sccache.sock target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

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
fn one_server_does_for_several_backends() {
    let flags = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    let mut plan = build::plan(&sharing(), &flags).unwrap();
    plan.steps.retain(|step| step.name.starts_with("compile") || step.name == "sccache");
    plan.steps.iter_mut().for_each(|step| step.argv.truncate(3));
    check_steps(
        &plan,
        &expect![[r#"
            sccache after : target/debug/xtask sccache redis://cache.example.com:6379
            compile-sqlite after sccache: target/debug/xtask zigbuild --folder
            compile-postgres after artifact-sqlite, sccache: target/debug/xtask zigbuild --folder
        "#]],
    );
}

#[test]
fn what_is_verified_is_compiled_here() {
    let flags =
        VerifyFlags { reference: Some("example.com/team/app:1".parse().unwrap()), ..VerifyFlags::default() };
    assert_eq!(verify::plan(&sharing(), &flags).unwrap(), verify::plan(&config(), &flags).unwrap());
}

#[test]
fn sccache_is_missed_before_anything_is_compiled() {
    let mut config = sharing();
    config.host.tools.found.pop();
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![
            "`sccache` is not on PATH, and config/pipeline.toml shares compilations by it: `cargo install --locked sccache@0.16.0`"
        ],
    );
}

#[test]
fn a_target_folder_that_has_no_room_for_a_socket_is_named() {
    let mut config = sharing();
    config.host.target_dir = "/galley".repeat(14).into();
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![
            "sccache cannot listen at /galley/galley/galley/galley/galley/galley/galley/galley/galley/galley/galley/galley/galley/galley/sccache.sock: a socket's path has at most 103 bytes; have a shorter target folder, or remove `cache.sccache` from config/pipeline.toml"
        ],
    );
}
