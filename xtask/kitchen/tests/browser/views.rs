//! The main views of a project that is at work: whether all of them can be read in each theme at each width, and their
//! pictures in docs/kitchen.md. `UPDATE_SCREENSHOTS=1 cargo test -p xtask-kitchen --test browser -- every_view` takes those
//! anew.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;
use serde_json::json;
use xtask_kitchen::build::request::{Profile, Task};
use xtask_kitchen::build::{Choices, Request};

use crate::protocol::Page;
use crate::support::{Kitchen, Script};

/// A view by its name, where it is, and what holds once it is whole.
const VIEWS: [(&str, &str, &str); 6] = [
    ("home", "/", "document.querySelectorAll('#now li').length === 3"),
    ("build", "/builds/49", "document.getElementById('log').textContent.includes('sqlx-postgres')"),
    ("waterfall", "/builds/45/waterfall", "!document.getElementById('toggle').hidden"),
    ("compare", "/compare?a=37&b=45", "true"),
    ("trends", "/trends", "true"),
    ("publish", "/publish", "document.getElementById('yes')"),
];

/// In pixels.
const WIDTHS: [u32; 3] = [1280, 800, 400];

/// The pictures: a view, the width and the height.
const PICTURES: [(&str, u32, u32); 7] = [
    ("home", 1280, 860),
    ("build", 1280, 860),
    ("waterfall", 1280, 720),
    ("compare", 1280, 720),
    ("trends", 1280, 720),
    ("publish", 1280, 860),
    ("build", 400, 800),
];

/// What all of them may have together, in bytes.
const ALL: u64 = 600_000;

/// What waits or runs has times as well.
const NOW: &str = "
UPDATE builds SET queued = 1792270000000 + id * 7000, revision = '7f3a91c02b7c4d1e8f09a2b3c4d5e6f708192a3b', branch = 'main' WHERE id > 48;
UPDATE builds SET started = 1792270343100 WHERE id = 49;
UPDATE steps SET started = iif(name = 'packages', 0.1, iif(name LIKE '%sqlite', 0.4, 48.8)) WHERE build_id = 49;";

pub(crate) fn every_view_can_be_read(browser: &str) -> Result<(), Failed> {
    let kitchen = at_work()?;
    let mut page = Page::open(browser, &kitchen, "")?;
    let mut wrong = Vec::new();
    for theme in ["light", "dark"] {
        page.prefer(theme)?;
        for width in WIDTHS {
            page.resize(width, 900)?;
            for (view, path, whole) in VIEWS {
                page.go(&kitchen.url(path), whole)?;
                for problem in page.evaluate(include_str!("views.js"))?.as_array().ok_or("no list")? {
                    wrong.push(format!("{view}, {theme}, {width}: {problem}"));
                }
                if let Some((_, _, height)) = PICTURES.iter().find(|one| (one.0, one.1) == (view, width)) {
                    page.resize(width, *height)?;
                    take(&mut page, &picture(view, width, theme))?;
                    page.resize(width, 900)?;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

pub(crate) fn the_pictures_are_there() -> Result<(), Failed> {
    let text = fs::read_to_string(docs().join("kitchen.md"))?;
    let mut all = 0;
    for (view, width, height) in PICTURES {
        for theme in ["light", "dark"] {
            let path = picture(view, width, theme);
            let bytes = fs::read(&path)
                .map_err(|error| format!("{}: {error}; UPDATE_SCREENSHOTS=1 takes it", path.display()))?;
            let number =
                |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            assert_eq!(
                (&bytes[1..4], number(16), number(20)),
                (&b"PNG"[..], width, height),
                "{}",
                path.display()
            );
            let name = format!("images/{}", path.file_name().ok_or("no name")?.display());
            assert!(text.contains(&name), "docs/kitchen.md does not show {name}");
            all += bytes.len() as u64;
        }
    }
    assert!(all <= ALL, "the pictures have {all} bytes together");
    Ok(())
}

/// A project with a history, a build that runs, and two that wait.
pub(crate) fn at_work() -> Result<Kitchen, Failed> {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let choices =
        Choices { backends: list(&["sqlite", "postgres"]), platforms: list(&["linux/amd64", "linux/arm64"]) };
    let kitchen = Kitchen::offering(choices, include_str!("views.sh"), Script { text: "", data: "" })?;
    kitchen.sql(include_str!("views.sql"))?;
    let dist = Request { profile: Some(Profile::Dist), ..Request::default() };
    kitchen.order(&Request { platforms: list(&["linux/amd64", "linux/arm64"]), ..dist.clone() })?;
    kitchen.order(&Request { task: Task::Check, ..Request::default() })?;
    kitchen.order(&Request { backends: list(&["postgres"]), tag: Some("search".to_owned()), ..dist })?;
    kitchen.until_log(49, "sqlx-postgres")?;
    kitchen.sql(NOW)?;
    Ok(kitchen)
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn picture(view: &str, width: u32, theme: &str) -> PathBuf {
    let phone = if width < 500 { "-phone" } else { "" };
    docs().join(format!("images/kitchen-{view}{phone}-{theme}.png"))
}

fn take(page: &mut Page, path: &Path) -> Result<(), Failed> {
    if std::env::var_os("UPDATE_SCREENSHOTS").is_none() {
        return Ok(());
    }
    page.evaluate("new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); })")?;
    let taken = page.call("Page.captureScreenshot", json!({ "format": "png" }))?;
    let bytes = page.evaluate(&format!("{}({})", include_str!("picture.js"), taken["data"]))?;
    let bytes: Vec<u8> = serde_json::from_value(bytes)?;
    fs::create_dir_all(docs().join("images"))?;
    fs::write(path, bytes)?;
    Ok(())
}
