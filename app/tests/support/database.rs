//! A database of its own for each test: a file, or one made on the server that `TEST_DATABASE_URL` names.

#[cfg(feature = "db_mysql")]
type Options = sqlx::mysql::MySqlConnectOptions;
#[cfg(feature = "db_postgres")]
type Options = sqlx::postgres::PgConnectOptions;
#[cfg(feature = "db_sqlite")]
type Options = sqlx::sqlite::SqliteConnectOptions;

/// Removed when dropped.
pub(crate) struct TestDatabase {
    /// For the service under test.
    pub(crate) url: String,
    #[cfg(feature = "db_sqlite")]
    _folder: tempfile::TempDir,
    #[cfg(not(feature = "db_sqlite"))]
    name: String,
}

impl TestDatabase {
    /// Executes a statement in it. Not from within a runtime.
    pub(crate) fn execute(&self, statement: &'static str) {
        use sqlx::{ConnectOptions, Connection};

        let run = async {
            let mut connection = self.url.parse::<Options>().unwrap().connect().await.unwrap();
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
    }
}

#[cfg(feature = "db_sqlite")]
impl TestDatabase {
    pub(crate) fn create() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new/folder/app.db").display());
        Self { url, _folder: folder }
    }
}

#[cfg(not(feature = "db_sqlite"))]
impl TestDatabase {
    pub(crate) fn create() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let url = execute(format!("CREATE DATABASE {name}"));
        let (server, query) = url.split_once('?').unwrap_or((&url, ""));
        let server = &server[..server.rfind('/').unwrap()];
        Self { url: format!("{server}/{name}?{query}"), name }
    }
}

#[cfg(not(feature = "db_sqlite"))]
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let force = if cfg!(feature = "db_postgres") { " WITH (FORCE)" } else { "" };
        execute(format!("DROP DATABASE {}{force}", self.name));
    }
}

/// Executes a statement on the server, and gives the server's URL. On a thread of its own: the test may be in a runtime.
#[cfg(not(feature = "db_sqlite"))]
fn execute(statement: String) -> String {
    use sqlx::{ConnectOptions, Connection};

    let url = std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL must name a server to test with; `cargo xtask check` starts one itself");
    let run = async move {
        let mut connection = url.parse::<Options>().unwrap().connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        url
    };
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run)
    })
    .join()
    .unwrap()
}
