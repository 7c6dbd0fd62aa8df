//! Processes that are killed at any point: the registry, and the engine. And a disk that is full.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use image_spec::{Platform, Registries};
use libtest_mimic::{Failed, Trial};
use xtask_oci::digest::Digest;
use xtask_oci::make::{self, Places};
use xtask_oci::registry::client::Connection;
use xtask_oci::registry::push::Push;

use super::check;
use super::common::tool::{can_mount, on_small_disk, trial};
use super::common::{Sandbox, program};
use super::engine;
use super::sample::{REPOSITORY, Samples, digest, push_with, random};
use super::server::Registry;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("the registry is killed amid a push", the_registry_is_killed),
        Trial::test("the engine is killed at 50 points", the_engine_is_killed),
        Trial::test("readers see whole images", readers_see_whole_images),
        trial("a full disk is told", can_mount(), "the right to mount a tmpfs", || {
            on_small_disk(push_from_full_disk)
        }),
    ]
}

/// The registry is gone in the middle of a push, for less time than the client tries.
fn the_registry_is_killed() -> Result<(), Failed> {
    let (mut registry, samples) = (Registry::start(), Samples::new());
    let connection = Connection::new(&Registries::default());
    let push = |image: &_| push_with(image, &connection, &Push::default());
    let image = |seed| samples.image(seed, &[1000, 40_000_000, 3_000_000], registry.address, &["latest"]);
    let (old, new) = (image(1), image(2));
    push(&old)?;
    let stored = |registry: &Registry| registry.storage().iter().map(|(_, size)| size).sum::<u64>();
    let before = stored(&registry);
    let report = thread::scope(|scope| {
        let pushing = scope.spawn(|| push(&new));
        let began = Instant::now();
        while stored(&registry) < before + 2_000_000 && began.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(1));
        }
        registry.kill();
        assert!(!pushing.is_finished(), "it was killed too late");
        thread::sleep(Duration::from_millis(1500));
        assert!(registry.restart());
        assert_eq!(check::tag(registry.address, REPOSITORY, "latest"), Some(digest(&old)));
        pushing.join().unwrap()
    })?;
    assert_eq!(check::tag(registry.address, REPOSITORY, "latest"), Some(digest(&new)));
    assert_eq!(push(&new)?.present, report.uploaded + report.present);
    Ok(())
}

/// Changes the project: another program of this size, in its own layer.
fn change(sandbox: &Sandbox, seed: u64, size: usize) {
    let mut bytes = program(Platform::LinuxAmd64);
    bytes.extend(random(seed, size));
    sandbox.file("app", &bytes);
    sandbox.file("config/app.toml", &random(seed + 1000, 50_000));
}

/// Every finished entry of the cache is what its name says.
fn check_cache(cache: &Path) {
    for folder in fs::read_dir(cache).into_iter().flatten().flatten() {
        for entry in fs::read_dir(folder.path()).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with('.') {
                let digest = Digest::of_file(&entry.path()).unwrap().hex();
                assert!(name.ends_with(&digest), "{name} is {digest}");
            }
        }
    }
}

/// The engine is killed at 50 points of pushes of changing images.
fn the_engine_is_killed() -> Result<(), Failed> {
    const SIZE: usize = 2_000_000;
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let spec = engine::spec(&sandbox, &[format!("{}/{REPOSITORY}:latest", registry.address)]);
    let run = || {
        let began = Instant::now();
        let outcome = engine::run(engine::command(&sandbox, &spec), &sandbox.path("report.json"), Vec::new);
        assert!(outcome.ok, "{}", outcome.stderr);
        let tag = check::tag(registry.address, REPOSITORY, "latest").expect("it was pushed");
        (tag, began.elapsed())
    };
    change(&sandbox, 1, SIZE);
    let (mut old, mut whole) = run();
    let mut found = BTreeMap::<_, u32>::new();
    for seed in 2..52 {
        change(&sandbox, seed, SIZE);
        let mut engine = engine::command(&sandbox, &spec).spawn()?;
        let part = u32::from_le_bytes(random(seed, 4).try_into().unwrap());
        thread::sleep(whole.mul_f64(f64::from(part) / f64::from(u32::MAX)));
        engine.kill()?;
        let ended = engine.wait()?.success();
        let between = check::tag(registry.address, REPOSITORY, "latest").expect("there was one");
        check_cache(&sandbox.path("cache"));
        let (new, time) = run();
        assert_ne!(new, old);
        assert!(between == old || between == new, "{seed}");
        *found.entry((ended, between == new)).or_default() += 1;
        (old, whole) = (new, time);
    }
    // Most of them amid the push, however the machine's other work changes its pace.
    assert!(found.get(&(false, false)) >= Some(&15), "{found:?}");
    Ok(())
}

/// Whoever reads while images are pushed gets one of them whole.
fn readers_see_whole_images() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let images = [1, 2].map(|seed| samples.image(seed, &[1000, 500_000], registry.address, &["latest"]));
    let push = |image: &_| push_with(image, &Connection::new(&Registries::default()), &Push::default());
    push(&images[0])?;
    let digests = images.each_ref().map(digest);
    let reads = thread::scope(|scope| {
        let pushing = scope.spawn(|| (0..20).try_for_each(|n| push(&images[n % 2]).map(drop)));
        let mut reads = 0;
        while !pushing.is_finished() {
            let found = check::tag(registry.address, REPOSITORY, "latest").expect("it is there");
            assert!(digests.contains(&found));
            reads += 1;
        }
        pushing.join().unwrap().map(|()| reads)
    })?;
    assert!(reads >= 3, "{reads}");
    Ok(())
}

fn push_from_full_disk(disk: &Path) -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let spec = engine::spec(&sandbox, &[format!("{}/{REPOSITORY}:latest", registry.address)]);
    let cache = disk.join("cache");
    let places = Places { cache: cache.clone(), ..sandbox.places() };
    change(&sandbox, 1, 100_000);
    make::image(&spec, &places)?;
    let old = check::tag(registry.address, REPOSITORY, "latest");
    let before = registry.storage();
    change(&sandbox, 2, 1_000_000);
    let error = format!("{:#}", make::image(&spec, &places).expect_err("the disk is full"));
    assert!(error.contains(&format!("write {}", cache.display())), "{error}");
    assert!(error.contains("No space left on device (os error 28); free some space there"), "{error}");
    assert_eq!(registry.storage(), before);
    assert_eq!(check::tag(registry.address, REPOSITORY, "latest"), old);
    check_cache(&cache);
    fs::remove_dir_all(&cache)?;
    change(&sandbox, 2, 100_000);
    make::image(&spec, &places)?;
    assert_ne!(check::tag(registry.address, REPOSITORY, "latest"), old);
    Ok(())
}
