//! The databases, and what there is to know of their servers.

use std::fmt;
use std::str::FromStr;

use crate::Facts;
use crate::mariadb;
use crate::postgres;

/// A database that the service can be built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,

    /// PostgreSQL.
    Postgres,

    /// MariaDB, or MySQL where a URL names one.
    Mysql,
}

impl Backend {
    /// Every backend.
    pub const ALL: &[Backend] = &[Backend::Sqlite, Backend::Postgres, Backend::Mysql];

    /// The name that cargo features and pipeline.toml know it by.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
        }
    }

    /// What there is to know of its server; none where there is no server.
    pub fn facts(self) -> Option<&'static Facts> {
        match self {
            Backend::Sqlite => None,
            Backend::Postgres => Some(&postgres::FACTS),
            Backend::Mysql => Some(&mariadb::FACTS),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Backend, String> {
        let known = Backend::ALL.iter().find(|backend| backend.name() == text);
        known.copied().ok_or_else(|| {
            let names: Vec<_> = Backend::ALL.iter().map(|backend| backend.name()).collect();
            format!("no database is named `{text}`; there is {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(*backend));
        }
        let error = "oracle".parse::<Backend>().unwrap_err();
        let first = Backend::ALL[0];
        assert!(error.starts_with(&format!("no database is named `oracle`; there is {first}")), "{error}");
    }
}
