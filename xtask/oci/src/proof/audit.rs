//! The list of packages that a binary was compiled from, inside the binary itself.
//!
//! Its form is that of [cargo-auditable](https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md), so
//! that cargo-audit, Trivy, Grype, Syft and others read it: JSON, compressed by zlib, in the section `.dep-v0`.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use auditable_serde::VersionInfo;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::metadata::Metadata;
use crate::elf::sections::Sections;
use crate::error::PathContext as _;

/// The section that holds the list.
pub const SECTION: &str = ".dep-v0";

/// What the section may take at most, in bytes. That of a service takes some kilobytes.
const MAX_SECTION: u64 = 8 << 20;
/// What the list may take at most once it is inflated, in bytes.
const MAX_LIST: u64 = 64 << 20;
const COMPRESSION: u32 = 7;

/// The packages that the package `root` is compiled from, by the output of `cargo metadata --format-version 1` with the
/// platform and the features of the build.
///
/// # Errors
/// It is no such output, has no package of that name, or no dependencies.
pub fn packages(metadata: &[u8], root: &str) -> Result<VersionInfo> {
    Metadata::parse(metadata)?.packages_of(root)
}

/// The content of the section that holds `packages`.
///
/// # Errors
/// The list is larger than any reader takes.
pub fn encode(packages: &VersionInfo) -> Result<Vec<u8>> {
    let list = serde_json::to_vec(packages)?;
    ensure!(list.len() as u64 <= MAX_LIST, "the list of packages has more than {MAX_LIST} bytes");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(COMPRESSION));
    encoder.write_all(&list)?;
    Ok(encoder.finish()?)
}

/// The packages that the content of the section lists.
///
/// # Errors
/// It is damaged, or far larger than that of any program.
pub fn decode(section: &[u8]) -> Result<VersionInfo> {
    let list = inflate(section, MAX_LIST)?;
    let packages: VersionInfo =
        serde_json::from_slice(&list).context("it is not what cargo-auditable writes")?;
    let count = packages.packages.len();
    if let Some(wrong) =
        packages.packages.iter().find(|package| package.dependencies.iter().any(|it| *it >= count))
    {
        bail!("{} depends on a package that is not in it", wrong.name);
    }
    Ok(packages)
}

fn inflate(section: &[u8], limit: u64) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    let mut decoder = ZlibDecoder::new(section).take(limit + 1);
    decoder.read_to_end(&mut list).context("it is not compressed by zlib")?;
    ensure!(list.len() as u64 <= limit, "it inflates to more than {limit} bytes");
    Ok(list)
}

/// The packages that the binary says it was compiled from; `None` if it does not say.
///
/// # Errors
/// It cannot be read, is no ELF file, or its list is damaged or far too large.
pub fn read(binary: &Path) -> Result<Option<VersionInfo>> {
    let mut file = File::open(binary).cannot("open", binary)?;
    let sections = Sections::read(&mut file).cannot("read", binary)?;
    let Some(section) = sections.get(SECTION) else {
        return Ok(None);
    };
    let (name, size) = (binary.display(), section.size);
    ensure!(
        size <= MAX_SECTION,
        "the list of packages in {name} has {size} bytes; {MAX_SECTION} are allowed"
    );
    let content = section.content(&mut file).cannot("read", binary)?;
    decode(&content).map(Some).with_context(|| format!("the list of packages in {name} is damaged"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use auditable_serde::{DependencyKind, Package, Source};

    use super::*;
    use crate::elf::sections::tests::elf;

    fn package(name: &str, dependencies: Vec<usize>) -> Package {
        Package {
            name: name.to_owned(),
            version: semver::Version::new(1, 2, 3),
            source: Source::CratesIo,
            kind: DependencyKind::Runtime,
            dependencies,
            root: name == "app",
        }
    }

    fn list(dependency: usize) -> VersionInfo {
        VersionInfo { packages: vec![package("app", vec![dependency]), package("serde", vec![])], format: 1 }
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Option<VersionInfo>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app");
        fs::write(&path, bytes).unwrap();
        let prefix = format!("{}/", folder.path().display());
        read(&path).map_err(|error| format!("{error:#}").replace(&prefix, ""))
    }

    #[test]
    fn a_binary_gives_back_what_was_put_into_it() {
        let section = encode(&list(1)).unwrap();
        assert_eq!(section, encode(&list(1)).unwrap());
        assert_eq!(read_bytes(&elf(&[(".text", 1, b"x"), (SECTION, 1, &section)])), Ok(Some(list(1))));
        assert_eq!(read_bytes(&elf(&[(".text", 1, b"x")])), Ok(None));
        assert_eq!(read_bytes(b"text").unwrap_err(), "cannot read app: not an ELF file");
    }

    #[test]
    fn the_list_has_the_words_of_cargo_auditable() {
        let mut list_of = list(1);
        list_of.packages[1].kind = DependencyKind::Build;
        let mut json = String::new();
        ZlibDecoder::new(&encode(&list_of).unwrap()[..]).read_to_string(&mut json).unwrap();
        assert_eq!(
            json,
            r#"{"packages":[{"name":"app","version":"1.2.3","source":"crates.io","dependencies":[1],"root":true},{"name":"serde","version":"1.2.3","source":"crates.io","kind":"build"}],"format":1}"#
        );
    }

    #[test]
    fn damaged_lists_are_refused() {
        let refused = |section: &[u8]| read_bytes(&elf(&[(SECTION, 1, section)])).unwrap_err();
        let damaged = "the list of packages in app is damaged: ";
        let without_zlib = refused(b"text");
        assert!(
            without_zlib.starts_with(&format!("{damaged}it is not compressed by zlib: ")),
            "{without_zlib}"
        );
        let no_list = refused(&zlib(b"[1]"));
        assert!(
            no_list.starts_with(&format!("{damaged}it is not what cargo-auditable writes: ")),
            "{no_list}"
        );
        let beyond = refused(&encode(&list(2)).unwrap());
        assert_eq!(beyond, format!("{damaged}app depends on a package that is not in it"));
        let cycle = refused(&encode(&list(0)).unwrap());
        assert!(cycle.contains("cyclic"), "{cycle}");
    }

    #[test]
    fn what_is_far_too_large_is_refused_before_it_is_read() {
        let large = vec![0; MAX_SECTION as usize + 1];
        assert_eq!(
            read_bytes(&elf(&[(SECTION, 1, &large)])).unwrap_err(),
            "the list of packages in app has 8388609 bytes; 8388608 are allowed"
        );
        let bomb = zlib(&[b' '; 10_000]);
        assert!(bomb.len() < 1_000);
        assert_eq!(inflate(&bomb, 9_999).unwrap_err().to_string(), "it inflates to more than 9999 bytes");
        assert_eq!(inflate(&bomb, 10_000).unwrap().len(), 10_000);
    }
}
