//! Images of both engines beside each other, and what a registry has of BuildKit's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::Registry;
use super::support::{bd, events, root, run, xtask};
use super::{Outcome, by_buildkit};

const PLATFORMS: &str = "linux/amd64,linux/arm64";

/// An OCI layout, opened at the image for one platform.
struct Layout {
    folder: PathBuf,
    manifest: Value,
}

impl Layout {
    fn open(folder: &Path, platform: &str) -> Layout {
        let index = read(&folder.join("index.json"));
        let blob = |descriptor: &Value| read(&blob(folder, descriptor));
        let index = blob(&index["manifests"][0]);
        let is_for = |one: &&Value| {
            let of = &one["platform"];
            format!("{}/{}", of["os"].as_str().unwrap(), of["architecture"].as_str().unwrap()) == platform
        };
        let manifest = blob(index["manifests"].as_array().unwrap().iter().find(is_for).unwrap());
        Layout { folder: folder.to_owned(), manifest }
    }

    /// The image config without what says how it was made rather than what it is.
    fn config(&self) -> Value {
        let mut config = read(&blob(&self.folder, &self.manifest["config"]));
        config["history"].take();
        config["rootfs"].take();
        config
    }

    fn size(&self) -> u64 {
        self.manifest["layers"].as_array().unwrap().iter().map(|layer| layer["size"].as_u64().unwrap()).sum()
    }

    /// Unpacks the layer with the service into `dest`, and returns the program.
    fn program(&self, dest: &Path) -> PathBuf {
        fs::create_dir_all(dest).unwrap();
        for layer in self.manifest["layers"].as_array().unwrap() {
            let archive = blob(&self.folder, layer);
            run(Command::new("tar").args(["--zstd", "-xf"]).arg(archive).arg("-C").arg(dest));
        }
        dest.join("app/app")
    }
}

fn blob(folder: &Path, descriptor: &Value) -> PathBuf {
    folder.join("blobs/sha256").join(&descriptor["digest"].as_str().unwrap()[7..])
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap()
}

pub(super) fn both_engines_make_the_same_image() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (native, buildkit) = (folder.path().join("native"), folder.path().join("buildkit"));
    let output = |layout: &Path| format!("oci,tar=false,dest={}", layout.display());
    bd(&["--platform", PLATFORMS, "--output", &output(&native)]);
    let args = ["--platform", PLATFORMS, "--output", &output(&buildkit)];
    by_buildkit("bd", &args);
    for platform in PLATFORMS.split(',') {
        let (ours, theirs) = (Layout::open(&native, platform), Layout::open(&buildkit, platform));
        assert_eq!(ours.config(), theirs.config(), "{platform}");
        let (size, other) = (theirs.size(), ours.size());
        assert!(size <= 5_000_000 && size * 100 <= other * 105, "{platform}: {size} and {other} bytes");
    }
    answers(&Layout::open(&buildkit, "linux/arm64").program(&folder.path().join("arm64")));
    again(&by_buildkit("bd", &args));
    Ok(())
}

/// Starts a program for one of the platforms, by an emulator where this machine is another: not every kernel does that
/// by itself.
pub(crate) fn on_this_machine(program: &Path, architecture: &str) -> Command {
    if architecture != "arm64" || cfg!(target_arch = "aarch64") {
        return Command::new(program);
    }
    let mut command = Command::new("qemu-aarch64-static");
    command.arg(program);
    command
}

/// The service for arm64 answers, by an emulator where need be.
fn answers(program: &Path) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut service = on_this_machine(program, "arm64")
        .env("APP__SERVER__PORT", port.to_string())
        .env("APP__ADMIN__PORT", "0")
        .current_dir(program.parent().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let url = format!("http://127.0.0.1:{port}/notes");
    let answered =
        || Command::new("curl").args(["--fail", "--silent", &url]).output().unwrap().status.success();
    while !answered() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let is_there = answered();
    service.kill().unwrap();
    service.wait().unwrap();
    assert!(is_there, "the service for arm64 does not answer");
}

/// The second run finds everything that was compiled, and says so of each vertex.
fn again(events: &[Value]) {
    let is_command =
        |event: &&Value| event["command"].as_str().is_some_and(|command| command.starts_with("RUN"));
    let started = events.iter().filter(|event| event["part_of"] == "bake").filter(is_command);
    let names = started.map(|event| &event["step"]).collect::<Vec<_>>();
    let finished = events.iter().filter(|event| event["event"] == "step-finished");
    let commands = finished.filter(|event| names.contains(&&event["step"])).collect::<Vec<_>>();
    assert!(commands.len() > 5, "{commands:#?}");
    assert!(commands.iter().all(|event| event["outcome"] == "cached"), "{commands:#?}");
}

pub(super) fn what_buildkit_pushes_is_whole() -> Outcome {
    let folder = tempfile::tempdir()?;
    let registry = Registry::start();
    let image = format!("{}/team/app", registry.address);
    let events = by_buildkit("bdp", &["--image", &image, "--tag", "next"]);
    let pushed = events.iter().find(|event| event["event"] == "image").unwrap();
    let layout = folder.path().join("pulled");
    let dest = format!("oci:{}:pulled", layout.display());
    let source = format!("docker://{image}:next");
    run(Command::new("skopeo").args(["copy", "--quiet", "--all", "--src-tls-verify=false", &source, &dest]));

    let index = read(&layout.join("index.json"));
    let root = &index["manifests"][0];
    assert_eq!(root["digest"], pushed["digest"]);
    assert_eq!(root["mediaType"], "application/vnd.oci.image.index.v1+json");
    let native = events_of_native(&folder.path().join("native"));
    for platform in PLATFORMS.split(',') {
        let image = Layout::open(&layout, platform);
        assert_eq!(image.manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(image.manifest["annotations"]["org.opencontainers.image.title"], "app");
        for layer in image.manifest["layers"].as_array().unwrap() {
            assert_eq!(layer["mediaType"], json!("application/vnd.oci.image.layer.v1.tar+zstd"), "{layer}");
            run(Command::new("zstd").args(["--test", "--quiet"]).arg(blob(&layout, layer)));
        }
        let slug = platform.replace('/', "-");
        let theirs = crates(&image.program(&folder.path().join(&slug)));
        let ours = crates(&Layout::open(&native, platform).program(&folder.path().join(slug + "-native")));
        assert!(ours.len() > 100, "{ours:?}");
        assert_eq!(ours, theirs, "{platform}");
    }

    let output = xtask().args(["verify", &format!("{image}:next"), "--no-rebuild"]).output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for platform in PLATFORMS.split(',') {
        assert!(said.contains(&format!("yes: SBOM for {platform} in SPDX: ")), "{said}");
        assert!(said.contains(&format!("yes: SBOM for {platform} in CycloneDX: ")), "{said}");
        assert!(said.contains(&format!("yes: user on {platform}: 65532:65532")), "{said}");
    }
    Ok(())
}

fn events_of_native(layout: &Path) -> PathBuf {
    bd(&["--platform", PLATFORMS, "--output", &format!("oci,tar=false,dest={}", layout.display())]);
    layout.to_owned()
}

/// What a program was compiled from, as package URLs.
fn crates(program: &Path) -> BTreeSet<String> {
    let engine = events(&run(xtask().args(["bd", "--dry-run", "--message-format", "json"])));
    let engine = engine[0]["steps"][0]["outputs"][0].as_str().unwrap().to_owned();
    let sbom = run(Command::new(root().join(engine)).arg("sbom").arg(program));
    let sbom: Value = serde_json::from_str(&sbom).unwrap();
    let references = sbom["packages"].as_array().unwrap().iter().flat_map(|package| {
        package["externalRefs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["referenceLocator"].as_str())
    });
    references.map(str::to_owned).collect()
}
