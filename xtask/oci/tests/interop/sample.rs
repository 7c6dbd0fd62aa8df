//! An image that our engine pushed: for two platforms, with all that a spec can ask for, and with proofs beside it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use image_spec::{Base, FileEntry, FolderEntry, ImageReport, ImageSpec, Layer, LinkEntry, Output, Platform};
use libtest_mimic::Failed;
use xtask_oci::make;

use super::check;
use super::common::{Sandbox, program};
use super::listing::{Listing, shown};
use super::server::Registry;

/// The platform that programs run on here.
pub const HOST: Platform =
    if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };

pub const PLATFORMS: [Platform; 2] = [Platform::LinuxAmd64, Platform::LinuxArm64];

/// Too long for the name in a tar header, and not ASCII.
const LONG: &str = "/srv/a-folder-whose-name-alone-takes-as-much-as-sixty-characters-do/\
                    and-another-one-within-it-that-goes-beyond-one-hundred/gr\u{fc}n.txt";

/// A registry and an image in it.
pub struct Pushed {
    pub registry: Registry,
    pub sandbox: Sandbox,
    pub name: String,
    pub repository: String,
    pub report: ImageReport,
    /// What the spec asks for, on top of the base.
    pub expected: BTreeMap<Platform, Listing>,
    pub created: u64,
}

impl Pushed {
    /// An image of this kind: `zstd`, `gzip`, or layers of both in `mixed`.
    pub fn of(kind: &str) -> Result<Pushed, Failed> {
        match kind {
            "mixed" => Pushed::new("gzip:6")?.and_on_top("zstd:3"),
            compression => Pushed::new(compression),
        }
    }

    fn new(compression: &str) -> Result<Pushed, Failed> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (registry, sandbox) = (Registry::start(), Sandbox::new());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let repository = format!("team/interop-{}-{number}", std::process::id());
        // Other content than that of the test before, since an engine fetches nothing twice.
        let created = 1_700_000_000 + u64::from(std::process::id()) * 100 + number;
        sandbox.file("config/app.toml", repository.as_bytes());
        sandbox.file("large.bin", &large(created));
        for platform in PLATFORMS {
            sandbox.file(platform.architecture(), &program(platform));
        }
        let name = format!("{}/{repository}:1", registry.address);
        let expected = PLATFORMS.map(|platform| (platform, expected(&sandbox, platform))).into();
        let report = ImageReport { digest: String::new(), platforms: vec![], remarks: vec![], push: None };
        let mut pushed = Pushed { registry, sandbox, name, repository, report, expected, created };
        let platforms = PLATFORMS.map(|platform| (platform, layers(&pushed.sandbox, platform)));
        let spec = pushed.spec(&pushed.name, Base::Static, compression, platforms.into())?;
        pushed.report = pushed.push(&spec)?;
        Ok(pushed)
    }

    /// The same with one more layer.
    fn and_on_top(mut self, compression: &str) -> Result<Pushed, Failed> {
        let base = Base::Image(self.name.parse()?);
        self.sandbox.file("top", b"on top");
        let layer = layer("top", vec![self.sandbox.entry("top", "/srv/top", None)]);
        self.name = format!("{}/{}:2", self.registry.address, self.repository);
        let platforms = PLATFORMS.map(|platform| (platform, vec![layer.clone()]));
        let spec = self.spec(&self.name, base, compression, platforms.into())?;
        self.report = self.push(&spec)?;
        for listing in self.expected.values_mut() {
            *listing = listing.clone().with_file("/srv/top", b"on top", 0o644, (0, 0));
        }
        Ok(self)
    }

    /// An image that is to be pushed to the registry with its proofs.
    pub fn spec(
        &self,
        name: &str,
        base: Base,
        compression: &str,
        platforms: BTreeMap<Platform, Vec<Layer>>,
    ) -> Result<ImageSpec, Failed> {
        let mut spec = self.sandbox.spec();
        spec.labels.extend(Pushed::labels());
        // Docker would make a folder that is not there.
        spec.config.workdir = "/var/lib/app".to_owned();
        (spec.base, spec.platforms) = (base, platforms);
        (spec.tags, spec.compression, spec.created) =
            (vec![name.parse()?], compression.parse()?, self.created);
        spec.outputs =
            vec![Output::Registry { immutable: vec![], dry_run: false, proofs: true, fallback: None }];
        Ok(spec)
    }

    /// What says that an image is of a commit.
    pub fn labels() -> BTreeMap<String, String> {
        let labels = [
            ("source", "https://example.com/team/app"),
            ("revision", "0123456789abcdef0123456789abcdef01234567"),
        ];
        let key = |name| format!("org.opencontainers.image.{name}");
        labels.map(|(name, value)| (key(name), value.to_owned())).into()
    }

    pub fn push(&self, spec: &ImageSpec) -> Result<ImageReport, Failed> {
        make::image(spec, &self.sandbox.places()).map_err(shown)
    }

    /// The name of another image in the same registry.
    pub fn other(&self, name: &str) -> String {
        format!("{}/{}", self.registry.address, self.other_path(name))
    }

    fn other_path(&self, name: &str) -> String {
        format!("{}-{name}", self.repository)
    }

    /// The digest that another image of the registry has, all of which is there.
    pub fn digest_of(&self, name: &str, tag: &str) -> Option<String> {
        check::tag(self.registry.address, &self.other_path(name), tag)
    }

    /// Compares what a tool sees with what the spec asks for, and with what our engine sees.
    pub fn check(&self, seen: &Listing, platform: Platform) -> Result<(), Failed> {
        let expected = &self.expected[&platform];
        assert_eq!(seen.lacks(expected), [""; 0], "{platform}");
        assert_eq!(seen.with_other_mtime(self.created, expected), [""; 0], "{platform}");
        let ours = Listing::of_image(&self.name, platform)?;
        assert!(ours.len() > 100, "time zones of the base are there");
        assert_eq!(seen.differences(&ours), [""; 0], "{platform}");
        Ok(())
    }
}

fn layers(sandbox: &Sandbox, platform: Platform) -> Vec<Layer> {
    let owned = |name, dest, mode, owner: &str| FileEntry {
        owner: Some(owner.to_owned()),
        ..sandbox.entry(name, dest, Some(mode))
    };
    let folder = FolderEntry { dest: "/var/lib/app".to_owned(), owner: "65532:65532".to_owned() };
    let link = LinkEntry { dest: "/usr/bin/app".to_owned(), target: "/app".to_owned() };
    let files = vec![
        owned("large.bin", "/srv/data/large.bin", 0o640, "1000:1001"),
        owned("config/app.toml", "/srv/tool", 0o4711, "0:65532"),
        sandbox.entry("config/app.toml", LONG, None),
    ];
    vec![
        layer("config", vec![sandbox.entry("config", "/etc/app", None)]),
        Layer { folders: vec![folder], links: vec![link], ..layer("files", files) },
        layer("app", vec![sandbox.entry(platform.architecture(), "/app", Some(0o755))]),
    ]
}

fn expected(sandbox: &Sandbox, platform: Platform) -> Listing {
    let read = |name: &str| std::fs::read(sandbox.path(name)).unwrap();
    Listing::default()
        .with_file("/app", &program(platform), 0o755, (0, 0))
        .with_folder("/etc/app", 0o755, (0, 0))
        .with_file("/etc/app/app.toml", &read("config/app.toml"), 0o644, (0, 0))
        .with_file("/etc/app/more/empty.toml", b"", 0o644, (0, 0))
        .with_file("/srv/data/large.bin", &read("large.bin"), 0o640, (1000, 1001))
        .with_file("/srv/tool", &read("config/app.toml"), 0o4711, (0, 65532))
        .with_file(LONG, &read("config/app.toml"), 0o644, (0, 0))
        .with_folder("/var/lib/app", 0o755, (65532, 65532))
        .with_link("/usr/bin/app", "/app")
}

pub fn layer(name: &str, files: Vec<FileEntry>) -> Layer {
    Layer { name: name.to_owned(), files, folders: vec![], links: vec![] }
}

/// Several blocks of a compressor.
fn large(seed: u64) -> Vec<u8> {
    (0..100_000u64).flat_map(|number| (number.wrapping_mul(seed) >> 7).to_le_bytes()).collect()
}
