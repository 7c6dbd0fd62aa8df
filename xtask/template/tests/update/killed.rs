//! Updates that are killed at any moment: what they leave is as before, or the next run finishes it.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::World;

/// How many moments are tried.
const MOMENTS: usize = 20;
/// Enough files for some of the moments to be among them.
const FILES: usize = 240;

fn world() -> World {
    let world = World::new();
    for number in 0..FILES {
        let name = if number % 4 == 0 { "old" } else { "file" };
        world.write(&format!("{name}/{number}.txt"), &format!("{number}\n{}", "a\n".repeat(500)));
    }
    world.release("0.1.0");
    world.make();
    world.edit("file/1.txt", "mine, which is a conflict\n");
    for number in 0..FILES {
        let text = format!("{number}\n{}b\n", "a\n".repeat(500));
        match number % 4 {
            0 => std::fs::remove_file(world.template().join(format!("old/{number}.txt"))).unwrap(),
            1 => world.write(&format!("file/{number}.txt"), &text),
            2 => world.write(&format!("new/{number}.txt"), &format!("new {number}\n{}", "c\n".repeat(500))),
            _ => {}
        }
    }
    world.release("0.2.0");
    world
}

/// Something that is seen from outside when an update is so far.
enum Moment {
    After(Duration),
    There(String),
    Gone(String),
}

/// Moments over the whole of an update; its files come in this order.
fn moments(time: Duration) -> Vec<Moment> {
    let file = |folder: &str, number: usize| format!("{folder}/{number}.txt");
    let mut moments: Vec<_> = (1..6).map(|part| Moment::After(time * part / 6)).collect();
    moments.push(Moment::There(".git/xtask-template/update.toml".to_owned()));
    moments.push(Moment::There(".git/xtask-template/index".to_owned()));
    moments.extend([0, 100, 200, 220].map(|number| Moment::Gone(file("old", number))));
    // As git sorts them: by their letters.
    let numbers = [10, 122, 154, 182, 2, 22, 238, 6, 98];
    moments.extend(numbers.map(|number| Moment::There(file("new", number))));
    assert_eq!(moments.len(), MOMENTS);
    moments
}

/// Runs an update in a process group, and kills that at a moment. What git itself leaves stays.
fn kill_at(world: &World, moment: &Moment) {
    let script = "read group; read now; kill -KILL \"-$group\"";
    let mut killer = Command::new("sh");
    killer.args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut killer = killer.spawn().unwrap();
    let mut tell = killer.stdin.take().unwrap();
    let mut command = world.program(&["update"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap();
    writeln!(tell, "{}", run.id()).unwrap();
    let is_there = |path: &str| world.project().join(path).exists();
    let is_now = || match moment {
        Moment::After(_) => true,
        Moment::There(path) => is_there(path),
        Moment::Gone(path) => !is_there(path),
    };
    if let Moment::After(time) = moment {
        sleep(*time);
    }
    while !is_now() && run.try_wait().unwrap().is_none() {}
    writeln!(tell, "now").unwrap();
    killer.wait().unwrap();
    run.wait().unwrap();
}

fn state(world: &World) -> (String, std::collections::BTreeMap<String, Vec<u8>>) {
    (world.git(&["status", "--porcelain"]), world.files())
}

#[test]
fn an_update_that_is_killed_is_not_made_or_finished() {
    let world = world();
    let before = state(&world);
    let start = Instant::now();
    let run = world.run(&["update"]);
    let (time, after) = (start.elapsed(), state(&world));
    assert_eq!(run.code, Some(1), "{}", run.said);
    world.git(&["reset", "--quiet", "--hard"]);
    assert!(state(&world) == before);
    let (mut between, mut finished) = (0, 0);
    for (number, moment) in moments(time).iter().enumerate() {
        kill_at(&world, moment);
        let found = state(&world);
        between += usize::from(found != before && found != after);
        if number % 4 == 3 {
            world.git(&["reset", "--quiet", "--hard"]);
            assert!(state(&world) == before, "{number}: git takes it back");
        }
        let run = world.run(&["update"]);
        if run.said.contains("are not committed") {
            assert!(found == after, "{number}: {}", run.said);
        } else {
            assert_eq!(run.code, Some(1), "{number}: {}", run.said);
            finished += usize::from(run.said.contains("was interrupted, and is finished now"));
        }
        assert!(state(&world) == after, "{number}: {}", run.said);
        world.git(&["reset", "--quiet", "--hard"]);
        assert!(state(&world) == before, "{number}");
    }
    eprintln!("{between} of {MOMENTS} were between, {finished} were finished");
    assert!(between > 4 && finished > 2, "{between} of {MOMENTS} were between, {finished} were finished");
}
