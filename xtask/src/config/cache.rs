//! `[cache]`: what hosts share, so that each need not make it again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::layers::LayerCache;

/// What is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cache {
    /// Compilations.
    pub(crate) sccache: Option<Sccache>,
    /// Layers of BuildKit.
    pub(crate) layers: Option<LayerCache>,
}

/// Where [sccache](https://github.com/mozilla/sccache/blob/v0.16.0/docs/Configuration.md) keeps compilations: written as
/// `disk`, `redis://host:port`, `rediss://host:port` (with TLS) or `s3://bucket?region=…&endpoint=https://…`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Sccache {
    /// A folder of this machine: `SCCACHE_DIR`, or the one that sccache has in the user's cache.
    Disk,
    /// A Redis server.
    Redis {
        /// The whole URL.
        endpoint: String,
    },
    /// A bucket of Amazon S3, or of what has the same interface.
    S3 {
        /// Its name.
        bucket: String,
        /// The region; without it `AWS_REGION` says it.
        region: Option<String>,
        /// The URL of the service; without it Amazon's.
        endpoint: Option<String>,
    },
}

impl Sccache {
    /// sccache's own variables that name the cache. Those with secrets, such as `SCCACHE_REDIS_PASSWORD` and
    /// `AWS_SECRET_ACCESS_KEY`, are inherited and never among them.
    pub(crate) fn env(&self) -> BTreeMap<String, String> {
        let variables = match self {
            Sccache::Disk => vec![],
            Sccache::Redis { endpoint } => vec![("SCCACHE_REDIS_ENDPOINT", Some(endpoint))],
            Sccache::S3 { bucket, region, endpoint } => vec![
                ("SCCACHE_BUCKET", Some(bucket)),
                ("SCCACHE_REGION", region.as_ref()),
                ("SCCACHE_ENDPOINT", endpoint.as_ref()),
            ],
        };
        variables.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))).collect()
    }
}

/// How the folder is written.
const DISK: &str = "disk";

impl FromStr for Sccache {
    type Err = String;

    /// No error repeats the URL: there may be a password in it.
    fn from_str(url: &str) -> Result<Sccache, String> {
        if url == DISK {
            return Ok(Sccache::Disk);
        }
        let forms =
            "write disk, redis://host:port, rediss://host:port or s3://bucket?region=…&endpoint=https://…";
        match url.split_once("://") {
            Some(("redis" | "rediss", place)) => redis(url, place),
            Some(("s3", place)) => s3(place),
            _ => Err(format!("no cache is at such a URL; {forms}")),
        }
    }
}

impl TryFrom<String> for Sccache {
    type Error = String;

    fn try_from(url: String) -> Result<Sccache, String> {
        url.parse()
    }
}

impl fmt::Display for Sccache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sccache::Disk => f.write_str(DISK),
            Sccache::Redis { endpoint } => f.write_str(endpoint),
            Sccache::S3 { bucket, region, endpoint } => {
                let settings = [("region", region), ("endpoint", endpoint)];
                let settings = settings.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
                let settings = settings.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
                let mark = if settings.is_empty() { "" } else { "?" };
                write!(f, "s3://{bucket}{mark}{}", settings.join("&"))
            }
        }
    }
}

fn redis(url: &str, place: &str) -> Result<Sccache, String> {
    if place.contains('@') {
        return Err(secret("SCCACHE_REDIS_USERNAME and SCCACHE_REDIS_PASSWORD"));
    }
    let form = "a Redis server is redis://host:port; SCCACHE_REDIS_DB in the environment chooses a database";
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (place, "6379"),
    };
    let is_address = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && !host.contains([':', '/', '?', '#', ' ']);
    if (!is_address && !is_host) || port.parse::<u16>().is_err() {
        return Err(form.to_owned());
    }
    Ok(Sccache::Redis { endpoint: url.to_owned() })
}

fn s3(place: &str) -> Result<Sccache, String> {
    let (bucket, query) = place.split_once('?').unwrap_or((place, ""));
    if place.contains('@') {
        return Err(secret("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
    }
    if bucket.is_empty() || bucket.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c)) {
        let prefix = "SCCACHE_S3_KEY_PREFIX in the environment chooses a place in it";
        return Err(format!("a bucket is s3://bucket; {prefix}"));
    }
    let (mut region, mut endpoint) = (None, None);
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("region", value)) if !value.is_empty() => region = Some(value.to_owned()),
            Some(("endpoint", value)) if value.starts_with("https://") || value.starts_with("http://") => {
                endpoint = Some(value.to_owned());
            }
            _ => {
                let keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come from the environment";
                return Err(format!("a bucket has region=… and endpoint=https://… and nothing else; {keys}"));
            }
        }
    }
    Ok(Sccache::S3 { bucket: bucket.to_owned(), region, endpoint })
}

fn secret(variables: &str) -> String {
    format!("a user or password must not be in this file, which is committed; set {variables} instead")
}

/// Checks the URL before all else is read: an error of TOML shows the line, and a password in it.
///
/// # Errors
/// As [`Sccache::from_str`].
pub(super) fn check(text: &str) -> Result<(), String> {
    let Ok(file) = toml::from_str::<toml::Table>(text) else { return Ok(()) };
    let url = file.get("cache").and_then(|cache| cache.get("sccache")).and_then(toml::Value::as_str);
    url.map_or(Ok(()), |url| url.parse::<Sccache>().map(drop))
        .map_err(|error| format!("`cache.sccache`: {error}"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check_env(url: &str, expected: &Expect) {
        let cache = url.parse::<Sccache>().unwrap();
        assert_eq!(cache.to_string(), url);
        let lines = cache.env().iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        expected.assert_eq(&lines);
    }

    #[test]
    fn a_cache_is_known_to_sccache_by_its_own_variables() {
        check_env(
            "redis://cache.example.com:6379",
            &expect![[r#"
                SCCACHE_REDIS_ENDPOINT=redis://cache.example.com:6379
            "#]],
        );
        check_env("disk", &expect![[""]]);
        check_env(
            "rediss://[2001:db8::1]",
            &expect![[r#"
                SCCACHE_REDIS_ENDPOINT=rediss://[2001:db8::1]
            "#]],
        );
        check_env(
            "s3://team-cache?region=eu-central-1&endpoint=https://minio.example.com:9000",
            &expect![[r#"
                SCCACHE_BUCKET=team-cache
                SCCACHE_ENDPOINT=https://minio.example.com:9000
                SCCACHE_REGION=eu-central-1
            "#]],
        );
        check_env(
            "s3://team-cache",
            &expect![[r#"
                SCCACHE_BUCKET=team-cache
            "#]],
        );
    }

    fn check_refused(url: &str, expected: &Expect) {
        let error = check(&format!("[cache]\nsccache = '{url}'")).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        expected.assert_eq(&error);
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for url in ["redis://:hunter2@cache.example.com:6379", "rediss://team:hunter2@cache.example.com"] {
            check_refused(
                url,
                &expect![
                    "`cache.sccache`: a user or password must not be in this file, which is committed; set SCCACHE_REDIS_USERNAME and SCCACHE_REDIS_PASSWORD instead"
                ],
            );
        }
        for url in ["s3://key:hunter2@bucket", "s3://bucket?endpoint=https://key:hunter2@s3.example.com"] {
            check_refused(
                url,
                &expect![
                    "`cache.sccache`: a user or password must not be in this file, which is committed; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
                ],
            );
        }
        check_refused(
            "s3://bucket?secret_access_key=hunter2",
            &expect![
                "`cache.sccache`: a bucket has region=… and endpoint=https://… and nothing else; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come from the environment"
            ],
        );
    }

    #[test]
    fn what_is_no_cache_is_refused() {
        for url in ["memcached://cache.example.com", "cache.example.com:6379", ""] {
            check_refused(
                url,
                &expect![
                    "`cache.sccache`: no cache is at such a URL; write disk, redis://host:port, rediss://host:port or s3://bucket?region=…&endpoint=https://…"
                ],
            );
        }
        for url in
            ["redis://", "redis://host:port", "redis://host:6379/1", "redis://host?db=1", "redis://a b"]
        {
            assert!(check(&format!("cache.sccache = '{url}'")).is_err(), "{url}");
        }
        for url in
            ["s3://", "s3://bucket/place", "s3://bucket?region=", "s3://bucket?endpoint=s3.example.com"]
        {
            assert!(check(&format!("cache.sccache = '{url}'")).is_err(), "{url}");
        }
    }
}
