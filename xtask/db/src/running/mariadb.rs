//! How MariaDB is set up.

use std::path::Path;

use db_servers::Programs;
use rustix::process::Signal;

use super::{Kind, container, local, probe, tls};
use crate::queries::DATABASE;
use crate::server::Options;

pub(super) const KIND: Kind = Kind { local, container, is_ready };

/// The name of the administrator.
const ADMINISTRATOR: &str = "root";

/// How the programs of this machine are run.
fn local(programs: &Programs, folder: &Path, port: u16, password: &str, options: Options) -> local::Recipe {
    let program = |path: &Path| path.to_string_lossy().into_owned();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let datadir = format!("--datadir={}", path("data"));
    // Never shared: a server that starts removes what it takes for leftovers there, be they another server's.
    let tmpdir = format!("--tmpdir={}", folder.display());
    let initialise = vec![
        program(&programs.initialise),
        "--no-defaults".to_owned(),
        datadir.clone(),
        tmpdir.clone(),
        "--skip-test-db".to_owned(),
        "--skip-name-resolve".to_owned(),
        // Seconds become tenths: a small log, and no waiting for the disk. Whoever started this has nothing to lose yet.
        "--innodb-log-file-size=8M".to_owned(),
        "--loose-debug-no-sync".to_owned(),
    ];
    let mut serve = vec![
        program(&programs.serve),
        "--no-defaults".to_owned(),
        datadir,
        tmpdir,
        "--bind-address=127.0.0.1".to_owned(),
        // Relative to the data, where a long path does no harm.
        "--socket=socket".to_owned(),
        format!("--init-file={}", path("init.sql")),
    ];
    serve.extend(settings(port, &path(tls::FOLDER), options));
    local::Recipe {
        accounts: &["mysql", "_mysql", "nobody"],
        files: vec![("init.sql", init_sql(password))],
        initialise,
        serve,
        stop: Signal::TERM,
        abort: "KILL",
        url: url(port, password),
    }
}

/// How its image is run.
fn container(address: &str, port: u16, password: &str, options: Options) -> container::Recipe {
    let mut serve = vec!["mariadbd".to_owned(), format!("--bind-address={address}")];
    serve.extend(settings(port, container::TLS, options));
    container::Recipe {
        user: "mysql",
        // Reading the time zones takes longer than everything else.
        env: vec![("MARIADB_DATABASE", DATABASE), ("MARIADB_INITDB_SKIP_TZINFO", "1")],
        password: "MARIADB_ROOT_PASSWORD",
        serve,
        url: url(port, password),
    }
}

/// Whether it would let a client log in: four bytes of header, then the version of the protocol; 255 would be an error.
fn is_ready(port: u16) -> bool {
    probe::answer::<5>(port, &[]).is_some_and(|greeting| greeting[4] == 10)
}

/// Settings on the command line, wherever it runs.
fn settings(port: u16, tls: &str, options: Options) -> Vec<String> {
    let mut settings = vec![
        format!("--port={port}"),
        // Tests run at once, each with a pool of its own.
        "--max-connections=200".to_owned(),
        "--skip-name-resolve".to_owned(),
        // What distributions configure, and what newer releases have anyway.
        "--character-set-server=utf8mb4".to_owned(),
        format!("--ssl-cert={tls}/{}", tls::CERTIFICATE),
        format!("--ssl-key={tls}/{}", tls::KEY),
    ];
    if options.fast {
        let fast =
            ["--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--loose-debug-no-sync"];
        settings.extend(fast.map(str::to_owned));
    }
    settings
}

/// The administrator's URL.
fn url(port: u16, password: &str) -> String {
    format!("mysql://{ADMINISTRATOR}:{password}@127.0.0.1:{port}/{DATABASE}")
}

/// Runs at each start. The account that is there from the beginning only lets the system's root in, by a socket.
fn init_sql(password: &str) -> String {
    let account = format!("'{ADMINISTRATOR}'@'%'");
    // One statement a line: that is how the server reads the file.
    format!(
        "CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;\n\
         CREATE DATABASE IF NOT EXISTS {DATABASE};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::probe::tests::answered;

    #[test]
    fn only_a_greeting_counts() {
        assert!(answered(is_ready, b"\x4a\0\0\0\x0a"));
        assert!(!answered(is_ready, b"\x4a\0\0\0\xff"));
        assert!(!answered(is_ready, b""));
    }
}
