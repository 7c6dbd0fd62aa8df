//! Those who take part, each with a copy of the service that was built once.

use anyhow::{Context, Result};

use crate::against;
use crate::bench::Bench;
use crate::command::{command, stopped};
use crate::flags::{BenchFlags, Peer, Profile};
use crate::peer::{Build, Contestant, Goal};
use crate::project::{self, Project};
use crate::report::LeftOut;
use crate::say;

/// Who takes part, and who does not.
pub(crate) struct Field {
    /// Who does.
    pub(crate) contestants: Vec<Contestant>,
    /// Who does not, and why.
    pub(crate) left_out: Vec<LeftOut>,
}

impl Field {
    /// Copies the service for everybody who can take part.
    ///
    /// # Errors
    /// When there is no such revision, or crates cannot be downloaded.
    pub(crate) fn new(bench: &Bench, flags: &BenchFlags, peers: &[Peer]) -> Result<Field> {
        download(bench)?;
        let mut field = Field { contestants: Vec::new(), left_out: Vec::new() };
        for peer in peers {
            if let Some(why) = peer.missing() {
                field.left_out.push(LeftOut { name: peer.word(), why });
                continue;
            }
            let profiles = if peer.is_other() { &flags.profiles[..] } else { &[Profile::Same] };
            for profile in profiles {
                field.contestants.push(Contestant::new(bench, *peer, *profile, &bench.commit, "")?);
            }
        }
        if let Some(revision) = &flags.against {
            let commit = project::commit(&bench.root, revision)?;
            // Where cargo has the same to do for both, it is measured once.
            let is_same = project::has_same_service(&bench.root, &commit, &bench.commit);
            for peer in if is_same { &[Peer::Galley][..] } else { &[Peer::Galley, Peer::Cargo] } {
                let mut other = Contestant::new(bench, *peer, Profile::Same, &commit, "-before")?;
                other.name = against::of(&other.name, revision);
                field.contestants.push(other);
            }
        }
        Ok(field)
    }

    /// Has everybody build once, so that only what changes is built from then on. Who cannot is left out.
    ///
    /// # Errors
    /// When a signal asks us to stop.
    pub(crate) fn build(&mut self, bench: &Bench) -> Result<()> {
        self.build_those(bench, |_| true)
    }

    /// As [`Field::build`], for those whom `is_wanted` names.
    ///
    /// # Errors
    /// When a signal asks us to stop.
    pub(crate) fn build_those(&mut self, bench: &Bench, is_wanted: impl Fn(Peer) -> bool) -> Result<()> {
        let mut built = Vec::new();
        for mut contestant in std::mem::take(&mut self.contestants) {
            if contestant.is_built || !is_wanted(contestant.peer) {
                built.push(contestant);
                continue;
            }
            say(&format!("        {} builds all that it needs, which is not measured", contestant.name));
            let result = contestant.ready(bench);
            stopped()?;
            match result {
                Ok(()) => {
                    contestant.is_built = true;
                    built.push(contestant);
                }
                Err(error) => {
                    say(&format!("        {} is left out: {error:#}", contestant.name));
                    self.left_out.push(LeftOut::by(&contestant.name, &error));
                }
            }
        }
        self.contestants = built;
        Ok(())
    }

    /// This revision's galley.
    ///
    /// # Errors
    /// When it could not be built.
    pub(crate) fn galley(&self) -> Result<&Contestant> {
        let galley = self.contestants.iter().find(|one| one.name == Peer::Galley.word());
        galley.context("galley does not take part")
    }
}

impl Contestant {
    /// Builds the image as it is used from day to day.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn ready(&self, bench: &Bench) -> Result<()> {
        let build = Build { goal: Goal::Ready, backends: &bench.settings.backends[..1], platforms: &[] };
        self.build(bench, &build)?.into_iter().try_for_each(|command| bench.runner.run(command))
    }
}

/// Has cargo download all crates, so that nobody is measured at that who works on this machine.
fn download(bench: &Bench) -> Result<()> {
    let folder = bench.folder.join("download");
    let project = Project::clone(&bench.runner, &bench.root, &bench.commit, &folder)?;
    let mut fetch = command("cargo", project.folder());
    fetch.args(["fetch", "--quiet", "--locked"]);
    bench.runner.run(fetch)
}
