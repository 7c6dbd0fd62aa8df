//! PostgreSQL.

use crate::{Facts, Packages};

pub(crate) const FACTS: Facts = Facts {
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
    packages: Packages { apt: "postgresql", brew: "postgresql@17" },
};
