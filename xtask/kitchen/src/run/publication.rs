//! Publications, from stage to stage: what follows on a build that has ended, and what a person has to say yes to.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use image_spec::Reference;

use super::Cook;
use super::source::Source;
use crate::build::request::Task;
use crate::build::{Request, Status};
use crate::publish::{Confirmation, Selection, Stage, State};
use crate::store::{Build, End, Move, Publication, Pushed};

/// What comes of something that somebody wants of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done; the number of the publication that was begun, or of the build that pushes.
    Done(i64),
    /// There is no such publication.
    Unknown,
    /// It is refused, and why.
    Refused(String),
}

impl Cook {
    /// Begins a publication.
    ///
    /// # Errors
    /// When that cannot be asked for, or the queue is full.
    pub async fn publish(&self, selection: &Selection) -> Result<Answer> {
        selection.check(self.choices())?;
        self.check_queue().await?;
        Ok(match self.store().begin_publication(selection).await? {
            Ok(id) => {
                self.wake();
                Answer::Done(id)
            }
            Err(other) => Answer::Refused(format!("publication {other} is under way: one at a time")),
        })
    }

    /// What there is to say yes to in a publication whose dry run has ended well.
    ///
    /// # Errors
    /// When the history fails.
    pub async fn to_confirm(&self, publication: i64) -> Result<Option<Confirmation>> {
        let Some(build) = self.part(publication, Stage::DryRun).await? else { return Ok(None) };
        let images = self.store().pushed(build.id).await?;
        let tags = images.iter().flat_map(Pushed::names).map(str::to_owned).collect();
        Ok(Some(Confirmation { revision: build.revision, dirty: build.dirty, tags }))
    }

    /// Pushes what a publication has shown, if that is what somebody says yes to, and nothing has changed since. Once.
    ///
    /// # Errors
    /// When the history or git fails.
    pub async fn confirm(&self, id: i64, said: &Confirmation) -> Result<Answer> {
        let Some(publication) = self.store().publication(id).await? else { return Ok(Answer::Unknown) };
        let Some(shown) = self.to_confirm(id).await?.filter(|_| publication.state == State::Ready) else {
            return Ok(Answer::Refused(not_ready(publication.state)));
        };
        if !said.is_for(&shown) {
            let why =
                "this is not what the dry run has shown: look at the publication again, and confirm that";
            return Ok(Answer::Refused(why.to_owned()));
        }
        if let Some(difference) = self.difference(&publication).await? {
            return Ok(Answer::Refused(format!("{difference}; begin anew, and confirm that")));
        }
        let next = vec![(Stage::Push, publication.selection.push(false))];
        let step = Move { from: State::Ready, to: State::Pushing, problem: None, next };
        Ok(match self.store().move_publication(id, &step).await?.as_deref() {
            Some([build, ..]) => {
                self.wake();
                Answer::Done(*build)
            }
            // Somebody else was faster.
            _ => Answer::Refused(not_ready(State::Pushing)),
        })
    }

    /// Whether a build that is next may begin: a push only of what was confirmed. One that may not has ended.
    pub(super) async fn may_begin(&self, build: i64) -> Result<bool> {
        let why = match self.objection(build).await {
            Ok(None) => return Ok(true),
            Ok(Some(why)) => why,
            Err(error) => format!("{error:#}"),
        };
        let end = End { error: Some(why), ..End::default() };
        self.store().end(build, Status::Failed, &end).await?;
        self.go_on_after(build).await?;
        Ok(false)
    }

    async fn objection(&self, build: i64) -> Result<Option<String>> {
        match self.store().publication_of(build).await? {
            Some((publication, Stage::DryRun)) => {
                let source = Source::of(self.place()).await?.to_string();
                self.store().note_source(publication.id, &source).await?;
                Ok(None)
            }
            Some((publication, Stage::Push)) => {
                let difference = self.difference(&publication).await?;
                Ok(difference.map(|difference| format!("nothing was pushed: {difference}")))
            }
            _ => Ok(None),
        }
    }

    /// Goes on with every publication whose build has ended while nobody watched.
    pub(super) async fn go_on(&self) -> Result<()> {
        let latest = self.store().publications(10).await?;
        for publication in latest.iter().filter(|publication| publication.state.is_under_way()) {
            for part in self.store().parts(publication.id).await? {
                self.go_on_after(part.build.id).await?;
            }
        }
        Ok(())
    }

    /// Does what follows on the end of a build; nothing where it has not ended, is for no publication, or that is done.
    pub(super) async fn go_on_after(&self, build: i64) -> Result<()> {
        let store = self.store();
        let Some((publication, stage)) = store.publication_of(build).await? else { return Ok(()) };
        let Some(build) = store.build(build).await?.filter(|build| build.status.is_final()) else {
            return Ok(());
        };
        let step = self.what_follows(&publication, stage, &build).await;
        // Better an end than a publication that waits for ever.
        let step = step.unwrap_or_else(|error| Some(failed(stage, format!("{error:#}"))));
        if let Some(step) = step
            && store.move_publication(publication.id, &step).await?.is_some()
        {
            self.wake();
        }
        Ok(())
    }

    async fn what_follows(
        &self,
        publication: &Publication,
        stage: Stage,
        build: &Build,
    ) -> Result<Option<Move>> {
        // Something that stands in the way of a release is no failure of the publication.
        let is_well =
            build.status == Status::Done || stage == Stage::Release && build.status == Status::Failed;
        let registry = Request { task: Task::Registry, ..Request::default() };
        Ok(match stage {
            _ if !is_well => Some(failed(stage, reason(stage, build))),
            Stage::Release => Some(next(Stage::Registry, registry)),
            Stage::Registry => Some(next(Stage::DryRun, publication.selection.push(true))),
            Stage::DryRun => Some(self.after_dry_run(publication, build).await?),
            Stage::Push => Some(self.after_push(publication, build).await?),
            Stage::Verify => self.after_verify(publication).await?,
        })
    }

    async fn after_dry_run(&self, publication: &Publication, build: &Build) -> Result<Move> {
        if self.store().pushed(build.id).await?.is_empty() {
            return Ok(failed(Stage::DryRun, "the dry run has not told of any image".to_owned()));
        }
        if let Some(difference) = self.difference(publication).await? {
            return Ok(failed(Stage::DryRun, format!("{difference} had begun; begin anew")));
        }
        Ok(Move { from: State::Preparing, to: State::Ready, problem: None, next: vec![] })
    }

    /// Each image is verified, if it is the one that was shown: the same files make the same image.
    async fn after_push(&self, publication: &Publication, build: &Build) -> Result<Move> {
        let shown = match self.part(publication.id, Stage::DryRun).await? {
            Some(dry_run) => self.store().pushed(dry_run.id).await?,
            None => vec![],
        };
        let shown = shown.iter().map(|image| (&*image.backend, &*image.digest)).collect::<BTreeMap<_, _>>();
        let pushed = self.store().pushed(build.id).await?;
        let mut next = Vec::new();
        for image in &pushed {
            let foreseen = shown.get(&*image.backend).copied().unwrap_or("none");
            if image.fallback.is_none() && foreseen != image.digest {
                let problem = format!("{} was pushed, and the dry run had shown {foreseen}", image.digest);
                return Ok(failed(Stage::Push, problem));
            }
            let name: Reference =
                image.names().next().unwrap_or_default().parse().context("the image's name")?;
            let image_pushed = name.with_digest(&image.digest).context("the image's digest")?;
            next.push((Stage::Verify, publication.selection.verify(image_pushed, &image.backend)));
        }
        if next.is_empty() {
            return Ok(failed(Stage::Push, "the push has not told of any image".to_owned()));
        }
        Ok(Move { from: State::Pushing, to: State::Verifying, problem: None, next })
    }

    /// Published, once all images are looked at.
    async fn after_verify(&self, publication: &Publication) -> Result<Option<Move>> {
        let parts = self.store().parts(publication.id).await?;
        let mut verified = parts.iter().filter(|part| part.stage == Stage::Verify);
        let is_over = verified.all(|part| part.build.status == Status::Done);
        let to = State::Published;
        Ok(is_over.then(|| Move { from: State::Verifying, to, problem: None, next: vec![] }))
    }

    /// What of the project is not as it was in the dry run.
    async fn difference(&self, publication: &Publication) -> Result<Option<String>> {
        let before = publication.source.as_deref().map(Source::kept).unwrap_or_default();
        Ok(before.difference(&Source::of(self.place()).await?))
    }

    async fn part(&self, publication: i64, stage: Stage) -> Result<Option<Build>> {
        let parts = self.store().parts(publication).await?;
        Ok(parts.into_iter().find(|part| part.stage == stage).map(|part| part.build))
    }
}

fn next(stage: Stage, request: Request) -> Move {
    Move { from: State::Preparing, to: State::Preparing, problem: None, next: vec![(stage, request)] }
}

fn failed(stage: Stage, problem: String) -> Move {
    let from = match stage {
        Stage::Release | Stage::Registry | Stage::DryRun => State::Preparing,
        Stage::Push => State::Pushing,
        Stage::Verify => State::Verifying,
    };
    Move { from, to: State::Failed, problem: Some(problem), next: vec![] }
}

/// Why a build that has not ended well ends its publication.
fn reason(stage: Stage, build: &Build) -> String {
    let (name, id) = (stage.name(), build.id);
    let why = build.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    match build.status {
        Status::Killed => format!("the {name} was killed (build {id})"),
        Status::Interrupted => format!("the {name} was interrupted (build {id})"),
        _ => format!("the {name} has failed (build {id}){why}"),
    }
}

fn not_ready(state: State) -> String {
    match state {
        State::Preparing => "it is not known yet what would be pushed: wait for the dry run".to_owned(),
        State::Superseded => "another publication was begun after this one: confirm that".to_owned(),
        State::Pushing | State::Verifying | State::Published => "it was confirmed already".to_owned(),
        State::Ready | State::Failed => "nothing of it can be pushed any more: begin anew".to_owned(),
    }
}
