//! Who takes part: what each has to be built from, and by which commands.

mod dockerfile;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::bench::Bench;
use crate::command::{command, output_of};
use crate::docker;
use crate::flags::{Peer, Profile};
use crate::project::Project;

/// The tag of every image that is made.
pub(crate) const TAG: &str = "latest";

/// A peer with its own copy of the service.
pub(crate) struct Contestant {
    /// Who it is.
    pub(crate) peer: Peer,
    /// What it is called in the report, such as `chef` or `chef (same)`.
    pub(crate) name: String,
    /// What it builds.
    pub(crate) project: Project,
    /// Whether it has built once, so that only what changes is built from then on.
    pub(crate) is_built: bool,
    profile: Profile,
    commit: String,
    /// What keeps it apart from others in Docker: letters, digits and dashes.
    slug: String,
}

/// Where an image is to be in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Where containers run: in Docker, if it is there, else in a file.
    Ready,
    /// In a file.
    Archive,
}

/// What is to be built.
#[derive(Clone, Debug)]
pub(crate) struct Build<'a> {
    /// Where it goes.
    pub(crate) goal: Goal,
    /// For which databases.
    pub(crate) backends: &'a [String],
    /// For which platforms; for this machine's where it is empty.
    pub(crate) platforms: &'a [&'static str],
}

impl Peer {
    /// The word for it on the command line.
    pub(crate) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it is one that others made up.
    pub(crate) fn is_other(self) -> bool {
        !matches!(self, Peer::Galley | Peer::Cargo)
    }

    /// Why it cannot take part here, if that is so.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Peer::Galley | Peer::Cargo => None,
            Peer::Upx => {
                let programs = [("upx", &["--version"][..]), ("cargo-zigbuild", &["--version"])];
                let missing = programs.iter().find(|(name, args)| output_of(name, args).is_none());
                let missing = missing.map(|(name, _)| format!("{name} is not installed"));
                missing.or_else(|| docker::missing().map(str::to_owned))
            }
            _ => docker::missing().map(str::to_owned),
        }
    }
}

impl Contestant {
    /// A copy of the service at `commit` for `peer`. `note` tells it from the same peer with another copy.
    ///
    /// # Errors
    /// When there can be no such copy.
    pub(crate) fn new(
        bench: &Bench,
        peer: Peer,
        profile: Profile,
        commit: &str,
        note: &str,
    ) -> Result<Contestant> {
        let with_profile = if peer.is_other() && profile == Profile::Same { "-same" } else { "" };
        let slug = format!("{}{with_profile}{note}", peer.word());
        let folder = bench.folder.join(&slug);
        let (runner, root) = (&bench.runner, &bench.root);
        let project = if peer.is_other() {
            Project::service(runner, root, commit, &folder, bench.settings.crates.as_deref())?
        } else {
            Project::clone(runner, root, commit, &folder)?
        };
        let name = if with_profile.is_empty() { peer.word() } else { format!("{} (same)", peer.word()) };
        Ok(Contestant { peer, name, project, is_built: false, profile, commit: commit.to_owned(), slug })
    }

    /// The same at another revision, at the same path, and with all that was built.
    ///
    /// # Errors
    /// As [`Project::share_place`].
    pub(crate) fn at(&mut self, bench: &Bench, commit: &str, name: String) -> Result<Contestant> {
        Ok(Contestant {
            peer: self.peer,
            name,
            project: self.project.share_place(&bench.runner, commit)?,
            is_built: false,
            profile: self.profile,
            commit: commit.to_owned(),
            slug: format!("{}-before", self.slug),
        })
    }

    /// The same with another copy, in which nothing was built.
    ///
    /// # Errors
    /// As [`Contestant::new`].
    pub(crate) fn again(&self, bench: &Bench, note: &str) -> Result<Contestant> {
        Contestant::new(bench, self.peer, self.profile, &self.commit, note)
    }

    /// Its image in Docker, without a tag.
    pub(crate) fn image(&self, bench: &Bench) -> String {
        format!("{}/{}", bench.id, self.slug)
    }

    /// What builds it.
    ///
    /// # Errors
    /// When a recipe cannot be read.
    pub(crate) fn build(&self, bench: &Bench, build: &Build<'_>) -> Result<Vec<Command>> {
        self.project.enter()?;
        match self.peer {
            Peer::Galley => Ok(vec![self.galley(bench, build)]),
            Peer::Cargo => Ok(self.cargo(bench, build)),
            Peer::Upx => Ok(vec![self.upx(bench)]),
            _ => Ok(vec![self.docker(bench, build)?]),
        }
    }

    /// What pushes the image that was built to `name` in a registry.
    ///
    /// # Errors
    /// When its project cannot be put in its place.
    pub(crate) fn push(&self, bench: &Bench, name: &str) -> Result<Command> {
        self.project.enter()?;
        if self.peer == Peer::Galley {
            let mut command = self.galley_bare(bench);
            command.args(["--push", "--image", name]);
            return Ok(command);
        }
        let mut push = command("docker", self.project.folder());
        push.args(["push", "--quiet", &format!("{name}:{TAG}")]);
        Ok(push)
    }

    fn galley_bare(&self, bench: &Bench) -> Command {
        let mut command = command("cargo", self.project.folder());
        command.args(["xtask", "bd", "--quiet"]).envs(bench.quick_profile());
        command
    }

    fn galley(&self, bench: &Bench, build: &Build<'_>) -> Command {
        let mut command = self.galley_bare(bench);
        command.args(["--image", &self.image(bench), "--backend", &build.backends.join(",")]);
        if !build.platforms.is_empty() {
            command.args(["--platform", &build.platforms.join(",")]);
        }
        if build.goal == Goal::Archive {
            command.args(["--output", "oci"]);
        }
        command
    }

    fn cargo(&self, bench: &Bench, build: &Build<'_>) -> Vec<Command> {
        let each = build.backends.iter().map(|backend| {
            let mut command = command("cargo", self.project.folder());
            command.args(["build", "--quiet", "--locked", "--release", "--package", "app"]);
            command.args(["--no-default-features", "--features", &format!("db_{backend}")]);
            command.envs(bench.quick_profile());
            command
        });
        each.collect()
    }

    fn upx(&self, bench: &Bench) -> Command {
        let peer = peers(bench, self.peer);
        let mut command = command("sh", self.project.folder());
        command
            .arg("-eu")
            .arg(peer.join("build"))
            .arg(format!("{}-unknown-linux-musl", std::env::consts::ARCH));
        // One image, not an index with an attestation that a pull leaves behind.
        command
            .args(["--quiet", "--provenance=false", "--load", "--tag"])
            .arg(format!("{}:{TAG}", self.image(bench)));
        command.arg("--file").arg(peer.join("Dockerfile"));
        if self.profile == Profile::Same {
            command.envs(bench.settings.profile.iter().cloned());
        }
        command
    }

    fn docker(&self, bench: &Bench, build: &Build<'_>) -> Result<Command> {
        let file = peers(bench, self.peer).join("Dockerfile");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut command = command("docker", self.project.folder());
        command.args(["buildx", "build", "--quiet", "--provenance=false", "--file"]).arg(&file);
        let rust = &bench.settings.rust;
        let mut arguments = vec![
            ("RUST_VERSION".to_owned(), rust.clone()),
            ("RUSTUP_TOOLCHAIN".to_owned(), rust.clone()),
            ("SCOPE".to_owned(), format!("{}-{}", bench.id, self.slug)),
        ];
        if self.profile == Profile::Same {
            arguments.extend(bench.settings.profile.iter().cloned());
        }
        if self.peer == Peer::Zig {
            arguments.push(("TARGETS".to_owned(), targets(build.platforms)));
        }
        for (name, value) in arguments {
            command.args(["--build-arg", &format!("{name}={value}")]);
        }
        for (name, reference) in dockerfile::stand_ins(&text, rust, &bench.images, &bench.settings.mirrors) {
            command.args(["--build-context", &format!("{name}=docker-image://{reference}")]);
        }
        if !build.platforms.is_empty() {
            command.args(["--platform", &build.platforms.join(",")]);
        }
        command.args(["--output", &self.output(bench, &build.goal), "--tag"]);
        command.arg(format!("{}:{TAG}", self.image(bench))).arg(".");
        Ok(command)
    }

    /// Layers with zstd are for a store that keeps them so.
    fn output(&self, bench: &Bench, goal: &Goal) -> String {
        match goal {
            Goal::Archive => {
                format!("type=oci,dest={}", bench.folder.join(format!("{}.tar", self.slug)).display())
            }
            Goal::Ready if self.peer == Peer::Mounts && docker::keeps_layers() => {
                "type=image,compression=zstd,force-compression=true,oci-mediatypes=true".to_owned()
            }
            Goal::Ready => "type=docker".to_owned(),
        }
    }
}

impl Bench {
    /// What has cargo compile fast rather than well, where it is only about what is around it.
    fn quick_profile(&self) -> Vec<(&'static str, &'static str)> {
        if self.is_quick { vec![("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")] } else { vec![] }
    }
}

/// Where the recipe of a peer is.
fn peers(bench: &Bench, peer: Peer) -> PathBuf {
    bench.root.join("xtask/bench/peers").join(peer.word())
}

/// The platforms of the service, this machine's first.
pub(crate) const PLATFORMS: [&str; 2] = if cfg!(target_arch = "aarch64") {
    ["linux/arm64", "linux/amd64"]
} else {
    ["linux/amd64", "linux/arm64"]
};

/// rustc's names of platforms; of this machine's where there are none.
fn targets(platforms: &[&str]) -> String {
    let platforms = if platforms.is_empty() { &PLATFORMS[..1] } else { platforms };
    let name = |platform: &&str| {
        if *platform == "linux/arm64" { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" }
    };
    platforms.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Where the binary of galley's image is, which says how little a push has to send at best.
pub(crate) fn binary(galley: &Path, backend: &str) -> PathBuf {
    let architecture = architecture();
    galley.join(format!("target/dist/app-{backend}-linux-{architecture}"))
}

/// This machine's architecture, as images name it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_targets() {
        assert_eq!(
            targets(&["linux/arm64", "linux/amd64"]),
            "aarch64-unknown-linux-musl x86_64-unknown-linux-musl"
        );
        assert_eq!(targets(&[]).split(' ').count(), 1);
    }

    #[test]
    fn every_other_peer_has_a_recipe_that_says_what_it_stands_for() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        for peer in Peer::value_variants().iter().filter(|peer| peer.is_other()) {
            let word = peer.word();
            let text = fs::read_to_string(folder.join(&word).join("Dockerfile")).unwrap();
            assert!(text.starts_with(&format!("# {word}: ")), "{word}");
            let script = fs::read_to_string(folder.join(&word).join("build")).unwrap_or_default();
            let head = text.replace("\n# ", " ") + &script.replace("\n# ", " ");
            assert!(head.contains("stands for"), "{word}");
            // What the profile is told by.
            assert!(head.contains("CARGO_PROFILE_RELEASE_LTO"), "{word}");
        }
        let folders = fs::read_dir(folder).unwrap().count();
        assert_eq!(folders, Peer::value_variants().iter().filter(|peer| peer.is_other()).count());
    }
}
