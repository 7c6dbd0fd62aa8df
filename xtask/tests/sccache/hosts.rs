//! Hosts on one network: each has network, mounts and processes of its own, which all end with it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::run;

/// The address of the Redis, on every host.
pub(crate) const CACHE: &str = "10.231.0.1";
/// Its port.
pub(crate) const PORT: u16 = 6379;
/// What it asks for.
pub(crate) const PASSWORD: &str = "as-secret-as-any-2f8a";

/// The first process of a host. It ends, and all the others with it, when its owner closes its input or is gone.
const INIT: &str = "ip link set lo up && echo up && read -r _";

/// A host, up until dropped.
pub(crate) struct Host {
    init: Child,
    /// The first process, as other hosts number it.
    pid: String,
}

/// Whether this user can make them.
pub(crate) fn work() -> bool {
    let mut command = unshare();
    command.args(["sh", "-c", "ip link set lo up"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}

impl Host {
    fn start() -> Host {
        let mut command = unshare();
        command.args(["sh", "-c", INIT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut init = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(init.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        let children = format!("/proc/{0}/task/{0}/children", init.id());
        let pid = std::fs::read_to_string(children).unwrap().trim().to_owned();
        Host { init, pid }
    }

    /// A command that runs on it, in the root folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.command_in(Path::new("/"), program)
    }

    /// A command that runs on it, in `folder` as this host has it.
    pub(crate) fn command_in(&self, folder: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--mount", "--pid", "--target", &self.pid, "--"]);
        command.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(folder).arg(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SCCACHE_")) {
            command.env_remove(name);
        }
        command
    }

    /// Shows `folder` at `place`, on this host only.
    pub(crate) fn mount(&self, folder: &Path, place: &Path) {
        run(self.command("mount").arg("--bind").args([folder, place]));
    }

    fn ip(&self, args: &str) {
        run(self.command("ip").args(args.split(' ')));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.init.stdin.take());
        let _ = self.init.wait();
    }
}

/// A host with a Redis, to which others are wired.
pub(crate) struct Lan {
    redis: Host,
}

impl Lan {
    pub(crate) fn start() -> Lan {
        let redis = Host::start();
        redis.ip(&format!("address add {CACHE}/32 dev lo"));
        let lan = Lan { redis };
        let mut server = lan.redis.command("redis-server");
        server.args(["--bind", CACHE, "--port", &PORT.to_string(), "--save", "", "--appendonly", "no"]);
        server.args(["--requirepass", PASSWORD, "--daemonize", "yes"]);
        run(&mut server);
        let began = Instant::now();
        let mut ask = lan.redis.command("redis-cli");
        ask.args(["-h", CACHE, "ping"]);
        while !ask.output().is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("NOAUTH")) {
            assert!(began.elapsed() < Duration::from_secs(10), "redis-server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        lan
    }

    /// A host with a wire to the Redis.
    pub(crate) fn host(&self, number: u8) -> Host {
        let host = Host::start();
        let own = format!("10.231.0.{}", number + 2);
        // Not by `ip` of the one host: it would not know the number of the other one's process.
        let mut wire = Command::new("nsenter");
        wire.args(["--net", "--target", &self.redis.pid, "--", "ip", "link", "add", "name"]);
        wire.args([&format!("wire{number}"), "type", "veth", "peer", "name", "eth0", "netns", &host.pid]);
        run(&mut wire);
        for (end, link, from, to) in
            [(&self.redis, format!("wire{number}"), CACHE, &*own), (&host, "eth0".to_owned(), &own, CACHE)]
        {
            end.ip(&format!("address add {from} peer {to} dev {link}"));
            end.ip(&format!("link set {link} up"));
        }
        host
    }
}
