//! What the step `compile` runs for cargo-zigbuild: `cargo build` with the variables that cargo-zigbuild would give it.
//!
//! cargo-zigbuild asks rustc, zig and the preprocessor anew each time, which takes longer than cargo needs to see that
//! nothing has changed. As [subcommands of cargo](https://doc.rust-lang.org/cargo/reference/external-tools.html#custom-subcommands)
//! do, it calls back the cargo that the variable CARGO names. The first time this program stands there in cargo's place,
//! and writes down which variables came to it; from then on it starts cargo itself.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The file that whoever stands in for cargo writes.
const RECORD: &str = "XTASK_ZIGBUILD_RECORD";
/// Hashes of the variables that there were before cargo-zigbuild: their values may be secrets.
const BEFORE: &str = "XTASK_ZIGBUILD_BEFORE";
/// Variables that differ from start to start and mean nothing here.
const OURS: [&str; 6] = [RECORD, BEFORE, "CARGO", "PWD", "SHLVL", "_"];

/// How the names of variables begin that may decide what cargo-zigbuild does.
const READ: [&str; 15] = [
    "AR", "BINDGEN_", "CARGO_", "CC", "CFLAGS", "CMAKE_", "CXX", "HOME", "PATH", "PYTHON", "RANLIB", "RUST",
    "SDKROOT", "XDG_", "ZIG",
];
/// Those of them that decide nothing.
const NOT_READ: [&str; 2] = ["CARGO_MAKEFLAGS", "CARGO_TERM_COLOR"];
/// Programs and files that decide it.
const PROGRAMS: [&str; 3] = ["cargo-zigbuild", "zig", "python3"];
const TOOLCHAIN: &str = "rust-toolchain.toml";

/// Builds with `args`, which are those of `cargo build`. What cargo-zigbuild found out is kept in `folder`.
///
/// # Errors
/// When cargo or cargo-zigbuild cannot be started.
pub(crate) fn main(folder: &Path, args: &[String]) -> Result<ExitCode> {
    let record = folder.join(format!("{}.json", key(args)));
    match recorded(&record) {
        Some(variables) => ended(Command::new("cargo").arg("build").args(args).envs(variables)),
        None => ended(
            Command::new("cargo-zigbuild")
                .arg("zigbuild")
                .args(args)
                .env("CARGO", env::current_exe().context("cannot find this program")?)
                .env(RECORD, env::current_dir().context("there is no working folder")?.join(record))
                .env(BEFORE, env::vars_os().map(|pair| format!("{:x} ", hash(&pair))).collect::<String>()),
        ),
    }
}

/// The file to write, if this program stands in for cargo.
pub(crate) fn stands_in() -> Option<PathBuf> {
    env::var_os(RECORD).map(PathBuf::from)
}

/// Writes the variables that cargo-zigbuild has set into `record`, and goes on as cargo.
///
/// # Errors
/// When that cannot be written, or cargo cannot be started.
pub(crate) fn stand_in(record: &Path) -> Result<ExitCode> {
    let args = env::args_os().skip(1).collect::<Vec<_>>();
    if args.first().is_some_and(|subcommand| subcommand == "build") {
        let text = serde_json::to_string_pretty(&added()).context("cannot write JSON")?;
        crate::files::write(record, text).with_context(|| format!("cannot write {}", record.display()))?;
    }
    ended(Command::new("cargo").args(args).env_remove(RECORD).env_remove(BEFORE).env_remove("CARGO"))
}

fn ended(command: &mut Command) -> Result<ExitCode> {
    let name = command.get_program().to_os_string();
    let status = command.status().with_context(|| format!("cannot start {}", name.display()))?;
    // Without a code, a signal ended it.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// The variables that were not there before.
fn added() -> BTreeMap<String, String> {
    let before = env::var(BEFORE).unwrap_or_default();
    let before = before.split_whitespace().collect::<BTreeSet<_>>();
    let is_new = |pair: &(OsString, OsString)| !before.contains(&*format!("{:x}", hash(pair)));
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let all = env::vars_os().filter(is_new).filter_map(text);
    all.filter(|(name, _)| !OURS.contains(&name.as_str())).collect()
}

fn hash(pair: &(OsString, OsString)) -> u64 {
    let mut hasher = DefaultHasher::new();
    pair.hash(&mut hasher);
    hasher.finish()
}

/// What was written down, if all programs in it are still there.
fn recorded(record: &Path) -> Option<BTreeMap<String, String>> {
    let variables: BTreeMap<String, String> = serde_json::from_str(&fs::read_to_string(record).ok()?).ok()?;
    let mut linkers = variables.iter().filter(|(name, _)| name.ends_with("_LINKER"));
    linkers.all(|(_, linker)| Path::new(linker).is_file()).then_some(variables)
}

/// A digest of all that decides which variables cargo-zigbuild sets.
fn key(args: &[String]) -> String {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| hasher.update(format!("{text}\n"));
    args.windows(2).filter(|pair| pair[0] == "--target").for_each(|pair| add(&pair[1]));
    for program in PROGRAMS.iter().map(|name| on_path(name)).chain([Some(PathBuf::from(TOOLCHAIN))]) {
        add(&format!("{program:?} {:?}", program.as_deref().and_then(state)));
    }
    let is_read = |name: &str| READ.iter().any(|start| name.starts_with(start)) && !NOT_READ.contains(&name);
    let variables = env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_read));
    variables.collect::<BTreeSet<_>>().iter().for_each(|variable| add(&format!("{variable:?}")));
    data_encoding::HEXLOWER.encode(&hasher.finalize()[..8])
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Another one for another content, mostly.
fn state(file: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
