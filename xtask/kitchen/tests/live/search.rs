//! How long a search takes.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Kitchen;

/// A hundred thousand lines, each with colours.
const LONG: &str = r#"
seq -f '{"v":1,"event":"output","step":"compile","line":"\u001b[1;32m   Compiling\u001b[0m crate-%.0f v0.1.0 (/src/crates/one)"}' 100000
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_lines_are_searched_in_300_ms() {
    let kitchen = Kitchen::open(LONG);
    let id = kitchen.begin().await;
    while kitchen.build(id).await["finished"].is_null() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (pattern, count) in [
        ("nothing+like+that", 0),
        ("compiling", 100_000),
        ("crate-777%5Cd%5Cb", 10),
        ("%5C%7C+%2BCOMPILING+crate-%5B0-4%5D%2B%5Cs", 0),
        ("%5Cw%2B%5Cs%2Bcrate-%5B0-4%5D%2B%5Cs.*one%5C)%24", 3125),
    ] {
        let mut took = Vec::new();
        for _ in 0..9 {
            let began = Instant::now();
            let found =
                kitchen.body("GET", &format!("/api/builds/{id}/search?search={pattern}&near=50000")).await;
            took.push(began.elapsed());
            let found: Value = serde_json::from_str(&found).unwrap();
            assert_eq!((&found["lines"], &found["is_whole"]), (&100_000.into(), &true.into()), "{pattern}");
            assert_eq!(found["count"], count, "{pattern}");
        }
        took.sort_unstable();
        println!("search for {pattern}: {:.0?} at best, {:.0?} in the middle of nine", took[0], took[4]);
        // What else the machine does is in the others.
        assert!(took[0] < Duration::from_millis(300), "{pattern}: {took:?}");
    }
}
