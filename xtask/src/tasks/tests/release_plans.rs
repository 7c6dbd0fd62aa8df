//! Plans of `release`.

use expect_test::expect;

use super::{check_plan, check_steps};
use crate::cli::{Bump, ReleaseFlags};
use crate::config::fixture::config;
use crate::tasks::release;

#[test]
fn release_asks_the_registry_for_every_image() {
    check_plan(
        release::plan(&config(), &ReleaseFlags::default()),
        &expect![[r#"
            cd /galley

            # tool: build what reads commits, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-release

            # engine: build the image engine, on its first use
            nice -n 19 cargo build --locked --message-format=json-render-diagnostics --package xtask-oci

            # release: propose the next version
            target/debug/xtask-release --engine target/debug/xtask-oci --image-tag '{version}' --image-tag 'postgres-{version}' --report-file target/release.json <<'END'
            {
              "repository": "team/app"
            }
            END
        "#]],
    );
}

#[test]
fn release_asks_no_registry_that_there_is_not_or_that_is_not_to_be_asked() {
    let mut config = config();
    let offline = ReleaseFlags { offline: true, execute: true, ..ReleaseFlags::default() };
    check_steps(
        &release::plan(&config, &offline).unwrap(),
        &expect![[r#"
            tool after : cargo build --locked --message-format=json-render-diagnostics --package xtask-release --offline
            release after tool: target/debug/xtask-release --execute --offline --report-file target/release.json
        "#]],
    );

    config.pipeline.image.repository = "app".parse().unwrap();
    let bump = ReleaseFlags { bump: Some(Bump::Minor), ..ReleaseFlags::default() };
    check_steps(
        &release::plan(&config, &bump).unwrap(),
        &expect![[r#"
            tool after : cargo build --locked --message-format=json-render-diagnostics --package xtask-release
            release after tool: target/debug/xtask-release --bump=minor --report-file target/release.json
        "#]],
    );
}

#[test]
fn release_takes_back_without_the_registry() {
    let undo = ReleaseFlags { undo: true, ..ReleaseFlags::default() };
    check_steps(
        &release::plan(&config(), &undo).unwrap(),
        &expect![[r#"
        tool after : cargo build --locked --message-format=json-render-diagnostics --package xtask-release
        release after tool: target/debug/xtask-release --undo
    "#]],
    );
}

#[test]
fn a_version_is_never_a_flag() {
    let version =
        ReleaseFlags { version: Some("--undo".to_owned()), offline: true, ..ReleaseFlags::default() };
    check_steps(
        &release::plan(&config(), &version).unwrap(),
        &expect![[r#"
            tool after : cargo build --locked --message-format=json-render-diagnostics --package xtask-release --offline
            release after tool: target/debug/xtask-release --offline --version=--undo --report-file target/release.json
        "#]],
    );
}
