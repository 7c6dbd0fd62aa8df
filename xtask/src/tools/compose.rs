//! Docker's plugin compose, which is not on PATH: only Docker's client knows where it is.

use std::fmt;

use super::output_of;

/// The plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compose {
    /// Its version, as it says it.
    pub(crate) version: String,
}

/// The two numbers of a version that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release(u32, u32);

impl Compose {
    /// Of July 2023. `up --wait` is older, but the first releases that had it could wait for ever for what had ended.
    pub(crate) const OLDEST: Release = Release(2, 20);
    /// What says how it is installed: each distribution names its package differently.
    pub(crate) const INSTALL: &'static str = "https://docs.docker.com/compose/install";

    /// Asks Docker's client, which needs no running engine for that.
    pub(super) fn find() -> Option<Compose> {
        let version = output_of("docker", &["compose", "version", "--short"])?;
        Some(Compose { version: version.trim_start_matches('v').to_owned() })
    }

    /// Whether it is [`Compose::OLDEST`] or later. What cannot be read is not.
    pub(crate) fn is_recent(&self) -> bool {
        let mut numbers = self.version.split(['.', '-', '+']).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Release(major, minor) >= Compose::OLDEST,
            _ => false,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        let is_recent = |version: &str| Compose { version: version.to_owned() }.is_recent();
        for recent in ["2.20.0", "2.26.1-4", "2.100.0-desktop.1", "5.0.1", "2.20"] {
            assert!(is_recent(recent), "{recent}");
        }
        for old in ["2.19.1", "2.3.3", "1.29.2", "2", "dev", ""] {
            assert!(!is_recent(old), "{old}");
        }
    }
}
