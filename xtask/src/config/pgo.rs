//! Profiles of the service under load, which the cargo profile `pgo` goes by: those that are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::build::Build;
use super::host::Host;

/// The folder of profiles below the target folder; `pgo` is cargo's own, for the profile of that name.
const FOLDER: &str = "profdata";
/// How the name of a profile ends, as LLVM has it.
const EXTENSION: &str = ".profdata";
/// As many digits of a digest as tell profiles apart.
const DIGITS: usize = 12;

/// What plans need to know of profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pgo {
    /// The folder that they are in, and a target folder for what makes them.
    pub(crate) folder: PathBuf,
    /// The names of the files that are in it.
    pub(crate) found: Vec<String>,
    /// A digest of what decides, besides sources and targets, how the compiler names functions. By these names a profile
    /// counts, so one of another digest is of no use.
    pub(crate) digest: String,
    /// The time in seconds since the Unix epoch. A new profile has it in its name: what was compiled by another one, cargo
    /// compiles again.
    pub(crate) now: u64,
    /// Whether a profile that is not there may be made.
    pub(crate) may_train: bool,
}

impl Pgo {
    /// Looks for profiles in the target folder, and at the manifests of the workspace at `root`.
    pub(super) fn read(root: &Path, host: &Host, build: &Build) -> Pgo {
        let folder = host.target_dir.join(FOLDER);
        let files = fs::read_dir(&folder).into_iter().flatten().flatten();
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Pgo { found: names.collect(), digest: digest(root, host, build), now, may_train: true, folder }
    }

    /// The profile of this name; of several, the one that was made last.
    pub(crate) fn latest(&self, name: &str) -> Option<PathBuf> {
        let start = format!("{name}-{}-", self.digest);
        let made = |file: &str| file.strip_prefix(&start)?.strip_suffix(EXTENSION)?.parse::<u64>().ok();
        let (_, file) = self.found.iter().filter_map(|file| Some((made(file)?, file))).max()?;
        Some(self.folder.join(file))
    }

    /// Where a profile of this name goes that is made now.
    pub(crate) fn new_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}-{}-{}{EXTENSION}", self.digest, self.now))
    }

    /// How files of this name are called, for people.
    pub(crate) fn pattern(&self, name: &str) -> String {
        format!("{name}-{}-*{EXTENSION}", self.digest)
    }
}

/// The Rust version, dependencies, features and settings of cargo profiles.
fn digest(root: &Path, host: &Host, build: &Build) -> String {
    let mut hasher = Sha256::new();
    for file in ["rust-toolchain.toml", "Cargo.toml", "Cargo.lock", &build.within("Cargo.toml")] {
        hasher.update(Sha256::digest(fs::read(root.join(file)).unwrap_or_default()));
    }
    for variable in host.surroundings.iter().filter(|variable| variable.starts_with("CARGO_PROFILE_")) {
        hasher.update(Sha256::digest(variable));
    }
    let mut digest = HEXLOWER.encode(&hasher.finalize());
    digest.truncate(DIGITS);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fixture::config;

    #[test]
    fn of_several_profiles_the_latest_counts() {
        let latest = |found: &[&str]| {
            let found = found.iter().map(|name| (*name).to_owned()).collect();
            Pgo { found, ..config().pgo }.latest("app-one")
        };
        assert_eq!(latest(&[]), None);
        let others = [
            "app-two-0123456789ab-7.profdata",
            "app-one-ffffffffffff-7.profdata",
            "app-one-0123456789ab-7.profraw",
            "app-one-0123456789ab-7.profdata.new",
        ];
        assert_eq!(latest(&others), None);
        let [early, late] = ["app-one-0123456789ab-999.profdata", "app-one-0123456789ab-1000.profdata"];
        assert_eq!(latest(&[late, early]), Some(config().pgo.folder.join(late)));
    }

    #[test]
    fn what_names_functions_is_in_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let config = config();
        let digest = |host: &Host| digest(folder.path(), host, &config.pipeline.build);
        let mut digests = vec![digest(&config.host)];
        fs::create_dir(folder.path().join("app")).unwrap();
        for name in ["rust-toolchain.toml", "Cargo.toml", "Cargo.lock", "app/Cargo.toml"] {
            write(name, "another");
            digests.push(digest(&config.host));
        }
        let mut host = config.host.clone();
        host.surroundings = vec!["CARGO_PROFILE_PGO_LTO=off".to_owned()];
        digests.push(digest(&host));
        host.surroundings.push("PATH=/bin".to_owned());
        assert_eq!(digests.last(), Some(&digest(&host)));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
        assert!(digests.iter().all(|digest| digest.len() == DIGITS));
    }
}
