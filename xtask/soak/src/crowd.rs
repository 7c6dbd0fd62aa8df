//! Clients that make requests at the same time, on a thread of their own: what they measure waits for nothing else here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::http::{Client, Failure, Request};

/// A server that refuses connections is not asked again at once.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The how many-th it was of its crowd, from 0.
    pub(crate) number: u64,
    /// When it began.
    pub(crate) began: Instant,
    /// How long it took, with the connection that it may have needed.
    pub(crate) took: Duration,
    /// The status of the answer.
    pub(crate) outcome: Result<u16, Failure>,
}

impl Sample {
    /// When it was over.
    pub(crate) fn ended(&self) -> Instant {
        self.began + self.took
    }
}

/// How many requests came to each end, such as `200: 7, Dropped: 1`.
pub(crate) fn outcomes<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> String {
    let mut counts = BTreeMap::<String, u64>::new();
    for sample in samples {
        let name = match sample.outcome {
            Ok(status) => status.to_string(),
            Err(failure) => format!("{failure:?}").to_lowercase(),
        };
        *counts.entry(name).or_default() += 1;
    }
    let counts = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect::<Vec<_>>();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

/// Clients at work. Dropped, they stop.
pub(crate) struct Crowd {
    stop: watch::Sender<()>,
    samples: oneshot::Receiver<Vec<Sample>>,
}

impl Crowd {
    /// Lets each of `clients` make requests over a connection of its own: the next when the one before is answered, but
    /// not before `pace` has passed since that one began. `request` makes the request with the given number.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub(crate) fn start(
        address: SocketAddr,
        clients: u32,
        pace: Duration,
        request: impl Fn(u64) -> Request + Send + Sync + 'static,
    ) -> Result<Crowd> {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start clients")?;
        let (stop, stopped) = watch::channel(());
        let (sender, samples) = oneshot::channel();
        let request = Arc::new(request);
        let next = Arc::new(AtomicU64::new(0));
        let all = async move {
            let mut crowd = JoinSet::new();
            for index in 0..clients {
                let (request, next, stopped) = (request.clone(), next.clone(), stopped.clone());
                crowd.spawn(async move {
                    // Spread over the time between two requests, or all would ask at the same moment.
                    sleep(pace * index / clients).await;
                    work(address, pace, &*request, &next, stopped).await
                });
            }
            // Nobody listens any more when the scenario was given up.
            let _ = sender.send(crowd.join_all().await.concat());
        };
        thread::Builder::new().spawn(move || runtime.block_on(all)).context("cannot start clients")?;
        Ok(Crowd { stop, samples })
    }

    /// Waits for the requests under way and makes no more.
    pub(crate) async fn finish(self) -> Result<Vec<Sample>> {
        drop(self.stop);
        self.samples.await.context("the clients are gone")
    }
}

/// One client, until the other end of `stopped` is gone.
async fn work(
    address: SocketAddr,
    pace: Duration,
    request: &(impl Fn(u64) -> Request + Sync),
    next: &AtomicU64,
    mut stopped: watch::Receiver<()>,
) -> Vec<Sample> {
    let mut client = Client::new(address);
    let mut samples = Vec::new();
    let mut ticks = (!pace.is_zero()).then(|| interval(pace));
    if let Some(ticks) = &mut ticks {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    while stopped.has_changed().is_ok() {
        if let Some(ticks) = &mut ticks {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.changed() => break,
            }
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = request(number);
        let began = Instant::now();
        let outcome = client.call(&request).await.map(|answer| answer.status);
        samples.push(Sample { number, began, took: began.elapsed(), outcome });
        if outcome.is_err() {
            sleep(AFTER_FAILURE).await;
        }
    }
    samples
}
