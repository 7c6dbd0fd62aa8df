//! Platforms: what images are built for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system and processor architecture, written as OCI tools write it: `linux/amd64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Platform {
    /// 64-bit x86.
    LinuxAmd64,
    /// 64-bit Arm (`arm64/v8`).
    LinuxArm64,
}

impl Platform {
    /// Every platform that can be built for.
    pub const ALL: [Platform; 2] = [Platform::LinuxAmd64, Platform::LinuxArm64];

    /// The architecture as OCI and Go name it.
    pub fn architecture(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "amd64",
            Platform::LinuxArm64 => "arm64",
        }
    }

    /// The architecture as rustc and the kernel name it.
    pub fn rust_arch(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "x86_64",
            Platform::LinuxArm64 => "aarch64",
        }
    }

    /// The OCI variant, where the architecture has one.
    pub fn variant(self) -> Option<&'static str> {
        match self {
            Platform::LinuxAmd64 => None,
            Platform::LinuxArm64 => Some("v8"),
        }
    }

    /// The form that fits file names: `linux-amd64`.
    pub fn slug(self) -> String {
        format!("linux-{}", self.architecture())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture())
    }
}

/// A platform that nothing can be built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePlatformError(String);

impl fmt::Display for ParsePlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown platform `{}`; there are linux/amd64 and linux/arm64", self.0)
    }
}

impl std::error::Error for ParsePlatformError {}

impl FromStr for Platform {
    type Err = ParsePlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "linux/amd64" | "linux/x86_64" => Ok(Platform::LinuxAmd64),
            "linux/arm64" | "linux/arm64/v8" | "linux/aarch64" => Ok(Platform::LinuxArm64),
            other => Err(ParsePlatformError(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_reads_back_what_it_writes() {
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse(), Ok(platform));
        }
    }

    #[test]
    fn the_names_of_other_tools_are_understood() {
        assert_eq!("linux/aarch64".parse(), Ok(Platform::LinuxArm64));
        assert_eq!("linux/arm64/v8".parse(), Ok(Platform::LinuxArm64));
        assert!("linux/amd46".parse::<Platform>().is_err());
        assert!("amd64".parse::<Platform>().is_err());
    }
}
