//! From a pull, and from the start of the container's process, to the first request that is answered.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use super::Opening;
use super::image::{Remote, with_images};
use crate::bench::Bench;
use crate::command::{command, output_of, stopped};
use crate::docker::{self, LABEL, docker};
use crate::field::Field;
use crate::flags::Scenario;
use crate::measure::{Quantity, Sample};
use crate::peer::TAG;
use crate::report::Section;
use crate::rounds::{Side, in_turn};

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_micros(500);

const HOW: &str = "The image is removed from Docker, pulled from a registry on this machine by a line without a limit, and \
                   started with the host's network. Layers that other images in Docker have are not \
                   pulled again. The time ends with the first answer 200 to GET /notes, for which SQLite \
                   has made its file and its tables. The process is counted from the time at which Docker says that the \
                   container was started.";

/// Measures it.
///
/// # Errors
/// When a signal asks us to stop, or Docker does not run.
pub(super) fn run(bench: &Bench, field: &mut Field) -> Result<Section> {
    if let Some(why) = docker::missing() {
        bail!("{why}");
    }
    let backend = &bench.settings.backends[0];
    if backend != "sqlite" {
        bail!("with {backend} the service needs a server, whose start would be measured as well");
    }
    field.build(bench)?;
    let opening = Opening::new(Scenario::Start);
    let network = bench.network()?;
    network.line.limit(None);
    let sides = with_images(field).map(|contestant| Side {
        name: contestant.name.clone(),
        prepare: Box::new(move || {
            let remote = Remote::push(bench, network, contestant)?;
            [&contestant.image(bench), &remote.name].into_iter().for_each(|name| forget(name));
            Ok(())
        }),
        run: Box::new(move || {
            let remote = Remote::of(bench, network, contestant);
            let pulled = format!("{}:{}", remote.name, remote.tag);
            let sample = once(bench, &pulled)?;
            // What was pulled is what the next round pushes.
            docker(&["tag", &pulled, &format!("{}:{TAG}", contestant.image(bench))])?;
            Ok(sample)
        }),
    });
    let rounds = in_turn(sides.collect(), 1, bench.rounds(Scenario::Start))?;
    Ok(opening.section(field, "Pull, start and the first answer", HOW, Quantity::Seconds, rounds))
}

/// Removes an image by all its tags, so that nothing keeps its layers.
fn forget(name: &str) {
    let tags = output_of("docker", &["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name]);
    for tag in tags.unwrap_or_default().lines() {
        output_of("docker", &["image", "rm", "--force", tag]);
    }
}

fn once(bench: &Bench, image: &str) -> Result<Sample> {
    let (port, admin) = (free_port()?, free_port()?);
    let began = Instant::now();
    let mut pull = command("docker", &bench.folder);
    pull.args(["pull", "--quiet", image]);
    bench.runner.run(pull)?;
    let answer = ask(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let container = start(bench, image, port, admin)?;
    let answered = answer.join().ok().flatten();
    let started = docker(&["inspect", "--format", "{{.State.StartedAt}}", &container])?;
    let said = output_of("docker", &["logs", "--tail", "5", &container]);
    docker(&["rm", "--force", "--volumes", &container])?;
    stopped()?;
    let (instant, time) = answered
        .with_context(|| format!("the service did not answer; it said: {}", said.unwrap_or_default()))?;
    let started =
        humantime::parse_rfc3339(&started).context("Docker does not say when the container was started")?;
    let process = time.duration_since(started).unwrap_or_default();
    Ok(Sample::from([
        (Quantity::Seconds, (instant - began).as_secs_f64()),
        (Quantity::Process, process.as_secs_f64() * 1000.0),
    ]))
}

fn start(bench: &Bench, image: &str, port: u16, admin: u16) -> Result<String> {
    let label = format!("{LABEL}={}", bench.id);
    let server = format!("APP__SERVER__PORT={port}");
    let admin = format!("APP__ADMIN__PORT={admin}");
    docker(&[
        "run",
        "--detach",
        "--network",
        "host",
        "--label",
        &label,
        "--env",
        &server,
        "--env",
        &admin,
        image,
    ])
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr().context("there is no free port")?.port())
}

/// When the first request was answered, by two clocks; none if none was.
type Answered = Option<(Instant, SystemTime)>;

/// Asks over and over, in a thread of its own, from before the container is started.
fn ask(address: SocketAddr) -> JoinHandle<Answered> {
    thread::spawn(move || {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && stopped().is_ok() {
            if is_answered(address) {
                return Some((Instant::now(), SystemTime::now()));
            }
            thread::sleep(INTERVAL);
        }
        None
    })
}

fn is_answered(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
