//! Facts of the machine that builds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image_spec::Platform;
use serde::Deserialize;

use crate::platform;
use crate::tools::{Need, Tools};

/// The machine, as far as plans depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// The platform that it runs without emulation; none where it does not run Linux.
    pub(crate) platform: Option<Platform>,
    /// Cargo's target folder, wherever its configuration puts it.
    pub(crate) target_dir: PathBuf,
    /// The folder that this program was built into; the engine is built beside it.
    pub(crate) bin_dir: PathBuf,
    /// Cargo's home, where the sources of dependencies are.
    pub(crate) cargo_home: PathBuf,
    /// Whether the programs that cargo installs are on PATH.
    pub(crate) has_cargo_bin: bool,
    /// Where this user's programs keep what they can get again.
    pub(crate) cache_dir: PathBuf,
    /// The user's RUSTFLAGS, which hide every other source of flags.
    pub(crate) rustflags: Option<String>,
    /// Whether something stands before rustc already, such as sccache: by a variable, or by cargo's configuration.
    pub(crate) has_wrapper: bool,
    /// Whether this is continuous integration, where nothing may be left out.
    pub(crate) ci: bool,
    /// Those of sccache's variables with secrets that are set. Their values are for BuildKit alone, which reads them itself.
    pub(crate) secrets: Vec<&'static str>,
    /// The page of the CI run that this is, as a URL.
    pub(crate) run: Option<String>,
    /// What else of the machine decides how tests end, for a digest: it may hold secrets.
    pub(crate) surroundings: Vec<String>,
    /// The tools.
    pub(crate) tools: Tools,
}

/// Variables of sccache with secrets. The Dockerfile mounts what they hold.
const SECRETS: [&str; 3] = ["SCCACHE_REDIS_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

impl Host {
    /// Looks at the machine, as far as `need` asks for. `builder` is the name of the configured builder.
    pub(crate) fn probe(root: &Path, need: Need, builder: Option<&str>) -> Host {
        let exe = env::current_exe().unwrap_or_default();
        let bin_dir = exe.parent().unwrap_or(root).to_owned();
        let cargo_home = cargo_home();
        Host {
            platform: native_platform(),
            target_dir: target_dir(root),
            bin_dir,
            has_cargo_bin: is_on_path(&cargo_home.join("bin")),
            cache_dir: cache_dir(),
            rustflags: env::var("RUSTFLAGS").ok().filter(|flags| !flags.is_empty()),
            has_wrapper: has_wrapper(root, &cargo_home),
            ci: env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false"),
            secrets: SECRETS.into_iter().filter(|name| env::var_os(name).is_some()).collect(),
            run: ci_run(|name| env::var(name).ok()),
            surroundings: surroundings(),
            tools: Tools::probe(need, builder, &cargo_home),
            cargo_home,
        }
    }
}

/// The workspace: the parent of this package's folder, which `cargo run` names.
pub(crate) fn workspace_root() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let from_cargo = package.as_deref().and_then(Path::parent).map(Path::to_owned);
    let here = env::current_dir().context("the current folder is gone")?;
    let from_here =
        here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file()).map(Path::to_owned);
    from_cargo.or(from_here).context("run this as `cargo xtask` inside the repository")
}

/// Cargo's target folder: the one above this program that cargo marked so, or was told to take for one. It marks only
/// those that it makes itself.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    let exe = env::current_exe().unwrap_or_default();
    let canonical = |folder: &Path| fs::canonicalize(folder).ok();
    let told = env::var_os("CARGO_TARGET_DIR").and_then(|folder| canonical(folder.as_ref()));
    let is_marked = |folder: &Path| folder.join("CACHEDIR.TAG").is_file();
    let found =
        exe.ancestors().find(|folder| is_marked(folder) || (told.is_some() && canonical(folder) == told));
    found.map_or_else(|| root.join("target"), Path::to_owned)
}

fn cargo_home() -> PathBuf {
    let home = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

fn is_on_path(folder: &Path) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|entry| entry == folder))
}

/// As [GitHub](https://docs.github.com/en/actions/reference/workflows-and-actions/variables),
/// [GitLab](https://docs.gitlab.com/ci/variables/predefined_variables) and Jenkins say it.
fn ci_run(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let github = || {
        let [server, repository, run, attempt] = ["SERVER_URL", "REPOSITORY", "RUN_ID", "RUN_ATTEMPT"]
            .map(|name| variable(&format!("GITHUB_{name}")));
        Some(format!("{}/{}/actions/runs/{}/attempts/{}", server?, repository?, run?, attempt?))
    };
    let page = github().or_else(|| variable("CI_JOB_URL")).or_else(|| variable("BUILD_URL"));
    page.filter(|page| page.starts_with("https://") || page.starts_with("http://"))
}

/// As cargo [looks for it](https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure).
fn has_wrapper(root: &Path, cargo_home: &Path) -> bool {
    #[derive(Deserialize)]
    struct File {
        build: Option<Build>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Build {
        rustc_wrapper: Option<String>,
    }
    let names = |folder: PathBuf| ["config.toml", "config"].map(|name| folder.join(name));
    let folders = root.ancestors().map(|folder| folder.join(".cargo")).chain([cargo_home.to_owned()]);
    let mut files = folders.flat_map(names).filter_map(|path| fs::read_to_string(path).ok());
    let says = |text: String| toml::from_str::<File>(&text).ok()?.build?.rustc_wrapper;
    ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"].iter().any(|name| env::var_os(name).is_some())
        || files.any(|text| says(text).is_some())
}

/// By the [XDG specification](https://specifications.freedesktop.org/basedir-spec/latest/), and as macOS and Windows have
/// it.
fn cache_dir() -> PathBuf {
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    xdg.unwrap_or_else(|| env::home_dir().unwrap_or_default().join(platform::CACHE_FOLDER))
}

/// The variables that choose tools, databases and how cargo compiles, and whether Docker's socket is there.
fn surroundings() -> Vec<String> {
    let chooses = |name: &str| {
        let known = ["PATH", "CI", "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "DOCKER_HOST", "TMPDIR"];
        known.contains(&name)
            || ["XTASK_", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_"]
                .iter()
                .any(|start| name.starts_with(start))
    };
    let mut found = env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(chooses))
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect::<Vec<_>>();
    found.sort();
    found.push(format!("docker {}", Path::new("/var/run/docker.sock").exists()));
    found
}

fn native_platform() -> Option<Platform> {
    let is_native = |platform: &Platform| platform.rust_arch() == env::consts::ARCH;
    Platform::ALL.into_iter().find(is_native).filter(|_| cfg!(target_os = "linux"))
}

/// Whether the user wants no colour: <https://no-color.org>.
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

// template: if kitchen
/// Whether a Kitchen runs this.
pub(crate) fn is_in_kitchen() -> bool {
    env::var_os("KITCHEN_BUILD").is_some()
}

// template: end
/// Whether the terminal cannot move its cursor.
pub(crate) fn is_dumb_terminal() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ci_run_has_a_page() {
        let run = |known: &[(&str, &str)]| {
            ci_run(|name| known.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        let github = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "team/app"),
            ("GITHUB_RUN_ID", "17"),
            ("GITHUB_RUN_ATTEMPT", "2"),
        ];
        assert_eq!(run(&github).unwrap(), "https://github.com/team/app/actions/runs/17/attempts/2");
        assert_eq!(run(&github[..3]), None);
        let gitlab = "https://gitlab.com/team/app/-/jobs/17";
        assert_eq!(run(&[("CI_JOB_URL", gitlab)]).unwrap(), gitlab);
        assert_eq!(run(&[("BUILD_URL", "builds/17")]), None);
    }
}
