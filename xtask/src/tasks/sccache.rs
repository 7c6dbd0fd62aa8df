//! Compilation that many hosts share, by sccache.

use anyhow::{Result, bail};

use super::{beside_xtask, words};
use crate::config::Config;
use crate::plan::Step;

/// The longest path of a socket in bytes, as macOS has it; Linux takes a few more.
const MAX_SOCKET: usize = 103;

/// The step that brings up sccache's server, if compilations are shared.
///
/// # Errors
/// When sccache is not there, or cannot have its socket in the target folder.
pub(super) fn step(config: &Config) -> Result<Option<Step>> {
    let Some(cache) = &config.pipeline.cache.sccache else { return Ok(None) };
    if !config.host.tools.has("sccache") {
        bail!(
            "`sccache` is not on PATH, and config/pipeline.toml shares compilations by it: `{}`",
            config.host.tools.install_line("sccache")
        );
    }
    let socket = socket(config);
    if socket.len() > MAX_SOCKET {
        bail!(
            "sccache cannot listen at {socket}: a socket's path has at most {MAX_SOCKET} bytes; \
             have a shorter target folder, or remove `cache.sccache` from config/pipeline.toml"
        );
    }
    Ok(Some(Step {
        name: "sccache".to_owned(),
        why: format!("share compilations through {cache}"),
        argv: words(&[&beside_xtask(config, "xtask"), "sccache", &cache.to_string()]),
        env: [("SCCACHE_SERVER_UDS".to_owned(), socket)].into(),
        ..Step::default()
    }))
}

/// Has the cargo of `compile` take part.
pub(super) fn share(config: &Config, compile: &mut Step) {
    let Some(cache) = &config.pipeline.cache.sccache else { return };
    let own = [
        ("RUSTC_WRAPPER", "sccache"),
        // A server that ends early is no reason not to compile.
        ("SCCACHE_IGNORE_SERVER_IO_ERROR", "1"),
        // sccache tells compilations apart by every variable of cargo's, so on a terminal nothing else would be found.
        ("CARGO_TERM_COLOR", "never"),
        ("SCCACHE_SERVER_UDS", &socket(config)),
    ];
    compile.env.extend(cache.env());
    compile.env.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    compile.needs.push("sccache".to_owned());
}

/// Where the server listens. It keeps the settings that it was started with, so each target folder has its own.
fn socket(config: &Config) -> String {
    config.host.target_dir.join("sccache.sock").to_string_lossy().into_owned()
}
