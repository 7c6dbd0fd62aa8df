//! Flags for rustc, as cargo takes them.

use std::iter;
use std::path::Path;

use image_spec::Platform;

use super::linking::Linking;
use super::words;
use crate::config::Config;
use crate::plan::Step;

/// Has the cargo of `compile` make what is static, independent of where it was built, and known by an id.
pub(super) fn add(config: &Config, linking: &Linking, platforms: &[Platform], compile: &mut Step) {
    let rustflags = of_all(config, linking);
    match &config.host.rustflags {
        // Cargo takes flags from one place only, and the variable wins. A flag with a space has no place in it.
        Some(users) => {
            let own = rustflags.iter().map(String::as_str).filter(|flag| !flag.contains(char::is_whitespace));
            let all = iter::once(users.as_str()).chain(own).collect::<Vec<_>>();
            compile.env.insert("RUSTFLAGS".to_owned(), all.join(" "));
        }
        None => {
            let for_target =
                platforms.iter().map(|platform| for_target(&linking.target(*platform), &rustflags));
            compile.argv.extend(for_target.flatten());
        }
    }
}

/// Arguments for cargo that add to the flags for a target.
pub(super) fn for_target(target: &str, rustflags: &[String]) -> [String; 2] {
    let list = rustflags.iter().map(|flag| toml_string(flag)).collect::<Vec<_>>().join(",");
    ["--config".to_owned(), format!("target.{target}.rustflags=[{list}]")]
}

fn of_all(config: &Config, linking: &Linking) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = words(linking.rustflags);
    flags.push(remap(&config.host.cargo_home, "/cargo"));
    flags.push(remap(&config.root, "/src"));
    // What a debugger finds the debug information by, which is kept beside the binary.
    flags.extend(words(&["-C", "link-arg=-Wl,--build-id=sha1"]));
    flags
}

/// A basic string of TOML.
pub(super) fn toml_string(text: &str) -> String {
    toml::Value::from(text).to_string()
}
