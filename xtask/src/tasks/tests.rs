//! Every plan on a fixed configuration, as the shell that `--dry-run` prints.

use expect_test::{Expect, expect};
use image_spec::Platform;

use super::{bd, build, check};
use crate::cli::{BdFlags, BuildFlags, Linker, Output, Profile};
use crate::config::Config;
use crate::config::fixture::config;

fn check_build(config: &Config, flags: &BuildFlags, expected: &Expect) {
    expected.assert_eq(&build::plan(config, flags).unwrap().to_string());
}

fn check_bd(config: &Config, flags: &BdFlags, expected: &Expect) {
    expected.assert_eq(&bd::plan(config, flags).unwrap().to_string());
}

fn check_error<T: std::fmt::Debug>(result: anyhow::Result<T>, expected: &Expect) {
    expected.assert_eq(&format!("{:#}", result.unwrap_err()));
}

/// A machine with nothing but a compiler.
fn bare_config() -> Config {
    let mut config = config();
    config.host.tools.found = vec!["cargo", "rustc", "cc"];
    config.host.tools.targets.clear();
    config.host.tools.zig = false;
    config.host.tools.runtime = None;
    config
}

#[test]
fn build_takes_the_first_way_to_link_that_works() {
    check_build(
        &config(),
        &BuildFlags::default(),
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by cargo-zigbuild and musl
            cargo zigbuild --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_with_every_flag() {
    let flags = BuildFlags {
        backend: Some("postgres".to_owned()),
        platform: Some(Platform::LinuxArm64),
        profile: Some(Profile::Dist),
        linker: Some(Linker::Zigbuild),
        upx: true,
    };
    check_build(
        &config(),
        &flags,
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/arm64 and postgres, static by cargo-zigbuild and musl
            cargo zigbuild --locked --package app --bin app --no-default-features --features db_postgres --profile dist --target aarch64-unknown-linux-musl --config 'target.aarch64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place, packed by UPX
            target/debug/xtask-oci artifact --platform linux/arm64 --upx target/aarch64-unknown-linux-musl/dist/app target/dist/app-postgres-linux-arm64
        "#]],
    );
}

#[test]
fn build_by_musl_gcc() {
    let flags = BuildFlags { linker: Some(Linker::MuslGcc), ..BuildFlags::default() };
    check_build(
        &config(),
        &flags,
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by musl-gcc
            cargo build --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_on_a_machine_with_nothing_but_a_compiler() {
    check_build(
        &bare_config(),
        &BuildFlags::default(),
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            cargo build --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-gnu/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_adds_to_the_rustflags_of_the_user() {
    let mut config = bare_config();
    config.host.rustflags = Some("-C target-cpu=native".to_owned());
    check_build(
        &config,
        &BuildFlags::default(),
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            RUSTFLAGS='-C target-cpu=native -C target-feature=+crt-static --remap-path-prefix=/home/me/.cargo=/cargo --remap-path-prefix=/galley=/src' cargo build --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-gnu/release/app target/dist/app-sqlite-linux-amd64
        "#]],
    );
}

#[test]
fn build_keeps_to_a_target_folder_elsewhere() {
    let mut config = bare_config();
    config.host.target_dir = "/var/build cache".into();
    config.host.bin_dir = "/var/build cache/debug".into();
    check_build(
        &config,
        &BuildFlags::default(),
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by the host's static C library
            cargo build --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-gnu --config 'target.x86_64-unknown-linux-gnu.rustflags=["-C","target-feature=+crt-static","--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            '/var/build cache/debug/xtask-oci' artifact --platform linux/amd64 '/var/build cache/x86_64-unknown-linux-gnu/release/app' '/var/build cache/dist/app-sqlite-linux-amd64'
        "#]],
    );
}

#[test]
fn bd_loads_into_the_runtime_that_runs() {
    check_bd(
        &config(),
        &BdFlags::default(),
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and sqlite, static by cargo-zigbuild and musl
            cargo zigbuild --locked --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64

            # image: write the image for linux/amd64 on the base static
            target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json <<'END'
            {
              "base": "static",
              "platform": "linux/amd64",
              "tags": [
                "team/app:1.2.3",
                "team/app:latest"
              ],
              "created": 1700000000,
              "compression": "zstd:3",
              "config": {
                "user": "65532:65532",
                "entrypoint": [
                  "/app/app"
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
                "org.opencontainers.image.title": "app",
                "org.opencontainers.image.version": "1.2.3"
              },
              "layers": [
                {
                  "name": "files",
                  "files": [
                    {
                      "src": "config/app.toml",
                      "dest": "/app/config/app.toml"
                    }
                  ]
                },
                {
                  "name": "binary",
                  "files": [
                    {
                      "src": "target/dist/app-sqlite-linux-amd64",
                      "dest": "/app/app",
                      "mode": "0755"
                    }
                  ]
                }
              ],
              "outputs": [
                {
                  "type": "archive",
                  "dest": "target/images/app-sqlite-linux-amd64.tar"
                }
              ]
            }
            END

            # load: load the image into docker 29.1.0
            docker load --quiet --input target/images/app-sqlite-linux-amd64.tar
        "#]],
    );
}

#[test]
fn bd_without_a_runtime_leaves_the_archive() {
    let config = bare_config();
    let plan = bd::plan(&config, &BdFlags::default()).unwrap();
    assert!(plan.steps.iter().all(|step| step.name != "load"));
    expect![[r#"
        [
            Artifact {
                path: "target/dist/app-sqlite-linux-amd64",
            },
            Image {
                tags: [
                    Reference {
                        repository: Repository(
                            "team/app",
                        ),
                        tag: Some(
                            Tag(
                                "1.2.3",
                            ),
                        ),
                        digest: None,
                    },
                    Reference {
                        repository: Repository(
                            "team/app",
                        ),
                        tag: Some(
                            Tag(
                                "latest",
                            ),
                        ),
                        digest: None,
                    },
                ],
                metadata: "target/images/app-sqlite-linux-amd64.json",
                path: "target/images/app-sqlite-linux-amd64.tar",
                loaded_into: None,
                run: [
                    "docker load --quiet --input target/images/app-sqlite-linux-amd64.tar",
                    "docker run --rm --read-only --volume app-data:/data --publish 8080:8080 team/app:1.2.3",
                ],
            },
        ]
    "#]]
    .assert_debug_eq(&plan.products);
}

#[test]
fn bd_with_every_flag() {
    let flags = BdFlags {
        build: BuildFlags { backend: Some("postgres".to_owned()), ..BuildFlags::default() },
        image: Some("registry.example.com:5000/other/name".parse().unwrap()),
        tags: vec!["next".parse().unwrap(), "next2".parse().unwrap()],
        compression: Some("gzip:9".parse().unwrap()),
        output: Some(Output::Layout(Some("out/layout".into()))),
    };
    check_bd(
        &config(),
        &flags,
        &expect![[r#"
            cd /galley

            # compile: compile the service for linux/amd64 and postgres, static by cargo-zigbuild and musl
            cargo zigbuild --locked --package app --bin app --no-default-features --features db_postgres --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src"]'

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --package xtask-oci

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 target/x86_64-unknown-linux-musl/release/app target/dist/app-postgres-linux-amd64

            # image: write the image for linux/amd64 on the base static
            target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-postgres-linux-amd64.json <<'END'
            {
              "base": "static",
              "platform": "linux/amd64",
              "tags": [
                "registry.example.com:5000/other/name:postgres-1.2.3",
                "registry.example.com:5000/other/name:next",
                "registry.example.com:5000/other/name:next2"
              ],
              "created": 1700000000,
              "compression": "gzip:9",
              "config": {
                "user": "65532:65532",
                "entrypoint": [
                  "/app/app"
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
                "org.opencontainers.image.title": "app",
                "org.opencontainers.image.version": "1.2.3"
              },
              "layers": [
                {
                  "name": "files",
                  "files": [
                    {
                      "src": "config/app.toml",
                      "dest": "/app/config/app.toml"
                    }
                  ]
                },
                {
                  "name": "binary",
                  "files": [
                    {
                      "src": "target/dist/app-postgres-linux-amd64",
                      "dest": "/app/app",
                      "mode": "0755"
                    }
                  ]
                }
              ],
              "outputs": [
                {
                  "type": "layout",
                  "dest": "out/layout"
                }
              ]
            }
            END
        "#]],
    );
}

#[test]
fn check_runs_format_clippy_and_tests() {
    expect![[r#"
        cd /galley

        # format: the sources are formatted
        cargo fmt --all --check

        # clippy: the sources have no lints
        cargo clippy --locked --all-targets --package app --package xtask --package xtask-oci --package image-spec -- -D warnings

        # test: all tests pass
        cargo test --locked --package app --package xtask --package xtask-oci --package image-spec
    "#]].assert_eq(&check::plan(&config()).to_string());
}

#[test]
fn what_a_machine_lacks_is_named_with_the_line_that_installs_it() {
    let flags = BuildFlags { platform: Some(Platform::LinuxArm64), ..BuildFlags::default() };
    check_error(
        build::plan(&bare_config(), &flags),
        &expect![[r#"
        no way to link a static binary for linux/arm64 works here
          zigbuild: `cargo install --locked cargo-zigbuild`
          musl-gcc: only for the platform of this machine
          host: only for the platform of this machine"#]],
    );

    let mut config = bare_config();
    config.host.tools.static_libc = false;
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![[r#"
        no way to link a static binary for linux/amd64 works here
          zigbuild: `cargo install --locked cargo-zigbuild`
          musl-gcc: `sudo apt-get install musl-tools`
          host: `sudo apt-get install libc6-dev` (on Fedora glibc-static)"#]],
    );

    config.host.tools.found = vec!["cargo", "rustc"];
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![
            "no C compiler: `cc` is not on PATH, and linking needs it; `cargo xtask doctor` shows how to install one"
        ],
    );
}

#[test]
fn a_runtime_that_does_not_answer_is_named() {
    let flags = BdFlags { output: Some(Output::Podman), ..BdFlags::default() };
    check_error(
        bd::plan(&config(), &flags),
        &expect!["podman does not answer; start it, or write an archive with `--output oci`"],
    );
}

#[test]
fn an_unknown_backend_or_platform_is_refused() {
    let flags = BuildFlags { backend: Some("postgre".to_owned()), ..BuildFlags::default() };
    check_error(
        build::plan(&config(), &flags),
        &expect!["unknown backend `postgre`, did you mean `postgres`?"],
    );

    let mut config = config();
    config.pipeline.build.platforms = vec![Platform::LinuxAmd64];
    let flags = BuildFlags { platform: Some(Platform::LinuxArm64), ..BuildFlags::default() };
    check_error(
        build::plan(&config, &flags),
        &expect!["config/pipeline.toml builds for linux/amd64, not for linux/arm64"],
    );
}
