//! How PostgreSQL is set up.

use std::path::Path;

use db_servers::Programs;
use rustix::process::Signal;

use crate::server::Options;
use crate::tls;

use crate::local::Recipe;

/// The name of the administrator.
const ADMINISTRATOR: &str = "postgres";

/// How the programs of this machine are run.
pub(crate) fn recipe(
    programs: &Programs,
    folder: &Path,
    port: u16,
    password: &str,
    options: Options,
) -> Recipe {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let program = |path: &Path| path.to_string_lossy().into_owned();
    let initialise = [
        &[program(&programs.initialise), "--pgdata".to_owned(), path("data")][..],
        &["--username".to_owned(), ADMINISTRATOR.to_owned(), "--pwfile".to_owned(), path("password")],
        &words(&["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]),
    ];
    let mut serve = vec![program(&programs.serve), "-D".to_owned(), path("data")];
    // No file is needed to reach it, and a path too long for a socket does no harm.
    serve.extend(words(&["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"]));
    serve.extend(settings(port, &path(tls::FOLDER), options));
    Recipe {
        accounts: &["postgres", "_postgres", "nobody"],
        files: vec![("password", password.to_owned())],
        initialise: initialise.concat(),
        serve,
        // Ends sessions, writes everything, and stops.
        stop: Signal::INT,
        // Stops at once, and still gives back its shared memory.
        abort: "QUIT",
        url: url(port, password),
    }
}

/// Settings on the command line, wherever it runs.
pub(crate) fn settings(port: u16, tls: &str, options: Options) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        // Tests run at once, each with a pool of its own.
        "max_connections=200".to_owned(),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={tls}/{}", tls::CERTIFICATE),
        format!("ssl_key_file={tls}/{}", tls::KEY),
    ];
    if options.fast {
        settings.extend(words(&["fsync=off", "synchronous_commit=off", "full_page_writes=off"]));
    }
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// The administrator's URL.
pub(crate) fn url(port: u16, password: &str) -> String {
    format!("postgres://{ADMINISTRATOR}:{password}@127.0.0.1:{port}/postgres")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
