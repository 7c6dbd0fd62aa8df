//! A database on a server that runs already, and whose URL was given.

use anyhow::{Context, Result};
use db_servers::GivenUrl;

use super::{Access, random};
use crate::sql;

/// A database with a name of its own, dropped at the end.
pub(crate) struct Given {
    url: String,
}

impl Given {
    /// The database's name.
    pub(super) fn name(&self) -> &str {
        let path = self.url.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Makes the database.
    pub(super) fn start(given: &GivenUrl) -> Result<(Given, Access)> {
        let name = format!("throw_away_{}", &random::secret()?[..12]);
        let url = with_database(&given.url, &name).with_context(|| {
            format!("{} is no URL such as SCHEME://user:password@host/database", given.variable)
        })?;
        sql::create_database(&url)
            .with_context(|| format!("cannot make a database with {}", given.variable))?;
        Ok((Given { url: url.clone() }, Access { url, ca: None }))
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        // The server may be gone by now, and nobody is left to be told.
        let _ = sql::drop_database(&self.url);
    }
}

/// `url` with another database in its path.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, query) =
        rest.split_once('?').map_or((rest, String::new()), |(r, query)| (r, format!("?{query}")));
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    Some(format!("{scheme}://{authority}/{name}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_replaced_and_the_rest_is_kept() {
        for (url, expected) in [
            ("db://me:pw@db:5432/admin?sslmode=require", "db://me:pw@db:5432/x?sslmode=require"),
            ("db://root@127.0.0.1", "db://root@127.0.0.1/x"),
            ("db://root@127.0.0.1/?ssl-mode=disabled", "db://root@127.0.0.1/x?ssl-mode=disabled"),
        ] {
            assert_eq!(with_database(url, "x").as_deref(), Some(expected));
        }
        assert_eq!(with_database("db:5432", "x"), None);
        assert_eq!(with_database("db:///admin", "x"), None);
    }
}
