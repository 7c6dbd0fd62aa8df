//! The packages of a lock file. The pipeline has no event that tells of them, so the file itself is read: its form is
//! cargo's, and stable.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

/// A package that a build depends on, or one of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is from, as cargo writes it; empty for a package of the workspace.
    #[serde(default)]
    pub source: String,
}

#[derive(Deserialize)]
struct Lockfile {
    #[serde(default)]
    package: Vec<Package>,
}

/// The packages in the text of a Cargo.lock, in its order, without names and passwords in the URLs of their sources.
///
/// # Errors
/// When it is none.
pub(crate) fn packages(text: &str) -> Result<Vec<Package>> {
    let Lockfile { mut package } = toml::from_str(text).context("Cargo.lock")?;
    for one in &mut package {
        one.source = without_user(&one.source);
    }
    Ok(package)
}

fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_with_where_they_are_from() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://x\"\n\
                    checksum = \"00\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let found = packages(text).unwrap();
        let rows: Vec<_> = found.iter().map(|p| (&*p.name, &*p.version, &*p.source)).collect();
        assert_eq!(rows, [("a", "1.0.0", "registry+https://x"), ("b", "0.1.0", "")]);
        for (kept, source) in [
            ("git+https://x.org/a?rev=1#2", "git+https://me:secret@x.org/a?rev=1#2"),
            ("registry+https://x.org/@a", "registry+https://x.org/@a"),
            ("", ""),
        ] {
            assert_eq!(without_user(source), kept);
        }
        assert!(packages("version = 4\n").unwrap().is_empty());
        assert!(packages("<<<<<<< HEAD").is_err());
    }
}
