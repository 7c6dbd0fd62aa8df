//! How a binary becomes static: the first way that works on this machine.

use anyhow::{Result, bail};
use image_spec::Platform;

use crate::cli::Linker;
use crate::config::Config;

/// A way that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Linking {
    /// `build` or `zigbuild`.
    pub(super) subcommand: &'static str,
    /// The rustc target.
    pub(super) target: String,
    /// Flags for rustc.
    pub(super) rustflags: &'static [&'static str],
    /// The way, for people.
    pub(super) by: &'static str,
}

/// The ways in the order in which they are tried: musl first, because it is what is shipped and reaches any platform.
const WAYS: [Linker; 3] = [Linker::Zigbuild, Linker::MuslGcc, Linker::Host];

/// Chooses how to link for `platform`.
///
/// # Errors
/// When nothing that `linker` allows works: says what each way lacks, and the command that installs it.
pub(super) fn choose(config: &Config, linker: Linker, platform: Platform) -> Result<Linking> {
    let allowed: &[Linker] = if linker == Linker::Auto { &WAYS } else { &[linker] };
    let mut lacking = Vec::new();
    for way in allowed {
        match missing(config, *way, platform) {
            None => return Ok(linking(*way, platform)),
            Some(what) => lacking.push(format!("  {}: {what}", name(*way))),
        }
    }
    bail!("no way to link a static binary for {platform} works here\n{}", lacking.join("\n"))
}

/// What this machine lacks for `way`, with the line that mends it.
fn missing(config: &Config, way: Linker, platform: Platform) -> Option<String> {
    let tools = &config.host.tools;
    let musl = format!("{}-unknown-linux-musl", platform.rust_arch());
    let is_native = config.host.platform == Some(platform);
    let no_target = || (!tools.has_target(&musl)).then(|| format!("`rustup target add {musl}`"));
    match way {
        Linker::Zigbuild if !tools.has("cargo-zigbuild") => {
            Some("`cargo install --locked cargo-zigbuild`".to_owned())
        }
        Linker::Zigbuild if !tools.zig => Some("`pip install ziglang==0.15.2`".to_owned()),
        Linker::Zigbuild => no_target(),
        Linker::MuslGcc | Linker::Host if !is_native => {
            Some("only for the platform of this machine".to_owned())
        }
        Linker::MuslGcc if !tools.has("musl-gcc") => Some("`sudo apt-get install musl-tools`".to_owned()),
        Linker::MuslGcc => no_target(),
        Linker::Host if !tools.static_libc => {
            Some("`sudo apt-get install libc6-dev` (on Fedora glibc-static)".to_owned())
        }
        Linker::Host | Linker::Auto => None,
    }
}

fn linking(way: Linker, platform: Platform) -> Linking {
    let target = |libc: &str| format!("{}-unknown-linux-{libc}", platform.rust_arch());
    match way {
        Linker::Zigbuild => Linking {
            subcommand: "zigbuild",
            target: target("musl"),
            rustflags: &[],
            by: "cargo-zigbuild and musl",
        },
        Linker::MuslGcc => {
            Linking { subcommand: "build", target: target("musl"), rustflags: &[], by: "musl-gcc" }
        }
        // With --target the flag reaches only the service, not build scripts and procedural macros, which must stay
        // dynamic.
        Linker::Host | Linker::Auto => Linking {
            subcommand: "build",
            target: target(HOST_LIBC),
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
