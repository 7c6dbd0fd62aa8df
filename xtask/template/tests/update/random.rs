//! Templates, versions and edits that nobody thought of.

use std::collections::BTreeMap;
use std::time::Instant;

use fastrand::Rng;

use crate::support::{World, git, write};

/// How many templates are tried.
const ROUNDS: u64 = 12;

type Files = BTreeMap<String, Vec<String>>;

fn text(lines: &[String]) -> String {
    lines.concat()
}

fn line(random: &mut Rng) -> String {
    format!("{:08x}\n", random.u32(..))
}

fn file(random: &mut Rng) -> Vec<String> {
    (0..random.usize(20..60)).map(|_| line(random)).collect()
}

fn path(random: &mut Rng) -> String {
    format!("{}/{}{}.txt", random.choice(["a", "b", "c/d"]).unwrap(), random.lowercase(), random.u16(..))
}

/// Another version: some files are edited, added, deleted or moved.
fn next(files: &Files, random: &mut Rng) -> Files {
    let mut next = Files::new();
    for (path, lines) in files {
        let mut lines = lines.clone();
        let mut path = path.clone();
        match random.u8(..10) {
            0 => continue,
            1 => path = self::path(random),
            2..6 => {
                for _ in 0..random.usize(1..4) {
                    let at = random.usize(..lines.len());
                    match random.u8(..3) {
                        0 => lines[at] = line(random),
                        1 => lines.insert(at, line(random)),
                        _ => drop(lines.remove(at)),
                    }
                }
            }
            _ => {}
        }
        next.insert(path, lines);
    }
    for _ in 0..random.usize(..3) {
        next.insert(path(random), file(random));
    }
    next
}

fn release(world: &World, files: &Files, version: &str) {
    for folder in ["a", "b", "c"] {
        let _ = std::fs::remove_dir_all(world.template().join(folder));
    }
    for (path, lines) in files {
        world.write(path, &text(lines));
    }
    world.release(version);
}

#[test]
fn an_update_without_edits_is_the_new_version() {
    for seed in 0..ROUNDS {
        let mut random = Rng::with_seed(seed);
        let world = World::new();
        let mut files: Files = (0..12).map(|_| (path(&mut random), file(&mut random))).collect();
        release(&world, &files, "0.1.0");
        world.make();
        files = next(&files, &mut random);
        release(&world, &files, "0.2.0");
        for _ in 0..3 {
            files = next(&files, &mut random);
        }
        release(&world, &files, "0.3.0");
        let to: &[&str] = if seed % 2 == 0 { &["0.3.0"] } else { &["0.2.0", "0.3.0", "0.1.0"] };
        for version in to {
            world.succeed(&["update", "--to", version]);
            assert!(world.files() == world.made(version), "seed {seed}, version {version}");
            world.git(&["commit", "--quiet", "--message", "update"]);
        }
    }
}

#[test]
fn edits_outside_of_what_changes_stay() {
    for seed in 0..ROUNDS {
        let mut random = Rng::with_seed(seed);
        let world = World::new();
        let files: Files = (0..10).map(|number| (format!("a/{number}.txt"), file(&mut random))).collect();
        release(&world, &files, "0.1.0");
        world.make();
        // The template edits the first half of files, and their owner what is well below.
        let (mut theirs, mut ours, mut both) = (files.clone(), files.clone(), files.clone());
        for (path, lines) in &files {
            let middle = lines.len() / 2;
            for _ in 0..random.usize(..3) {
                let (at, new) = (random.usize(..middle - 4), line(&mut random));
                theirs.get_mut(path).unwrap()[at] = new.clone();
                both.get_mut(path).unwrap()[at] = new;
            }
            for _ in 0..random.usize(..3) {
                let (at, new) = (random.usize(middle..lines.len()), line(&mut random));
                ours.get_mut(path).unwrap()[at] = new.clone();
                both.get_mut(path).unwrap()[at] = new;
            }
        }
        release(&world, &theirs, "0.2.0");
        for (path, lines) in &ours {
            write(&world.project(), path, &text(lines));
        }
        world.edit("mine.txt", "mine\n");
        world.succeed(&["update"]);
        for (path, lines) in &both {
            assert_eq!(world.read(path), text(lines), "seed {seed}, {path}");
        }
    }
}

#[test]
fn a_year_of_changes_is_brought_at_once() {
    let mut random = Rng::with_seed(1);
    let world = World::new();
    let mut files: Files = (0..600).map(|_| (path(&mut random), file(&mut random))).collect();
    release(&world, &files, "0.1.0");
    world.make();
    for commit in 0..200 {
        let at = random.usize(..files.len());
        let (path, lines) = files.iter_mut().nth(at).unwrap();
        let at = random.usize(..lines.len());
        lines[at] = line(&mut random);
        lines.push(format!("commit {commit}\n"));
        world.write(path, &text(lines));
        git(&world.template(), &["commit", "--quiet", "--all", "--message", "change"]);
    }
    world.release("0.2.0");
    world.edit("mine.txt", "mine\n");
    let start = Instant::now();
    world.succeed(&["update"]);
    eprintln!("an update over 200 commits took {:?}", start.elapsed());
    let mut expected = world.made("0.2.0");
    expected.insert("mine.txt".to_owned(), b"mine\n".to_vec());
    assert!(world.files() == expected);
}
