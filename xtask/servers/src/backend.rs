//! The databases, and what there is to know of their servers.

use std::fmt;
use std::str::FromStr;

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

/// What is particular to the server of a backend.
pub(crate) struct Facts {
    /// Its name for people.
    pub(crate) name: &'static str,
    /// The program that makes an empty data folder.
    pub(crate) initialise: &'static str,
    /// The program that serves.
    pub(crate) serve: &'static str,
    /// Where the programs are besides PATH; a `*` stands for a version.
    pub(crate) folders: &'static [&'static str],
    /// The image with the same server.
    pub(crate) image: &'static str,
    /// The variable with the URL of a server. Not `POSTGRES_URL` and the like: hosts set those to databases that matter.
    pub(crate) variable: &'static str,
    /// The line that installs it.
    pub(crate) install: &'static str,
}

impl Backend {
    /// Every backend.
    pub const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::Mysql];

    /// The name that cargo features and pipeline.toml know it by.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
        }
    }

    /// The line that installs its server here; none where there is no server.
    pub fn install(self) -> Option<&'static str> {
        self.facts().map(|facts| facts.install)
    }

    pub(crate) fn facts(self) -> Option<Facts> {
        let is_mac = cfg!(target_os = "macos");
        match self {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Facts {
                name: "PostgreSQL",
                initialise: "initdb",
                serve: "postgres",
                folders: &[
                    "/usr/lib/postgresql/*/bin",
                    "/usr/pgsql-*/bin",
                    "/opt/homebrew/opt/postgresql@*/bin",
                    "/usr/local/opt/postgresql@*/bin",
                ],
                image: "docker.io/library/postgres:17-alpine",
                variable: "XTASK_POSTGRES_URL",
                install: if is_mac {
                    "brew install postgresql@17"
                } else {
                    "sudo apt-get install postgresql"
                },
            }),
            Backend::Mysql => Some(Facts {
                name: "MariaDB",
                initialise: "mariadb-install-db",
                serve: "mariadbd",
                folders: &[
                    "/usr/sbin",
                    "/usr/bin",
                    "/usr/libexec",
                    "/opt/homebrew/opt/mariadb*/bin",
                    "/usr/local/opt/mariadb*/bin",
                ],
                image: "docker.io/library/mariadb:11.8",
                variable: "XTASK_MYSQL_URL",
                install: if is_mac { "brew install mariadb" } else { "sudo apt-get install mariadb-server" },
            }),
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
        known
            .copied()
            .ok_or_else(|| format!("no database is named `{text}`; there is sqlite, postgres, mysql"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        assert_eq!(
            "oracle".parse::<Backend>(),
            Err("no database is named `oracle`; there is sqlite, postgres, mysql".to_owned())
        );
    }
}
