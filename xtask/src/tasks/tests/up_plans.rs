//! Plans of `up` and `down`.

use expect_test::expect;
use image_spec::Platform;

use super::{bare_config, check_error, check_plan, check_steps};
use crate::cli::{BuildFlags, DownFlags, ImageFlags, Variant};
use crate::config::Config;
use crate::config::fixture::config;
use crate::plan::Product;
use crate::tasks::up;
use crate::tools::{Compose, Runtime};

/// Flags for what is built.
fn flags(build: BuildFlags) -> ImageFlags {
    ImageFlags { build, ..ImageFlags::default() }
}

fn for_backend(backend: &str) -> BuildFlags {
    BuildFlags { backends: vec![backend.to_owned()], ..BuildFlags::default() }
}

/// A machine whose docker has this release of compose.
fn config_with(version: &str) -> Config {
    let mut config = config();
    config.host.tools.compose = Some(Compose { version: version.to_owned() });
    config
}

#[test]
fn up_starts_the_image_that_bd_built() {
    let plan = up::plan(&config(), &ImageFlags::default()).unwrap();
    check_steps(
        &plan,
        &expect![[r#"
            engine after : nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci
            compile after : target/debug/xtask zigbuild --folder target/zigbuild -- --locked --message-format=json-render-diagnostics --package app --bin app --no-default-features --features db_sqlite --profile release --target x86_64-unknown-linux-musl --config target.x86_64-unknown-linux-musl.rustflags=["--remap-path-prefix=/home/me/.cargo=/cargo","--remap-path-prefix=/galley=/src","-C","link-arg=-Wl,--build-id=sha1"]
            packages after engine: cargo metadata --locked --format-version 1 --manifest-path app/Cargo.toml --filter-platform x86_64-unknown-linux-musl --no-default-features --features db_sqlite
            artifact after compile, engine, packages: target/debug/xtask-oci artifact --platform linux/amd64 --package app --cargo-metadata target/packages-sqlite-linux-amd64.json target/x86_64-unknown-linux-musl/release/app target/dist/app-sqlite-linux-amd64
            image after artifact: target/debug/xtask-oci image --cache target/images/cache --metadata-file target/images/app-sqlite-linux-amd64.json
            load after image: docker load --quiet --input target/images/app-sqlite-linux-amd64.tar
            stop after load: docker compose --profile postgres rm --stop --force
            up after stop: docker compose --profile sqlite up --detach --wait
        "#]],
    );
    let up = plan.steps.last().unwrap();
    assert_eq!(up.env["APP_IMAGE"], "team/app:1.2.3");
}

#[test]
fn up_starts_the_backend_and_the_variant_that_were_asked_for() {
    let build = BuildFlags { variant: Some(Variant::Debug), ..for_backend("postgres") };
    let plan = up::plan(&config(), &flags(build)).unwrap();
    let end = plan.steps[plan.steps.len() - 2..].iter().map(|step| format!("{step}\n")).collect::<String>();
    expect![[r#"
        docker compose --profile sqlite rm --stop --force
        APP_IMAGE=team/app:postgres-1.2.3-debug docker compose --profile postgres up --detach --wait
    "#]]
    .assert_eq(&end);
}

#[test]
fn up_ends_with_what_there_is_to_open() {
    let mut config = config();
    config.pipeline.image.ports = vec![8080, 9090];
    let products = up::plan(&config, &ImageFlags::default()).unwrap().products;
    let [_, Product::Image { run, .. }, Product::Service { urls, end }] = &products[..] else {
        panic!("{products:#?}");
    };
    assert!(run.is_empty(), "{run:?}");
    assert_eq!(urls, &["http://localhost:8080/docs", "http://localhost:9090/metrics"]);
    assert_eq!(end, "cargo xtask down");
}

#[test]
fn up_with_one_backend_has_no_others_to_end() {
    let mut config = config();
    config.pipeline.build.backends.truncate(1);
    let plan = up::plan(&config, &ImageFlags::default()).unwrap();
    assert!(plan.steps.iter().all(|step| step.name != "stop"));
    assert_eq!(plan.steps.last().unwrap().needs, ["load"]);
}

#[test]
fn down_ends_every_profile() {
    check_plan(
        up::end(&config(), &DownFlags::default()),
        &expect![[r#"
        cd /galley

        # down: end what runs; its data stays
        docker compose --profile '*' down
    "#]],
    );
    check_plan(
        up::end(&config(), &DownFlags { volumes: true }),
        &expect![[r#"
        cd /galley

        # down: end what runs, and delete its data
        docker compose --profile '*' down --volumes
    "#]],
    );
}

#[test]
fn up_runs_one_service() {
    check_error(
        up::plan(&config(), &flags(for_backend("all"))),
        &expect!["the service runs for one database at a time; name one --backend"],
    );
    let platforms = vec![Platform::LinuxAmd64, Platform::LinuxArm64];
    let several = BuildFlags { platforms, ..BuildFlags::default() };
    check_error(
        up::plan(&config(), &flags(several)),
        &expect!["a container runs one platform; name one --platform"],
    );
}

#[test]
fn what_up_and_down_lack_is_said_before_anything_runs() {
    let up = |config: &Config| up::plan(config, &ImageFlags::default());
    check_error(
        up(&bare_config()),
        &expect!["docker is not on PATH; `cargo xtask doctor` shows how to install it"],
    );
    check_error(
        up(&config_with("2.19.1")),
        &expect![
            "docker compose is 2.19.1, and has to be 2.20 or later; https://docs.docker.com/compose/install says how"
        ],
    );

    let mut config = config();
    config.host.tools.compose = None;
    check_error(
        up(&config),
        &expect![
            "docker has no plugin compose; https://docs.docker.com/compose/install says how to install it"
        ],
    );
    check_error(
        up::end(&config, &DownFlags::default()),
        &expect![
            "docker has no plugin compose; https://docs.docker.com/compose/install says how to install it"
        ],
    );

    let mut config = config_with("2.20.0");
    config.host.tools.runtime = Some(Runtime { program: "podman", version: "5.4.2".to_owned() });
    check_error(up(&config), &expect!["docker does not answer; start it, or see what `docker version` says"]);
    config.host.tools.runtime = None;
    check_error(up(&config), &expect!["docker does not answer; start it, or see what `docker version` says"]);
}
