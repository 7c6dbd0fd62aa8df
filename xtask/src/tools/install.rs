//! How a tool is installed: the line that `doctor` shows and the steps of `setup` both follow from this.

use std::env;

use image_spec::Platform;

use super::{on_path, output_of, target};

/// How a tool is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    /// By rustup, as a component of the toolchain.
    Component(&'static str),
    /// By rustup, as the standard library for the musl target of a platform.
    Target(Platform),
    /// From crates.io. The index has the checksum of each version, and no version is ever replaced.
    Cargo {
        /// The crate.
        package: &'static str,
        /// The one version.
        version: &'static str,
    },
    /// From the Python package index.
    Wheel(&'static Wheel),
    /// From a release of the project itself.
    Archive(&'static Archive),
    /// By the system's package manager.
    Package {
        /// The packages of Debian and Ubuntu, with spaces between them.
        apt: &'static str,
        /// What there is on macOS.
        mac: Mac,
    },
    /// As this page says: systems differ too much for one line.
    Url(&'static str),
}

/// What there is on macOS instead of a package of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mac {
    /// A formula of Homebrew.
    Brew(&'static str),
    /// A command that asks its user, or a page.
    Own(&'static str),
}

/// A program in the Python package index, in wheels that carry it whole: nothing is built, nothing else is needed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wheel {
    /// The package.
    pub(crate) package: &'static str,
    /// The one version.
    pub(crate) version: &'static str,
    /// Where the program is in a virtual environment; a `*` stands for Python's version.
    pub(crate) program: &'static str,
    /// The SHA-256 of each file of this version, for every platform.
    pub(crate) sha256: &'static [&'static str],
}

/// A program in a tar archive for each platform.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The program, and its path in the archive.
    pub(crate) program: &'static str,
    /// The one version.
    pub(crate) version: &'static str,
    /// The page that says how it is installed by hand.
    pub(crate) page: &'static str,
    /// Where the archives are.
    pub(crate) folder: &'static str,
    /// The system and processor, the archive in the folder, and its SHA-256.
    pub(crate) files: &'static [(Os, &'static str, &'static str, &'static str)],
}

/// An operating system, as far as installing depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Os {
    /// Linux, and whatever is taken for it.
    #[default]
    Linux,
    /// macOS.
    Mac,
    /// Windows, where all that comes in packages is for WSL 2.
    Windows,
}

/// Who installs what here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct System {
    /// The operating system.
    pub(crate) os: Os,
    /// The processor, as rustc names it.
    pub(crate) arch: &'static str,
    /// Whether its user may do everything, so that there is no need of sudo.
    pub(crate) is_root: bool,
    /// Whether the package manager is there: apt-get on Linux, Homebrew's brew on macOS.
    pub(crate) has_manager: bool,
    /// Whether python3 can make virtual environments: Debian has a package of its own for that.
    pub(crate) has_venv: bool,
}

impl Install {
    /// The line that installs it, or the page that says how.
    pub(crate) fn line(self, system: &System) -> String {
        match self {
            Install::Component(name) => format!("rustup component add {name}"),
            Install::Target(platform) => format!("rustup target add {}", target(platform, "musl")),
            Install::Cargo { package, version } => format!("cargo install --locked {package}@{version}"),
            Install::Wheel(wheel) => format!("pip install {}=={}", wheel.package, wheel.version),
            Install::Archive(archive) => archive.page.to_owned(),
            Install::Package { mac: Mac::Own(own), .. } if system.os == Os::Mac => own.to_owned(),
            Install::Package { apt, .. } if system.os == Os::Windows => {
                format!("in WSL 2: sudo apt-get install {apt}")
            }
            Install::Package { .. } => {
                let sudo = if system.os == Os::Mac || system.is_root { "" } else { "sudo " };
                let words = self.packages(system);
                format!("{sudo}{} install {}", system.manager(), words.join(" "))
            }
            Install::Url(page) => page.to_owned(),
        }
    }

    /// The packages that the package manager of `system` installs; none where that is not how it is done.
    pub(crate) fn packages(self, system: &System) -> Vec<&'static str> {
        match (self, system.os) {
            (Install::Package { apt, .. }, Os::Linux) => apt.split(' ').collect(),
            (Install::Package { mac: Mac::Brew(formula), .. }, Os::Mac) => vec![formula],
            _ => vec![],
        }
    }
}

impl Archive {
    /// The archive for `system` as a URL, and its SHA-256.
    pub(crate) fn file(&self, system: &System) -> Option<(String, &'static str)> {
        let mut files = self.files.iter();
        let (_, _, name, sha256) = files.find(|(os, arch, ..)| (*os, *arch) == (system.os, system.arch))?;
        Some((format!("{}/{name}", self.folder), sha256))
    }
}

impl System {
    /// Looks at this machine.
    pub(super) fn probe() -> System {
        let os = match env::consts::OS {
            "macos" => Os::Mac,
            "windows" => Os::Windows,
            _ => Os::Linux,
        };
        let system = System { os, arch: env::consts::ARCH, ..System::default() };
        System {
            is_root: output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0"),
            has_manager: on_path(system.manager()),
            has_venv: output_of("python3", &["-c", "import ensurepip, venv"]).is_some(),
            ..system
        }
    }

    /// The command that compares files with the SHA-256 that it reads.
    pub(crate) fn sha256_check(&self) -> &'static [&'static str] {
        match self.os {
            Os::Linux | Os::Windows => &["sha256sum", "-c"],
            Os::Mac => &["shasum", "-a", "256", "-c"],
        }
    }

    /// The program of the package manager.
    pub(crate) fn manager(&self) -> &'static str {
        match self.os {
            Os::Linux => "apt-get",
            Os::Mac => "brew",
            Os::Windows => "winget",
        }
    }
}
