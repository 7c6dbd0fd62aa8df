//! The databases, and what there is to know of their servers.

use std::fmt;
use std::str::FromStr;

use crate::Facts;
use crate::mariadb; // template: if "mysql" in backends || pipeline_tests
use crate::postgres; // template: if "postgres" in backends || pipeline_tests

/// A database that the service can be built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    // template: if "sqlite" in backends || pipeline_tests
    /// A file.
    Sqlite,
    // template: end
    // template: if "postgres" in backends || pipeline_tests
    /// PostgreSQL.
    Postgres,
    // template: end
    // template: if "mysql" in backends || pipeline_tests
    /// MariaDB, or MySQL where a URL names one.
    Mysql,
    // template: end
}

impl Backend {
    /// Every backend.
    pub const ALL: &[Backend] = &[
        // As they are listed everywhere.
        Backend::Sqlite,   // template: if "sqlite" in backends || pipeline_tests
        Backend::Postgres, // template: if "postgres" in backends || pipeline_tests
        Backend::Mysql,    // template: if "mysql" in backends || pipeline_tests
    ];

    /// The name that cargo features and pipeline.toml know it by.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite", // template: if "sqlite" in backends || pipeline_tests
            Backend::Postgres => "postgres", // template: if "postgres" in backends || pipeline_tests
            Backend::Mysql => "mysql",   // template: if "mysql" in backends || pipeline_tests
        }
    }

    /// What there is to know of its server; none where there is no server.
    pub fn facts(self) -> Option<&'static Facts> {
        match self {
            Backend::Sqlite => None, // template: if "sqlite" in backends || pipeline_tests
            Backend::Postgres => Some(&postgres::FACTS), // template: if "postgres" in backends || pipeline_tests
            Backend::Mysql => Some(&mariadb::FACTS),     // template: if "mysql" in backends || pipeline_tests
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
