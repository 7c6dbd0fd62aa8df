//! Reads what is asked for, checks what its types cannot, and writes what was made.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use image_spec::{ImageReport, ImageSpec, RunConfig, time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic;
use crate::container::numeric_user;
use crate::error::PathContext as _;
use crate::files::is_normal;

/// Reads an ImageSpec or the like as JSON from a file, or from standard input for `-`.
pub fn read<T: DeserializeOwned>(source: &Path) -> Result<T> {
    let (text, name) = if source == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        (text, "standard input".to_owned())
    } else {
        (fs::read_to_string(source).cannot("read", source)?, source.display().to_string())
    };
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    serde_json::from_str(&text).with_context(|| format!("{name} is not the JSON of {kind}"))
}

/// Writes the metadata file.
pub fn write_report(dest: &Path, report: &impl Serialize) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    atomic::write(dest, &json)
}

/// Writes the name of an image with its digest, and nothing else.
///
/// # Errors
/// The image has no name, or `dest` cannot be written.
pub fn write_digest(dest: &Path, spec: &ImageSpec, report: &ImageReport) -> Result<()> {
    let name = spec.tags.first().context("the image has no name that its digest could go with")?;
    atomic::write(dest, format!("{}@{}\n", name.repository(), report.digest).as_bytes())
}

/// Checks what an image of this spec would promise and could not hold.
pub fn check(spec: &ImageSpec) -> Result<()> {
    ensure!(
        spec.created <= time::MAX,
        "the creation time {} is after {}; give seconds, not milliseconds",
        spec.created,
        time::rfc3339(time::MAX)
    );
    for name in &spec.tags {
        ensure!(
            name.digest().is_none(),
            "`{name}` has a digest, which only a finished image has; leave out @sha256:…"
        );
    }
    check_run(&spec.config)
}

fn check_run(config: &RunConfig) -> Result<()> {
    numeric_user(&config.user)?;
    let folder = &config.workdir;
    ensure!(
        is_normal(folder),
        "the working folder `{folder}` must be absolute, such as /data, without //, . or .."
    );
    for word in &config.entrypoint {
        ensure!(
            !word.contains('\0'),
            "`{}` cannot be part of the entrypoint; remove the NUL",
            word.escape_default()
        );
    }
    for (name, value) in &config.env {
        let legal = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
        ensure!(
            legal,
            "`{}` cannot be an environment variable; use letters, digits and _",
            name.escape_default()
        );
    }
    let signal = &config.stop_signal;
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    let legal =
        !name.is_empty() && name.bytes().all(|c| matches!(c, b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-'));
    ensure!(legal, "`{signal}` is not a signal; write SIGTERM or the like");
    Ok(())
}
