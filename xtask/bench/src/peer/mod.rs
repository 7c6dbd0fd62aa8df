//! Who takes part: what each has to be built from, and by which commands.

mod commands;
mod dockerfile;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Bench;
use crate::command::output_of;
use crate::docker;
use crate::flags::{Peer, Profile};
use crate::platform;
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
}

/// Where the binary of galley's image is, which says how little a push has to send at best.
pub(crate) fn binary(galley: &Path, backend: &str) -> PathBuf {
    galley.join(format!("target/dist/app-{backend}-linux-{}", platform::architecture()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
