//! Plans of `soak`.

use clap::{Args, FromArgMatches};
use expect_test::expect;

use super::{bare_config, check_error, check_plan};
use crate::cli::SoakFlags;
use crate::config::fixture::config;
use crate::tasks::soak;

fn flags(args: &[&str]) -> SoakFlags {
    let command = SoakFlags::augment_args(clap::Command::new("soak").no_binary_name(true));
    SoakFlags::from_arg_matches(&command.get_matches_from(args)).unwrap()
}

#[test]
fn everything_is_measured_for_every_database() {
    check_plan(
        soak::plan(&config(), &flags(&[])),
        &expect![[r#"
            cd /galley

            # tool: build what measures
            cargo build --locked --release --message-format=json-render-diagnostics --package xtask-soak

            # folders: make a place for each database
            mkdir -p target/soak/sqlite target/soak/postgres

            # service-sqlite: build the service for sqlite
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --bin app

            # bare-sqlite: build plain axum, the yardstick, for sqlite
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --example bare

            # keep-sqlite: keep both for sqlite
            cp target/release/app target/release/examples/bare target/soak/sqlite

            # service-postgres: build the service for postgres
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_postgres --bin app

            # bare-postgres: build plain axum, the yardstick, for postgres
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_postgres --example bare

            # keep-postgres: keep both for postgres
            cp target/release/app target/release/examples/bare target/soak/postgres

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

            # soak: put the service under load
            target/release/xtask-soak --backend sqlite --backend postgres --rounds 3 --seconds 10 --format markdown --report target/soak/report.md --binaries target/soak --musl target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn what_was_asked_for_is_measured() {
    let args =
        ["start", "term", "--backend", "sqlite", "--rounds", "1", "--seconds", "2", "--format", "json"];
    check_plan(
        soak::plan(&config(), &flags(&args)),
        &expect![[r#"
            cd /galley

            # tool: build what measures
            cargo build --locked --release --message-format=json-render-diagnostics --package xtask-soak

            # folders: make a place for each database
            mkdir -p target/soak/sqlite

            # service-sqlite: build the service for sqlite
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --bin app

            # bare-sqlite: build plain axum, the yardstick, for sqlite
            cargo build --locked --release --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --example bare

            # keep-sqlite: keep both for sqlite
            cp target/release/app target/release/examples/bare target/soak/sqlite

            # soak: put the service under load
            target/release/xtask-soak start term --backend sqlite --rounds 1 --seconds 2 --format json --report target/soak/report.json --binaries target/soak
        "#]],
    );
}

#[test]
fn a_machine_without_musl_measures_the_rest() {
    let plan = soak::plan(&bare_config(), &flags(&[])).unwrap();
    let names = plan.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>();
    assert!(names.contains(&"soak") && !names.contains(&"compile"), "{names:?}");
}

#[test]
fn a_database_that_is_not_built_for_is_refused() {
    check_error(
        soak::plan(&config(), &flags(&["--backend", "mysql"])),
        &expect!["unknown backend `mysql`, did you mean `sqlite`?"],
    );
}
