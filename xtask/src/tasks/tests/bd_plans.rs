//! Plans of `bd`.

use expect_test::expect;

use super::{bare_config, check_plan};
use crate::cli::{BdFlags, BuildFlags, ImageFlags, Output};
use crate::config::fixture::config;
use crate::tasks::bd;

#[test]
fn bd_loads_into_the_runtime_that_runs() {
    check_plan(
        bd::plan(&config(), &BdFlags::default()),
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

            # image: write the image for linux/amd64 on the base static
            target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json <<'END'
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
                        "src": "target/dist/app-sqlite-linux-amd64",
                        "dest": "/app/app",
                        "mode": "0755"
                      }
                    ]
                  }
                ]
              },
              "build": {
                "backend": "sqlite",
                "package": "app",
                "profile": "release"
              },
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
                backend: "sqlite",
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
                path: Some(
                    "target/images/app-sqlite-linux-amd64.tar",
                ),
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
        image: ImageFlags {
            build: BuildFlags { backends: vec!["postgres".to_owned()], ..BuildFlags::default() },
            image: Some("registry.example.com:5000/other/name".parse().unwrap()),
            tags: vec!["next".parse().unwrap(), "next2".parse().unwrap()],
            compression: Some("gzip:9".parse().unwrap()),
            ..ImageFlags::default()
        },
        output: Some(Output::Layout(Some("out/layout".into()))),
        ..BdFlags::default()
    };
    check_plan(
        bd::plan(&config(), &flags),
        &expect![[r#"
            cd /galley

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # compile: compile the service for linux/amd64 and postgres, static by cargo-zigbuild and musl
            APP_COMMIT=0123abcd0123 target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_postgres --profile release --target x86_64-unknown-linux-musl --config 'target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]'

            # packages: list what the service for linux/amd64 and postgres is made of
            mkdir -p target
            cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_postgres >target/packages-postgres-linux-amd64.json.$$
            mv target/packages-postgres-linux-amd64.json.$$ target/packages-postgres-linux-amd64.json

            # artifact: put the binary in its place
            target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-postgres-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-postgres-linux-amd64

            # image: write the image for linux/amd64 on the base static
            target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-postgres-linux-amd64.json <<'END'
            {
              "base": "static",
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
                        "src": "target/dist/app-postgres-linux-amd64",
                        "dest": "/app/app",
                        "mode": "0755"
                      }
                    ]
                  }
                ]
              },
              "build": {
                "backend": "postgres",
                "package": "app",
                "profile": "release"
              },
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
