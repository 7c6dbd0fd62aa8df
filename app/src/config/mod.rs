//! Settings: what there is to set, and what holds when nothing is set.
//!
//! [`layers`] reads them. What is unknown or of the wrong type is refused, and named.

mod layers;

use std::{
    fmt::{self, Display},
    net::{IpAddr, Ipv4Addr},
    num::{NonZeroU16, NonZeroUsize},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::db;
pub use layers::SettingsError;

/// All settings of the service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[admin]`
    pub admin: Admin,
    /// `[database]`
    pub database: Database,
    /// `[log]`
    pub log: Log,
    /// `[otlp]`
    pub otlp: Otlp,
}

/// How HTTP is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose a free one.
    pub port: u16,
    /// Connections open at once; further ones wait to be accepted.
    pub max_connections: NonZeroUsize,
    /// Requests handled at once; further ones are answered 503.
    pub max_requests: NonZeroUsize,
    /// A connection that has not sent a whole request header for this long is closed, idle ones too.
    #[serde(deserialize_with = "seconds")]
    pub header_timeout: Duration,
    /// A request whose body has not arrived after this long is answered 408.
    #[serde(deserialize_with = "seconds")]
    pub body_timeout: Duration,
    /// A request that takes longer is answered 503.
    #[serde(deserialize_with = "seconds")]
    pub request_timeout: Duration,
    /// After the signal to stop, how long new requests are still answered, while load balancers learn of it.
    #[serde(deserialize_with = "seconds_or_none")]
    pub drain_time: Duration,
    /// After that, how long requests under way may take to finish.
    #[serde(deserialize_with = "seconds")]
    pub shutdown_timeout: Duration,
    /// HTTPS instead of HTTP, when both files are named.
    pub tls: Tls,
    /// Origins whose pages may call the service from a browser; none without.
    pub cors_origins: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::UNSPECIFIED.into(),
            port: 8080,
            max_connections: const { NonZeroUsize::new(1000).unwrap() },
            max_requests: const { NonZeroUsize::new(256).unwrap() },
            header_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            drain_time: Duration::from_millis(500),
            shutdown_timeout: Duration::from_secs(10),
            tls: Tls::default(),
            cors_origins: Vec::new(),
        }
    }
}

/// Where the certificate is; both files are read again when they change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    pub private_key: Option<PathBuf>,
}

/// Metrics and health, for the platform only.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose a free one.
    pub port: u16,
}

impl Default for Admin {
    fn default() -> Self {
        Self { host: Ipv4Addr::UNSPECIFIED.into(), port: 9090 }
    }
}

/// Where the notes are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The database this binary was built for.
    pub url: DatabaseUrl,
    /// How many requests may use the database at once; the others wait.
    pub max_connections: NonZeroU16,
    /// A request that the database has not served after this long, waiting for a connection included, is answered 503.
    #[serde(deserialize_with = "seconds")]
    pub timeout: Duration,
    /// At start, how long to try again when the database cannot be reached.
    #[serde(deserialize_with = "seconds")]
    pub connect_timeout: Duration,
    /// Whether the start applies migrations; otherwise `app migrate` has to.
    pub migrate: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: DatabaseUrl(db::DEFAULT_URL.to_owned()),
            max_connections: const { NonZeroU16::new(8).unwrap() },
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(30),
            migrate: true,
        }
    }
}

/// What is logged.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A level, or targets with levels: `info,sqlx=debug`.
    #[serde(deserialize_with = "from_str")]
    pub filter: Targets,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: Targets::new().with_default(LevelFilter::INFO), format: LogFormat::Pretty }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Where traces are sent, by OTLP over HTTP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Otlp {
    /// The collector, such as `http://localhost:4318`; nothing is sent without.
    pub endpoint: Option<String>,
}

/// A URL for the backend of this binary. It may hold a password, so it cannot be printed by accident.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with everything in it, for the database driver only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        db::check_url(&url).map(|()| Self(url))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Above a day is surely a mistake, and some timers end in a panic on it.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Seconds, whole or with a fraction; not 0.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Some(seconds_or_none(deserializer)?)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| de::Error::custom("expected a number of seconds above 0"))
}

/// Seconds, whole or with a fraction; 0 for no time at all.
fn seconds_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?)
        .ok()
        .filter(|duration| *duration <= DAY)
        .ok_or_else(|| de::Error::custom("expected a number of seconds, at most a day"))
}

fn from_str<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests;
