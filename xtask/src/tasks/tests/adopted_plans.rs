//! Plans in a project that has adopted the pipeline: its package is anywhere, it need not know of databases, and the
//! pipeline's packages are a workspace of their own.

use expect_test::expect;

use super::check_plan;
use crate::cli::{BdFlags, BuildFlags, CheckFlags};
use crate::config::fixture::{PIPELINE, config};
use crate::config::{Config, Pipeline, Tree};
use crate::tasks::check::Files;
use crate::tasks::{bd, build, check};

/// The package `shop-server` in a folder `path`, with these lines about databases.
fn adopted(path: &str, databases: &str) -> Config {
    let service = format!("package = \"shop-server\"\npath = \"{path}\"\nbinaries = [\"shop\"]");
    let text = PIPELINE
        .replace("package = \"app\"", &service)
        .replace("backends = [\"sqlite\", \"postgres\"]", databases);
    let pipeline = Pipeline::parse(&text).unwrap();
    Config { pipeline, has_own_tools: true, ..config() }
}

#[test]
fn without_databases_there_is_one_build() {
    check_plan(
        build::plan(&adopted("crates/server", ""), &BuildFlags::default()),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --manifest-path xtask/Cargo.toml --package xtask-oci

            # compile: compile the service for linux/amd64 and default, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package shop-server --bin shop --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and default is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path crates/server/Cargo.toml --filter-platform x86_64-unknown-linux-musl >target/packages-default-linux-amd64.json.$$
            mv target/packages-default-linux-amd64.json.$$ target/packages-default-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package shop-server --cargo-metadata target/packages-default-linux-amd64.json target/x86_64-unknown-linux-musl/release/shop target/dist/shop-default-linux-amd64
        "#]],
    );
}

#[test]
fn features_are_those_that_the_project_has() {
    let databases = "backends = [\"postgres\", \"sqlite\"]\nfeatures = { postgres = [\"tls\", \"pg\"], sqlite = [\"default\"] }";
    let flags = BuildFlags { backends: vec!["all".to_owned()], ..BuildFlags::default() };
    check_plan(
        build::plan(&adopted(".", databases), &flags),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --manifest-path xtask/Cargo.toml --package xtask-oci

            # compile-postgres: compile the service for linux/amd64 and postgres, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package shop-server --bin shop --no-default-features --features tls,pg --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages-postgres: list what the service for linux/amd64 and postgres is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features tls,pg >target/packages-postgres-linux-amd64.json.$$
            mv target/packages-postgres-linux-amd64.json.$$ target/packages-postgres-linux-amd64.json

            # artifact-postgres: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package shop-server --cargo-metadata target/packages-postgres-linux-amd64.json target/x86_64-unknown-linux-musl/release/shop target/dist/shop-postgres-linux-amd64

            # compile-sqlite: compile the service for linux/amd64 and sqlite, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package shop-server --bin shop --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages-sqlite: list what the service for linux/amd64 and sqlite is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path Cargo.toml --filter-platform x86_64-unknown-linux-musl >target/packages-sqlite-linux-amd64.json.$$
            mv target/packages-sqlite-linux-amd64.json.$$ target/packages-sqlite-linux-amd64.json

            # artifact-sqlite: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package shop-server --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/shop target/dist/shop-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn the_default_image_has_the_names_of_a_service_without_databases() {
    let plan = bd::plan(&adopted(".", ""), &BdFlags::default()).unwrap();
    let image = plan.steps.iter().find(|step| step.name == "image").unwrap();
    expect![[r#"
        {
          "base": "static",
          "tags": [
            "team/app:1.2.3",
            "team/app:latest"
          ],
          "created": 1700000000,
          "compression": "zstd:3",
          "config": {
            "user": "65532:65532",
            "entrypoint": [
              "/app/shop"
            ],
            "env": {
              "APP__DATABASE__URL": "sqlite:///data/app.db"
            },
            "ports": [
              8080
            ],
            "workdir": "/app",
            "stop_signal": "SIGTERM"
          },
          "labels": {
            "org.opencontainers.image.licenses": "MIT",
            "org.opencontainers.image.revision": "0123abcd0123abcd0123abcd0123abcd0123abcd",
            "org.opencontainers.image.source": "https://example.com/team/app",
            "org.opencontainers.image.title": "shop-server",
            "org.opencontainers.image.version": "1.2.3"
          },
          "platforms": {
            "linux/amd64": [
              {
                "name": "files",
                "files": [
                  {
                    "src": "config/app.toml",
                    "dest": "/app/config/app.toml"
                  }
                ],
                "folders": [
                  {
                    "dest": "/data",
                    "owner": "65532:65532"
                  }
                ]
              },
              {
                "name": "binary",
                "files": [
                  {
                    "src": "target/dist/shop-default-linux-amd64",
                    "dest": "/app/shop",
                    "mode": "0755"
                  }
                ]
              }
            ]
          },
          "build": {
            "backend": "default",
            "package": "shop-server",
            "profile": "release"
          },
          "outputs": [
            {
              "type": "archive",
              "dest": "target/images/shop-server-default-linux-amd64.tar"
            }
          ]
        }"#]]
    .assert_eq(image.stdin.as_deref().unwrap());
}

#[test]
fn the_gate_is_about_the_project_alone() {
    let paths = ["src/lib.rs", "Cargo.toml", "xtask/src/main.rs"];
    let files = Files { tree: Some(Tree::of(&paths.map(|path| (path, path)))), changed: None };
    check_plan(
        check::plan(&adopted(".", ""), &files, &CheckFlags::default()),
        &expect![[r#"
        cd /galley

        # format: the sources are formatted
        cargo fmt --all --check

        # lock: Cargo.lock is up to date
        mkdir -p target/check
        cargo metadata --locked --format-version 1 >target/check/metadata.json.$$
        mv target/check/metadata.json.$$ target/check/metadata.json

        # deny: licences and sources of dependencies are allowed, and none is banned
        # skipped: cargo-deny is not on PATH; `cargo xtask setup --for check` installs it
        # cargo deny --locked --all-features check bans licenses sources

        # advisories: no dependency has a known vulnerability, by a copy of RustSec's database that is 3 days old
        # skipped: cargo-deny is not on PATH; `cargo xtask setup --for check` installs it
        # cargo deny --locked --all-features check advisories --disable-fetch

        # dockerfile: the Dockerfile has no lints
        hadolint Dockerfile

        # workflows-lint: the workflows have no lints
        # skipped: actionlint is not on PATH; `cargo xtask setup --for check` installs it
        # actionlint

        # workflows-security: the workflows are safe
        # skipped: zizmor is not on PATH; `cargo xtask setup --for check` installs it
        # zizmor --offline --pedantic --quiet .

        # default: the service has no lints, and all its tests pass
        cargo test --locked --message-format=json-render-diagnostics --package shop-server --config 'build.rustc-workspace-wrapper="clippy-driver"' --config 'env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"' --config 'build.build-dir="target"' --target-dir target/check/default --config 'build.rustc-wrapper="nice"'
    "#]],
    );
    let only = CheckFlags { only: vec!["sqlite".to_owned()], ..CheckFlags::default() };
    let databases = "backends = [\"sqlite\"]";
    check_plan(
        check::plan(&adopted(".", databases), &files, &only),
        &expect![[r#"
        cd /galley

        # databases: build what starts throw-away databases, on its first use
        cargo build --locked --message-format=json-render-diagnostics --manifest-path xtask/Cargo.toml --package xtask-db

        # sqlite: the service for sqlite has no lints, and all its tests pass
        target/debug/xtask-db exec --backend sqlite -- cargo test --locked --message-format=json-render-diagnostics --package shop-server --no-default-features --features db_sqlite --config 'build.rustc-workspace-wrapper="clippy-driver"' --config 'env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"' --config 'build.build-dir="target"' --target-dir target/check/sqlite --config 'build.rustc-wrapper="nice"'
    "#]],
    );
}
