//! llvm-profdata: what makes of a program's counts a profile that rustc takes.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

/// Its name.
pub(super) const PROGRAM: &str = "llvm-profdata";

/// Looks for it in the toolchain, where it is of the version that rustc needs, and else on PATH.
pub(super) fn find(sysroot: Option<&Path>, is_on_path: bool) -> Option<PathBuf> {
    let of_toolchain = sysroot.and_then(|sysroot| {
        let targets = fs::read_dir(sysroot.join("lib/rustlib")).into_iter().flatten().flatten();
        let mut files = targets.map(|target| target.path().join(format!("bin/{PROGRAM}{EXE_SUFFIX}")));
        files.find(|file| file.is_file())
    });
    of_toolchain.or_else(|| is_on_path.then(|| PROGRAM.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_comes_before_path() {
        let sysroot = tempfile::tempdir().unwrap();
        let find = |is_on_path| find(Some(sysroot.path()), is_on_path);
        assert_eq!([find(false), find(true)], [None, Some(PROGRAM.into())]);
        let folder = sysroot.path().join("lib/rustlib/some-target/bin");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{PROGRAM}{EXE_SUFFIX}")), "").unwrap();
        assert_eq!(find(true), Some(folder.join(format!("{PROGRAM}{EXE_SUFFIX}"))));
    }
}
