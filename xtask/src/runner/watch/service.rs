//! The service that runs: one at a time, and another one only after it.

use std::fs;
use std::time::{Duration, Instant};

use image_spec::ImageReport;

use super::task::{Output, Spawner, Task, Way};
use crate::plan::Service;
use crate::platform::Firmness;

/// How long a service may take to end: it answers what it was asked before, for ten seconds by its own settings.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long it may take to be killed.
const KILLING: Duration = Duration::from_secs(3);

/// What runs, and what is to run.
#[derive(Default)]
pub(super) struct Serving {
    running: Option<Running>,
    /// What is started when that is gone.
    next: Option<Service>,
}

struct Running {
    task: Task,
    service: Service,
    /// That of the image that it is from.
    digest: Option<String>,
}

/// What there is to say of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was started.
    Started,
    /// It could not be started, for this reason.
    Failed(String),
    /// It runs already.
    Same,
    /// It ended, with this exit code, and nobody had asked it to.
    Ended(u8),
}

impl Serving {
    /// Whether nothing runs.
    pub(super) fn is_over(&self) -> bool {
        self.running.is_none()
    }

    /// There may be a new version. What runs is ended only if it is another one.
    pub(super) fn renew(&mut self, service: &Service, spawner: &mut Spawner, now: Instant) -> Option<Said> {
        let Some(running) = &mut self.running else { return Some(self.start(service.clone(), spawner)) };
        let is_same = running.digest.is_some() && running.digest == digest(service);
        if is_same && running.service == *service && !running.task.is_ending() {
            return Some(Said::Same);
        }
        self.next = Some(service.clone());
        running.task.end(spawner, now);
        None
    }

    /// Ends what runs; nothing follows it.
    pub(super) fn end(&mut self, spawner: &mut Spawner, now: Instant) {
        self.next = None;
        if let Some(running) = &mut self.running {
            running.task.end(spawner, now);
        }
    }

    /// Ends it more firmly.
    pub(super) fn insist(&mut self, spawner: &mut Spawner, now: Instant) {
        if let Some(running) = &mut self.running {
            running.task.insist(spawner, now);
        }
    }

    /// When something is to be done, if that is known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.running.as_ref().and_then(|running| running.task.deadline())
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, spawner: &mut Spawner, now: Instant) {
        if let Some(running) = &mut self.running {
            running.task.tick(spawner, now);
        }
    }

    /// Whether a line of process `index` is the service's.
    pub(super) fn is_of(&self, index: usize) -> bool {
        self.running.as_ref().is_some_and(|running| running.task.is_of(index))
    }

    /// Process `index` is gone. What is to run comes after it.
    pub(super) fn ended(
        &mut self,
        index: usize,
        exit_code: u8,
        spawner: &mut Spawner,
        now: Instant,
    ) -> Option<Said> {
        let running = self.running.as_mut()?;
        let exit_code = running.task.ended(index, exit_code, now)?;
        let was_asked = running.task.is_ending();
        self.running = None;
        match self.next.take() {
            Some(next) => Some(self.start(next, spawner)),
            None => (!was_asked).then_some(Said::Ended(exit_code)),
        }
    }

    fn start(&mut self, service: Service, spawner: &mut Spawner) -> Said {
        let digest = digest(&service);
        match Task::start(spawner, &service.run, Output::Lines, ways(&service)) {
            Ok(task) => {
                self.running = Some(Running { task, service, digest });
                Said::Started
            }
            Err(error) => Said::Failed(format!("{error:#}")),
        }
    }
}

/// A container outlives the command that runs it, so other commands end it.
fn ways(service: &Service) -> Vec<(Way, Duration)> {
    let kill = (Way::Signal(Firmness::Kill), KILLING);
    match &service.end {
        None => vec![(Way::Signal(Firmness::Terminate), PATIENCE), kill],
        Some([gently, at_once]) => vec![
            (Way::Command(Box::new(gently.clone())), PATIENCE),
            (Way::Command(Box::new(at_once.clone())), KILLING),
            kill,
        ],
    }
}

/// The digest of the image, which holds the binary and its settings: the same for the same service.
fn digest(service: &Service) -> Option<String> {
    let json = fs::read(&service.metadata).ok()?;
    serde_json::from_slice::<ImageReport>(&json).ok().map(|image| image.digest)
}
