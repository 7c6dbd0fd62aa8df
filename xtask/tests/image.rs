//! `cargo xtask bd` from the outside: the image it makes, in real container runtimes.
//!
//! Needs cargo and a C compiler; what else is missing on a machine is said, and its tests count as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use support::container::Container;
use support::{bd, clean, events, has, root, run, runs_containers, xtask};

type Outcome = Result<(), libtest_mimic::Failed>;

/// For who looks at what a run touches, and who has a shell run the same: that takes no notice of xtask's own lock.
static STEPS: Mutex<()> = Mutex::new(());

fn main() -> ExitCode {
    let trials = vec![
        trial("the_second_run_has_nothing_to_do", None, the_second_run_has_nothing_to_do),
        trial("the_dry_run_does_the_same_when_pasted", None, the_dry_run_does_the_same_when_pasted),
        trial("the_image_is_small", None, the_image_is_small),
        trial("docs_describe_every_event", None, docs_describe_every_event),
        trial(
            "skopeo_and_umoci_accept_the_layout",
            missing(&["skopeo", "umoci"]),
            skopeo_and_umoci_accept_the_layout,
        ),
        trial("docker_keeps_notes", unable("docker"), || notes_survive_a_restart("docker")),
        trial("podman_keeps_notes", unable("podman"), || notes_survive_a_restart("podman")),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, skip: Option<String>, test: fn() -> Outcome) -> Trial {
    if let Some(why) = &skip {
        eprintln!("skipped: {name}: {why}");
    }
    Trial::test(name, test).with_ignored_flag(skip.is_some())
}

fn missing(programs: &[&str]) -> Option<String> {
    let missing = programs.iter().find(|program| !has(program))?;
    Some(format!("{missing} is not installed"))
}

fn unable(runtime: &str) -> Option<String> {
    (!runs_containers(runtime)).then(|| format!("{runtime} cannot run a container here"))
}

fn the_second_run_has_nothing_to_do() -> Outcome {
    let _alone = STEPS.lock().unwrap();
    bd(&["--output", "oci"]);
    let events = events(&bd(&["--output", "oci"]));
    let finished = events.iter().filter(|event| event["event"] == "step-finished").collect::<Vec<_>>();
    // The list of packages, made once, is not even a step.
    let names = finished.iter().map(|event| event["step"].as_str().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(names, BTreeSet::from(["artifact", "compile", "engine", "image"]));
    assert!(finished.iter().all(|event| event["outcome"] == "cached"), "{finished:#?}");
    Ok(())
}

fn the_dry_run_does_the_same_when_pasted() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (by_xtask, by_shell) = (folder.path().join("xtask.tar"), folder.path().join("shell.tar"));
    bd(&["--output", &format!("oci,dest={}", by_xtask.display())]);
    let dry_run =
        run(xtask().args(["bd", "--dry-run", "--output", &format!("oci,dest={}", by_shell.display())]));
    let alone = STEPS.lock().unwrap();
    run(clean(Command::new("sh")).args(["-e", "-c", &dry_run]));
    drop(alone);
    assert_eq!(fs::read(by_xtask)?, fs::read(by_shell)?);
    Ok(())
}

fn the_image_is_small() -> Outcome {
    let events = events(&bd(&["--output", "oci"]));
    let image = events.iter().find(|event| event["event"] == "image").unwrap();
    let image = &image["platforms"][0];
    let size = image["size"].as_u64().unwrap();
    assert!(size <= 5_000_000, "{size} bytes");
    let layers = image["layers"].as_array().unwrap().iter().map(|layer| layer["name"].as_str().unwrap());
    assert_eq!(layers.collect::<Vec<_>>(), ["base static", "files", "binary"]);
    Ok(())
}

fn docs_describe_every_event() -> Outcome {
    let documentation = fs::read_to_string(root().join("docs/events.md"))?;
    let doctor = run(xtask().args(["doctor", "--message-format", "json"]));
    let plan = run(xtask().args(["bd", "--dry-run", "--message-format", "json"]));
    for event in [bd(&["--output", "oci"]), doctor, plan].iter().flat_map(|output| events(output)) {
        let platforms = || event["platforms"].as_array().into_iter().flatten();
        let layers = platforms().flat_map(|platform| platform["layers"].as_array().into_iter().flatten());
        let steps = event["steps"].as_array().into_iter().flatten();
        let tools = event["tools"].as_array().into_iter().flatten();
        for object in [&event].into_iter().chain(platforms()).chain(layers).chain(steps).chain(tools) {
            for key in object.as_object().unwrap().keys() {
                assert!(
                    documentation.contains(&format!("`{key}`")),
                    "docs/events.md does not describe `{key}`"
                );
            }
        }
    }
    Ok(())
}

/// With gzip, because older releases of umoci know no zstd.
fn skopeo_and_umoci_accept_the_layout() -> Outcome {
    let folder = tempfile::tempdir()?;
    let layout = folder.path().join("layout");
    let output = format!("oci,tar=false,dest={}", layout.display());
    bd(&["--image", "team/app", "--tag", "checked", "--compression", "gzip", "--output", &output]);
    let reference = format!("oci:{}:checked", layout.display());
    let config: serde_json::Value =
        serde_json::from_str(&run(Command::new("skopeo").args(["inspect", "--config", &reference])))?;
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["StopSignal"], "SIGTERM");
    assert!(config["config"]["ExposedPorts"]["8080/tcp"].is_object());
    assert_eq!(config["config"]["Labels"]["org.opencontainers.image.title"], "app");

    let bundle = folder.path().join("bundle");
    let image = format!("{}:checked", layout.display());
    run(Command::new("umoci").args(["unpack", "--rootless", "--image", &image]).arg(&bundle));
    let rootfs = bundle.join("rootfs");
    for path in [
        "app/app",
        "app/config/app.production.toml",
        "etc/passwd",
        "etc/ssl/certs/ca-certificates.crt",
        "app/data",
        "tmp",
    ] {
        assert!(rootfs.join(path).exists(), "{path} is missing");
    }
    assert!(rootfs.join("usr/share/zoneinfo/Europe/Berlin").is_file());
    Ok(())
}

/// The image as it comes, read-only, as its own user, with a volume for its data.
fn notes_survive_a_restart(runtime: &'static str) -> Outcome {
    let repository = format!("app-test-{}", std::process::id());
    bd(&["--image", &repository, "--tag", "it", "--output", runtime]);
    let container = Container::create(runtime, &format!("{repository}:it"));
    container.start();
    let created = container.http("POST", "/notes", r#"{"title":"kept","body":"over a restart"}"#);
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");

    let began = Instant::now();
    assert_eq!(container.terminate(), "0");
    assert!(began.elapsed() < Duration::from_secs(2), "took {:?} to stop", began.elapsed());

    container.start();
    let notes = container.http("GET", "/notes", "");
    assert!(notes.contains("over a restart"), "{notes}");
    assert_eq!(container.user(), "65532:65532");
    Ok(())
}
