//! What `watch` does after each change, as data.

use std::path::PathBuf;

use super::{Plan, Step, in_turn};

/// Stages that follow each other as long as they succeed, and the service that runs what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    /// The folder whose files are watched, and that everything runs in.
    pub(crate) cwd: PathBuf,
    /// What is run after a change, one after the other.
    pub(crate) stages: Vec<Step>,
    /// What is started anew after the last stage.
    pub(crate) service: Option<Service>,
}

/// Something that runs on until it is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Starts it, and is over when it is.
    pub(crate) run: Step,
    /// End it, the gentler one first; none for a process, which gets signals.
    pub(crate) end: Option<[Step; 2]>,
    /// Where the engine describes the image that it runs.
    pub(crate) metadata: PathBuf,
    /// What there is to open in a browser.
    pub(crate) urls: Vec<String>,
}

impl Watch {
    /// What is done once, for `--dry-run`.
    pub(crate) fn plan(&self) -> Plan {
        let service = self.service.iter().flat_map(|service| {
            let end = service.end.iter().map(|[gently, _]| gently);
            end.chain([&service.run]).cloned()
        });
        let mut steps = self.stages.iter().cloned().chain(service).collect::<Vec<_>>();
        in_turn(&mut steps);
        Plan { cwd: self.cwd.clone(), steps, ..Plan::default() }
    }
}
