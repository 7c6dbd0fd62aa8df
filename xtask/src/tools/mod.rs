//! The tools of this machine: probed once, before anything is planned.

mod advisories;
pub(crate) mod buildx;
mod compose;
mod goal;
mod install;
mod pins;
mod profdata; // template: if pipeline_tests
mod table;

use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use db_servers::{Backend, Source};
use image_spec::Platform;
use xshell::{Shell, cmd};

use crate::platform;

pub(crate) use advisories::Advisories;
#[cfg(all(test, unix))] // template: if pipeline_tests
pub(crate) use buildx::Node; // template: if pipeline_tests
pub(crate) use buildx::{Builder, Buildx, Version};
pub(crate) use compose::Compose;
pub(crate) use goal::Goal;
pub(crate) use install::{Archive, Install, Mac, Os, System, Wheel};
pub(crate) use table::{NATIVE, TABLE, Tool};

/// How much a task has to know of the machine. Each probe costs tens of milliseconds, so none is run for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// Where database servers can come from, and which programs are on PATH.
    Databases,
    /// Likewise, and which database of vulnerabilities can be asked.
    Gate,
    /// What compiles and links.
    Compiler,
    /// Also the first of these container runtimes that answers.
    Runtime(&'static [&'static str]),
    /// Only buildx, and the builder of the configuration.
    Builder,
    /// What compiles, the first of these container runtimes that answers, and the builder that BuildKit's images are
    /// made by.
    Buildkit(&'static [&'static str]),
    /// What compiles, Docker, its plugin compose, and that builder.
    Compose,
    /// All of it, but of buildx only its version.
    Everything,
}

/// The container runtimes, in the order in which they are asked.
const ANY_RUNTIME: &[&str] = &["docker", "podman"];

impl Need {
    /// Also any container runtime.
    pub(crate) const ANY_RUNTIME: Need = Need::Runtime(ANY_RUNTIME);
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tools {
    /// Programs on PATH, of those in [`TABLE`].
    pub(crate) found: Vec<&'static str>,
    /// Rust targets whose standard library is installed.
    pub(crate) targets: Vec<String>,
    /// Whether the C library of this machine can be linked statically.
    pub(crate) static_libc: bool,
    // template: if pipeline_tests
    /// What merges the counts of a program into a profile.
    pub(crate) profdata: Option<PathBuf>,
    // template: end
    /// Whether cargo-zigbuild would find a zig: on PATH or as the Python package ziglang.
    pub(crate) zig: bool,
    /// The container runtime that answers.
    pub(crate) runtime: Option<Runtime>,
    /// Docker's buildx.
    pub(crate) buildx: Option<Buildx>,
    /// Docker's plugin compose, whatever its version.
    pub(crate) compose: Option<Compose>,
    /// Which database of vulnerabilities can be asked.
    pub(crate) advisories: Advisories,
    /// Where the server of each database comes from, or what is missing.
    pub(crate) databases: Vec<(Backend, Result<Source, String>)>,
    /// Who installs what is missing.
    pub(crate) system: System,
}

/// A container runtime that images can be loaded into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runtime {
    /// `docker` or `podman`.
    pub(crate) program: &'static str,
    /// Its version.
    pub(crate) version: String,
}

impl Tools {
    /// Looks for what `need` asks for; the probes run side by side. `builder` is the name of the configured builder.
    pub(crate) fn probe(need: Need, builder: Option<&str>, cargo_home: &Path) -> Tools {
        let runtimes = match need {
            Need::Nothing => return Tools::default(),
            Need::Databases | Need::Gate => {
                let found = found();
                let asks = need == Need::Gate && found.contains(&"cargo-deny");
                let advisories = if asks { Advisories::probe(cargo_home) } else { Advisories::default() };
                return Tools { databases: databases(), found, advisories, ..Tools::default() };
            }
            Need::Builder => return Tools { buildx: Buildx::probe_builder(builder), ..Tools::default() },
            Need::Compiler => &[],
            Need::Runtime(programs) | Need::Buildkit(programs) => programs,
            Need::Compose => &["docker"],
            Need::Everything => ANY_RUNTIME,
        };
        let found = found();
        thread::scope(|scope| {
            let targets = scope.spawn(installed_targets);
            let static_libc = scope.spawn(has_static_libc);
            let zig = scope.spawn(|| has_zig(found.contains(&"cargo-zigbuild")));
            let databases = (need == Need::Everything).then(|| scope.spawn(databases));
            let system = (need == Need::Everything).then(|| scope.spawn(System::probe));
            let buildx = scope.spawn(|| match need {
                Need::Everything => Buildx::probe(),
                Need::Buildkit(_) | Need::Compose => Buildx::probe_any_builder(builder),
                _ => None,
            });
            let runtime = scope.spawn(|| running_runtime(runtimes, &found));
            let asks_compose = matches!(need, Need::Compose | Need::Everything) && found.contains(&"docker");
            let compose = asks_compose.then(|| scope.spawn(Compose::find));
            Tools {
                targets: targets.join().unwrap_or_default(),
                static_libc: static_libc.join().unwrap_or_default(),
                // template: if pipeline_tests
                profdata: profdata::find(sysroot().as_deref(), found.contains(&profdata::PROGRAM)),
                // template: end
                zig: zig.join().unwrap_or_default(),
                runtime: runtime.join().unwrap_or_default(),
                buildx: buildx.join().unwrap_or_default(),
                compose: compose.and_then(|thread| thread.join().ok()).flatten(),
                advisories: Advisories::default(),
                databases: databases.and_then(|thread| thread.join().ok()).unwrap_or_default(),
                system: system.and_then(|thread| thread.join().ok()).unwrap_or_default(),
                found: found.clone(),
            }
        })
    }

    /// Whether `program` is on PATH.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.found.contains(&program)
    }

    /// The line that installs `program`, which is one of [`TABLE`].
    pub(crate) fn install_line(&self, program: &str) -> String {
        Tool::named(program).map(|tool| tool.install.line(&self.system)).unwrap_or_default()
    }

    /// Whether the standard library for `target` is installed.
    pub(crate) fn has_target(&self, target: &str) -> bool {
        self.targets.iter().any(|installed| installed == target)
    }
}

/// rustc's name of `platform` with the C library `libc`, which is `musl` or `gnu`.
pub(crate) fn target(platform: Platform, libc: &str) -> String {
    format!("{}-unknown-linux-{libc}", platform.rust_arch())
}

/// What is known of the version of a database server.
pub(crate) fn server_version(source: &Source) -> String {
    match source {
        Source::File => "built in".to_owned(),
        Source::Programs(programs) => {
            let text = first_line(&programs.serve.to_string_lossy(), &["--version"]);
            let version = text.map_or_else(|| "?".to_owned(), |text| number_in(&text));
            version.split('-').next().unwrap_or_default().to_owned()
        }
        Source::Container(container) => format!("by {}", container.runtime),
        Source::Url(_) => "by its URL".to_owned(),
    }
}

fn number_in(text: &str) -> String {
    let words = text.split([' ', ',', ')', '"']).map(|word| word.trim_start_matches('v'));
    words.clone().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text).to_owned()
}

fn found() -> Vec<&'static str> {
    TABLE.iter().map(|tool| tool.program).filter(|program| on_path(program)).collect()
}

fn databases() -> Vec<(Backend, Result<Source, String>)> {
    let find = |backend| match platform::LACKING {
        Some(why) => Err(why.to_owned()),
        None => db_servers::find(backend).map_err(|missing| missing.to_string()),
    };
    Backend::ALL.iter().map(|backend| (*backend, find(*backend))).collect()
}

/// The output of a short command, or nothing when it fails or is not there.
pub(crate) fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let shell = Shell::new().ok()?;
    cmd!(shell, "{program} {args...}").quiet().ignore_stderr().read().ok()
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    output_of(program, args)?.lines().next().map(str::to_owned)
}

fn on_path(program: &str) -> bool {
    let is_program =
        |folder: PathBuf| folder.join(program).with_extension(env::consts::EXE_EXTENSION).is_file();
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(is_program))
}

/// The musl targets, and this machine's own, whose folder in the sysroot exists.
fn installed_targets() -> Vec<String> {
    let Some(sysroot) = sysroot() else { return Vec::new() };
    let library = |target: &str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    Platform::ALL
        .iter()
        .flat_map(|platform| ["musl", "gnu"].map(|libc| target(*platform, libc)))
        .filter(|target| library(target))
        .collect()
}

/// Where the toolchain is. Cargo names itself to what it runs and lives in it, which saves asking rustc.
fn sysroot() -> Option<PathBuf> {
    let beside_cargo =
        env::var_os("CARGO").and_then(|cargo| Some(Path::new(&cargo).parent()?.parent()?.to_owned()));
    beside_cargo
        .filter(|sysroot| sysroot.join("lib/rustlib").is_dir())
        .or_else(|| first_line("rustc", &["--print", "sysroot"]).map(PathBuf::from))
}

/// A compiler that has the file prints its path, one that has not repeats the bare name.
fn has_static_libc() -> bool {
    first_line("cc", &["-print-file-name=libc.a"]).is_some_and(|path| Path::new(&path).is_absolute())
}

/// Starting Python to look for the package is worth it only where something would use it.
fn has_zig(has_zigbuild: bool) -> bool {
    on_path("zig") || (has_zigbuild && output_of("python3", &["-m", "ziglang", "version"]).is_some())
}

/// The first of `programs` that answers.
fn running_runtime(programs: &'static [&'static str], found: &[&str]) -> Option<Runtime> {
    let installed = programs.iter().filter(|program| found.contains(program));
    installed.into_iter().find_map(|program| {
        // On Linux podman runs containers itself; everything else has an engine that has to be up.
        let side = if *program == "podman" && cfg!(target_os = "linux") { "Client" } else { "Server" };
        let version = output_of(program, &["version", "--format", &format!("{{{{.{side}.Version}}}}")])?;
        Some(Runtime { program, version })
    })
}
