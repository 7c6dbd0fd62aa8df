//! A log that grows, on a page 400 pixels wide.

use libtest_mimic::Failed;
use serde_json::{Value, json};
use xtask_kitchen::build::Request;

use crate::support::{Kitchen, Script};

/// Prints what a terminal would act on, and what a browser would if it were HTML; then many lines. It goes on for as long
/// as one looks.
const HOSTILE: &str = r#"
h='<img src=x onerror=document.title=1><script>document.title=2</script>'
printf '{"v":1,"event":"step-started","step":"%s","why":"%s","command":"x"}\n' "$h" "$h"
printf '%s \033[1;31mred \033]8;;http://example.org\007link\033]52;c;AAAA\007 \000\033[2J\377 \342\200\256 end\n' "$h"
seq 1 20000
sleep 0.5
echo 'and it goes on'
sleep 60
"#;

/// Lines, and what can be read of them.
const LINES: &str = include_str!("../../src/log/lines.json");

pub(crate) fn a_log_that_grows_is_shown_and_stays_text(browser: &str) -> Result<(), Failed> {
    let kitchen = Kitchen::open(HOSTILE, Script { text: include_str!("page.js"), data: LINES })?;
    kitchen.order(&Request::default())?;
    let _browser = kitchen.look(browser)?;
    check(&kitchen.seen()?);
    Ok(())
}

fn check(seen: &Value) {
    for width in seen["widths"].as_array().unwrap() {
        assert!(width.as_u64().unwrap() <= 400, "{seen:#}");
    }
    // Those in sight, of 20,002.
    assert!((10..200).contains(&seen["lines"].as_u64().unwrap()), "{seen:#}");
    assert_eq!(seen["height"].as_u64(), Some(20_003 * 20), "{seen:#}");
    assert_eq!((&seen["link"], &seen["status"]), (&json!("live"), &json!("running")), "{seen:#}");
    assert_eq!((&seen["title"], &seen["strangers"]), (&json!("Build 1: running"), &json!(0)), "{seen:#}");
    let parts = json!([["s | "], ["ok", "bold", "fg2"], [" "], ["red", "fg9"], [" "], ["true"]]);
    assert_eq!(seen["parts"], parts);
    assert_eq!(seen["longest"], json!(["10000", " … and 5 more"]));
    let lines: Vec<(String, String)> = serde_json::from_str(LINES).unwrap();
    assert_eq!(seen["plain"], json!(lines.into_iter().map(|(_, plain)| plain).collect::<Vec<_>>()));
    let html = "<img src=x onerror=document.title=1><script>document.title=2</script>";
    assert_eq!(seen["marked"], format!("2{html} red link \u{fffd}  end"), "{seen:#}");
    assert_eq!(seen["follows"], "false");
}
