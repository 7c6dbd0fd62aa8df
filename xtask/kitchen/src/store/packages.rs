//! The lock files of builds: each is kept once.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::Store;
use crate::build::lockfile::{self, Package};

impl Store {
    /// Notes which lock file a build had, by its text.
    ///
    /// # Errors
    /// When it is none, or the database fails.
    pub async fn keep_lock(&self, build: i64, text: &str) -> Result<()> {
        let cannot = "cannot keep the packages of the build";
        let sha256: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.context(cannot)?;
        let known = sqlx::query_scalar("SELECT id FROM locks WHERE sha256 = ?").bind(&sha256);
        let known: Option<i64> = known.fetch_optional(&mut *transaction).await.context(cannot)?;
        let lock = match known {
            Some(lock) => lock,
            None => {
                // Reading the text takes longer than all else here, and most builds have the file of the one before.
                let packages = serde_json::to_string(&lockfile::packages(text)?)?;
                let row =
                    sqlx::query_scalar("INSERT INTO locks (sha256) VALUES (?) RETURNING id").bind(&sha256);
                let lock: i64 = row.fetch_one(&mut *transaction).await.context(cannot)?;
                let rows = sqlx::query(
                    "INSERT OR IGNORE INTO packages
                     SELECT ?, value ->> 'name', value ->> 'version', value ->> 'source' FROM json_each(?)",
                );
                rows.bind(lock).bind(packages).execute(&mut *transaction).await.context(cannot)?;
                lock
            }
        };
        let row = sqlx::query("UPDATE builds SET lock_id = ? WHERE id = ?").bind(lock).bind(build);
        row.execute(&mut *transaction).await.context(cannot)?;
        transaction.commit().await.context(cannot)
    }

    /// The SHA-256 of the lock file that a build had, in hex digits.
    ///
    /// # Errors
    /// When the database fails, as in what follows.
    pub async fn lock(&self, build: i64) -> Result<Option<String>> {
        let row = sqlx::query_scalar(
            "SELECT sha256 FROM builds JOIN locks ON locks.id = lock_id WHERE builds.id = ?",
        );
        row.bind(build).fetch_optional(&self.pool).await.context("cannot read the lock file of the build")
    }

    /// The packages in the lock file that a build had, by name.
    pub async fn packages(&self, build: i64) -> Result<Vec<Package>> {
        let rows = sqlx::query_as(
            "SELECT name, version, source FROM packages
             WHERE lock_id = (SELECT lock_id FROM builds WHERE id = ?) ORDER BY name, version, source",
        );
        rows.bind(build).fetch_all(&self.pool).await.context("cannot read the packages of the build")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Request;
    use crate::place::Place;

    fn lock(version: &str) -> String {
        format!("[[package]]\nname = \"a\"\nversion = \"{version}\"\nsource = \"registry+x\"\n")
    }

    #[tokio::test]
    async fn a_lock_file_is_kept_once_and_for_as_long_as_a_build_has_it() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::in_project(project.path()).unwrap()).await.unwrap();
        for version in ["1.0.0", "1.0.0", "2.0.0"] {
            let id = store.enqueue(&Request::default()).await.unwrap();
            store.keep_lock(id, &lock(version)).await.unwrap();
        }
        assert_eq!(store.lock(1).await.unwrap(), store.lock(2).await.unwrap());
        assert_eq!(store.packages(3).await.unwrap()[0].version, "2.0.0");
        let count = async |table: &str| -> i64 {
            let query = format!("SELECT count(*) FROM {table}");
            sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&store.pool).await.unwrap()
        };
        assert_eq!((count("locks").await, count("packages").await), (2, 2));
        for (build, left) in [(1, 2), (2, 1), (3, 0)] {
            sqlx::query("DELETE FROM builds WHERE id = ?").bind(build).execute(&store.pool).await.unwrap();
            assert_eq!((count("locks").await, count("packages").await), (left, left));
        }
    }

    #[tokio::test]
    async fn what_is_no_lock_file_leaves_nothing() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::in_project(project.path()).unwrap()).await.unwrap();
        let id = store.enqueue(&Request::default()).await.unwrap();
        assert!(store.keep_lock(id, "<<<<<<< HEAD").await.is_err());
        assert_eq!(store.lock(id).await.unwrap(), None);
        assert!(store.packages(id).await.unwrap().is_empty());
    }
}
