//! How MariaDB is set up.

use std::path::Path;

use db_servers::Programs;
use rustix::process::Signal;

use crate::local::Recipe;
use crate::server::Options;
use crate::tls;

/// The name of the administrator.
const ADMINISTRATOR: &str = "root";
/// The database of the URL. Its name gets into sqlx's query cache, so it is always the same.
pub(crate) const DATABASE: &str = "app";

/// How the programs of this machine are run.
pub(crate) fn recipe(
    programs: &Programs,
    folder: &Path,
    port: u16,
    password: &str,
    options: Options,
) -> Recipe {
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
    Recipe {
        accounts: &["mysql", "_mysql", "nobody"],
        files: vec![("init.sql", init_sql(password))],
        initialise,
        serve,
        stop: Signal::TERM,
        abort: "KILL",
        url: url(port, password),
    }
}

/// Settings on the command line, wherever it runs.
pub(crate) fn settings(port: u16, tls: &str, options: Options) -> Vec<String> {
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
pub(crate) fn url(port: u16, password: &str) -> String {
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
