//! Logs that are followed.

use std::fs;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use tokio::sync::watch;
use xtask_kitchen::build::{Request as Order, Status};
use xtask_kitchen::web::STREAMS;

use crate::support::{NAME, Server};

/// Prints lines with characters of every length, in pieces, with escapes and carriage returns, as fast as it can.
const GROWING: &str = r#"
n=0
while [ $n -lt 3000 ]; do
    n=$((n + 1))
    printf '%s ä€😀 \033[32m%s\033[0m 1%%\r2%%\r\n' "$n" "$n" >&2
    [ $((n % 300)) -ne 0 ] || sleep 0.02
done
"#;

/// A small generator of numbers that are not to be guessed, but the same in each run: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What one connection gave before it was cut off, from the last event that is whole: text, offset, and whether it ended.
struct Seen {
    text: String,
    offset: u64,
    is_over: bool,
}

/// Follows until the end, cut off again and again after a random number of bytes, also within an event.
async fn view(server: &Server, build: i64, mut dice: Dice) -> Seen {
    let mut seen = Seen { text: String::new(), offset: 0, is_over: false };
    for _ in 0..10_000 {
        let key = format!("Bearer {}", server.key);
        let request = Request::get(format!("/api/builds/{build}/stream?from=0"))
            .header(HOST, NAME)
            .header(AUTHORIZATION, key)
            .header("last-event-id", seen.offset);
        let response = server.answer(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body().into_data_stream();
        let (mut bytes, patience) = (Vec::new(), dice.below(20_000) as usize);
        while bytes.len() < patience {
            match body.next().await {
                Some(part) => bytes.extend_from_slice(&part.unwrap()),
                None => break,
            }
        }
        // Half of the connections lose what was sent last.
        if bytes.len() >= patience && dice.below(2) == 0 {
            bytes.truncate(patience);
        }
        take(&mut seen, &bytes);
        if seen.is_over {
            break;
        }
    }
    seen
}

/// Takes events that are whole, as a browser does.
fn take(seen: &mut Seen, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((whole, _)) = text.rsplit_once("\n\n") else { return };
    for event in whole.split("\n\n") {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        match field("event") {
            Some("log") => {
                seen.text.push_str(&serde_json::from_str::<String>(field("data").unwrap()).unwrap());
                seen.offset = field("id").unwrap().parse().unwrap();
            }
            Some("end") => {
                assert_eq!(field("data"), Some("done"));
                seen.is_over = true;
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_viewers_that_are_cut_off_see_every_byte_once() {
    let server = Server::with_cargo(GROWING).await;
    let cook = server.app.cook.clone();
    let id = cook.order(&Order::default()).await.unwrap();
    let stop = watch::Sender::new(false);
    let work = tokio::spawn({
        let (cook, stopped) = (cook.clone(), stop.subscribe());
        async move { cook.work(stopped).await }
    });
    while cook.log_length(id).is_none() {
        assert!(!cook.store().build(id).await.unwrap().unwrap().status.is_final(), "it ended too soon");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let viewers = (1..=20).map(|number| view(&server, id, Dice(number * 0x9E37_79B9)));
    let seen = futures_util::future::join_all(viewers).await;
    let build = cook.store().build(id).await.unwrap().unwrap();
    assert_eq!(build.status, Status::Done, "{build:?}");
    let log = fs::read_to_string(cook.place().log(id)).unwrap();
    assert!(log.lines().count() == 3000 && log.contains("3000 ä€😀"), "{log}");
    for Seen { text, offset, is_over } in seen {
        assert!(is_over && offset == log.len() as u64);
        assert!(text == log, "a viewer saw {} bytes of {}", text.len(), log.len());
    }
    stop.send_replace(true);
    work.await.unwrap().unwrap();
}

#[tokio::test]
async fn only_so_many_logs_are_followed_at_once() {
    let server = Server::new().await;
    let id = server.ended("some text\n").await;
    let follow = async || {
        let request = Request::get(format!("/api/builds/{id}/stream")).header(HOST, NAME);
        let request = request.header(AUTHORIZATION, format!("Bearer {}", server.key));
        server.answer(request.body(Body::empty()).unwrap()).await
    };
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(follow().await);
    }
    assert!(streams.iter().all(|stream| stream.status() == StatusCode::OK));
    assert_eq!(follow().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    streams.pop();
    assert_eq!(follow().await.status(), StatusCode::OK);
}
