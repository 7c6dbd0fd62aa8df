//! Archives and layouts in the hands of real tools: Docker, podman, skopeo, umoci, UPX, and a disk that is full. Images in
//! a registry are in `interop`.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::fs;
use std::path::Path;

use common::tool::{can_mount, on_small_disk, run, runs_containers, succeeds, trial, umoci_reads};
use common::{Sandbox, program};
use image_spec::{ImageSpec, Output as ImageOutput, Platform};
use libtest_mimic::{Arguments, Failed};
use xtask_oci::artifact::Options;
use xtask_oci::digest::Digest;
use xtask_oci::make::Places;
use xtask_oci::{artifact, make};

const COMPRESSIONS: [&str; 3] = ["zstd:3", "gzip:6", "none"];

fn main() {
    let arguments = Arguments::from_args();
    let host = if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };
    let mut trials = Vec::new();
    for compression in COMPRESSIONS {
        for engine in ["docker", "podman"] {
            let works = runs_containers(engine);
            let name = format!("{engine} loads and runs {compression}");
            let needs = format!("{engine}, able to run a container");
            trials.push(trial(name, works, &needs, move || load_and_run(engine, compression, host)));
        }
        let skopeo = succeeds("skopeo", &["--version"]);
        let name = format!("skopeo reads {compression}");
        trials.push(trial(name, skopeo, "skopeo", move || read_with_skopeo(compression)));
        let name = format!("umoci unpacks {compression}");
        let needs = "umoci (0.5 or newer for zstd)";
        trials.push(trial(name, umoci_reads(compression), needs, move || unpack_with_umoci(compression)));
    }
    let upx = succeeds("upx", &["--version"]) && succeeds("cc", &["--version"]);
    trials.push(trial("upx packs once", upx, "upx and cc", move || pack(host)));
    trials.push(trial(
        "a full disk is named and nothing is left",
        can_mount(),
        "the right to mount a tmpfs",
        || on_small_disk(write_too_much),
    ));
    libtest_mimic::run(&arguments, trials).exit();
}

/// An image of its own name, so that tests do not meet in an engine that they share.
fn written(compression: &str, platform: Platform) -> (Sandbox, ImageSpec) {
    let sandbox = Sandbox::new();
    sandbox.file("app", &program(platform));
    let mut spec = sandbox.spec();
    spec.platforms = spec.platforms.into_values().map(|layers| (platform, layers)).collect();
    spec.compression = compression.parse().expect(compression);
    let tag = format!("{}-{}", std::process::id(), compression.replace(':', "-"));
    spec.tags = vec![
        format!("xtask-oci-test:{tag}").parse().expect(&tag),
        format!("registry.example/team/xtask-oci-test:{tag}").parse().expect(&tag),
    ];
    sandbox.write(&spec);
    (sandbox, spec)
}

fn load_and_run(engine: &str, compression: &str, host: Platform) -> Result<(), Failed> {
    let (sandbox, spec) = written(compression, host);
    run(&sandbox, &[engine, "load", "-i", "image.tar"])?;
    for name in &spec.tags {
        let name = match name.to_string() {
            short if !short.contains('/') => format!("docker.io/library/{short}"),
            full => full,
        };
        let user = "65532:65532";
        let says =
            run(&sandbox, &[engine, "run", "--rm", "--read-only", "--network=none", "--user", user, &name])?;
        assert_eq!(says, "ok\n");
        run(&sandbox, &[engine, "rmi", "-f", &name])?;
    }
    Ok(())
}

fn read_with_skopeo(compression: &str) -> Result<(), Failed> {
    let (sandbox, mut spec) = written(compression, Platform::LinuxAmd64);
    let tag = spec.tags[0].tag().expect("it is tagged").to_string();
    spec.tags.truncate(1);
    spec.outputs = vec![ImageOutput::Archive { dest: sandbox.path("one.tar") }];
    let report = sandbox.write(&spec);
    for image in
        ["oci-archive:one.tar", &format!("oci-archive:image.tar:{tag}"), &format!("oci:layout:{tag}")]
    {
        let shown: serde_json::Value = serde_json::from_str(&run(&sandbox, &["skopeo", "inspect", image])?)?;
        assert_eq!(shown["Digest"], report.digest.as_str(), "{image}");
        assert_eq!(shown["Layers"].as_array().map(Vec::len), Some(3), "{image}");
    }
    run(&sandbox, &["skopeo", "copy", "docker-archive:one.tar", "oci:copy:latest"])?;
    run(&sandbox, &["skopeo", "copy", "oci-archive:one.tar", "oci:copy:again"])?;
    Ok(())
}

fn unpack_with_umoci(compression: &str) -> Result<(), Failed> {
    let (sandbox, spec) = written(compression, Platform::LinuxAmd64);
    let image = format!("layout:{}", spec.tags[0].tag().expect("it is tagged"));
    run(&sandbox, &["umoci", "unpack", "--rootless", "--image", &image, "bundle"])?;
    assert_eq!(fs::read(sandbox.path("bundle/rootfs/app"))?, program(Platform::LinuxAmd64));
    assert!(sandbox.path("bundle/rootfs/usr/share/zoneinfo/Europe/Berlin").is_file());
    Ok(())
}

fn pack(host: Platform) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let source =
        sandbox.file("main.c", b"#include <stdio.h>\nint main(void) { return puts(\"1.0\") < 0; }\n");
    run(&sandbox, &["cc", "-static", "-o", "app", &source.display().to_string()])?;
    let (src, dest) = (sandbox.path("app"), sandbox.path("dist/app"));
    let options = Options { platform: host, packages: None, keep_symbols: false, pack: true };
    let place = || artifact::place(&src, &dest, &options);
    assert!(place()?.is_empty());
    assert!(fs::metadata(&dest)?.len() < fs::metadata(&src)?.len());
    run(&sandbox, &["dist/app", "--version"])?;
    let time = fs::metadata(&dest)?.modified()?;
    assert!(place()?.is_empty());
    assert_eq!(fs::metadata(&dest)?.modified()?, time, "it was packed again");

    // A program that ends with an error does not start, as far as anybody can tell.
    fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"1.0\"); return 3; }\n")?;
    run(&sandbox, &["cc", "-static", "-o", "app", &source.display().to_string()])?;
    let warning = place()?.concat();
    assert!(warning.ends_with("does not start: --version ends with exit status: 3"), "{warning}");
    assert_eq!(fs::read(&dest)?, fs::read(&src)?);
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
    Ok(())
}

fn write_too_much(disk: &Path) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    spec.outputs = vec![ImageOutput::Archive { dest: disk.join("image.tar") }];
    sandbox.write(&spec);
    let old = fs::read(disk.join("image.tar"))?;
    let mut large = program(Platform::LinuxAmd64);
    // Digests do not compress.
    large.extend((0..20_000u32).flat_map(|n| Digest::of(&n.to_le_bytes()).hex().as_bytes()[..20].to_vec()));
    sandbox.file("app", &large);
    for (output, cache) in [
        (ImageOutput::Archive { dest: disk.join("image.tar") }, sandbox.path("cache")),
        (ImageOutput::Layout { dest: disk.join("layout") }, sandbox.path("cache")),
        (ImageOutput::Archive { dest: sandbox.path("image.tar") }, disk.join("cache")),
    ] {
        spec.outputs = vec![output];
        let error = format!(
            "{:#}",
            make::image(&spec, &Places { cache: cache.clone(), ..sandbox.places() })
                .expect_err("the disk is full")
        );
        assert!(error.contains(&format!("write {}", disk.display())), "{error}");
        assert!(error.contains("No space left on device (os error 28); free some space there"), "{error}");
        assert_eq!(fs::read(disk.join("image.tar"))?, old);
        let _ = fs::remove_dir_all(disk.join("cache"));
        let left: Vec<_> = fs::read_dir(disk)?.flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["image.tar"], "{error}");
    }
    Ok(())
}
