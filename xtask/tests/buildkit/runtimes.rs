//! The runtimes of the Dockerfile, with what `cargo xtask build` has compiled.

use std::process::Command;

use super::support::container::Container;
use super::support::{root, run, xtask};
use super::{Outcome, resolves};

/// What stands in for an image that BuildKit cannot get, where registries cannot be reached.
const STAND_INS: [(&str, &str); 3] = [
    ("gcr.io/distroless/static-debian12:nonroot", "debian:bookworm-slim"),
    ("gcr.io/distroless/cc-debian12:nonroot", "debian:bookworm-slim"),
    ("busybox:1.37-musl", "alpine:3.22"),
];

/// Programs of a runtime besides the service, with what they print.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("runtime-media", &["ffmpeg", "-version"], "ffmpeg version"), // template: if media
    ("runtime-media", &["ffprobe", "-version"], "ffprobe version"), // template: if media
    ("runtime-media", &["yt-dlp", "--version"], "2026.10.26"),    // template: if media
    ("runtime-alpine", &["sh", "-c", "id -u"], "65532"),
    ("runtime-debug", &["/busybox/sh", "-c", "/busybox/id -u"], "65532"),
];

pub(super) fn every_runtime_runs() -> Outcome {
    run(xtask().args(["build", "--quiet"]));
    for runtime in [
        // From small to large.
        "runtime-static",
        "runtime-cc",
        "runtime-alpine",
        "runtime-debug",
        "runtime-media", // template: if media
    ] {
        let name = format!("{runtime}-{}", std::process::id());
        let image = format!("{name}:it");
        build(runtime, &name);
        let container = Container::create("docker", &image);
        container.start();
        let created = container.http("POST", "/notes", r#"{"title":"kept","body":"here"}"#);
        assert!(created.starts_with("HTTP/1.1 201"), "{runtime}: {created}");
        assert_eq!(container.user(), "65532:65532", "{runtime}");
        for (_, command, expected) in PROGRAMS.iter().filter(|(of, ..)| *of == runtime) {
            let (program, args) = command.split_first().unwrap();
            let mut docker = Command::new("docker");
            docker.args(["run", "--rm", "--network", "host", "--read-only", "--entrypoint", program, &image]);
            let said = run(docker.args(args));
            assert!(said.contains(expected), "{runtime}: {command:?}: {said}");
        }
    }
    Ok(())
}

/// Makes a runtime: by xtask, or as somebody would who has only Docker, where an image has to be stood in for.
fn build(runtime: &str, name: &str) {
    let stand_ins = STAND_INS.iter().filter(|(image, _)| !resolves(image)).collect::<Vec<_>>();
    let needs_one = ["runtime-static", "runtime-cc", "runtime-debug"].contains(&runtime);
    if stand_ins.is_empty() || !needs_one {
        let args =
            ["bd", "--quiet", "--engine", "buildkit", "--packaging", "prebuilt", "--load", "--tag", "it"];
        run(xtask().args(args).args(["--target", runtime, "--image", name]));
        return;
    }
    let contexts = stand_ins.iter().flat_map(|(image, other)| {
        ["--build-context".to_owned(), format!("{image}=docker-image://docker.io/library/{other}")]
    });
    let output = format!("type=docker,name={name}:it");
    let args = ["buildx", "build", "--quiet", "--build-arg", "PACKAGING=prebuilt", "--target", runtime];
    run(Command::new("docker")
        .args(args)
        .args(contexts)
        .args(["--output", &output, "."])
        .current_dir(root()));
}
