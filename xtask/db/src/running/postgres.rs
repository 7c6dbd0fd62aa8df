//! How PostgreSQL is set up.

use std::path::Path;

use db_servers::Programs;
use rustix::process::Signal;

use super::{Kind, container, local, probe, tls};
use crate::server::Options;

pub(super) const KIND: Kind = Kind { local, container, is_ready };

/// The name of the administrator.
const ADMINISTRATOR: &str = "postgres";

/// How the programs of this machine are run.
fn local(programs: &Programs, folder: &Path, port: u16, password: &str, options: Options) -> local::Recipe {
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
    local::Recipe {
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

/// How its image is run.
fn container(address: &str, port: u16, password: &str, options: Options) -> container::Recipe {
    let mut serve = vec!["postgres".to_owned(), "-c".to_owned(), format!("listen_addresses={address}")];
    serve.extend(settings(port, container::TLS, options));
    container::Recipe {
        user: "postgres",
        env: vec![("POSTGRES_INITDB_ARGS", "--locale=C --encoding=UTF8 --no-sync")],
        password: "POSTGRES_PASSWORD",
        serve,
        url: url(port, password),
    }
}

/// Whether it would let a client log in.
fn is_ready(port: u16) -> bool {
    probe::answer::<1>(port, &startup_message()).is_some_and(|first| first == *b"R")
}

/// The first message of a
/// [PostgreSQL client](https://www.postgresql.org/docs/current/protocol-message-formats.html). The answer is `R`, a
/// request to log in, or `E` as long as the server starts or recovers.
fn startup_message() -> Vec<u8> {
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let protocol = 3_u32 << 16;
    let length = 8 + u32::try_from(parameters.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], &protocol.to_be_bytes(), parameters].concat()
}

/// Settings on the command line, wherever it runs.
fn settings(port: u16, tls: &str, options: Options) -> Vec<String> {
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
fn url(port: u16, password: &str) -> String {
    format!("postgres://{ADMINISTRATOR}:{password}@127.0.0.1:{port}/postgres")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::probe::tests::answered;

    #[test]
    fn only_a_request_to_log_in_counts() {
        assert!(answered(is_ready, b"R\0\0\0"));
        assert!(!answered(is_ready, b"E\0\0\0"));
    }

    #[test]
    fn the_length_counts_itself() {
        let message = startup_message();
        assert_eq!(message[..8], [0, 0, 0, 41, 0, 3, 0, 0]);
        assert_eq!(message.len(), 41);
    }
}
