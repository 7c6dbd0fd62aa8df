//! Plans of `check` and `sqlx`.

use expect_test::expect;

use super::{check_error, check_plan};
use crate::cli::{SqlxFlags, SqlxTask};
use crate::config::Config;
use crate::config::fixture::config;
use crate::tasks::{check, sqlx};

/// The fixed configuration with other backends; there is no server for mysql.
fn config_for(backends: &[&str]) -> Config {
    let mut config = config();
    config.pipeline.build.backends = backends.iter().map(|backend| (*backend).to_owned()).collect();
    config
}

fn flags(backend: Option<&str>) -> SqlxFlags {
    SqlxFlags { backend: backend.map(str::to_owned) }
}

#[test]
fn check_checks_the_service_for_every_backend() {
    check_plan(
        check::plan(&config()),
        &expect![[r#"
            cd /galley

            # format: the sources are formatted
            cargo fmt --all --check

            # dockerfile: the Dockerfile has no lints
            hadolint Dockerfile

            # clippy: the pipeline has no lints
            cargo clippy --locked --all-targets --package xtask --package xtask-db --package xtask-oci --package xtask-soak --package db-servers --package image-spec -- -D warnings

            # databases: build what starts throw-away databases, on its first use
            cargo build --locked --package xtask-db

            # describe-sqlite: ask a database about every query of the service for sqlite
            target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo check --locked --all-targets --package app --no-default-features --features db_sqlite --config profile.dev.package.app.opt-level=1

            # sqlx-sqlite: the query cache for sqlite is up to date
            target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend sqlite' target/sqlx/sqlite app/.sqlx/sqlite

            # clippy-sqlite: the service for sqlite has no lints
            cargo clippy --locked --all-targets --package app --no-default-features --features db_sqlite -- -D warnings

            # test-sqlite: all tests of the service for sqlite pass
            target/debug/xtask-db exec --backend sqlite -- cargo test --locked --package app --no-default-features --features db_sqlite

            # describe-postgres: ask a database about every query of the service for postgres
            target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1

            # sqlx-postgres: the query cache for postgres is up to date
            target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend postgres' target/sqlx/postgres app/.sqlx/postgres

            # clippy-postgres: the service for postgres has no lints
            cargo clippy --locked --all-targets --package app --no-default-features --features db_postgres -- -D warnings

            # test-postgres: all tests of the service for postgres pass
            target/debug/xtask-db exec --backend postgres -- cargo test --locked --package app --no-default-features --features db_postgres

            # test: all tests of the pipeline pass
            cargo test --locked --package xtask --package xtask-db --package xtask-oci --package xtask-soak --package db-servers --package image-spec
        "#]],
    );
}

#[test]
fn what_needs_a_missing_database_is_skipped_visibly() {
    check_plan(
        check::plan(&config_for(&["sqlite", "mysql"])),
        &expect![[r#"
            cd /galley

            # format: the sources are formatted
            cargo fmt --all --check

            # dockerfile: the Dockerfile has no lints
            hadolint Dockerfile

            # clippy: the pipeline has no lints
            cargo clippy --locked --all-targets --package xtask --package xtask-db --package xtask-oci --package xtask-soak --package db-servers --package image-spec -- -D warnings

            # databases: build what starts throw-away databases, on its first use
            cargo build --locked --package xtask-db

            # describe-sqlite: ask a database about every query of the service for sqlite
            target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo check --locked --all-targets --package app --no-default-features --features db_sqlite --config profile.dev.package.app.opt-level=1

            # sqlx-sqlite: the query cache for sqlite is up to date
            target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend sqlite' target/sqlx/sqlite app/.sqlx/sqlite

            # clippy-sqlite: the service for sqlite has no lints
            cargo clippy --locked --all-targets --package app --no-default-features --features db_sqlite -- -D warnings

            # test-sqlite: all tests of the service for sqlite pass
            target/debug/xtask-db exec --backend sqlite -- cargo test --locked --package app --no-default-features --features db_sqlite

            # describe-mysql: ask a database about every query of the service for mysql
            # skipped: no MariaDB server
            # target/debug/xtask-db exec --backend mysql --migrate app/migrations/mysql --queries target/sqlx/mysql -- cargo check --locked --all-targets --package app --no-default-features --features db_mysql --config profile.dev.package.app.opt-level=1

            # sqlx-mysql: the query cache for mysql is up to date
            # skipped: no MariaDB server
            # target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend mysql' target/sqlx/mysql app/.sqlx/mysql

            # clippy-mysql: the service for mysql has no lints
            cargo clippy --locked --all-targets --package app --no-default-features --features db_mysql -- -D warnings

            # test-mysql: all tests of the service for mysql pass
            # skipped: no MariaDB server
            # target/debug/xtask-db exec --backend mysql -- cargo test --locked --package app --no-default-features --features db_mysql

            # test: all tests of the pipeline pass
            cargo test --locked --package xtask --package xtask-db --package xtask-oci --package xtask-soak --package db-servers --package image-spec
        "#]],
    );
}

#[test]
fn a_skipped_step_holds_up_none_that_need_it() {
    let plan = check::plan(&config_for(&["mysql", "sqlite"])).unwrap();
    let describe = plan.steps.iter().find(|step| step.name == "describe-sqlite").unwrap();
    assert_eq!(describe.needs, ["test-mysql"]);
    let skipped = plan.steps.iter().filter(|step| step.skip.is_some()).map(|step| step.name.as_str());
    assert_eq!(skipped.collect::<Vec<_>>(), ["describe-mysql", "sqlx-mysql", "test-mysql"]);
}

#[test]
fn in_continuous_integration_nothing_is_skipped() {
    let mut config = config_for(&["sqlite", "mysql"]);
    config.host.ci = true;
    check_error(
        check::plan(&config),
        &expect![[r#"
        no MariaDB server
        with CI set, nothing is left out"#]],
    );
}

#[test]
fn sqlx_prepare_renews_every_cache() {
    check_plan(
        sqlx::plan(&config(), &SqlxTask::Prepare(flags(None))),
        &expect![[r#"
        cd /galley

        # databases: build what starts throw-away databases, on its first use
        cargo build --locked --package xtask-db

        # describe-sqlite: ask a database about every query of the service for sqlite
        target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo check --locked --all-targets --package app --no-default-features --features db_sqlite --config profile.dev.package.app.opt-level=1

        # sqlx-sqlite: put the query cache for sqlite in its place
        target/debug/xtask-db queries replace target/sqlx/sqlite app/.sqlx/sqlite

        # describe-postgres: ask a database about every query of the service for postgres
        target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1

        # sqlx-postgres: put the query cache for postgres in its place
        target/debug/xtask-db queries replace target/sqlx/postgres app/.sqlx/postgres
    "#]],
    );
}

#[test]
fn sqlx_check_compares_one_cache() {
    check_plan(
        sqlx::plan(&config(), &SqlxTask::Check(flags(Some("postgres")))),
        &expect![[r#"
        cd /galley

        # databases: build what starts throw-away databases, on its first use
        cargo build --locked --package xtask-db

        # describe-postgres: ask a database about every query of the service for postgres
        target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1

        # sqlx-postgres: the query cache for postgres is up to date
        target/debug/xtask-db queries check --repair 'cargo xtask sqlx prepare --backend postgres' target/sqlx/postgres app/.sqlx/postgres
    "#]],
    );
}

#[test]
fn sqlx_needs_every_database_that_it_was_asked_for() {
    let config = config_for(&["sqlite", "mysql", "oracle"]);
    check_error(
        sqlx::plan(&config, &SqlxTask::Check(flags(None))),
        &expect![[r#"
        no MariaDB server
        no database is named `oracle`; there is sqlite, postgres, mysql"#]],
    );
    check_error(sqlx::plan(&config, &SqlxTask::Prepare(flags(Some("mysql")))), &expect!["no MariaDB server"]);
    check_error(
        sqlx::plan(&config, &SqlxTask::Prepare(flags(Some("postgres")))),
        &expect!["unknown backend `postgres`, there is: sqlite, mysql, oracle"],
    );
}
