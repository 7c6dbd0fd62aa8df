//! A long history.

use libtest_mimic::Failed;
use serde_json::Value;

use crate::support::{Kitchen, Script};

/// How soon the first page has to do what one clicks, in milliseconds.
const SOON: f64 = 300.0;

pub(crate) fn ten_thousand_builds_are_there_at_once(browser: &str) -> Result<(), Failed> {
    let kitchen = Kitchen::open("", Script { text: include_str!("history.js"), data: "" })?;
    kitchen.sql(include_str!("../shared/ten_thousand.sql"))?;
    let _browser = kitchen.look(browser)?;
    let seen = kitchen.seen()?;
    let loads = seen["loads"].as_array().ok_or("no load")?;
    // The machine may have other work: what the page itself takes is in the best of several loads.
    let best = loads.iter().filter_map(Value::as_f64).fold(f64::INFINITY, f64::min);
    assert!(best <= SOON, "{seen:#}");
    for (page, width) in seen["widths"].as_object().ok_or("no page")? {
        assert!(width.as_u64().unwrap() <= 400, "{page}: {seen:#}");
    }
    assert_eq!(seen["rows"], 560, "{seen:#}");
    assert_eq!(seen["closed"], 0, "no crate is in sight once its step is closed: {seen:#}");
    assert!(seen["box"].as_u64().unwrap() > 400, "the bars have room in a box of their own: {seen:#}");
    assert_eq!(seen["compared"], "Builds 9998 and 10000", "{seen:#}");
    Ok(())
}
