//! A log on its way from the build to the screen.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use xtask_kitchen::build::Request;

use crate::support::{Kitchen, Script};

/// Prints the time of day, in milliseconds, three hundred times; among other lines, and once somebody looks.
const CLOCK: &str = r#"
until [ -e looks ]; do sleep 0.05; done
n=0
while [ $n -lt 300 ]; do
    n=$((n + 1))
    seq -f '{"v":1,"event":"output","step":"compile","line":"another ä€😀 %.0f"}' $n $((n + 10))
    date '+{"v":1,"event":"output","step":"compile","line":"at %s%3N"}'
    sleep 0.02
done
"#;

/// Prints a line now and then.
const SLOW: &str = r#"
n=0
while :; do n=$((n + 1)); echo "line $n"; sleep 0.05; done
"#;

pub(crate) fn a_line_is_on_the_screen_at_once(browser: &str) -> Result<(), Failed> {
    // What else the machine does is not measured: it may be calmer a little later.
    let mut most = f64::MAX;
    for _ in 0..3 {
        most = most.min(latency(browser)?);
        if most <= 150.0 {
            break;
        }
    }
    assert!(most <= 150.0, "p95: {most} ms");
    Ok(())
}

/// From a line to the screen: what 19 of 20 lines take at most, in milliseconds.
fn latency(browser: &str) -> Result<f64, Failed> {
    let kitchen = Kitchen::open(CLOCK, Script { text: include_str!("clock.js"), data: "" })?;
    let id = kitchen.order(&Request::default())?;
    let _browser = kitchen.look(browser)?;
    assert_eq!(kitchen.seen()?, "live");
    fs::write(kitchen.cook.place().root().join("looks"), "")?;
    let seen = kitchen.seen()?;
    let mut took: Vec<f64> = serde_json::from_value(seen["took"].clone())?;
    took.sort_by(f64::total_cmp);
    assert!(took.len() >= 250, "{} lines were seen", took.len());
    let (half, most) = (took[took.len() / 2], took[took.len() * 95 / 100]);
    println!("from a line to the screen: {half} ms in the middle, p95 {most} ms, of {} lines", took.len());

    // As it was seen while it grew, and again after a reload.
    let log = fs::read(kitchen.log(id))?;
    let expected: String = Sha256::digest(&log).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen["hashes"], serde_json::json!([expected, expected]), "of {} bytes", log.len());
    Ok(most)
}

pub(crate) fn a_page_that_is_cut_off_goes_on(browser: &str) -> Result<(), Failed> {
    let mut kitchen = Kitchen::open(SLOW, Script { text: include_str!("lost.js"), data: "" })?;
    kitchen.order(&Request::default())?;
    let _browser = kitchen.look(browser)?;
    assert_eq!(kitchen.seen()?, "live");
    kitchen.vanish();
    sleep(Duration::from_secs(3));
    kitchen.serve()?;
    let back = kitchen.seen()?;
    let has = |seen: &Value, text: &str| assert!(seen["lost"].as_str().unwrap().contains(text), "{seen:#}");
    has(&back, "No connection since ");
    has(&back, "This page goes on by itself");
    assert_eq!((&back["link"], &back["is_whole"]), (&"live".into(), &true.into()), "{back:#}");

    // A new one does not know the browser: that is said, and asking goes on no longer.
    kitchen.vanish();
    kitchen.forget()?;
    sleep(Duration::from_millis(500));
    kitchen.serve()?;
    let out = kitchen.seen()?;
    has(&out, "Kitchen was started anew");
    has(&out, "Open the address that `cargo xtask kitchen` prints.");
    assert_eq!((&out["requests"], &out["link"]), (&0.into(), &"not connected".into()), "{out:#}");
    let again = kitchen.seen()?;
    assert_eq!((&again["link"], &again["is_whole"]), (&"live".into(), &true.into()), "{again:#}");
    Ok(())
}
