//! How layers are compressed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A layer's compression, written as `zstd`, `zstd:19`, `zstd:small`, `gzip`, `gzip:9` or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Compression {
    /// Plain tar.
    None,
    /// Gzip with a level from 1 to 9: understood by every runtime.
    Gzip(u8),
    /// Zstandard with a level from 1 to 19: smaller and several times faster both ways, for OCI images only.
    Zstd(u8),
}

impl Compression {
    const GZIP_DEFAULT: u8 = 6;
    const ZSTD_DEFAULT: u8 = 3;

    /// Levels of Zstandard that have a name; what each costs is in docs/images.md.
    const ZSTD_NAMES: [(&str, u8); 4] = [("fast", 1), ("balanced", 3), ("small", 9), ("smallest", 19)];

    /// The media type of a layer that is compressed this way, as the OCI image specification names it.
    pub fn layer_media_type(self) -> &'static str {
        match self {
            Compression::None => "application/vnd.oci.image.layer.v1.tar",
            Compression::Gzip(_) => "application/vnd.oci.image.layer.v1.tar+gzip",
            Compression::Zstd(_) => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Compression::Zstd(Self::ZSTD_DEFAULT)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compression::None => f.write_str("none"),
            Compression::Gzip(level) => write!(f, "gzip:{level}"),
            Compression::Zstd(level) => write!(f, "zstd:{level}"),
        }
    }
}

/// A compression that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCompressionError(String);

impl fmt::Display for ParseCompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown compression `{}`; write zstd, zstd:1 to zstd:19, zstd:fast, zstd:balanced, zstd:small or \
             zstd:smallest, gzip or gzip:1 to gzip:9, none",
            self.0
        )
    }
}

impl std::error::Error for ParseCompressionError {}

impl FromStr for Compression {
    type Err = ParseCompressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseCompressionError(text.to_owned());
        let number = |name: &str, level: &str| {
            let named = Self::ZSTD_NAMES.into_iter().find(|(known, _)| name == "zstd" && *known == level);
            named.map(|(_, level)| level).or_else(|| level.parse().ok()).ok_or_else(bad)
        };
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(number(name, level)?)),
            None => (text, None),
        };
        match (name, level) {
            ("none", None) => Ok(Compression::None),
            ("gzip", None) => Ok(Compression::Gzip(Self::GZIP_DEFAULT)),
            ("gzip", Some(level @ 1..=9)) => Ok(Compression::Gzip(level)),
            ("zstd", None) => Ok(Compression::Zstd(Self::ZSTD_DEFAULT)),
            ("zstd", Some(level @ 1..=19)) => Ok(Compression::Zstd(level)),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_default_levels() {
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(3)));
        assert_eq!("gzip".parse(), Ok(Compression::Gzip(6)));
        assert_eq!("none".parse(), Ok(Compression::None));
    }

    #[test]
    fn levels_of_zstd_have_names() {
        for (name, level) in Compression::ZSTD_NAMES {
            assert_eq!(format!("zstd:{name}").parse(), Ok(Compression::Zstd(level)));
        }
        assert!("gzip:small".parse::<Compression>().is_err());
    }

    #[test]
    fn levels_out_of_range_are_refused() {
        for text in ["zstd:0", "zstd:20", "zstd:", "gzip:10", "none:1", "brotli", "zstd:-1", ""] {
            assert!(text.parse::<Compression>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_compression_reads_back_what_it_writes() {
        for compression in [Compression::None, Compression::Gzip(9), Compression::Zstd(19)] {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
    }
}
