//! All that can be done by keys, and what those hear who cannot see a page.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use xtask_kitchen::build::Request;

use crate::protocol::Page;
use crate::views::at_work;

const SCRIPT: &str = include_str!("keys.js");

/// A page with what holds once it is whole, and which keys come first so that another has something to do.
type Tried = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

/// Every page. The first one ends build 49; then 50 runs.
const PAGES: [Tried; 7] = [
    (
        "/",
        "document.querySelector('#now li')",
        &[("k", &["j", "j"]), ("Enter", &["j"]), ("r", &["j"]), ("x", &["j"]), ("c", &["j", "j", "j", "j"])],
    ),
    (
        "/builds/50?search=Compiling",
        "document.getElementById('log').textContent.includes('sqlx-postgres') && document.getElementById('hits').textContent",
        &[("j", &["k", "k"]), ("f", &["k"])],
    ),
    (
        "/builds/45/waterfall",
        "!document.getElementById('toggle').hidden",
        &[("k", &["j", "j"]), ("Enter", &["j", "j", "j"])],
    ),
    ("/compare?a=37&b=45", "true", &[]),
    ("/trends", "true", &[]),
    ("/publish", "document.getElementById('yes')", &[]),
    ("/builds/50/matches?search=Compiling", "true", &[]),
];

/// Those who listen need a name of each.
const NAMED: [&str; 10] = [
    "button",
    "checkbox",
    "combobox",
    "image",
    "link",
    "navigation",
    "region",
    "searchbox",
    "spinbutton",
    "textbox",
];

pub(crate) fn every_key_is_listed_and_does_something(browser: &str) -> Result<(), Failed> {
    let kitchen = at_work()?;
    let mut page = Page::open(browser, &kitchen, SCRIPT)?;
    page.resize(1280, 500)?;
    let mut wrong = Vec::new();
    for (path, whole, before) in PAGES {
        page.go(&kitchen.url(path), whole)?;
        let listed: BTreeSet<String> = serde_json::from_value(page.evaluate("listed()")?)?;
        assert!(listed.contains("?"), "{path}: {listed:?}");
        for key in &listed {
            page.go("about:blank", "true")?;
            page.go(&kitchen.url(path), whole)?;
            for first in before.iter().filter(|(other, _)| other == key).flat_map(|(_, first)| *first) {
                page.press(first)?;
            }
            if !has_effect(&mut page, key)? {
                wrong.push(format!("{path}: {key} does nothing"));
            }
        }
        page.go("about:blank", "true")?;
        page.go(&kitchen.url(path), whole)?;
        let hidden = page.evaluate("hidden()")?;
        if hidden != json!([]) {
            wrong.push(format!("{path}: not listed: {hidden}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Whether a key changes anything. What a key before it has begun is to be over.
fn has_effect(page: &mut Page, key: &str) -> Result<bool, Failed> {
    let mut before = Value::Null;
    loop {
        let now = page.evaluate("state()")?;
        if now == before {
            break;
        }
        before = now;
        sleep(Duration::from_millis(150));
    }
    page.press(key)?;
    for _ in 0..150 {
        // A page that was left has no answer.
        if page.evaluate("state()").is_ok_and(|now| now != before) {
            return Ok(true);
        }
        sleep(Duration::from_millis(20));
    }
    Ok(false)
}

pub(crate) fn every_page_can_be_heard_and_walked_through(browser: &str) -> Result<(), Failed> {
    let kitchen = at_work()?;
    let mut page = Page::open(browser, &kitchen, SCRIPT)?;
    page.call("Accessibility.enable", json!({}))?;
    let mut wrong = Vec::new();
    for (path, _, _) in PAGES {
        let path = path.replace("/builds/50", "/builds/49");
        page.go(&kitchen.url(&path), "true")?;
        let lacks: Vec<String> = serde_json::from_value(page.evaluate("lacks()")?)?;
        wrong.extend(lacks.into_iter().map(|what| format!("{path}: lacks {what}")));
        let tree = page.call("Accessibility.getFullAXTree", json!({}))?;
        for node in tree["nodes"].as_array().ok_or("no tree")? {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let is_named = node["name"]["value"].as_str().is_some_and(|name| !name.trim().is_empty());
            if node["ignored"] == false && NAMED.contains(&role) && !is_named {
                wrong.push(format!("{path}: no name: {role} {}", node["backendDOMNodeId"]));
            }
        }
        let mut count = 0;
        page.press("Tab")?;
        while page.evaluate("isNew()")? == true {
            count += 1;
            if page.evaluate("unseen()")? == true {
                wrong.push(format!("{path}: the focus cannot be seen: {}", page.evaluate("focused()")?));
            }
            page.press("Tab")?;
        }
        assert!(count > 3, "{path}: Tab leads to {count} places");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

pub(crate) fn the_queue_is_changed_by_keys_alone(browser: &str) -> Result<(), Failed> {
    let kitchen = at_work()?;
    let fourth = kitchen.order(&Request::default())?;
    assert_eq!(fourth, 52);
    let mut page = Page::open(browser, &kitchen, SCRIPT)?;
    let steps = [
        ("Down in the queue: build 50", "51 50 52", "Down in the queue: build 50"),
        ("Down in the queue: build 50", "51 52 50", "Build 50"),
        ("Up in the queue: build 50", "51 50 52", "Up in the queue: build 50"),
        ("Up in the queue: build 50", "50 51 52", "Build 50"),
        ("Kill build 51", "50 52", "Build 52"),
    ];
    for (pressed, order, then) in steps {
        tab_to(&mut page, pressed)?;
        page.press("Enter")?;
        let waiting =
            "[...document.querySelectorAll('#now li')].slice(1).map((one) => one.dataset.build).join(' ')";
        page.until(&format!("{waiting} === '{order}' && focused().endsWith('{then}')")).map_err(|_| {
            format!("{pressed}: {:?} {:?}", page.evaluate(waiting), page.evaluate("focused()"))
        })?;
    }
    // Also after a while.
    sleep(Duration::from_secs(4));
    assert!(page.evaluate("focused()")?.to_string().contains("Build 52"));
    page.go(&kitchen.url("/builds/45"), "true")?;
    tab_to(&mut page, "Run again")?;
    page.press("Enter")?;
    page.until("location.pathname === '/builds/53'")
}

pub(crate) fn what_is_open_stays_open(browser: &str) -> Result<(), Failed> {
    let kitchen = at_work()?;
    let mut page = Page::open(browser, &kitchen, SCRIPT)?;
    page.go(&kitchen.url("/publish"), "document.getElementById('yes')")?;
    tab_to(&mut page, "What stands in the way of a release")?;
    page.press("Enter")?;
    kitchen.sql(
        "UPDATE findings SET content = replace(content, 'Search notes', 'Find notes') WHERE build_id = 46",
    )?;
    // As one that is under way.
    page.evaluate("document.getElementById('publication').dataset.open = 'true'")?;
    page.until("document.getElementById('publication').textContent.includes('Find notes')")?;
    assert_eq!(page.evaluate("document.querySelector('#publication details').open")?, true);
    assert!(page.evaluate("focused()")?.to_string().contains("What stands in the way"));
    Ok(())
}

fn tab_to(page: &mut Page, label: &str) -> Result<(), Failed> {
    for _ in 0..300 {
        if page.evaluate("focused()")?.as_str().is_some_and(|focused| focused.ends_with(label)) {
            return Ok(());
        }
        page.press("Tab")?;
    }
    Err(format!("Tab does not lead to: {label}").into())
}
