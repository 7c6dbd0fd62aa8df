//! How an image was made: [SLSA provenance v1](https://slsa.dev/spec/v1.0/provenance) in an
//! [in-toto Statement v1](https://in-toto.io/Statement/v1).
//!
//! It says nothing of the machine and of the hour, so that two builds of the same source have the same provenance.

mod uri;

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;

/// The media type of a statement.
pub const MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// The type of the predicate, by which registries and verifiers know what a statement is about.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The external parameter that names the source.
const SOURCE: &str = "source";

/// What is known of a build.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// What was made, such as an image by its name and the digest of its manifest.
    pub subjects: Vec<Subject>,
    /// The URI that says how the parameters are to be understood.
    pub build_type: String,
    /// What whoever asked for the build could choose. Secrets do not belong here: everybody may read them.
    pub parameters: BTreeMap<String, Value>,
    /// What was built.
    pub source: GitSource,
    /// What else went into it, such as the base image and Cargo.lock.
    pub dependencies: Vec<Dependency>,
    /// Who built it.
    pub builder: Builder,
    /// The URI of the run that built it, in CI. It is the one thing that differs between two builds.
    pub invocation: Option<String>,
}

/// Something that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
}

/// A commit in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSource {
    /// The URL of the repository, as `git remote get-url` prints it. User and password in it are left out.
    pub repository: String,
    /// The full hash of the commit.
    pub commit: String,
}

/// Something that went into a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name, such as `Cargo.lock`.
    pub name: String,
    /// The URI where it comes from, such as `pkg:docker/alpine@3`, if it is not in the source.
    pub uri: Option<String>,
    /// Its digest.
    pub digest: Digest,
}

/// Who builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// The URI that verifiers decide by whether they trust it.
    pub id: String,
    /// Versions of its parts by their name.
    pub version: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: Vec<Resource<'a>>,
    predicate_type: &'static str,
    predicate: Predicate<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    build_definition: BuildDefinition<'a>,
    run_details: RunDetails<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition<'a> {
    build_type: &'a str,
    external_parameters: BTreeMap<String, Value>,
    resolved_dependencies: Vec<Resource<'a>>,
}

#[derive(Serialize)]
struct RunDetails<'a> {
    builder: JsonBuilder<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<&'static str, &'a str>>,
}

#[derive(Serialize)]
struct JsonBuilder<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    version: &'a BTreeMap<String, String>,
}

/// A [ResourceDescriptor](https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md).
#[derive(Serialize)]
struct Resource<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    digest: BTreeMap<&'static str, String>,
}

/// The provenance as JSON, in the form that is signed or attached to an image.
///
/// # Errors
/// Nothing was made, a URI is none, the commit is no full hash, the repository is a folder of this machine, or a
/// parameter holds a password.
pub fn statement(provenance: &Provenance) -> Result<Vec<u8>> {
    check(provenance)?;
    let source = uri::source(&provenance.source)?;
    let mut parameters = provenance.parameters.clone();
    parameters.entry(SOURCE.to_owned()).or_insert_with(|| Value::from(source.as_str()));
    let commit = provenance.source.commit.as_str();
    let source =
        Resource { name: SOURCE, uri: Some(&source), digest: [("gitCommit", commit.to_owned())].into() };
    let subjects = provenance.subjects.iter().map(|it| resource(&it.name, None, it.digest));
    let dependencies =
        provenance.dependencies.iter().map(|it| resource(&it.name, it.uri.as_deref(), it.digest));
    let statement = Statement {
        statement_type: STATEMENT_TYPE,
        subject: subjects.collect(),
        predicate_type: PREDICATE_TYPE,
        predicate: Predicate {
            build_definition: BuildDefinition {
                build_type: &provenance.build_type,
                external_parameters: parameters,
                resolved_dependencies: [source].into_iter().chain(dependencies).collect(),
            },
            run_details: RunDetails {
                builder: JsonBuilder { id: &provenance.builder.id, version: &provenance.builder.version },
                metadata: provenance.invocation.as_deref().map(|id| [("invocationId", id)].into()),
            },
        },
    };
    let json = serde_json::to_string(&statement)?;
    if let Some(host) = uri::with_password(&json) {
        bail!("everybody may read a provenance, and a URL of {host} in it holds a password; leave that out");
    }
    Ok(json.into_bytes())
}

fn check(provenance: &Provenance) -> Result<()> {
    ensure!(!provenance.subjects.is_empty(), "a provenance needs a subject: name what was made");
    uri::check("build type", &provenance.build_type)?;
    uri::check("builder", &provenance.builder.id)?;
    provenance.invocation.iter().try_for_each(|uri| uri::check("run", uri))?;
    provenance
        .dependencies
        .iter()
        .filter_map(|it| it.uri.as_ref())
        .try_for_each(|uri| uri::check("dependency", uri))
}

fn resource<'a>(name: &'a str, uri: Option<&'a str>, digest: Digest) -> Resource<'a> {
    Resource { name, uri, digest: [("sha256", digest.hex())].into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn provenance() -> Provenance {
        Provenance {
            subjects: vec![Subject {
                name: "registry.example/app".to_owned(),
                digest: Digest::of(b"manifest"),
            }],
            build_type: "https://example.org/galley/build/v1".to_owned(),
            parameters: BTreeMap::from([
                ("platform".to_owned(), json!("linux/amd64")),
                ("backend".to_owned(), json!("one")),
            ]),
            source: GitSource {
                repository: "https://github.com/example/app.git".to_owned(),
                commit: COMMIT.to_owned(),
            },
            dependencies: vec![
                Dependency {
                    name: "base".to_owned(),
                    uri: Some("pkg:docker/alpine@3".to_owned()),
                    digest: Digest::of(b"base"),
                },
                Dependency { name: "Cargo.lock".to_owned(), uri: None, digest: Digest::of(b"lock") },
            ],
            builder: Builder {
                id: "https://example.org/galley".to_owned(),
                version: BTreeMap::from([("xtask-oci".to_owned(), "0.1.0".to_owned())]),
            },
            invocation: None,
        }
    }

    fn refused(change: impl FnOnce(&mut Provenance)) -> String {
        let mut provenance = provenance();
        change(&mut provenance);
        statement(&provenance).unwrap_err().to_string()
    }

    #[test]
    fn a_statement_has_the_fields_of_slsa_and_in_toto() {
        let made: Value = serde_json::from_slice(&statement(&provenance()).unwrap()).unwrap();
        let uri = format!("git+https://github.com/example/app.git@{COMMIT}");
        let expected = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "registry.example/app", "digest": {"sha256": Digest::of(b"manifest").hex()}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://example.org/galley/build/v1",
                    "externalParameters": {"backend": "one", "platform": "linux/amd64", "source": uri},
                    "resolvedDependencies": [
                        {"name": "source", "uri": uri, "digest": {"gitCommit": COMMIT}},
                        {
                            "name": "base", "uri": "pkg:docker/alpine@3",
                            "digest": {"sha256": Digest::of(b"base").hex()},
                        },
                        {"name": "Cargo.lock", "digest": {"sha256": Digest::of(b"lock").hex()}},
                    ],
                },
                "runDetails": {
                    "builder": {"id": "https://example.org/galley", "version": {"xtask-oci": "0.1.0"}},
                },
            },
        });
        assert_eq!(made, expected);
    }

    #[test]
    fn the_same_build_has_the_same_provenance_except_for_its_run() {
        assert_eq!(statement(&provenance()).unwrap(), statement(&provenance()).unwrap());
        let mut in_ci = provenance();
        in_ci.invocation = Some("https://ci.example/runs/1".to_owned());
        let made: Value = serde_json::from_slice(&statement(&in_ci).unwrap()).unwrap();
        assert_eq!(
            made["predicate"]["runDetails"]["metadata"],
            json!({"invocationId": "https://ci.example/runs/1"})
        );
    }

    #[test]
    fn what_belongs_to_this_machine_is_refused() {
        for folder in ["/home/me/app", "../app", "file:///home/me/app", "./a:b", ""] {
            let message = refused(|it| it.source.repository = folder.to_owned());
            assert!(message.contains("a folder of this machine"), "{folder}: {message}");
        }
        let message = refused(|it| it.dependencies[0].uri = Some("file:///src/base".to_owned()));
        assert!(message.contains("cannot be on this machine"), "{message}");
    }

    #[test]
    fn secrets_are_refused_without_repeating_them() {
        let secret = json!({"args": ["-v", "https://me:pw@host.example/x"]});
        let message = refused(|it| drop(it.parameters.insert("cargo".to_owned(), secret)));
        assert!(message.contains("a URL of host.example") && !message.contains("pw"), "{message}");
    }

    #[test]
    fn what_verifiers_could_not_use_is_refused() {
        assert!(refused(|it| it.subjects.clear()).contains("name what was made"));
        assert!(refused(|it| it.build_type = "build".to_owned()).contains("`build` is none"));
        assert!(refused(|it| it.builder.id = "a b:c".to_owned()).contains("`a b:c` is none"));
        assert!(refused(|it| it.invocation = Some("17".to_owned())).contains("`17` is none"));
        for commit in ["", "main", "01234567", &COMMIT.to_uppercase()] {
            assert!(refused(|it| it.source.commit = commit.to_owned()).contains("full hash"), "{commit}");
        }
    }
}
