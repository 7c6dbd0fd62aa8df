//! Lists of what binaries are made of, as cargo has them: those that are there and still true.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::git;

/// As many digits of a digest as tell lists apart.
const DIGITS: usize = 12;

/// What plans need to know of lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    /// A digest of all files that cargo goes by; none where it is not known which ones these are.
    pub(crate) digest: Option<String>,
    /// What is in the target folder, lists among it.
    pub(crate) found: Vec<PathBuf>,
}

impl Lists {
    /// Reads the manifests of the workspace at `root`, and looks for lists in `target_dir`.
    pub(super) fn read(root: &Path, target_dir: &Path) -> Lists {
        let files = fs::read_dir(target_dir).into_iter().flatten().flatten();
        Lists { digest: digest(root), found: files.map(|file| file.path()).collect() }
    }

    /// The name of the list whose name begins with `start` and that the command `argv` prints in the folder `root`:
    /// another one as soon as it may print something else.
    pub(crate) fn name(&self, start: &str, root: &Path, argv: &[String]) -> String {
        let Some(digest) = &self.digest else { return format!("{start}.json") };
        let facts = [&[digest.clone(), root.to_string_lossy().into_owned()], argv].concat();
        format!("{start}-{}.json", &HEXLOWER.encode(&Sha256::digest(facts.join("\0")))[..DIGITS])
    }

    /// Whether the list at `path` is there and still true.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.digest.is_some() && self.found.iter().any(|found| found == path)
    }
}

/// None without git, and where a package comes from elsewhere than registries and the workspace: its manifest may change
/// unseen.
fn digest(root: &Path) -> Option<String> {
    let (mut hasher, mut manifests) = (Sha256::new(), Vec::new());
    for path in git::files(root)?.into_iter().filter(|path| decides(path)) {
        let text = fs::read_to_string(root.join(&path)).ok()?;
        hasher.update(Sha256::digest(path.as_os_str().as_encoded_bytes()));
        hasher.update(Sha256::digest(&text));
        manifests.extend(path.ends_with("Cargo.toml").then_some(text));
    }
    let is_here = |name: &str| manifests.iter().flat_map(|text| text.lines()).any(|line| line == name);
    let lock = fs::read_to_string(root.join("Cargo.lock")).ok()?;
    let mut local = lock.split("[[package]]\n").skip(1).filter(|package| !package.contains("\nsource = "));
    let all_are_here = local.all(|package| package.lines().next().is_some_and(is_here));
    all_are_here.then(|| HEXLOWER.encode(&hasher.finalize()))
}

/// Whether cargo goes by the file at `path`.
fn decides(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"].iter().any(|file| name == *file)
        || path.ends_with(".cargo/config.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n\
                        [[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry\"\n";

    #[test]
    fn a_list_has_another_name_as_soon_as_it_may_differ() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
        fs::create_dir_all(root.join("app")).unwrap();
        write("Cargo.lock", LOCK);
        write("app/Cargo.toml", "[package]\nname = \"app\"\n");
        assert_eq!(digest(root), None, "without git");
        duct::cmd!("git", "init", "--quiet").dir(root).run().unwrap();

        let name = |argv: &str, root: &Path| {
            let lists = Lists::read(folder.path(), folder.path());
            lists.name("packages", root, &[argv.to_owned()])
        };
        let first = name("one", root);
        assert_eq!(first.len(), "packages-0123456789ab.json".len());
        write("app/main.rs", "");
        assert_eq!(name("one", root), first);
        assert_ne!(name("two", root), first);
        assert_ne!(name("one", Path::new("/elsewhere")), first);
        write("app/Cargo.toml", "[package]\nname = \"app\"\nlicense = \"MIT\"\n");
        let changed = name("one", root);
        assert_ne!(changed, first);
        write("Cargo.lock", &LOCK.replace("1.0.0", "1.0.1"));
        assert_ne!(name("one", root), changed);

        write("Cargo.lock", &LOCK.replace("app", "from-a-folder-elsewhere"));
        assert_eq!(name("one", root), "packages.json");
    }

    #[test]
    fn a_list_counts_only_where_it_is_known_to_be_true() {
        let path = PathBuf::from("/target/packages-0123456789ab.json");
        let found = vec![path.clone()];
        assert!(Lists { digest: Some(String::new()), found: found.clone() }.has(&path));
        assert!(!Lists { digest: Some(String::new()), found: vec![] }.has(&path));
        assert!(!Lists { digest: None, found }.has(&path));
    }
}
