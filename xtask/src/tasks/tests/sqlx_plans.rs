//! Plans of `sqlx`.

use expect_test::expect;

use super::{check_error, check_plan, config_for};
use crate::cli::{SqlxFlags, SqlxTask};
use crate::config::fixture::config;
use crate::tasks::sqlx;

fn flags(backend: Option<&str>) -> SqlxFlags {
    SqlxFlags { backend: backend.map(str::to_owned) }
}

#[test]
fn sqlx_prepare_renews_every_cache() {
    check_plan(
        sqlx::plan(&config(), &SqlxTask::Prepare(flags(None))),
        &expect![[r#"
            cd /galley

            # databases: build what starts throw-away databases, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-db

            # describe-sqlite: ask a database about every query of the service for sqlite
            target/debug/xtask-db exec --backend sqlite --migrate app/migrations/sqlite --queries target/sqlx/sqlite -- cargo check --locked --all-targets --message-format=json-render-diagnostics --package app --no-default-features --features db_sqlite --config profile.dev.package.app.opt-level=1

            # sqlx-sqlite: put the query cache for sqlite in its place
            target/debug/xtask-db queries replace target/sqlx/sqlite app/.sqlx/sqlite

            # describe-postgres: ask a database about every query of the service for postgres
            target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --message-format=json-render-diagnostics --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1

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
            cargo build --locked --message-format=json-render-diagnostics --package xtask-db

            # describe-postgres: ask a database about every query of the service for postgres
            target/debug/xtask-db exec --backend postgres --migrate app/migrations/postgres --queries target/sqlx/postgres -- cargo check --locked --all-targets --message-format=json-render-diagnostics --package app --no-default-features --features db_postgres --config profile.dev.package.app.opt-level=1

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
