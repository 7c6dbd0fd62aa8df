//! A database of its own for each test: a file, or one made on the server that `TEST_DATABASE_URL` names.

#[cfg_attr(feature = "db_sqlite", path = "file.rs")] // template: if "sqlite" in backends
#[cfg_attr(feature = "db_postgres", path = "server.rs")] // template: if "postgres" in backends
#[cfg_attr(feature = "db_mysql", path = "server.rs")] // template: if "mysql" in backends
mod place;

use app::db::Connection;
use place::Place;
use sqlx::Connection as _;

/// Removed when dropped.
pub(crate) struct TestDatabase {
    /// For the service under test.
    pub(crate) url: String,
    _place: Place,
}

impl TestDatabase {
    pub(crate) fn create() -> Self {
        let (url, place) = place::create();
        Self { url, _place: place }
    }

    /// Executes a statement in it. Not from within a runtime.
    pub(crate) fn execute(&self, statement: &'static str) {
        execute(&self.url, statement.to_owned());
    }
}

fn execute(url: &str, statement: String) {
    let run = async {
        let mut connection = Connection::connect(url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
}
