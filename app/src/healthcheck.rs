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
    let answer = ask(address).map_err(|error| Error::Unhealthy { address, reason: error.to_string() })?;
    let status = answer.split_whitespace().nth(1).unwrap_or("no status");
    if status == "200" {
        return Ok(());
    }
    Err(Error::Unhealthy { address, reason: format!("it answered {status}") })
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
