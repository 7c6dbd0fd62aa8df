//! One step while it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::crates::Crates;
use super::jobs::Slot;
use super::progress::Progress;
use super::vertices::Vertices;
use crate::plan::Step;
use crate::platform::{Firmness, Group};

/// A step that runs.
pub(super) struct Running {
    /// Its process group; none when its program could not be started.
    pub(super) group: Option<Group>,
    /// Its job, until its cargo has built all: tests wait more than they compute.
    pub(super) slot: Option<Slot>,
    /// When it began.
    pub(super) began: Instant,
    /// Whether its cargo has built all.
    pub(super) is_built: bool,
    /// Those that its lines tell of, if they do.
    pub(super) vertices: Option<Box<Vertices>>,
    /// Likewise.
    pub(super) crates: Option<Box<Crates>>,
    /// What its tests tell, where they may not take for ever.
    pub(super) progress: Option<Progress>,
    before: Vec<Option<Stamp>>,
    /// How it is being brought to its end, if it is.
    ending: Option<Ending>,
}

/// A step that is being brought to its end.
struct Ending {
    /// How often it was asked, beginning with SIGINT.
    asked: usize,
    since: Instant,
}

/// How firmly it is asked, and how long it has until it is asked again.
const ASKING: [(Firmness, Option<Duration>); 3] = [
    (Firmness::Interrupt, Some(Duration::from_secs(3))),
    (Firmness::Terminate, Some(Duration::from_secs(2))),
    (Firmness::Kill, None),
];

/// What changes when a file is written again.
type Stamp = (SystemTime, u64);

impl Running {
    /// `step`, which is about to start in `cwd`, with `jobs` jobs at most.
    pub(super) fn new(step: &Step, cwd: &Path, slot: Slot, jobs: usize) -> Running {
        Running {
            group: None,
            slot: Some(slot),
            began: Instant::now(),
            is_built: false,
            vertices: step.vertices.then(|| Box::new(Vertices::new(&step.name))),
            crates: step.crates.then(|| Box::new(Crates::new(&step.name, jobs))),
            progress: step.limit.map(Progress::new),
            before: stamps(step, cwd),
            ending: None,
        }
    }

    /// Whether it has outputs, and left them all untouched.
    pub(super) fn changed_nothing(&self, step: &Step, cwd: &Path) -> bool {
        !self.before.is_empty() && self.before == stamps(step, cwd)
    }

    /// How long it has until it is asked to end, because its tests hang, or is asked more firmly.
    pub(super) fn patience(&self) -> Option<Duration> {
        match &self.ending {
            Some(Ending { asked, since }) => {
                let (_, patience) = ASKING.get(asked - 1)?;
                Some((*patience)?.saturating_sub(since.elapsed()))
            }
            None => self.progress.as_ref().filter(|_| self.is_built).map(Progress::patience),
        }
    }

    /// Whether it was asked to end.
    pub(super) fn is_asked(&self) -> bool {
        self.ending.is_some()
    }

    /// Asks it to end, each time more firmly.
    pub(super) fn ask(&mut self) {
        let asked = self.ending.as_ref().map_or(0, |ending| ending.asked).min(ASKING.len() - 1);
        self.ending = Some(Ending { asked: asked + 1, since: Instant::now() });
        self.signal(ASKING[asked].0);
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        self.ending = Some(Ending { asked: ASKING.len(), since: Instant::now() });
        self.signal(Firmness::Kill);
    }

    /// Signals all of its processes.
    pub(super) fn signal(&self, firmness: Firmness) {
        if let Some(group) = &self.group {
            group.signal(firmness);
        }
    }
}

fn stamps(step: &Step, cwd: &Path) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| {
        let metadata = fs::metadata(cwd.join(path)).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    step.outputs.iter().map(stamp).collect()
}
