//! MariaDB, which speaks as MySQL does.

use crate::{Facts, Packages};

pub(crate) const FACTS: Facts = Facts {
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
    packages: Packages { apt: "mariadb-server", brew: "mariadb" },
};
