//! The first bytes of a server's protocol: they tell whether it takes connections, and no driver is needed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends `request` and reads the first `N` bytes of what comes.
pub(super) fn answer<const N: usize>(port: u16, request: &[u8]) -> Option<[u8; N]> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request).ok()?;
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// What a probe makes of a server that answers `bytes`.
    pub(in crate::running) fn answered(is_ready: fn(u16) -> bool, bytes: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(bytes).unwrap());
        let is_ready = is_ready(port);
        server.join().unwrap();
        is_ready
    }
}
