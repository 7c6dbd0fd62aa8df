//! What the configuration says of the image, and what the engine is told.

use expect_test::expect;
use image_spec::{ImageSpec, Platform};

use super::check_steps;
use crate::cli::{BdFlags, BuildFlags, ImageFlags, Variant};
use crate::config::fixture::config;
use crate::config::{Config, Debug, File};
use crate::tasks::{bd, pin};

/// An image on somebody else's base, with files of others.
fn composed() -> Config {
    let mut config = config();
    let image = &mut config.pipeline.image;
    image.base = "alpine:3.22".parse().unwrap();
    let tool = |src: &str, dest: &str| File {
        from: Some("mwader/static-ffmpeg:7.1".parse().unwrap()),
        src: src.into(),
        dest: dest.to_owned(),
        owner: Some("0:0".to_owned()),
        mode: Some(0o755),
        ..File::default()
    };
    let model = File {
        src: "models".into(),
        dest: "/models".to_owned(),
        layer: Some("models".to_owned()),
        ..File::default()
    };
    image.files.extend([tool("/ffmpeg", "/usr/bin/ffmpeg"), model, tool("/ffprobe", "/usr/bin/ffprobe")]);
    config
}

fn spec(config: &Config) -> ImageSpec {
    let plan = bd::plan(config, &BdFlags::default()).unwrap();
    let image = plan.steps.iter().find(|step| step.name == "image").unwrap();
    serde_json::from_str(image.stdin.as_deref().unwrap()).unwrap()
}

#[test]
fn each_group_of_files_is_a_layer_of_its_own() {
    let spec = spec(&composed());
    let layers = spec.platforms[&Platform::LinuxAmd64].iter().map(|layer| {
        let files = layer.files.iter().map(|file| file.dest.as_str()).collect::<Vec<_>>();
        format!("{}: {}", layer.name, files.join(" "))
    });
    expect![[r#"
        [
            "mwader/static-ffmpeg:7.1: /usr/bin/ffmpeg /usr/bin/ffprobe",
            "files: /app/config/app.toml",
            "models: /models",
            "binary: /app/app",
        ]
    "#]]
    .assert_debug_eq(&layers.collect::<Vec<_>>());
}

#[test]
fn images_are_pinned_as_far_as_their_digests_are_known() {
    let mut config = composed();
    let images = |config: &Config| spec(config).images().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(images(&config), ["alpine:3.22", "mwader/static-ffmpeg:7.1", "mwader/static-ffmpeg:7.1"]);
    let digest = format!("sha256:{}", "0123abcd".repeat(8));
    config.pins = format!("alpine:3.22 {digest}\n").parse().unwrap();
    assert_eq!(images(&config)[0], format!("alpine:3.22@{digest}"));
    let plan = bd::plan(&config, &BdFlags::default()).unwrap();
    let image = plan.steps.iter().find(|step| step.name == "image").unwrap();
    expect!["target/debug/xtask-oci image --cache target/images/cache --blobs /home/me/.cache/xtask-oci --lock config/images.lock --metadata-file target/images/app-sqlite-linux-amd64.json"].assert_eq(&image.argv.join(" "));
}

#[test]
fn pin_looks_up_every_image_once() {
    let plan = pin::plan(&composed()).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            pin after engine: target/debug/xtask-oci pin --lock config/images.lock
        "#]],
    );
    expect![[r#"
        {
          "images": [
            "alpine:3.22",
            "mwader/static-ffmpeg:7.1"
          ]
        }"#]]
    .assert_eq(plan.steps[1].stdin.as_deref().unwrap());
    assert!(pin::plan(&config()).unwrap().steps.is_empty());
}

#[test]
fn the_variant_debug_keeps_symbols_and_has_a_shell() {
    let mut config = config();
    config.pipeline.image.debug = Some(Debug { shell: "busybox:1.37-musl".parse().unwrap() });
    let build = BuildFlags { variant: Some(Variant::Debug), ..BuildFlags::default() };
    let flags = BdFlags { image: ImageFlags { build, ..ImageFlags::default() }, ..BdFlags::default() };
    let plan = bd::plan(&config, &flags).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config profile.release.strip='none' --config profile.release.debug='line-tables-only' --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json --keep-symbols target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64-debug
            image after artifact: target/debug/xtask-oci image --cache target/images/cache --blobs /home/me/.cache/xtask-oci --lock config/images.lock --metadata-file target/images/app-sqlite-linux-amd64-debug.json
            load after image: docker load --quiet --input target/images/app-sqlite-linux-amd64-debug.tar
        "#]],
    );
    let image = plan.steps.iter().find(|step| step.name == "image").unwrap();
    let spec: ImageSpec = serde_json::from_str(image.stdin.as_deref().unwrap()).unwrap();
    let shell = &spec.platforms[&Platform::LinuxAmd64][0];
    expect![[r#"
        (
            [
                Reference {
                    repository: Repository(
                        "team/app",
                    ),
                    tag: Some(
                        Tag(
                            "1.2.3-debug",
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
                            "latest-debug",
                        ),
                    ),
                    digest: None,
                },
            ],
            [
                FileEntry {
                    from: Some(
                        Reference {
                            repository: Repository(
                                "busybox",
                            ),
                            tag: Some(
                                Tag(
                                    "1.37-musl",
                                ),
                            ),
                            digest: None,
                        },
                    ),
                    src: "/bin/busybox",
                    dest: "/busybox/busybox",
                    mode: Some(
                        493,
                    ),
                    owner: None,
                },
            ],
            LinkEntry {
                dest: "/busybox/awk",
                target: "busybox",
            },
        )
    "#]]
    .assert_debug_eq(&(&spec.tags, &shell.files, &shell.links[0]));
}
