//! How much memory pushes take: blobs stream, however large they are.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use image_spec::{Output, Platform};
use libtest_mimic::{Failed, Trial};

use super::check;
use super::common::{Sandbox, program};
use super::engine;
use super::sample::{REPOSITORY, random};
use super::server::Registry;

const MIB: u64 = 1 << 20;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("eight pushes at once stay small", eight_pushes_at_once),
        Trial::test("a layer of 2 GB streams", a_huge_layer),
    ]
}

/// Runs a program to its end and returns the most memory that it had, in bytes.
fn peak(mut command: Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    loop {
        let ended = child.try_wait().unwrap();
        most = most.max(high_water_mark(&child));
        if let Some(status) = ended {
            assert!(status.success(), "{status}");
            return most;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Zero once it has ended.
fn high_water_mark(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn eight_pushes_at_once() -> Result<(), Failed> {
    let registry = Registry::start();
    let projects = (0..8).map(|number| {
        let sandbox = Sandbox::new();
        let mut bytes = program(Platform::LinuxAmd64);
        bytes.extend(random(number, 24 << 20));
        sandbox.file("app", &bytes);
        let mut spec = engine::spec(&sandbox, &[format!("{}/{REPOSITORY}:{number}", registry.address)]);
        // What compressing takes is another matter, and depends on the number of processors.
        let Output::Registry { dry_run, .. } = &mut spec.outputs[0] else { panic!("it is a push") };
        *dry_run = true;
        assert!(peak(engine::command(&sandbox, &spec)) > 0);
        spec.outputs = vec![engine::PUSH];
        (engine::command(&sandbox, &spec), sandbox)
    });
    let projects = projects.collect::<Vec<_>>();
    let peaks = thread::scope(|scope| {
        let running = projects.into_iter().map(|(command, sandbox)| {
            scope.spawn(move || {
                let most = peak(command);
                drop(sandbox);
                most
            })
        });
        let running = running.collect::<Vec<_>>();
        running.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(peaks.iter().sum::<u64>() < 200_000_000, "{peaks:?}");
    for number in 0..8 {
        assert!(check::tag(registry.address, REPOSITORY, &number.to_string()).is_some());
    }
    Ok(())
}

/// A file of 2 GB, most of it zeros, the rest more than one request carries.
fn a_huge_layer() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let file = File::options().append(false).write(true).open(sandbox.path("app"))?;
    let noise = random(1, MIB as usize);
    for number in 1..90 {
        file.write_all_at(&noise[number as usize..], number * 22 * MIB)?;
    }
    file.set_len(2_000_000_000)?;
    let spec = engine::spec(&sandbox, &[format!("{}/{REPOSITORY}:huge", registry.address)]);
    let most = peak(engine::command(&sandbox, &spec));
    assert!(most < 100_000_000, "{most}");
    assert!(check::tag(registry.address, REPOSITORY, "huge").is_some());
    Ok(())
}
