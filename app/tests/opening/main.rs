//! Opening a database: what stands in the way is told apart, and told without the password.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg_attr(feature = "db_sqlite", path = "file.rs")] // template: if "sqlite" in backends
#[cfg_attr(feature = "db_postgres", path = "server.rs")] // template: if "postgres" in backends
#[cfg_attr(feature = "db_mysql", path = "server.rs")] // template: if "mysql" in backends
mod place;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "db_postgres")] // template: if "postgres" in backends
mod tls; // template: if "postgres" in backends

use std::time::Duration;

use app::{
    config::{Database, DatabaseUrl},
    db::{Db, OpenError},
};
use support::database::TestDatabase;

fn settings(url: &str) -> Database {
    Database {
        url: DatabaseUrl::try_from(url.to_owned()).unwrap(),
        connect_timeout: Duration::from_millis(300),
        ..Database::default()
    }
}

async fn execute(settings: &Database, statement: &'static str) {
    let db = Db::open(settings).await.unwrap();
    sqlx::raw_sql(statement).execute(db.pool()).await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn migrations_are_applied_once_and_by_the_start_only_where_it_may() {
    let database = TestDatabase::create();
    let by_hand = Database { migrate: false, ..settings(&database.url) };
    let error = Db::open(&by_hand).await.unwrap_err();
    assert!(matches!(error, OpenError::Schema { .. }), "{error}");
    assert!(
        error.to_string().ends_with("migration 0001 create notes is not applied; run `app migrate`"),
        "{error}"
    );

    assert_eq!(Db::migrate(&by_hand).await.unwrap(), ["0001 create notes"]);
    assert_eq!(Db::migrate(&by_hand).await.unwrap(), Vec::<String>::new());
    Db::open(&by_hand).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let database = TestDatabase::create();
    let settings = settings(&database.url);
    execute(
        &settings,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', true, '', 0)",
    )
    .await;
    for migrate in [true, false] {
        let error = Db::open(&Database { migrate, ..settings.clone() }).await.unwrap_err();
        assert!(matches!(error, OpenError::Schema { .. }), "{error}");
        assert!(error.to_string().contains("it has migration 9999, which a newer version made"), "{error}");
    }
}

#[tokio::test]
async fn a_migration_that_was_changed_or_stopped_half_way_is_named() {
    let database = TestDatabase::create();
    let settings = settings(&database.url);
    execute(&settings, "UPDATE _sqlx_migrations SET checksum = ''").await;
    let error = Db::open(&settings).await.unwrap_err();
    assert!(matches!(error, OpenError::Schema { .. }), "{error}");
    assert!(error.to_string().contains("migration 0001 was applied with other contents"), "{error}");

    let database = TestDatabase::create();
    let settings = self::settings(&database.url);
    execute(&settings, "UPDATE _sqlx_migrations SET success = false").await;
    for migrate in [true, false] {
        let error = Db::open(&Database { migrate, ..settings.clone() }).await.unwrap_err();
        assert!(matches!(error, OpenError::Incomplete { .. }), "{error}");
        assert!(error.to_string().contains("migration 0001 stopped half way"), "{error}");
    }
}

#[tokio::test]
async fn a_url_for_another_database_is_refused() {
    let error = DatabaseUrl::try_from("other://user:hunter2@db/app".to_owned()).unwrap_err();
    assert!(error.starts_with("this binary is built for "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
