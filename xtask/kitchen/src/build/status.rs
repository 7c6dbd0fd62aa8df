//! How it stands with a build.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How it stands with a build. The last four are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// Its processes run.
    Running,
    /// It made what it was to make.
    Done,
    /// It did not.
    Failed,
    /// A person ended it.
    Killed,
    /// The program that watched it was gone before it ended.
    Interrupted,
}

impl Status {
    /// Those that are final.
    pub const FINAL: [Status; 4] = [Status::Done, Status::Failed, Status::Killed, Status::Interrupted];

    /// Its name, as in the database.
    pub fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Killed => "killed",
            Status::Interrupted => "interrupted",
        }
    }

    /// Whether nothing more will happen to the build.
    pub fn is_final(self) -> bool {
        !matches!(self, Status::Queued | Status::Running)
    }
}

/// Where a build was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum Origin {
    /// Here.
    Kitchen,
    /// By somebody who typed `cargo xtask bd`.
    Terminal,
}
