//! Fifty who look at one build.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use crate::process::Kitchen;
use crate::viewer::Viewer;

const VIEWERS: usize = 50;

/// 5,000 lines a second, for six seconds, as a build prints them.
const FAST: &str = r#"
began=$(date +%s%N)
echo '{"v":1,"event":"step-started","step":"compile","why":"compile it","command":"cargo build"}'
n=0
while [ $n -lt 30000 ]; do
    due=$((($(date +%s%N) - began) / 200000))
    [ $due -lt 30000 ] || due=30000
    seq -f '{"v":1,"event":"output","step":"compile","line":"\u001b[32m%.0f\u001b[0m ä€😀 Compiling a crate v0.1.0\r (again)"}' \
        $((n + 1)) $due
    n=$due
    sleep 0.01
done
"#;

/// Prints now and then, until it is asked to end.
const SLOW: &str = "while :; do echo '{\"v\":1,\"event\":\"note\",\"message\":\"it runs\"}'; sleep 0.1; done";

/// Numbers that are not to be guessed, but the same in each run: xorshift.
fn dice() -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_viewers_at_5000_lines_a_second_lose_nothing() {
    let mut kitchen = Kitchen::open(FAST);
    let id = kitchen.begin().await;
    // A hundred disconnects, each of any viewer after any number of bytes of the two millions.
    let (mut dice, mut cuts) = (dice(), vec![Vec::new(); VIEWERS]);
    for _ in 0..100 {
        cuts[dice(VIEWERS)].push(dice(2_000_000));
    }
    let viewers = cuts.into_iter().map(|cuts| Viewer::default().follow(&kitchen, id, cuts));
    let seen = join_all(viewers).await;
    let build = kitchen.build(id).await;
    let seconds = (build["finished"].as_f64().unwrap() - build["started"].as_f64().unwrap()) / 1000.0;
    let log = fs::read(kitchen.log(id)).unwrap();
    let lines = log.iter().filter(|byte| **byte == b'\n').count();
    let memory = kitchen.memory();
    println!(
        "{VIEWERS} viewers, {lines} lines of {} bytes in {seconds:.2} s: {:.0} lines a second, at most {:.1} MB",
        log.len(),
        lines as f64 / seconds,
        memory as f64 / 1e6
    );
    assert_eq!(seen.iter().map(|viewer| viewer.cuts).sum::<usize>(), 100);
    let expected = Sha256::digest(&log);
    for viewer in seen {
        assert_eq!((viewer.end.as_deref(), viewer.offset), (Some("done"), log.len() as u64));
        assert_eq!(viewer.sha.finalize(), expected);
    }
    assert_eq!(lines, 30_001);
    assert!(lines as f64 / seconds > 4500.0, "{seconds} s");
    assert!(memory < 100_000_000, "{memory} bytes");
    ends_with_streams_open(&mut kitchen).await;
}

async fn ends_with_streams_open(kitchen: &mut Kitchen) {
    kitchen.build_is(SLOW);
    let id = kitchen.begin().await;
    let mut streams = Vec::new();
    for _ in 0..VIEWERS {
        let mut socket = kitchen.ask("GET", &format!("/api/builds/{id}/stream"), "").await;
        let mut text = String::new();
        while !text.contains("it runs") {
            let mut bytes = [0; 1024];
            let read = socket.read(&mut bytes).await.unwrap();
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        streams.push(socket);
    }
    let (status, took) = kitchen.terminate();
    println!("from SIGTERM to the exit with {VIEWERS} streams open: {took:.0?}");
    assert!(status.success(), "{status}");
    assert!(took <= Duration::from_secs(1), "{took:?}");
    for mut stream in streams {
        // What was still on its way, and then the end.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}
