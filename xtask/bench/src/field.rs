//! Those who take part, each with a copy of the service that was built once.

use anyhow::{Context, Result};

use crate::against;
use crate::bench::Bench;
use crate::command::{command, stopped};
use crate::flags::{BenchFlags, Peer, Profile};
use crate::peer::{Build, Contestant, Goal};
use crate::project::Project;
use crate::report::LeftOut;
use crate::revision;
use crate::say;

/// Who takes part, and who does not.
pub(crate) struct Field {
    /// Who does.
    pub(crate) contestants: Vec<Contestant>,
    /// Who does not, and why.
    pub(crate) left_out: Vec<LeftOut>,
    /// Another revision as it was typed, and its commit, until it takes part.
    against: Option<(String, String)>,
}

impl Field {
    /// Copies the service for everybody who can take part.
    ///
    /// # Errors
    /// When there is no such revision, or crates cannot be downloaded.
    pub(crate) fn new(bench: &Bench, flags: &BenchFlags, peers: &[Peer]) -> Result<Field> {
        download(bench)?;
        let against = flags
            .against
            .as_ref()
            .map(|revision| revision::commit(&bench.root, revision).map(|commit| (revision.clone(), commit)));
        let mut field =
            Field { contestants: Vec::new(), left_out: Vec::new(), against: against.transpose()? };
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
        let contestants = std::mem::take(&mut self.contestants);
        self.build_each(bench, contestants, &is_wanted)?;
        if let Some((revision, commit)) = self.against.take() {
            let others = self.at(bench, &revision, &commit)?;
            self.build_each(bench, others, &is_wanted)?;
        }
        Ok(())
    }

    /// Those who are compared with another revision, there. What they have built serves them as well.
    fn at(&mut self, bench: &Bench, revision: &str, commit: &str) -> Result<Vec<Contestant>> {
        // Where cargo has the same to do for both, it is measured once.
        let is_same = revision::has_same_service(&bench.root, commit, &bench.commit);
        let is_compared = |peer| peer == Peer::Galley || (peer == Peer::Cargo && !is_same);
        let compared = self.contestants.iter_mut().filter(|one| is_compared(one.peer));
        compared.map(|one| one.at(bench, commit, against::of(&one.name, revision))).collect()
    }

    fn build_each(
        &mut self,
        bench: &Bench,
        contestants: Vec<Contestant>,
        is_wanted: &impl Fn(Peer) -> bool,
    ) -> Result<()> {
        for mut contestant in contestants {
            if contestant.is_built || !is_wanted(contestant.peer) {
                self.contestants.push(contestant);
                continue;
            }
            say(&format!("        {} builds all that it needs, which is not measured", contestant.name));
            let result = contestant.ready(bench);
            stopped()?;
            match result {
                Ok(()) => {
                    contestant.is_built = true;
                    self.contestants.push(contestant);
                }
                Err(error) => {
                    say(&format!("        {} is left out: {error:#}", contestant.name));
                    self.left_out.push(LeftOut::by(&contestant.name, &error));
                }
            }
        }
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
