//! The commands by which each peer builds and pushes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Build, Contestant, Goal, TAG, dockerfile};
use crate::bench::Bench;
use crate::command::command;
use crate::docker;
use crate::flags::{Peer, Profile};
use crate::platform::{self, PLATFORMS};

impl Contestant {
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
        command.arg("-eu").arg(peer.join("build")).arg(platform::target(PLATFORMS[0]));
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
            let platforms = if build.platforms.is_empty() { &PLATFORMS[..1] } else { build.platforms };
            let targets = platforms.iter().map(|platform| platform::target(platform)).collect::<Vec<_>>();
            arguments.push(("TARGETS".to_owned(), targets.join(" ")));
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
