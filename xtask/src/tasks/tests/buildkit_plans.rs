//! Plans of the engine `buildkit`.

use crate::cli::{BdFlags, BuildFlags, EngineFlags, ImageFlags, Output};
use crate::config::{Config, Engine, Packaging};
use crate::tasks::{bake, bd, bdp};
use crate::tools::{Builder, Buildx, Node, Version};
use image_spec::Platform;

use super::*;

pub(super) fn flags(engine: EngineFlags) -> BdFlags {
    let engine = EngineFlags { engine: Some(Engine::Buildkit), ..engine };
    BdFlags { image: ImageFlags { engine, ..ImageFlags::default() }, ..BdFlags::default() }
}

pub(super) fn with_builder() -> Config {
    let node = Node {
        name: "galley0".to_owned(),
        buildkit: Some(version(18)),
        platforms: vec!["linux/amd64".to_owned()],
        ..Node::default()
    };
    let builder = Builder {
        name: "galley".to_owned(),
        driver: "docker-container".to_owned(),
        nodes: vec![node],
        has_containerd: false,
    };
    let mut config = config();
    config.host.tools.buildx = Some(Buildx { version: Some(version(13)), builder: Some(builder) });
    config
}

fn version(minor: u32) -> Version {
    Version { major: 0, minor, patch: 0 }
}

/// What bake reads.
pub(super) fn definition(config: &Config, flags: &BdFlags) -> serde_json::Value {
    let plan = bake::plan(config, flags).unwrap();
    let [Product::Definition { text }] = &plan.products[..] else { panic!("{:?}", plan.products) };
    serde_json::from_str(text).unwrap()
}

#[test]
fn one_bake_compiles_in_containers_and_makes_the_image() {
    let plan = bd::plan(&with_builder(), &flags(EngineFlags::default())).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            packages after : cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            list after engine, packages: target/debug/xtask-oci packages --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/images/packages/app-sqlite-linux-amd64
            base after engine: target/debug/xtask-oci base --platform linux/amd64 --compression zstd:3 target/images/base
            clear after : rm -rf target/images/app-sqlite-linux-amd64.bake
            definition after : cat
            bake after packages, list, base, clear, definition: docker buildx bake --progress rawjson --file target/images/bake.json --builder galley
            image after engine, bake: target/debug/xtask-oci import --layout target/images/app-sqlite-linux-amd64.bake --metadata-file target/images/app-sqlite-linux-amd64.json
            load after image: docker load --quiet --input target/images/app-sqlite-linux-amd64.tar
        "#]],
    );
    let definition = plan.steps.iter().find(|step| step.name == "definition").unwrap();
    expect![[r#"
        {
          "group": {
            "default": {
              "targets": [
                "image-sqlite"
              ]
            }
          },
          "target": {
            "binaries-sqlite": {
              "args": {
                "APP_COMMIT": "0123abcd0123",
                "BACKEND": "sqlite",
                "BINARIES": "app",
                "CACHE": "layers",
                "DEBUG_INFO": "none",
                "PACKAGE": "app",
                "PACKAGING": "container",
                "PROFILE": "release",
                "RUST_VERSION": "1.95.0",
                "STRIP": "symbols",
                "TARGETS": "x86_64-unknown-linux-musl"
              },
              "context": ".",
              "contexts": {
                "packages": "target/images/packages"
              },
              "output": [
                "type=cacheonly"
              ],
              "target": "artifact"
            },
            "image-sqlite": {
              "annotations": [
                "manifest:org.opencontainers.image.created=2023-11-14T22:13:20Z",
                "manifest:org.opencontainers.image.licenses=MIT",
                "manifest:org.opencontainers.image.revision=0123abcd0123abcd0123abcd0123abcd0123abcd",
                "manifest:org.opencontainers.image.source=https://example.com/team/app",
                "manifest:org.opencontainers.image.title=app",
                "manifest:org.opencontainers.image.version=1.2.3"
              ],
              "args": {
                "SOURCE_DATE_EPOCH": "1700000000"
              },
              "attest": [
                "type=provenance,disabled=true"
              ],
              "context": ".",
              "contexts": {
                "base": "oci-layout://target/images/base",
                "binaries": "target:binaries-sqlite"
              },
              "dockerfile-inline": "FROM scratch AS layer-0\nCOPY --chown=0:0 [\"config/app.toml\", \"/app/config/app.toml\"]\nUSER 0:0\nWORKDIR /\nUSER 65532:65532\nWORKDIR /data\nFROM base\nARG TARGETARCH\nCOPY --link --from=layer-0 / /\nCOPY --link --from=binaries --chown=0:0 --chmod=0755 [\"/app-sqlite-linux-$${TARGETARCH}\", \"/app/app\"]\nENV APP__DATABASE__URL=\"sqlite:///data/app.db\"\nEXPOSE 8080/tcp\nWORKDIR /app\nUSER 65532:65532\nSTOPSIGNAL SIGTERM\nENTRYPOINT [\"/app/app\"]\n",
              "labels": {
                "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
                "org.opencontainers.image.licenses": "MIT",
                "org.opencontainers.image.revision": "0123abcd0123abcd0123abcd0123abcd0123abcd",
                "org.opencontainers.image.source": "https://example.com/team/app",
                "org.opencontainers.image.title": "app",
                "org.opencontainers.image.version": "1.2.3"
              },
              "output": [
                "type=oci,tar=false,dest=target/images/app-sqlite-linux-amd64.bake,compression=zstd,compression-level=3,force-compression=true,oci-mediatypes=true,rewrite-timestamp=true"
              ],
              "platforms": [
                "linux/amd64"
              ],
              "tags": [
                "team/app:1.2.3",
                "team/app:latest"
              ]
            }
          }
        }"#]].assert_eq(definition.stdin.as_deref().unwrap());
}

#[test]
fn prebuilt_binaries_of_all_backends_are_only_copied() {
    let mut flags = flags(EngineFlags { packaging: Some(Packaging::Prebuilt), ..EngineFlags::default() });
    flags.image.build.backends = vec!["all".to_owned()];
    let config = with_builder();
    check_steps(
        &bd::plan(&config, &flags).unwrap(),
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile-sqlite after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages-sqlite after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact-sqlite after compile-sqlite, engine, packages-sqlite: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            compile-postgres after artifact-sqlite: target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_postgres --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages-postgres after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_postgres
            artifact-postgres after compile-postgres, engine, packages-postgres: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-postgres-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-postgres-linux-amd64
            base after engine: target/debug/xtask-oci base --platform linux/amd64 --compression zstd:3 target/images/base
            clear after : rm -rf target/images/app-sqlite-linux-amd64.bake target/images/app-postgres-linux-amd64.bake
            definition after : cat
            bake after compile-sqlite, packages-sqlite, artifact-sqlite, compile-postgres, packages-postgres, artifact-postgres, base, clear, definition: docker buildx bake --progress rawjson --file target/images/bake.json --builder galley
            image-sqlite after engine, bake: target/debug/xtask-oci import --layout target/images/app-sqlite-linux-amd64.bake --metadata-file target/images/app-sqlite-linux-amd64.json
            load-sqlite after image-sqlite: docker load --quiet --input target/images/app-sqlite-linux-amd64.tar
            image-postgres after engine, bake: target/debug/xtask-oci import --layout target/images/app-postgres-linux-amd64.bake --metadata-file target/images/app-postgres-linux-amd64.json
            load-postgres after image-postgres: docker load --quiet --input target/images/app-postgres-linux-amd64.tar
        "#]],
    );
    let target = definition(&config, &flags)["target"].clone();
    expect![[r#"
        {
          "base": "oci-layout://target/images/base",
          "binaries": "target/dist"
        }"#]]
    .assert_eq(&format!("{:#}", target["image-postgres"]["contexts"]));
    assert!(target["binaries-postgres"].is_null());
}

#[test]
fn what_the_builder_cannot_do_is_said_in_one_line() {
    let flags = flags(EngineFlags::default());
    let error = |change: fn(&mut Buildx)| {
        let mut config = with_builder();
        config.host.tools.buildx.as_mut().map(change);
        format!("{:#}", bd::plan(&config, &flags).unwrap_err())
    };
    expect![
        "docker buildx is 0.12.0, too old: 0.13.0 is needed: https://github.com/docker/buildx#installing"
    ]
    .assert_eq(&error(|buildx| buildx.version = Some(version(12))));
    expect!["no BuildKit answers; start Docker, or make a builder with `cargo xtask builder bootstrap`"]
        .assert_eq(&error(|buildx| buildx.builder = None));
    expect!["Docker's own builder writes no OCI images without the containerd image store; turn that on (https://docs.docker.com/engine/storage/containerd), or run `cargo xtask builder bootstrap`"].assert_eq(&error(|buildx| buildx.builder.as_mut().unwrap().driver = "docker".to_owned()));
    let old = |buildx: &mut Buildx| buildx.builder.as_mut().unwrap().nodes[0].buildkit = Some(version(12));
    expect!["BuildKit of the node galley0 is 0.12.0, too old: 0.13.0 is needed"].assert_eq(&error(old));
    let mut config = with_builder();
    config.host.tools.buildx = None;
    check_error(
        bd::plan(&config, &flags),
        &expect!["docker has no buildx, or is not on PATH: https://github.com/docker/buildx#installing"],
    );
}

#[test]
fn newer_buildx_is_told_what_it_would_ask() {
    let mut config = with_builder();
    config.host.tools.buildx.as_mut().unwrap().version = Some(version(18));
    let plan = bd::plan(&config, &flags(EngineFlags::default())).unwrap();
    let bake = plan.steps.iter().find(|step| step.name == "bake").unwrap();
    expect!["docker buildx bake --progress rawjson --file target/images/bake.json --builder galley --allow=fs=* --allow=ssh"]
        .assert_eq(&bake.argv.join(" "));
}

#[test]
fn mounts_that_hold_up_a_builder_for_nothing_are_left_out() {
    let mut config = with_builder();
    config.dockerfile = Some("FROM rust AS artifact\nRUN --mount=type=secret,id=a cargo build\n".to_owned());
    let inline = |config: &Config, flags: &BdFlags| {
        definition(config, flags)["target"]["binaries-sqlite"]["dockerfile-inline"].clone()
    };
    let (without, with) = (flags(EngineFlags::default()), ["id=a,src=b".to_owned()].to_vec());
    let with = flags(EngineFlags { secrets: with, ..EngineFlags::default() });
    assert!(inline(&config, &without).is_null());
    config.host.tools.buildx.as_mut().unwrap().builder.as_mut().unwrap().nodes[0].buildkit =
        Some(version(13));
    assert_eq!(inline(&config, &without), "FROM rust AS artifact\nRUN cargo build\n");
    assert!(inline(&config, &with).is_null());
}

#[test]
fn flags_that_mean_nothing_to_the_engine_are_refused() {
    let native = BdFlags {
        image: ImageFlags {
            engine: EngineFlags { target: Some("x".to_owned()), ..EngineFlags::default() },
            ..ImageFlags::default()
        },
        ..BdFlags::default()
    };
    check_error(bd::plan(&config(), &native), &expect!["--target is for BuildKit; add --engine buildkit"]);
    let mut upx = flags(EngineFlags::default());
    upx.image.build = BuildFlags { upx: true, ..BuildFlags::default() };
    check_error(
        bd::plan(&with_builder(), &upx),
        &expect!["--upx is for what this machine compiles; add --packaging prebuilt"],
    );
    let push = bdp::Push { dry_run: true, ..bdp::Push::default() };
    let buildkit = flags(EngineFlags::default());
    check_error(
        bdp::plan(&with_builder(), &buildkit.image, &Platform::ALL, push),
        &expect![
            "BuildKit cannot tell what a push would upload; `cargo xtask bake --push` prints what it is told to do"
        ],
    );
}

#[test]
fn load_and_push_are_short_for_outputs() {
    let short = |load, push| BdFlags { load, push, ..BdFlags::default() };
    assert_eq!(short(true, false).output(), Some(&Output::Load(Store::Docker)));
    assert_eq!(short(false, true).output(), Some(&Output::Registry));
    assert_eq!(short(false, false).output(), None);
}
