//! `[check]` of `config/pipeline.toml`: the gate.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// How `check` goes about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Check {
    /// How long tests may go on without one of them having a result: `90s`, `10m`.
    #[serde(deserialize_with = "duration")]
    pub(crate) test_limit: Duration,
}

impl Default for Check {
    fn default() -> Check {
        Check { test_limit: Duration::from_mins(10) }
    }
}

/// Reads a time as [humantime](https://docs.rs/humantime) has it.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let limit = humantime::parse_duration(&text)
        .map_err(|error| de::Error::custom(format!("`{text}` is no time such as `90s` or `10m`: {error}")))?;
    if limit.is_zero() {
        return Err(de::Error::custom("no test is done in no time"));
    }
    Ok(limit)
}
