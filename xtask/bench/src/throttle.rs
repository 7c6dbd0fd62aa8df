//! A TCP proxy on this machine that lets bytes through at a rate, and counts them: a network of that bandwidth, without
//! root. Each direction has its own bucket, which all connections share, as they share a line.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What is passed on at once: small enough for a rate that looks even.
const PIECE: usize = 16 * 1024;
/// How long a line that was idle may be busier than its rate afterwards: the queue of a network card.
const BURST: Duration = Duration::from_millis(2);

/// A running proxy. Its threads end with their connections.
pub(crate) struct Throttle {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    up: Arc<Line>,
    down: Arc<Line>,
}

/// One direction.
#[derive(Default)]
struct Line {
    /// Bytes a second; 0 for no limit.
    rate: AtomicU64,
    bytes: AtomicU64,
    /// When the last byte so far will have passed.
    free: Mutex<Option<Instant>>,
}

impl Throttle {
    /// One in front of `server`, without a limit at first.
    ///
    /// # Errors
    /// When there is no port.
    pub(crate) fn start(server: SocketAddr) -> Result<Throttle> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr().context("cannot listen")?;
        let (up, down) = (Arc::new(Line::default()), Arc::new(Line::default()));
        let lines = (Arc::clone(&up), Arc::clone(&down));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (up, down) = (Arc::clone(&lines.0), Arc::clone(&lines.1));
                thread::spawn(move || connect(&client, server, &up, down));
            }
        });
        Ok(Throttle { address, up, down })
    }

    /// From now on, this many bits a second in each direction; none for as many as there are.
    pub(crate) fn limit(&self, bits: Option<u64>) {
        for line in [&self.up, &self.down] {
            line.rate.store(bits.unwrap_or_default() / 8, Ordering::Relaxed);
        }
    }

    /// Bytes that went to the server so far.
    pub(crate) fn sent(&self) -> u64 {
        self.up.bytes.load(Ordering::Relaxed)
    }
}

fn connect(client: &TcpStream, server: SocketAddr, up: &Line, down: Arc<Line>) -> Option<()> {
    let server = TcpStream::connect(server).ok()?;
    for side in [client, &server] {
        side.set_nodelay(true).ok()?;
    }
    let (from, to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || down.carry(&from, &to));
    // A connection that breaks is the business of its two ends.
    let _ = up.carry(client, &server);
    let _ = back.join();
    Some(())
}

impl Line {
    fn carry(&self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        let result = loop {
            let length = match from.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(length) => length,
                Err(error) => break Err(error),
            };
            self.wait_for(length);
            self.bytes.fetch_add(length as u64, Ordering::Relaxed);
            if let Err(error) = to.write_all(&piece[..length]) {
                break Err(error);
            }
        };
        let _ = to.shutdown(Shutdown::Write);
        result
    }

    /// Waits until `length` bytes have passed, behind all that came before.
    fn wait_for(&self, length: usize) {
        let rate = self.rate.load(Ordering::Relaxed);
        if rate == 0 {
            return;
        }
        let now = Instant::now();
        let takes = Duration::from_secs_f64(length as f64 / rate as f64);
        let until = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let idle_since = now.checked_sub(BURST).unwrap_or(now);
            let until = free.map_or(idle_since, |free| free.max(idle_since)) + takes;
            *free = Some(until);
            until
        };
        thread::sleep(until.saturating_duration_since(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that reads to the end, says how much that was, and sends as much back.
    fn echo_of_length() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut bytes = Vec::new();
                    client.read_to_end(&mut bytes).unwrap();
                    client.write_all(&bytes).unwrap();
                });
            }
        });
        address
    }

    fn seconds(throttle: &Throttle, bytes: usize) -> f64 {
        let began = Instant::now();
        let mut stream = TcpStream::connect(throttle.address).unwrap();
        stream.write_all(&vec![7; bytes]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert_eq!(back, vec![7; bytes]);
        began.elapsed().as_secs_f64()
    }

    #[test]
    fn bytes_pass_at_the_rate_and_are_counted() {
        let throttle = Throttle::start(echo_of_length()).unwrap();
        seconds(&throttle, 1000);
        assert_eq!(throttle.sent(), 1000);
        // 1 MB there and back again, each at 4 MB/s.
        throttle.limit(Some(32_000_000));
        let took = seconds(&throttle, 1_000_000);
        assert!((0.48..1.5).contains(&took), "{took} s");
        assert_eq!(throttle.sent(), 1_001_000);
    }

    #[test]
    fn connections_share_the_line() {
        let throttle = Throttle::start(echo_of_length()).unwrap();
        throttle.limit(Some(32_000_000));
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| seconds(&throttle, 250_000));
            }
        });
        let took = began.elapsed().as_secs_f64();
        assert!((0.3..1.5).contains(&took), "{took} s");
    }
}
