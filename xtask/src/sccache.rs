//! The step that brings up sccache's server, which every compiler then asks.
//!
//! The server keeps the settings that it was started with, and without its cache it does not start: every compiler would
//! wait ten seconds for it and fail. So this starts a new one for each build, asks the cache beforehand, and when that does
//! not answer starts a server that has none.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::config::Sccache;
use crate::platform;

/// How long the cache may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Variables that sccache heeds before those of a cache.
const FIRST: [&str; 5] = [
    "SCCACHE_MULTILEVEL_CHAIN",
    "SCCACHE_BUCKET",
    "SCCACHE_REDIS",
    "SCCACHE_REDIS_CLUSTER_ENDPOINTS",
    "SCCACHE_REDIS_ENDPOINT",
];

/// Brings up the server. Fails only when sccache does not even start without a cache.
pub(crate) fn main(cache: &Sccache) -> ExitCode {
    // Without a server from an earlier build there is none to stop.
    let _ = Command::new("sccache").arg("--stop-server").output();
    let Err(reason) = ask(cache).and_then(|()| start(&mut with_cache(cache))) else {
        return ExitCode::SUCCESS;
    };
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "warning: compiling without the cache {cache}: {reason}");
    match start(&mut without_cache()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(stderr, "error: sccache does not start: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn with_cache(cache: &Sccache) -> Command {
    let mut command = Command::new("sccache");
    for name in FIRST {
        command.env_remove(name);
    }
    command.envs(cache.env());
    command
}

/// What it may have kept on this machine is still read.
fn without_cache() -> Command {
    let mut command = Command::new("sccache");
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SCCACHE_") && name != "SCCACHE_SERVER_UDS") {
            command.env_remove(name);
        }
    }
    command.env("SCCACHE_CONF", platform::NULL).env("SCCACHE_LOCAL_RW_MODE", "READ_ONLY");
    command
}

fn start(command: &mut Command) -> Result<(), String> {
    let output = command.arg("--start-server").output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let reason = text.lines().find_map(|line| line.strip_prefix("sccache: error: "));
    Err(reason.unwrap_or("sccache does not say why").to_owned())
}

/// Whether the cache answers. sccache says no more than that it waited in vain, and keeps a processor busy meanwhile.
fn ask(cache: &Sccache) -> Result<(), String> {
    match cache {
        Sccache::Redis { endpoint } => match endpoint.strip_prefix("redis://") {
            Some(place) => ask_redis(&connect(place)?),
            None => connect(endpoint.trim_start_matches("rediss://")).map(drop),
        },
        Sccache::Disk => Ok(()),
        // Nothing less than a signed request would tell, and sccache sends one.
        Sccache::S3 { .. } => Ok(()),
    }
}

/// Connects to `place`, which has a port unless that is the usual one of Redis.
fn connect(place: &str) -> Result<TcpStream, String> {
    let has_port = place.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let place = if has_port { place.to_owned() } else { format!("{place}:6379") };
    let mut last = "its name has no address".to_owned();
    for address in place.to_socket_addrs().map_err(|error| error.to_string())? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// Logs in and says hello: <https://redis.io/docs/latest/develop/reference/protocol-spec>.
fn ask_redis(stream: &TcpStream) -> Result<(), String> {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let mut commands = Vec::new();
    if let Some(password) = variable("SCCACHE_REDIS_PASSWORD") {
        let auth = ["AUTH".to_owned()].into_iter().chain(variable("SCCACHE_REDIS_USERNAME"));
        commands.push(auth.chain([password]).collect::<Vec<_>>());
    }
    commands.push(vec!["PING".to_owned()]);

    let failed = |error: std::io::Error| error.to_string();
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut reader = BufReader::new(stream);
    for words in commands {
        let lines = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect::<String>();
        (&mut &*stream).write_all(format!("*{}\r\n{lines}", words.len()).as_bytes()).map_err(failed)?;
        let mut reply = String::new();
        reader.read_line(&mut reply).map_err(failed)?;
        if !reply.starts_with('+') {
            // Only the first word: the rest of it may repeat what was sent.
            return Err(match reply.split_whitespace().next().unwrap_or_default() {
                "-NOAUTH" => "it wants a password; set SCCACHE_REDIS_PASSWORD".to_owned(),
                "-WRONGPASS" => "it refuses the password in SCCACHE_REDIS_PASSWORD".to_owned(),
                other => format!("it does not answer as Redis does, but `{other}`"),
            });
        }
    }
    Ok(())
}
