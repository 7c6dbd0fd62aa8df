//! One who follows a log, as a browser does, and is cut off.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use crate::process::Kitchen;

/// What one viewer has seen.
#[derive(Default)]
pub(crate) struct Viewer {
    /// Of all that it was sent, in its order.
    pub(crate) sha: Sha256,
    /// The number of the last event.
    pub(crate) offset: u64,
    /// How the build ended.
    pub(crate) end: Option<String>,
    /// How often it was cut off.
    pub(crate) cuts: usize,
    received: usize,
}

impl Viewer {
    /// Follows a build to its end, cut off when it has received so many bytes, wherever in an event that is. It asks again
    /// a little later for what follows the last event that it has whole.
    pub(crate) async fn follow(mut self, kitchen: &Kitchen, build: i64, mut cuts: Vec<usize>) -> Viewer {
        cuts.sort_unstable();
        let mut cuts = cuts.into_iter();
        while self.end.is_none() {
            let cut = cuts.next();
            self.connect(kitchen, build, cut.unwrap_or(usize::MAX)).await;
            assert!(self.end.is_some() || cut.is_some(), "the stream ended after {} bytes", self.offset);
            self.cuts += usize::from(self.end.is_none());
            tokio::time::sleep(Duration::from_millis(self.received as u64 % 300)).await;
        }
        self
    }

    async fn connect(&mut self, kitchen: &Kitchen, build: i64, cut: usize) {
        let last = format!("last-event-id: {}\r\n", self.offset);
        let mut socket = kitchen.ask("GET", &format!("/api/builds/{build}/stream"), &last).await;
        let (mut bytes, mut part) = (Vec::new(), vec![0; 16 << 10]);
        while self.received < cut {
            let most = part.len().min(cut - self.received);
            let read = socket.read(&mut part[..most]).await.unwrap();
            if read == 0 {
                return;
            }
            self.received += read;
            bytes.extend_from_slice(&part[..read]);
            while let Some(end) = find(&bytes, b"\n\n") {
                self.take(std::str::from_utf8(&bytes[..end]).unwrap());
                bytes.drain(..end + 2);
            }
        }
    }

    fn take(&mut self, event: &str) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        match field("event") {
            Some("log") => {
                let text: String = serde_json::from_str(field("data").unwrap()).unwrap();
                self.sha.update(&text);
                self.offset = field("id").unwrap().parse().unwrap();
            }
            Some("end") => self.end = field("data").map(str::to_owned),
            _ => {}
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
