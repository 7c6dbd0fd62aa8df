//! What there is to know of a kind of server.

/// What is particular to the server of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name for people.
    pub name: &'static str,
    /// The program that makes an empty data folder.
    pub initialise: &'static str,
    /// The program that serves.
    pub serve: &'static str,
    /// Where the programs are besides PATH; a `*` stands for a version.
    pub folders: &'static [&'static str],
    /// The image with the same server.
    pub image: &'static str,
    /// The variable with the URL of a server. Not one without `XTASK_`: hosts set those to databases that matter.
    pub variable: &'static str,
    /// What installs it.
    pub packages: Packages,
}

/// The packages with the server of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packages {
    /// The package of Debian and Ubuntu.
    pub apt: &'static str,
    /// The formula of Homebrew.
    pub brew: &'static str,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A server that there is not.
    pub(crate) const FACTS: Facts = Facts {
        name: "Database",
        initialise: "makedb",
        serve: "servedb",
        folders: &[],
        image: "db",
        variable: "XTASK_DB_URL",
        packages: Packages { apt: "db-server", brew: "db" },
    };
}
