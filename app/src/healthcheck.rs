//! `app healthcheck`: asks a running service whether it is ready, for images that have no shell and no curl.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::{config::Admin, error::Error};

/// Longer than the service takes to find that its database does not answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the admin port, which speaks plain HTTP whatever the service does.
///
/// # Errors
/// When nothing answers there, or the answer is not that it is ready.
pub fn run(admin: &Admin) -> Result<(), Error> {
    let host = match admin.host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = SocketAddr::new(host, admin.port);
    let unhealthy = |reason| Error::Unhealthy { address, reason };
    let status_line = ask(address).map_err(|error| unhealthy(error.to_string()))?;
    match status_line.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        status => Err(unhealthy(format!("it answered {}", status.unwrap_or("something else than HTTP")))),
    }
}

/// The first line of the answer: it comes in one piece, or is not worth waiting for.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut start = [0; 64];
    let length = stream.read(&mut start)?;
    Ok(String::from_utf8_lossy(&start[..length]).into_owned())
}
