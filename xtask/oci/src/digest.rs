//! SHA-256 digests, as the OCI image specification writes them.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::PathContext as _;

/// How much is read, hashed and written at a time, in bytes: enough to keep system calls rare.
pub const CHUNK: usize = 256 * 1024;

/// The SHA-256 of some content, displayed as `sha256:` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of a file's content.
    pub fn of_file(path: &Path) -> anyhow::Result<Digest> {
        let mut file = File::open(path).cannot("open", path)?;
        let mut hasher = Hasher::new(io::sink());
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk).cannot("read", path)? {
                0 => return Ok(hasher.finish().1),
                length => hasher.write_all(&chunk[..length]).cannot("hash", path)?,
            }
        }
    }

    /// The 64 hex digits alone, as file names carry them.
    pub fn hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A text that is no SHA-256 digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDigestError(String);

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not sha256: and 64 hex digits", self.0.escape_default())
    }
}

impl std::error::Error for ParseDigestError {}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default().as_bytes();
        if hex.len() != 64 || hex.iter().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ParseDigestError(text.chars().take(100).collect()));
        }
        let value = |digit: u8| if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
            *byte = value(pair[0]) << 4 | value(pair[1]);
        }
        Ok(Digest(bytes))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A writer that counts and hashes what goes through it to another.
#[derive(Debug)]
pub struct Hasher<W> {
    sha256: Sha256,
    size: u64,
    inner: W,
}

impl<W: Write> Hasher<W> {
    /// Puts a hasher in front of `inner`.
    pub fn new(inner: W) -> Self {
        Hasher { sha256: Sha256::new(), size: 0, inner }
    }

    /// How many bytes went through.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The writer below, the digest and the number of bytes of what went through.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest(self.sha256.finalize().into()), self.size)
    }
}

impl<W: Write> Write for Hasher<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.sha256.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_well_known_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(Digest::of_file(Path::new("/dev/null")).unwrap().to_string(), empty);
    }

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::of(b"content");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let capitals = digest.to_string().to_uppercase().replace("SHA", "sha");
        for wrong in ["", "sha256:", "sha256:12", &capitals, &digest.hex(), &format!("{digest}0"), "sha256:é"]
        {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hasher_sees_what_it_passes_on() {
        let mut hasher = Hasher::new(Vec::new());
        hasher.write_all(b"one ").unwrap();
        hasher.write_all(b"two").unwrap();
        assert_eq!(hasher.finish(), (b"one two".to_vec(), Digest::of(b"one two"), 7));
    }
}
