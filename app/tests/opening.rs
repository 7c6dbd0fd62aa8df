//! Opening a database: what stands in the way is told apart, and told without the password.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use app::{
    config::{Database, DatabaseUrl},
    db::{BACKEND, Db, OpenError},
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
    let other = if BACKEND == "sqlite" { "postgres://user:hunter2@db/app" } else { "sqlite://hunter2" };
    let error = DatabaseUrl::try_from(other.to_owned()).unwrap_err();
    assert!(error.starts_with("this binary is built for "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[cfg(feature = "db_sqlite")]
#[tokio::test]
async fn a_folder_that_cannot_be_made_or_written_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/notes/app.db");
    let error = Db::open(&settings(&format!("sqlite://{}", path.display()))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open the database {}: its folder: Not a directory (os error 20)", path.display())
    );

    // A folder in the place of the file: what is not writable fails the same way, but not for root.
    let error = Db::open(&settings(&format!("sqlite://{}", folder.path().display()))).await.unwrap_err();
    assert!(matches!(error, OpenError::Open { .. }), "{error}");
    assert!(error.to_string().contains("unable to open database file"), "{error}");
}

#[cfg(not(feature = "db_sqlite"))]
mod server {
    use super::*;
    use std::time::Instant;

    /// Where nothing listens: bound and closed again.
    fn unused_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_tried_again_and_named_without_the_password() {
        let url = format!("{BACKEND}://user:hunter2@127.0.0.1:{}/notes", unused_port());
        let started = Instant::now();
        let error = Db::open(&settings(&url)).await.unwrap_err();
        assert!(matches!(error, OpenError::Open { .. }), "{error}");
        let message = error.to_string();
        assert!(message.starts_with("cannot open the database 127.0.0.1:"), "{message}");
        assert!(message.contains("/notes: ") && message.contains("refused"), "{message}");
        assert!(!message.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{message}");
        // 100 ms and 200 ms would go beyond 300 ms.
        assert!((100..2000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_server_that_comes_up_late_is_waited_for() {
        let database = TestDatabase::create();
        let (_, address) = database.url.rsplit_once('@').unwrap();
        let server = address.split(['/', '?']).next().unwrap().to_owned();
        let port = unused_port();
        let late = Database {
            connect_timeout: Duration::from_secs(10),
            ..settings(&database.url.replace(&server, &format!("127.0.0.1:{port}")))
        };
        let comes_up = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = tokio::net::TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        };
        let (opened, ()) = tokio::join!(Db::open(&late), comes_up);
        opened.unwrap();
    }

    /// How it fails, without being tried again.
    async fn at_once(settings: Database) -> String {
        let patient = Database { connect_timeout: Duration::from_secs(60), ..settings };
        let opening = tokio::time::timeout(Duration::from_secs(10), Db::open(&patient));
        opening.await.expect("it is tried again").unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_wrong_password_is_not_tried_again() {
        let database = TestDatabase::create();
        let (server, rest) = database.url.split_once("://").unwrap();
        let (_, rest) = rest.rsplit_once('@').unwrap();
        let wrong = format!("{server}://nobody:hunter2@{rest}");
        let error = at_once(settings(&wrong)).await;
        assert!(error.contains("nobody") && !error.contains("hunter2"), "{error}");
    }

    /// The server must have a certificate by the authority in `TEST_DATABASE_CA`.
    #[cfg(feature = "db_postgres")]
    #[tokio::test]
    async fn with_tls_required_a_certificate_of_another_authority_is_refused() {
        let file = |name| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} must name a file with a certificate"))
        };
        let database = TestDatabase::create();
        let (url, _) = database.url.split_once('?').unwrap();
        let with = |ca: String| settings(&format!("{url}?sslmode=verify-full&sslrootcert={ca}"));

        Db::open(&with(file("TEST_DATABASE_CA"))).await.unwrap().check().await.unwrap();
        let error = at_once(with(file("TEST_DATABASE_OTHER_CA"))).await;
        assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
        // Not among the authorities that browsers trust either.
        let error = Db::open(&settings(&format!("{url}?sslmode=verify-full"))).await.unwrap_err().to_string();
        assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
    }
}
