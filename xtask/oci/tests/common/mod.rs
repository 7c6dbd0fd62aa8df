//! What the integration tests share: tiny real programs, and a folder to make images in.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several binaries")]

pub mod tool;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image_spec::{
    Base, Compression, FileEntry, ImageReport, ImageSpec, Layer, Output, Platform, Registries, RunConfig,
};
use serde_json::Value;
use xtask_oci::digest::Digest;
use xtask_oci::make::{self, Places};
use xtask_oci::proof::audit;

/// Prints `ok` and exits with 0, in machine code without any library.
const AMD64: &[u8] = b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35\x10\0\0\0\xba\x03\0\0\0\x0f\x05\
                       \xb8\x3c\0\0\0\x31\xff\x0f\x05ok\n";
const ARM64: &[u8] = b"\x20\0\x80\xd2\xe1\0\0\x10\x62\0\x80\xd2\x08\x08\x80\xd2\x01\0\0\xd4\
                       \0\0\x80\xd2\xa8\x0b\x80\xd2\x01\0\0\xd4ok\n";

/// A statically linked program that prints `ok`.
pub fn program(platform: Platform) -> Vec<u8> {
    let code = match platform {
        Platform::LinuxAmd64 => AMD64,
        Platform::LinuxArm64 => ARM64,
    };
    elf(platform, 1, 5, code)
}

/// A program that says what it was compiled from.
pub fn audited_program(platform: Platform) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.shstrtab\0.dep-v0\0";
    let packages = r#"{"packages":[{"name":"app","version":"1.0.0","source":"local","root":true,"dependencies":[1]},
        {"name":"serde","version":"1.0.0","source":"crates.io"}]}"#;
    let list = audit::encode(&serde_json::from_str(packages).unwrap()).unwrap();
    let mut bytes = program(platform);
    let mut put = |content: &[u8]| {
        bytes.extend(content);
        ((bytes.len() - content.len()) as u64, content.len() as u64)
    };
    let (names, list) = (put(NAMES), put(&list));
    let headers = put(&[0; 64]).0;
    for (name, kind, (offset, length)) in [(1u32, 3u32, names), (11, 1, list)] {
        bytes.extend([name, kind].iter().flat_map(|field| field.to_le_bytes()));
        bytes.extend([0, 0, offset, length, 0, 1, 0].iter().flat_map(|field: &u64| field.to_le_bytes()));
    }
    bytes[40..48].copy_from_slice(&headers.to_le_bytes());
    bytes[58..64].copy_from_slice(&[64, 0, 3, 0, 1, 0]);
    bytes
}

/// A program that needs a loader.
pub fn dynamic_program(platform: Platform, loader: &str) -> Vec<u8> {
    elf(platform, 3, 4, format!("{loader}\0").as_bytes())
}

/// An ELF file with one program header, of the type `kind`, for `content`.
fn elf(platform: Platform, kind: u32, flags: u32, content: &[u8]) -> Vec<u8> {
    const START: u64 = 64 + 56;
    const ADDRESS: u64 = 0x40_0000;
    let machine: u16 = if platform == Platform::LinuxAmd64 { 62 } else { 183 };
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([ADDRESS + START, 64, 0].iter().flat_map(|field| field.to_le_bytes()));
    bytes.extend(0u32.to_le_bytes());
    bytes.extend([64u16, 56, 1, 64, 0, 0].iter().flat_map(|field| field.to_le_bytes()));
    let (offset, length) =
        if kind == 1 { (0, START + content.len() as u64) } else { (START, content.len() as u64) };
    bytes.extend(kind.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(
        [offset, ADDRESS + offset, ADDRESS + offset, length, length, 0x1000]
            .iter()
            .flat_map(|field: &u64| field.to_le_bytes()),
    );
    bytes.extend(content);
    bytes
}

/// The layers of the one platform of an image.
pub fn layers(spec: &mut ImageSpec) -> &mut Vec<Layer> {
    spec.platforms.values_mut().next().unwrap()
}

/// A folder with a small project in it, gone when dropped.
pub struct Sandbox(tempfile::TempDir);

impl Sandbox {
    /// A project with a configuration folder and a program for linux/amd64.
    pub fn new() -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        sandbox.file("config/app.toml", b"port = 8080\n");
        sandbox.file("config/more/empty.toml", b"");
        sandbox.file("app", &program(Platform::LinuxAmd64));
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn entry(&self, name: &str, dest: &str, mode: Option<u32>) -> FileEntry {
        FileEntry { from: None, src: self.path(name), dest: dest.to_owned(), mode, owner: None }
    }

    /// The image of the project, written to `image.tar` and to the folder `layout`.
    pub fn spec(&self) -> ImageSpec {
        let layer =
            |name: &str, files| Layer { name: name.to_owned(), files, folders: vec![], links: vec![] };
        ImageSpec {
            base: Base::Static,
            tags: vec!["xtask-oci-test:latest".parse().unwrap()],
            created: 1_700_000_000,
            compression: Compression::default(),
            recompress: false,
            config: RunConfig {
                user: "65532:65532".to_owned(),
                entrypoint: vec!["/app".to_owned()],
                env: BTreeMap::from([("APP_LOG".to_owned(), "info".to_owned())]),
                ports: vec![8080],
                workdir: "/data".to_owned(),
                stop_signal: "SIGTERM".to_owned(),
            },
            labels: BTreeMap::from([("org.opencontainers.image.title".to_owned(), "test".to_owned())]),
            platforms: BTreeMap::from([(
                Platform::LinuxAmd64,
                vec![
                    layer("config", vec![self.entry("config", "/etc/app", None)]),
                    layer("app", vec![self.entry("app", "/app", Some(0o755))]),
                ],
            )]),
            build: BTreeMap::new(),
            run: None,
            outputs: vec![
                Output::Archive { dest: self.path("image.tar") },
                Output::Layout { dest: self.path("layout") },
            ],
            registries: Registries::default(),
        }
    }

    pub fn places(&self) -> Places {
        Places { cache: self.path("cache"), blobs: self.path("cache/blobs"), lock: None }
    }

    pub fn write(&self, spec: &ImageSpec) -> ImageReport {
        make::image(spec, &self.places()).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The message that the image is refused with. Nothing may be written then.
    pub fn refuse(&self, spec: &ImageSpec) -> String {
        let error = make::image(spec, &self.places()).expect_err("the image was written");
        assert!(
            !self.path("cache").exists() && !self.path("image.tar").exists() && !self.path("layout").exists()
        );
        format!("{error:#}").replace(&format!("{}/", self.0.path().display()), "")
    }

    /// The content of a blob of the layout.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        fs::read(self.path("layout/blobs/sha256").join(digest.strip_prefix("sha256:").unwrap())).unwrap()
    }

    /// A JSON document of the layout.
    pub fn json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.blob(digest)).unwrap()
    }

    /// Checks that everything the layout refers to is there and intact.
    pub fn check_layout(&self) {
        let index = fs::read(self.path("layout/index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        for image in index["manifests"].as_array().unwrap() {
            let manifest = self.json(image["digest"].as_str().unwrap());
            let layers = manifest["layers"].as_array().unwrap();
            for blob in layers.iter().chain([&manifest["config"], image]) {
                let digest = blob["digest"].as_str().unwrap();
                assert_eq!(Digest::of(&self.blob(digest)).to_string(), digest);
            }
        }
    }

    /// The names of all files below a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        collect_names(&self.path(folder), &mut names);
        names.sort();
        names
    }
}

fn collect_names(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            collect_names(&entry.path(), names);
        } else {
            names.push(entry.file_name().into_string().unwrap());
        }
    }
}
