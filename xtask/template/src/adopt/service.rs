//! Which package and binary of a project is the service, and which databases it can be built for.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::project::{Package, Project};

/// Crates that a package depends on which answers requests.
const FRAMEWORKS: [&str; 11] =
    ["axum", "actix-web", "hyper", "ntex", "poem", "rocket", "rouille", "salvo", "tide", "tiny_http", "warp"];

/// Databases, and what features are called that choose them.
const DATABASES: [(&str, &[&str]); 3] = [
    ("sqlite", &["db_sqlite", "sqlite", "db-sqlite", "sqlite3"]),
    ("postgres", &["db_postgres", "postgres", "db-postgres", "postgresql", "pg"]),
    ("mysql", &["db_mysql", "mysql", "db-mysql", "mariadb"]),
];

/// The service of a project.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) package: String,
    /// The package's folder, from the root of the workspace; `.` is that itself.
    pub(super) path: String,
    pub(super) binary: String,
    /// The edition of Rust that it is written in.
    pub(super) edition: String,
    /// Why it is this one.
    pub(super) why: String,
    pub(super) repository: Option<String>,
    /// Databases that it can be built for, the default first.
    pub(super) backends: Vec<String>,
    /// Cargo features for each.
    pub(super) features: BTreeMap<String, Vec<String>>,
}

impl Service {
    /// The service that was asked for, or the only one that it can be.
    ///
    /// # Errors
    /// There is none, or several; lists them.
    pub(super) fn choose(project: &Project, package: Option<&str>, binary: Option<&str>) -> Result<Self> {
        let asked = package.or(project.named.as_deref());
        let (package, why) = choose_package(project, asked)?;
        let path = package.folder().strip_prefix(&project.root).unwrap_or(package.folder());
        let path = path.to_string_lossy().replace('\\', "/");
        let (backends, features) = databases(package);
        Ok(Self {
            package: package.name.clone(),
            path: if path.is_empty() { ".".to_owned() } else { path },
            binary: choose_binary(package, binary)?,
            edition: package.edition.clone(),
            why,
            repository: package.repository.clone(),
            backends,
            features,
        })
    }
}

fn choose_package<'a>(project: &'a Project, asked: Option<&str>) -> Result<(&'a Package, String)> {
    let runnable: Vec<_> = project.packages.iter().filter(|package| !package.binaries().is_empty()).collect();
    if let Some(asked) = asked {
        let Some(package) = project.packages.iter().find(|package| package.name == asked) else {
            bail!("the project has no package `{asked}`; those with binaries are {}", names(&runnable));
        };
        if package.binaries().is_empty() {
            bail!("the package `{asked}` has no binary, and an image needs one to run: {}", hint(&runnable));
        }
        return Ok((package, "as was asked for".to_owned()));
    }
    match runnable[..] {
        [] => bail!("the project is a library only, and an image needs a binary to run: {}", hint(&[])),
        [package] => return Ok((package, "the only one with a binary".to_owned())),
        _ => {}
    }
    let answers = |name: &str| FRAMEWORKS.contains(&name);
    let framework = |package: &Package| {
        package
            .dependencies
            .iter()
            .find(|dependency| answers(&dependency.name))
            .map(|found| found.name.clone())
    };
    let serving: Vec<_> =
        runnable.iter().filter_map(|package| Some((*package, framework(package)?))).collect();
    match &serving[..] {
        [(package, framework)] => {
            Ok((package, format!("the only one of {} with a binary and {framework}", project.packages.len())))
        }
        _ => bail!(
            "{} packages have binaries: {}; say by --package which one is the service",
            runnable.len(),
            names(&runnable)
        ),
    }
}

fn hint(runnable: &[&Package]) -> String {
    if runnable.is_empty() {
        "give it a src/main.rs, or a [[bin]] in its Cargo.toml".to_owned()
    } else {
        format!("those that have are {}", names(runnable))
    }
}

fn names(packages: &[&Package]) -> String {
    packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn choose_binary(package: &Package, asked: Option<&str>) -> Result<String> {
    let binaries = package.binaries();
    let (name, list) = (&package.name, binaries.join(", "));
    if let Some(asked) = asked {
        return match binaries.contains(&asked) {
            true => Ok(asked.to_owned()),
            false => bail!("the package `{name}` has no binary `{asked}`; it has {list}"),
        };
    }
    match (&binaries[..], &package.default_run) {
        ([binary], _) => Ok((*binary).to_owned()),
        (_, Some(binary)) => Ok(binary.clone()),
        _ => bail!(
            "the package `{name}` has several binaries: {list}; say by --bin which one a container runs"
        ),
    }
}

/// The databases that features of the package choose, with all else that is on by default.
fn databases(package: &Package) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let feature = |names: &[&str]| {
        names.iter().find(|name| package.features.contains_key(**name)).map(|name| (*name).to_owned())
    };
    let found: Vec<_> = DATABASES
        .iter()
        .filter_map(|(backend, names)| Some(((*backend).to_owned(), feature(names)?)))
        .collect();
    let default = package.features.get("default").cloned().unwrap_or_default();
    let is_database = |name: &String| found.iter().any(|(_, feature)| feature == name);
    let others: Vec<_> = default.iter().filter(|name| !is_database(name)).cloned().collect();
    let features = found.iter().map(|(backend, feature)| {
        (backend.clone(), others.iter().cloned().chain([feature.clone()]).collect::<Vec<_>>())
    });
    let mut backends: Vec<_> = found.iter().collect();
    backends.sort_by_key(|(_, feature)| !default.contains(feature));
    (backends.into_iter().map(|(backend, _)| backend.clone()).collect(), features.collect())
}
