//! Whether a server takes connections: asked with the first bytes of its protocol, no driver needed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use db_servers::Backend;

/// How long an answer may take before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the server at `port` of the loopback interface would let a client log in.
pub(crate) fn is_ready(backend: Backend, port: u16) -> bool {
    match backend {
        Backend::Sqlite => true,
        Backend::Postgres => answer::<1>(port, &startup_message()).is_some_and(|first| first == *b"R"),
        // Four bytes of header, then the version of the protocol; 255 would be an error.
        Backend::Mysql => answer::<5>(port, &[]).is_some_and(|greeting| greeting[4] == 10),
    }
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

/// Sends `request` and reads the first `N` bytes of what comes.
fn answer<const N: usize>(port: u16, request: &[u8]) -> Option<[u8; N]> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// What [`is_ready`] makes of a server that answers `bytes`.
    fn answered(backend: Backend, bytes: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(bytes).unwrap());
        let is_ready = is_ready(backend, port);
        server.join().unwrap();
        is_ready
    }

    #[test]
    fn only_a_request_to_log_in_counts() {
        assert!(answered(Backend::Postgres, b"R\0\0\0"));
        assert!(!answered(Backend::Postgres, b"E\0\0\0"));
        assert!(answered(Backend::Mysql, b"\x4a\0\0\0\x0a"));
        assert!(!answered(Backend::Mysql, b"\x4a\0\0\0\xff"));
        assert!(!answered(Backend::Mysql, b""));
    }

    #[test]
    fn the_length_counts_itself() {
        let message = startup_message();
        assert_eq!(message[..8], [0, 0, 0, 41, 0, 3, 0, 0]);
        assert_eq!(message.len(), 41);
    }
}
