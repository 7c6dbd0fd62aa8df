//! Plans of `check`.

use expect_test::{Expect, expect};

use super::{check_order, check_plan, check_steps, config_for};
use crate::cli::CheckFlags;
use crate::config::fixture::config;
use crate::config::{Config, Tree};
use crate::plan::Plan;
use crate::tasks::check::{self, Files};

fn files() -> Files {
    let paths =
        ["app/src/lib.rs", "xtask/src/main.rs", "docs/service.md", ".github/workflows/ci.yml", "Dockerfile"];
    Files { tree: Some(Tree::of(&paths.map(|path| (path, path)))), changed: None }
}

fn gate(config: &Config, flags: &CheckFlags) -> anyhow::Result<Plan> {
    check::plan(config, &files(), flags)
}

fn only(names: &[&str]) -> CheckFlags {
    CheckFlags { only: names.iter().map(|name| (*name).to_owned()).collect(), ..CheckFlags::default() }
}

/// Checks the commands of the steps that are wanted.
fn check_only(names: &[&str], expected: &Expect) {
    let plan = gate(&config(), &only(names)).unwrap();
    check_order(&plan);
    check_steps(&plan, expected);
}

#[test]
fn the_gate_checks_everything_for_every_backend() {
    let mut config = config();
    config.host.tools.found.extend(["cargo-deny", "cargo-nextest", "actionlint", "zizmor"]);
    check_plan(
        gate(&config, &CheckFlags::default()),
        &expect![[r#"
            cd /galley

            # format: the sources are formatted
            cargo fmt --all --check

            # lock: Cargo.lock is up to date
            mkdir -p target/check
            cargo metadata --locked --format-version 1 >target/check/metadata.json.$$
            mv target/check/metadata.json.$$ target/check/metadata.json

            # deny: licences and sources of dependencies are allowed, and none is banned
            cargo deny --locked --all-features check bans licenses sources

            # advisories: no dependency has a known vulnerability, by a copy of RustSec's database that is 3 days old
            cargo deny --locked --all-features check advisories --disable-fetch

            # dockerfile: the Dockerfile has no lints
            hadolint Dockerfile

            # workflows-lint: the workflows have no lints
            actionlint

            # workflows-security: the workflows are safe
            zizmor --offline --pedantic --quiet .

            # pipeline: the pipeline has no lints, and all its tests pass
            cargo test --locked --message-format=json-render-diagnostics --package xtask --package xtask-bench --package xtask-db --package xtask-kitchen --package xtask-oci --package xtask-release --package xtask-soak --package xtask-template --package db-servers --package image-spec --config 'build.rustc-workspace-wrapper="clippy-driver"' --config 'env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"' --config 'build.rustc-wrapper="nice"'

            # images: what builds the service's images, or measures, has no lints, and all its tests pass
            cargo test --locked --message-format=json-render-diagnostics --package xtask --test buildkit --test documents --test image --test pgo --test push --test sccache --test up --test workflows --package xtask-kitchen --test browser --test live --test publish --config 'build.rustc-workspace-wrapper="clippy-driver"' --config 'env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"' --config 'build.rustc-wrapper="nice"'

            # databases: build what starts throw-away databases, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-db

            # postgres: the service for postgres has no lints, and all its tests pass
            target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- sh -c 'cargo nextest run --locked --cargo-message-format=json-render-diagnostics --no-tests=pass --package app --no-default-features --features db_postgres --config '\''build.rustc-workspace-wrapper="clippy-driver"'\'' --config '\''env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"'\'' --config '\''build.build-dir="target"'\'' --target-dir target/check/postgres --config '\''build.rustc-wrapper="nice"'\'' && cargo test --locked --doc --package app --no-default-features --features db_postgres --config '\''build.rustc-workspace-wrapper="clippy-driver"'\'' --config '\''env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"'\'' --config '\''build.build-dir="target"'\'' --target-dir target/check/postgres --config '\''build.rustc-wrapper="nice"'\'''

            # sqlx-postgres: the query cache for postgres is up to date
            target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend postgres' target/sqlx/postgres app/.sqlx/postgres

            # sqlite: the service for sqlite has no lints, and all its tests pass
            target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- sh -c 'cargo nextest run --locked --cargo-message-format=json-render-diagnostics --no-tests=pass --package app --no-default-features --features db_sqlite --config '\''build.rustc-workspace-wrapper="clippy-driver"'\'' --config '\''env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"'\'' --config '\''build.build-dir="target"'\'' --target-dir target/check/sqlite --config '\''build.rustc-wrapper="nice"'\'' && cargo test --locked --doc --package app --no-default-features --features db_sqlite --config '\''build.rustc-workspace-wrapper="clippy-driver"'\'' --config '\''env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"'\'' --config '\''build.build-dir="target"'\'' --target-dir target/check/sqlite --config '\''build.rustc-wrapper="nice"'\'''

            # sqlx-sqlite: the query cache for sqlite is up to date
            target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend sqlite' target/sqlx/sqlite app/.sqlx/sqlite
        "#]],
    );
}

#[test]
fn what_is_missing_is_skipped_visibly() {
    check_plan(
        gate(
            &config_for(&["mysql"]),
            &CheckFlags { skip: vec!["pipeline".to_owned(), "images".to_owned()], ..CheckFlags::default() },
        ),
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

            # clippy-mysql: the service for mysql has no lints
            cargo test --locked --message-format=json-render-diagnostics --no-run --package app --no-default-features --features db_mysql --config 'build.rustc-workspace-wrapper="clippy-driver"' --config 'env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"' --config 'build.build-dir="target"' --target-dir target/check/mysql

            # sqlx-mysql: the query cache for mysql is up to date
            # skipped: no MariaDB server
            # target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend mysql' target/sqlx/mysql app/.sqlx/mysql

            # test-mysql: all tests of the service for mysql pass
            # skipped: no MariaDB server
            # target/debug/xtask-db exec --backend mysql -- cargo test --locked --message-format=json-render-diagnostics --package app --no-default-features --features db_mysql --config 'build.build-dir="target"' --target-dir target/check/mysql --config 'build.rustc-wrapper="nice"'
        "#]],
    );
}

#[test]
fn nothing_is_left_out_where_that_is_forbidden() {
    let strict = CheckFlags { strict: true, ..CheckFlags::default() };
    let refused = gate(&config_for(&["sqlite", "mysql"]), &strict).unwrap_err().to_string();
    expect![[r#"
        cargo-deny is not on PATH; `cargo xtask setup --for check` installs it
        actionlint is not on PATH; `cargo xtask setup --for check` installs it
        zizmor is not on PATH; `cargo xtask setup --for check` installs it
        no MariaDB server
        with --strict, and with CI set, nothing is left out"#]]
    .assert_eq(&refused);
    let mut config = config_for(&["sqlite", "mysql"]);
    config.host.ci = true;
    assert_eq!(gate(&config, &CheckFlags::default()).unwrap_err().to_string(), refused);
}

#[test]
fn lints_tests_and_queries_can_be_had_alone() {
    check_only(
        &["clippy"],
        &expect![[r#"
            clippy-pipeline after : cargo clippy --locked --message-format=json-render-diagnostics --all-targets --package xtask --package xtask-bench --package xtask-db --package xtask-kitchen --package xtask-oci --package xtask-release --package xtask-soak --package xtask-template --package db-servers --package image-spec -- -D warnings
            clippy-postgres after : cargo clippy --locked --message-format=json-render-diagnostics --all-targets --package app --no-default-features --features db_postgres -- -D warnings
            clippy-sqlite after : cargo clippy --locked --message-format=json-render-diagnostics --all-targets --package app --no-default-features --features db_sqlite -- -D warnings
        "#]],
    );
    check_only(
        &["test-sqlite"],
        &expect![[r#"
            databases after : cargo build --locked --message-format=json-render-diagnostics --package xtask-db
            test-sqlite after databases: target/debug/xtask-db exec --backend sqlite -- cargo test --locked --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --config build.build-dir="target" --target-dir target/check/sqlite --config build.rustc-wrapper="nice"
        "#]],
    );
    check_only(
        &["sqlx-postgres"],
        &expect![[r#"
        databases after : cargo build --locked --message-format=json-render-diagnostics --package xtask-db
        describe-postgres after databases: target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --message-format=json-render-diagnostics --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1
        sqlx-postgres after describe-postgres: target/debug/xtask-db queries check --repair cargo xtask sqlx prepare --backend postgres target/sqlx/postgres app/.sqlx/postgres
    "#]],
    );
    check_only(
        &["clippy-sqlite", "sqlx-sqlite"],
        &expect![[r#"
        databases after : cargo build --locked --message-format=json-render-diagnostics --package xtask-db
        describe-sqlite after databases: target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo check --locked --all-targets --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --config profile.dev.package.app.opt-level=1
        clippy-sqlite after : cargo clippy --locked --message-format=json-render-diagnostics --all-targets --package app --no-default-features --features db_sqlite -- -D warnings
        sqlx-sqlite after describe-sqlite: target/debug/xtask-db queries check --repair cargo xtask sqlx prepare --backend sqlite target/sqlx/sqlite app/.sqlx/sqlite
    "#]],
    );
}

#[test]
fn a_gate_that_goes_on_has_cargo_go_on_as_well() {
    let plan = gate(&config(), &CheckFlags { keep_going: true, ..only(&["sqlite"]) }).unwrap();
    assert!(plan.keep_going);
    let stops = gate(&config(), &only(&["sqlite"])).unwrap();
    assert!(plan.steps.iter().map(|step| &step.digest).eq(stops.steps.iter().map(|step| &step.digest)));
    check_steps(
        &plan,
        &expect![[r#"
            databases after : cargo build --locked --message-format=json-render-diagnostics --package xtask-db
            sqlite after databases: target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo test --locked --message-format=json-render-diagnostics --no-fail-fast --package app --no-default-features --features db_sqlite --config build.rustc-workspace-wrapper="clippy-driver" --config env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__" --config build.build-dir="target" --target-dir target/check/sqlite --config build.rustc-wrapper="nice"
            sqlx-sqlite after sqlite: target/debug/xtask-db queries check --repair cargo xtask sqlx prepare --backend sqlite target/sqlx/sqlite app/.sqlx/sqlite
        "#]],
    );
}

#[test]
fn repairs_come_before_what_they_repair() {
    let plan = gate(&config(), &CheckFlags { fix: true, ..only(&["format", "sqlite"]) }).unwrap();
    check_order(&plan);
    check_steps(
        &plan,
        &expect![[r#"
            fix-sqlite after : cargo clippy --locked --message-format=json-render-diagnostics --fix --allow-dirty --allow-staged --all-targets --package app --no-default-features --features db_sqlite
            databases after : cargo build --locked --message-format=json-render-diagnostics --package xtask-db
            sqlite after databases, fix-sqlite: target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo test --locked --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --config build.rustc-workspace-wrapper="clippy-driver" --config env.CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__" --config build.build-dir="target" --target-dir target/check/sqlite --config build.rustc-wrapper="nice"
            sqlx-sqlite after sqlite: target/debug/xtask-db queries replace target/sqlx/sqlite app/.sqlx/sqlite
            format after fix-sqlite: cargo fmt --all
        "#]],
    );
}

#[test]
fn a_change_leaves_out_what_it_cannot_affect() {
    let changed = |path: &str| {
        let files = Files { changed: Some(("main".to_owned(), vec![path.to_owned()])), ..files() };
        let plan = check::plan(&config(), &files, &CheckFlags::default()).unwrap();
        let steps = plan.steps.iter().filter(|step| step.skip.is_none());
        steps.map(|step| format!("{}: {}\n", step.name, step.why)).collect::<String>()
    };
    expect![[r#"
        pipeline: the pipeline has no lints, and all its tests pass, since docs/service.md has changed
        images: what builds the service's images, or measures, has no lints, and all its tests pass, since docs/service.md has changed
    "#]]
    .assert_eq(&changed("docs/service.md"));
    expect![[r#"
        format: the sources are formatted, since app/src/lib.rs has changed
        images: what builds the service's images, or measures, has no lints, and all its tests pass, since app/src/lib.rs has changed
        postgres: the service for postgres has no lints, and all its tests pass, since app/src/lib.rs has changed
        sqlx-postgres: the query cache for postgres is up to date, since app/src/lib.rs has changed
        sqlite: the service for sqlite has no lints, and all its tests pass, since app/src/lib.rs has changed
        sqlx-sqlite: the query cache for sqlite is up to date, since app/src/lib.rs has changed
    "#]].assert_eq(&changed("app/src/lib.rs"));
}

#[test]
fn a_digest_changes_with_what_a_step_reads() {
    let digests = |files: &[(&str, &str)]| {
        let files = Files { tree: Some(Tree::of(files)), changed: None };
        let plan = check::plan(&config(), &files, &CheckFlags::default()).unwrap();
        plan.steps.into_iter().map(|step| (step.name, step.digest)).collect::<Vec<_>>()
    };
    let before = digests(&[("app/src/lib.rs", "1"), ("xtask/src/main.rs", "1")]);
    let after = digests(&[("app/src/lib.rs", "2"), ("xtask/src/main.rs", "1")]);
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
    let changed = changed.map(|((name, _), _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(changed, ["format", "images", "postgres", "sqlx-postgres", "sqlite", "sqlx-sqlite"]);
    let unknown = before.iter().filter(|(_, digest)| digest.is_none()).map(|(name, _)| name.as_str());
    assert_eq!(unknown.collect::<Vec<_>>(), ["advisories"]);
}
