//! What `bake` reads for pushes, stages of the Dockerfile, foreign bases and files.

use crate::cli::{BdFlags, EngineFlags, Variant};
use crate::config::Pipeline;
use crate::config::fixture::PIPELINE;
use crate::tasks::{bd, bdp};
use image_spec::Platform;

use super::buildkit_plans::{definition, flags, with_builder};
use super::*;

#[test]
fn a_push_has_documents_caches_and_one_index_for_all_platforms() {
    let mut config = with_builder();
    config.pipeline = Pipeline::parse(
        &(PIPELINE.to_owned()
            + r#"
            [push]
            proofs = true
            immutable = ["1.*"]
            [mirrors]
            "docker.io" = "mirror.example.com"
            "gcr.io" = "mirror.example.com/gcr"
            crates-io = "sparse+https://mirror.example.com/crates/"
            [cache]
            layers = "registry"
            sccache = "redis://cache.example.com:6379"
            [buildkit]
            secrets = ["id=cargo-credentials,src=/home/me/.cargo/credentials.toml"]
            sbom = "docker/buildkit-syft-scanner:1"
            args = { ZIG_VERSION = "0.15.2" }
            "#),
    )
    .unwrap();
    config.host.secrets = vec!["SCCACHE_REDIS_PASSWORD"];
    let flags = flags(EngineFlags { ssh: vec!["default".to_owned()], ..EngineFlags::default() });
    let push = bdp::plan(&config, &flags.image, &Platform::ALL, bdp::Push::default()).unwrap();
    check_steps(
        &push,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci --config source.crates-io.replace-with='mirror' --config source.mirror.registry="sparse+https://mirror.example.com/crates/"
            access after engine: target/debug/xtask-oci access
            packages-arm64 after : cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform aarch64-unknown-linux-musl --no-default-features --features db_sqlite --config source.crates-io.replace-with='mirror' --config source.mirror.registry="sparse+https://mirror.example.com/crates/"
            packages-amd64 after : cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite --config source.crates-io.replace-with='mirror' --config source.mirror.registry="sparse+https://mirror.example.com/crates/"
            list-amd64 after engine, packages-amd64: target/debug/xtask-oci packages --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/images/packages/app-sqlite-linux-amd64
            list-arm64 after engine, packages-arm64: target/debug/xtask-oci packages --package app --cargo-metadata target/packages-sqlite-linux-arm64.json target/images/packages/app-sqlite-linux-arm64
            base after engine: target/debug/xtask-oci base --platform linux/amd64 --platform linux/arm64 --compression zstd:3 target/images/base
            definition after : cat
            bake after packages-arm64, packages-amd64, list-amd64, list-arm64, base, definition, access: docker buildx bake --progress rawjson --file target/images/bake.json --builder galley
            image after engine, bake: target/debug/xtask-oci import --metadata-file target/images/app-sqlite.json
        "#]],
    );
    let access = push.steps.iter().find(|step| step.name == "access").unwrap();
    expect![[r#"
        {
          "repository": "team/app",
          "tags": [
            "team/app:1.2.3",
            "team/app:latest"
          ],
          "immutable": [
            "1.*"
          ],
          "registries": {
            "mirrors": {
              "docker.io": "mirror.example.com",
              "gcr.io": "mirror.example.com/gcr"
            },
            "insecure": []
          }
        }"#]]
    .assert_eq(access.stdin.as_deref().unwrap());
    let bake = push.steps.iter().find(|step| step.name == "definition").unwrap();
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
                "CRATES_MIRROR": "sparse+https://mirror.example.com/crates/",
                "DEBUG_INFO": "none",
                "PACKAGE": "app",
                "PACKAGING": "container",
                "PROFILE": "release",
                "RUST_VERSION": "1.95.0",
                "SCCACHE_REDIS_ENDPOINT": "redis://cache.example.com:6379",
                "STRIP": "symbols",
                "TARGETS": "x86_64-unknown-linux-musl aarch64-unknown-linux-musl",
                "ZIG_VERSION": "0.15.2"
              },
              "cache-from": [
                "type=registry,ref=team/app:cache-sqlite"
              ],
              "context": ".",
              "contexts": {
                "packages": "target/images/packages",
                "rust:1.95.0": "docker-image://mirror.example.com/library/rust:1.95.0"
              },
              "output": [
                "type=cacheonly"
              ],
              "secret": [
                "id=cargo-credentials,src=/home/me/.cargo/credentials.toml",
                "id=SCCACHE_REDIS_PASSWORD,env=SCCACHE_REDIS_PASSWORD"
              ],
              "ssh": [
                "default"
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
                "manifest:org.opencontainers.image.version=1.2.3",
                "index:org.opencontainers.image.created=2023-11-14T22:13:20Z",
                "index:org.opencontainers.image.licenses=MIT",
                "index:org.opencontainers.image.revision=0123abcd0123abcd0123abcd0123abcd0123abcd",
                "index:org.opencontainers.image.source=https://example.com/team/app",
                "index:org.opencontainers.image.title=app",
                "index:org.opencontainers.image.version=1.2.3"
              ],
              "args": {
                "SOURCE_DATE_EPOCH": "1700000000"
              },
              "attest": [
                "type=provenance,mode=max",
                "type=sbom,generator=docker/buildkit-syft-scanner:1"
              ],
              "cache-from": [
                "type=registry,ref=team/app:cache-sqlite"
              ],
              "cache-to": [
                "type=registry,ref=team/app:cache-sqlite,mode=max,image-manifest=true,oci-mediatypes=true,compression=zstd,ignore-error=true"
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
                "type=image,push=true,compression=zstd,compression-level=3,force-compression=true,oci-mediatypes=true,rewrite-timestamp=true"
              ],
              "platforms": [
                "linux/amd64",
                "linux/arm64"
              ],
              "secret": [
                "id=cargo-credentials,src=/home/me/.cargo/credentials.toml",
                "id=SCCACHE_REDIS_PASSWORD,env=SCCACHE_REDIS_PASSWORD"
              ],
              "ssh": [
                "default"
              ],
              "tags": [
                "team/app:1.2.3",
                "team/app:latest"
              ]
            }
          }
        }"#]].assert_eq(bake.stdin.as_deref().unwrap());
}

#[test]
fn a_flag_says_where_layers_are_kept() {
    let layer_cache = Some("gha,scope=other".to_owned().try_into().unwrap());
    let definition =
        definition(&with_builder(), &flags(EngineFlags { layer_cache, ..EngineFlags::default() }));
    let target = &definition["target"]["image-sqlite"];
    assert_eq!(target["cache-from"], serde_json::json!(["type=gha,scope=other-sqlite"]));
    assert_eq!(
        target["cache-to"],
        serde_json::json!(["type=gha,scope=other-sqlite,mode=max,ignore-error=true"])
    );
}

/// Docker would keep what is only for others as images without a name, and push files with the times of the build.
#[test]
fn what_dockers_own_builder_makes_goes_by_way_of_this_machine() {
    let mut config = with_builder();
    let builder = config.host.tools.buildx.as_mut().unwrap().builder.as_mut().unwrap();
    (builder.driver, builder.has_containerd) = ("docker".to_owned(), true);
    config.pipeline.push.proofs = true;
    let flags = flags(EngineFlags::default());
    let definition = definition(&config, &BdFlags { push: true, ..flags.clone() });
    assert_eq!(
        definition["group"]["default"]["targets"],
        serde_json::json!(["binaries-sqlite", "image-sqlite"])
    );
    let output = |target: &str| definition["target"][target]["output"][0].as_str().unwrap().to_owned();
    assert_eq!(output("binaries-sqlite"), "type=local,dest=target/images/binaries-sqlite");
    assert!(
        output("image-sqlite")
            .starts_with("type=oci,tar=false,dest=target/images/app-sqlite-linux-amd64.bake,")
    );
    assert_eq!(definition["target"]["image-sqlite"]["attest"][0], "type=provenance,disabled=true");

    let push = bdp::plan(&config, &flags.image, &Platform::ALL, bdp::Push::default()).unwrap();
    let step = |name: &str| push.steps.iter().find(|step| step.name == name).unwrap();
    assert!(step("image").argv.contains(&"--layout".to_owned()));
    assert!(!step("access").stdin.as_ref().unwrap().contains("tags"), "our own engine asks when it pushes");
}

#[test]
fn a_stage_of_the_dockerfile_is_made_as_it_is() {
    let mut config = with_builder();
    let media = EngineFlags { target: Some("runtime-media".to_owned()), ..EngineFlags::default() };
    let mut media = flags(media);
    let target = definition(&config, &media)["target"]["image-sqlite"].clone();
    assert_eq!(target["target"], "runtime-media");
    assert_eq!(target["args"]["BACKEND"], "sqlite");
    assert!(target["dockerfile-inline"].is_null());
    assert_eq!(target["contexts"], serde_json::json!({ "packages": "target/images/packages" }));

    media.image.build.platforms = vec![Platform::LinuxArm64];
    check_error(
        bd::plan(&config, &media),
        &expect![
            "the stage `runtime-media` runs commands on linux/arm64, which no node of the builder galley is: give it --platform=$BUILDPLATFORM, add a native node (docs/scaling.md), or let it be emulated with --emulate"
        ],
    );
    media.image.engine.emulate = true;
    assert!(bd::plan(&config, &media).is_ok());
    media.image.engine.target = Some("runtime-medai".to_owned());
    check_error(
        bd::plan(&config, &media),
        &expect!["the Dockerfile has no stage `runtime-medai`, did you mean `runtime-media`?"],
    );
    config.dockerfile = None;
    check_error(bd::plan(&config, &media), &expect!["there is no Dockerfile in the repository"]);
}

#[test]
fn foreign_bases_files_and_the_shell_are_contexts() {
    let text = PIPELINE
        .replace("base = \"static\"", "base = \"gcr.io/distroless/cc:nonroot\"\nargs = [\"--a\", \"$b\"]")
        + r#"
        [[image.files]]
        from = "mwader/static-ffmpeg:7.1"
        src = "/ffmpeg"
        dest = "/usr/local/bin/ff mpeg"
        mode = "0755"
        [image.debug]
        shell = "busybox:1.37-musl"
        "#;
    let text = text.replace("[image.env]", "[image.env]\nQUOTE = 'say \"$HOME\" \\ {x}'");
    let mut config = with_builder();
    config.pipeline = Pipeline::parse(&text).unwrap();
    let mut flags = flags(EngineFlags::default());
    flags.image.build.variant = Some(Variant::Debug);
    let targets = definition(&config, &flags)["target"].clone();
    expect![[r#"
        FROM scratch AS layer-1
        COPY --from=image-0 --chown=0:0 --chmod=0755 ["/ffmpeg", "/usr/local/bin/ff mpeg"]
        FROM scratch AS layer-2
        COPY --chown=0:0 ["config/app.toml", "/app/config/app.toml"]
        USER 0:0
        WORKDIR /
        USER 65532:65532
        WORKDIR /data
        FROM base
        ARG TARGETARCH
        COPY --link --from=shell /busybox /busybox
        COPY --link --from=layer-1 / /
        COPY --link --from=layer-2 / /
        COPY --link --from=binaries --chown=0:0 --chmod=0755 ["/app-sqlite-linux-$${TARGETARCH}-debug", "/app/app"]
        ENV APP__DATABASE__URL="sqlite:///data/app.db"
        ENV QUOTE="say \"\$HOME\" \\ {x}"
        EXPOSE 8080/tcp
        WORKDIR /app
        USER 65532:65532
        STOPSIGNAL SIGTERM
        ENTRYPOINT ["/app/app", "--a", "$b"]
    "#]].assert_eq(targets["image-sqlite"]["dockerfile-inline"].as_str().unwrap());
    expect![[r#"
        {
          "base": "docker-image://gcr.io/distroless/cc:nonroot",
          "binaries": "target:binaries-sqlite",
          "image-0": "docker-image://docker.io/mwader/static-ffmpeg:7.1",
          "shell": "target:shell"
        }"#]]
    .assert_eq(&format!("{:#}", targets["image-sqlite"]["contexts"]));
    assert_eq!(targets["shell"]["contexts"]["busybox"], "docker-image://docker.io/library/busybox:1.37-musl");
    assert_eq!(targets["binaries-sqlite"]["args"]["STRIP"], "none");
}
