//! Logs of the largest size.

use libtest_mimic::Failed;
use serde_json::Value;

use crate::support::{Kitchen, Script};

/// A log of so many lines.
fn log(lines: usize) -> String {
    let line = |number| format!("compile | \u{1b}[32mCompiling\u{1b}[0m crate-{number} (/src/some/folder)\n");
    (1..=lines).map(line).collect()
}

pub(crate) fn a_large_log_scrolls_smoothly(browser: &str) -> Result<(), Failed> {
    let kitchen = Kitchen::open("", Script { text: include_str!("large.js"), data: "" })?;
    let sizes = [200_000, 500_000, 1_000_000];
    for lines in sizes {
        kitchen.ended(&log(lines))?;
    }
    let _browser = kitchen.look(browser)?;
    for lines in sizes {
        let seen = kitchen.seen()?;
        println!(
            "{lines} lines: there after {} ms, {} MB; frames of {} ms in the middle, p95 {}, at most {}; by steps {}, {}, {}",
            seen["loaded"],
            seen["memory"],
            seen["jumps"][0],
            seen["jumps"][1],
            seen["jumps"][2],
            seen["steps"][0],
            seen["steps"][1],
            seen["steps"][2],
        );
        check(&seen, lines);
    }
    Ok(())
}

fn check(seen: &Value, lines: usize) {
    let number = |name: &str| seen[name].as_f64().unwrap();
    assert_eq!(
        seen["last"],
        format!("{lines}compile | Compiling crate-{lines} (/src/some/folder)"),
        "{seen:#}"
    );
    assert!(number("rows") < 200.0, "{seen:#}");
    // None is left out between the steps of somebody who reads.
    assert_eq!(seen["gaps"], 0, "{seen:#}");
    let wanted = lines - 12_345;
    let marked = format!("{wanted}compile | Compiling crate-{wanted} (/src/some/folder)");
    assert_eq!(seen["marked"], marked, "the line of the address: {seen:#}");
    for frames in ["jumps", "steps"] {
        assert!(seen[frames][1].as_f64().unwrap() <= 50.0, "{frames}: {seen:#}");
        assert!(seen[frames][2].as_f64().unwrap() <= 150.0, "{frames}: {seen:#}");
    }
    assert!(number("memory") < 400.0, "{seen:#}");
}

pub(crate) fn a_search_is_part_of_the_address(browser: &str) -> Result<(), Failed> {
    let grows = "sleep 3; echo 'crate-123456 again'; sleep 60";
    let kitchen = Kitchen::open(grows, Script { text: include_str!("search.js"), data: "" })?;
    kitchen.ended(&log(200_000))?;
    kitchen.ended(&format!("first\n{}", "x\n".repeat(2_300_000)))?;
    let _browser = kitchen.look(browser)?;
    let seen = kitchen.seen()?;
    let expected: Value = serde_json::from_str(include_str!("search.json"))?;
    assert_eq!(seen, expected, "{seen:#}");
    Ok(())
}
