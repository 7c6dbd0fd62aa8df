//! Registries that ask for patience, and those that have lost theirs.

use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use super::fault::{Fault, Rule};
use super::pushes::Stage;
use super::sample::{digest, push};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("Retry-After is kept", a_wish_is_kept),
        Trial::test("an unreasonable Retry-After is told", an_unreasonable_wish_is_told),
        Trial::test("answers in drips end", drips_end),
    ]
}

fn too_many(seconds: u64) -> Fault {
    Fault::Answer("429 Too Many Requests", vec![("Retry-After", seconds.to_string())])
}

fn a_wish_is_kept() -> Result<(), Failed> {
    for (method, path) in [
        ("HEAD", "/blobs/"),
        ("PUT", "/blobs/uploads/"),
        ("PUT", "/manifests/latest"),
        ("GET", "/manifests/latest"),
    ] {
        let stage = Stage::new();
        // So that no other request of this kind comes in between.
        let image = stage.samples.image(3, &[100_000], stage.proxy.address, &["latest"]);
        stage.proxy.add(Rule::new(method, path, too_many(1)).times(3));
        push(&image)?;
        let seen = stage.proxy.seen(method, path);
        let mut by_target = std::collections::BTreeMap::<_, Vec<Instant>>::new();
        for seen in &seen {
            let target = seen.head.target().split("digest=").last().unwrap_or_default().to_owned();
            by_target.entry(target).or_default().push(seen.when);
        }
        let pauses = by_target.values().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0]));
        let pauses = pauses.collect::<Vec<_>>();
        assert_eq!(pauses.len(), 3, "{method} {path}: {seen:?}");
        for pause in pauses {
            assert!(pause >= Duration::from_secs(1), "{pause:?}");
            assert!(pause < Duration::from_millis(2500), "{pause:?}");
        }
        assert_eq!(stage.tag(), Some(digest(&image)));
    }
    Ok(())
}

fn an_unreasonable_wish_is_told() -> Result<(), Failed> {
    let stage = Stage::new();
    stage.proxy.add(Rule::new("POST", "/blobs/uploads/", too_many(3600)).always());
    let began = Instant::now();
    let error = push(&stage.new).expect_err("it cannot end well");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(error.contains("it wants no further attempt for 3600 seconds; try again then"), "{error}");
    assert!(error.contains("429 Too Many Requests"), "{error}");
    assert_eq!(stage.tag(), Some(digest(&stage.old)));
    Ok(())
}

/// Bytes that come one at a time must not keep a push alive.
fn drips_end() -> Result<(), Failed> {
    for (method, path) in [("HEAD", "/blobs/"), ("PUT", "/manifests/latest"), ("GET", "/manifests/latest")] {
        let stage = Stage::new();
        stage.proxy.add(Rule::new(method, path, Fault::Drip(Duration::from_millis(300))).always());
        let began = Instant::now();
        let error = push(&stage.new).expect_err("it cannot end well");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(error.contains("took too long"), "{error}");
        let tag = stage.tag();
        assert!(tag == Some(digest(&stage.old)) || tag == Some(digest(&stage.new)));
        stage.proxy.heal();
        push(&stage.new)?;
        assert_eq!(stage.tag(), Some(digest(&stage.new)));
    }
    Ok(())
}
