//! Passwords, names and ports that nobody else has.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;

use anyhow::{Context, Result};

/// Below what operating systems hand out by themselves: there, a client's own connection could take the port while the
/// server is down, or even connect to itself.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// A password, or part of a name: 32 hex digits.
///
/// # Errors
/// When the system has no randomness.
pub(super) fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    let mut source = File::open("/dev/urandom").context("cannot open /dev/urandom")?;
    source.read_exact(&mut bytes).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A port of the loopback interface that nothing listens on.
///
/// # Errors
/// When none of many is free.
pub(super) fn free_port() -> Result<u16> {
    let start = u16::from_str_radix(&secret()?[..4], 16).unwrap_or_default();
    let count = PORTS.end - PORTS.start;
    let mut ports = (0..count).map(|step| PORTS.start + (start % count + step) % count);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).context("no port between 15000 and 32000 is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert!(one.len() == 32 && one != other);
    }

    #[test]
    fn a_port_is_free_and_in_range() {
        let port = free_port().unwrap();
        assert!(PORTS.contains(&port));
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}
