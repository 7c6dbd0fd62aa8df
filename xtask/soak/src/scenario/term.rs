//! SIGTERM in the middle of work, as at every deployment. Each request that was sent is answered, and a client that
//! listens to events for ever does not hold up the end.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use db_servers::Backend;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::create_note;
use crate::crowd::{Crowd, outcomes};
use crate::figure::Figure;
use crate::http::{Failure, Request, connect, read_answer, read_head};
use crate::report::Section;
use crate::service::Service;
use crate::soak::Soak;
use crate::stats::median;

const TIMES: usize = 20;
/// Clients that ask without a pause, one in eight times to create a note.
const CLIENTS: u32 = 32;
/// Clients whose requests are half sent when the signal comes.
const SLOW: usize = 8;
/// How long there is load before the signal.
const BEFORE: Duration = Duration::from_millis(300);
/// How long after the signal the slow ones send the rest: later than the service takes new requests.
const REST: Duration = Duration::from_millis(800);
/// Longer than the service's own deadline.
const PATIENCE: Duration = Duration::from_secs(30);

/// What happened in one run.
struct Run {
    answered: usize,
    /// Requests that were sent and not answered.
    dropped: usize,
    /// Answers other than success.
    refused: String,
    slow_answered: usize,
    took: Duration,
    is_clean: bool,
    stream_ended: bool,
}

pub(super) async fn run(soak: &Soak, backend: Backend, section: &mut Section<'_>) -> Result<()> {
    let mut runs = Vec::new();
    for _ in 0..TIMES {
        runs.push(once(soak, backend).await?);
    }
    let sum = |count: fn(&Run) -> usize| runs.iter().map(count).sum::<usize>();
    let answered = sum(|run| run.answered);
    section.add(
        Figure::none("requests dropped", sum(|run| run.dropped))
            .detail(format!("{answered} answered in {TIMES} runs")),
    );
    let refused = runs.iter().filter(|run| run.refused != "none").map(|run| run.refused.as_str());
    let refused = refused.collect::<Vec<_>>();
    section.add(
        Figure::none("runs with answers other than 200 and 201", refused.len()).detail(refused.join("; ")),
    );
    let slow = TIMES * SLOW - sum(|run| run.slow_answered);
    section.add(Figure::none("half-sent requests not answered", slow).detail(format!("of {}", TIMES * SLOW)));
    let streams = sum(|run| usize::from(!run.stream_ended));
    section.add(Figure::none("streams not ended in an orderly way", streams).detail(format!("of {TIMES}")));
    let slowest = runs.iter().map(|run| run.took).max().unwrap_or_default();
    let middle = median(runs.iter().map(|run| run.took.as_secs_f64()));
    section.add(
        Figure::seconds("slowest end after the signal", slowest)
            .at_most(2.0)
            .detail(format!("median {middle:.2} s")),
    );
    section.add(Figure::none("exit codes other than 0", sum(|run| usize::from(!run.is_clean))));
    Ok(())
}

async fn once(soak: &Soak, backend: Backend) -> Result<Run> {
    let (_database, mut service) = soak.start(backend, &[]).await?;
    let (path, _) = create_note(&service).await?;

    let crowd = Crowd::start(service.address, CLIENTS, Duration::ZERO, move |number| match number % 8 {
        0 => Request::create("Under load"),
        _ => Request::get(&path),
    })?;
    let stream = tokio::spawn(follow(open_stream(&service).await?));
    let mut slow = JoinSet::new();
    for _ in 0..SLOW {
        slow.spawn(send_slowly(service.address));
    }
    sleep(BEFORE).await;
    service.signal(Signal::TERM)?;
    let (status, took) = service.wait(PATIENCE).await?;

    let samples = crowd.finish().await?;
    let dropped = samples.iter().filter(|sample| sample.outcome == Err(Failure::Dropped)).count();
    let is_success = |outcome: Result<u16, Failure>| matches!(outcome, Ok(200 | 201));
    let answered = samples.iter().filter(|sample| is_success(sample.outcome)).count();
    let refused = samples.iter().filter(|sample| sample.outcome.is_ok() && !is_success(sample.outcome));
    let slow = slow.join_all().await;
    Ok(Run {
        answered,
        dropped,
        refused: outcomes(refused),
        slow_answered: slow.iter().filter(|status| matches!(status, Ok(201))).count(),
        took,
        is_clean: status.code() == Some(0),
        stream_ended: stream.await.context("the stream's client is gone")?,
    })
}

/// Sends a request in two parts, the second long after the signal. Returns the status of the answer.
async fn send_slowly(address: std::net::SocketAddr) -> Result<u16> {
    let request = Request::create("Sent slowly");
    let (first, rest) = request.bytes().split_at(request.bytes().len() - 1);
    let mut stream = connect(address).await?;
    stream.write_all(first).await?;
    sleep(BEFORE + REST).await;
    stream.write_all(rest).await?;
    Ok(read_answer(&mut stream).await?.status)
}

async fn open_stream(service: &Service) -> Result<TcpStream> {
    let mut stream = connect(service.address).await?;
    stream.write_all(Request::get("/notes/events").bytes()).await?;
    let head = read_head(&mut stream).await?;
    if head.status != 200 {
        bail!("/notes/events answers {}", head.status);
    }
    Ok(stream)
}

/// Reads a stream to its end. Tells whether that was the empty chunk that closes a body in HTTP.
async fn follow(mut stream: TcpStream) -> bool {
    const END: &[u8] = b"\r\n0\r\n\r\n";
    let mut last = Vec::new();
    while matches!(stream.read_buf(&mut last).await, Ok(1..)) {
        last.drain(..last.len().saturating_sub(END.len()));
    }
    last == END
}
