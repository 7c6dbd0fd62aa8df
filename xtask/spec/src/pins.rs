//! What image names stand for: the content of `config/images.lock`, as Cargo.lock is for crates.
//!
//! A line is `<name> <digest>`, sorted by name; lines that begin with `#` are for people. A name without a line is looked
//! up once and gets one; after that the image is the same for everybody and needs no registry to be found.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::Reference;

const HEAD: &str = "# What image names stand for: renewed by `cargo xtask pin`, kept in version control.\n";

/// Digests by the names that stand for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<String, String>);

impl Pins {
    /// `reference` by its digest: the one that it has, or the one that is known.
    pub fn pinned(&self, reference: &Reference) -> Option<Reference> {
        if reference.digest().is_some() {
            return Some(reference.clone());
        }
        let digest = self.0.get(&reference.to_string())?;
        format!("{reference}@{digest}").parse().ok()
    }

    /// Keeps a digest, and says whether it is another than before.
    pub fn insert(&mut self, reference: &Reference, digest: &str) -> bool {
        self.0.insert(reference.to_string(), digest.to_owned()).as_deref() != Some(digest)
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.0.iter().try_for_each(|(name, digest)| writeln!(f, "{name} {digest}"))
    }
}

/// A line that is not a name and a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePinsError {
    number: usize,
    line: String,
}

impl fmt::Display for ParsePinsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: `{}` is not a name and a digest; remove it",
            self.number,
            self.line.escape_debug()
        )
    }
}

impl std::error::Error for ParsePinsError {}

impl FromStr for Pins {
    type Err = ParsePinsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut pins = Pins::default();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.split_once(' ').filter(|(name, digest)| {
                let is_name = name.parse::<Reference>().is_ok_and(|name| name.digest().is_none());
                is_name && format!("{name}@{digest}").parse::<Reference>().is_ok()
            });
            let bad = || ParsePinsError { number: index + 1, line: line.chars().take(100).collect() };
            let (name, digest) = pair.ok_or_else(bad)?;
            pins.0.insert(name.to_owned(), digest.to_owned());
        }
        Ok(pins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_the_digest_of_its_line() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let pins: Pins = format!("# fine\n\nalpine:3.22 {digest}\n").parse().unwrap();
        let pinned = |name: &str| pins.pinned(&name.parse().unwrap()).map(|reference| reference.to_string());
        assert_eq!(pinned("alpine:3.22"), Some(format!("alpine:3.22@{digest}")));
        assert_eq!(pinned("alpine"), None);
        let own = format!("debian@{digest}");
        assert_eq!(pinned(&own), Some(own.clone()));
        assert_eq!(pins.to_string(), format!("{HEAD}alpine:3.22 {digest}\n"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for line in ["alpine", "alpine sha256:12", "alpine@sha256:12 x", "a b c", "<<<<<<< ours"] {
            let error = format!("# fine\n{line}\n").parse::<Pins>().unwrap_err();
            assert_eq!(error.to_string(), format!("line 2: `{line}` is not a name and a digest; remove it"));
        }
    }
}
