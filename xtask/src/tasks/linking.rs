//! How a binary becomes static: the first way that works on this machine.

use anyhow::{Result, bail};
use image_spec::Platform;

use super::{beside_xtask, words};
use crate::config::{Config, Linker};
use crate::tools::{Install, target};

/// A way that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Linking {
    /// Whether cargo-zigbuild compiles.
    pub(super) zig: bool,
    /// The libc of the rustc target: `musl` or `gnu`.
    libc: &'static str,
    /// Flags for rustc.
    pub(super) rustflags: &'static [&'static str],
    /// The way, for people.
    pub(super) by: &'static str,
}

/// The ways in the order in which they are tried: musl first, because it is what is shipped and reaches any platform.
const WAYS: [Linker; 3] = [Linker::Zigbuild, Linker::MuslGcc, Linker::Host];

impl Linking {
    /// The rustc target for `platform`.
    pub(super) fn target(&self, platform: Platform) -> String {
        target(platform, self.libc)
    }

    /// What compiles; the arguments of `cargo build` follow.
    pub(super) fn compiler(&self, config: &Config) -> Vec<String> {
        if !self.zig {
            return words(&["cargo", "build"]);
        }
        let known = config.target("zigbuild").to_string_lossy().into_owned();
        words(&[&beside_xtask(config, "xtask"), "zigbuild", "--folder", &known, "--"])
    }
}

/// Chooses how to link for all of `platforms`, which one cargo compiles for.
///
/// # Errors
/// When nothing that `linker` allows works: says what each way lacks, and the command that installs it.
pub(super) fn choose(config: &Config, linker: Linker, platforms: &[Platform]) -> Result<Linking> {
    let allowed: &[Linker] = if linker == Linker::Auto { &WAYS } else { &[linker] };
    let mut lacking = Vec::new();
    for way in allowed {
        match platforms.iter().find_map(|platform| missing(config, *way, *platform)) {
            None => return Ok(linking(*way)),
            Some(what) => lacking.push(format!("  {}: {what}", name(*way))),
        }
    }
    let platforms = platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(" and ");
    bail!("no way to link a static binary for {platforms} works here\n{}", lacking.join("\n"))
}

/// What this machine lacks for `way`, with the line that mends it.
fn missing(config: &Config, way: Linker, platform: Platform) -> Option<String> {
    let tools = &config.host.tools;
    let musl = target(platform, "musl");
    let is_native = config.host.platform == Some(platform);
    let install = |program| Some(format!("`{}`", tools.install_line(program)));
    let no_target =
        || (!tools.has_target(&musl)).then(|| format!("`{}`", Install::Target(platform).line(&tools.system)));
    match way {
        Linker::Zigbuild if !tools.has("cargo-zigbuild") => install("cargo-zigbuild"),
        Linker::Zigbuild if !tools.zig => install("zig"),
        Linker::Zigbuild => no_target(),
        Linker::MuslGcc | Linker::Host if !is_native => {
            Some("only for the platform of this machine".to_owned())
        }
        Linker::MuslGcc if !tools.has("musl-gcc") => install("musl-gcc"),
        Linker::MuslGcc => no_target(),
        Linker::Host if !tools.static_libc => {
            Some("`sudo apt-get install libc6-dev` (on Fedora glibc-static)".to_owned())
        }
        Linker::Host | Linker::Auto => None,
    }
}

fn linking(way: Linker) -> Linking {
    match way {
        Linker::Zigbuild => {
            Linking { zig: true, libc: "musl", rustflags: &[], by: "cargo-zigbuild and musl" }
        }
        Linker::MuslGcc => Linking { zig: false, libc: "musl", rustflags: &[], by: "musl-gcc" },
        // With --target the flag reaches only the service, not build scripts and procedural macros, which must stay
        // dynamic.
        Linker::Host | Linker::Auto => Linking {
            zig: false,
            libc: HOST_LIBC,
            rustflags: &["-C", "target-feature=+crt-static"],
            by: "the host's static C library",
        },
    }
}

const HOST_LIBC: &str = if cfg!(target_env = "musl") { "musl" } else { "gnu" };

fn name(way: Linker) -> &'static str {
    match way {
        Linker::Auto => "auto",
        Linker::Zigbuild => "zigbuild",
        Linker::MuslGcc => "musl-gcc",
        Linker::Host => "host",
    }
}
