//! How it stands with a publication.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How it stands with a publication. The last three are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum State {
    /// It is found out what would be pushed, and where to.
    Preparing,
    /// A person is to confirm it.
    Ready,
    /// It was confirmed, and is pushed.
    Pushing,
    /// It is in the registry, and is looked at.
    Verifying,
    /// It is there, and is what it should be.
    Published,
    /// Something went wrong, also after it was pushed.
    Failed,
    /// Nobody confirmed it before the next was begun.
    Superseded,
}

impl State {
    /// Its name, as in the database.
    pub fn name(self) -> &'static str {
        match self {
            State::Preparing => "preparing",
            State::Ready => "ready",
            State::Pushing => "pushing",
            State::Verifying => "verifying",
            State::Published => "published",
            State::Failed => "failed",
            State::Superseded => "superseded",
        }
    }

    /// Whether nothing more will happen to the publication.
    pub fn is_final(self) -> bool {
        matches!(self, State::Published | State::Failed | State::Superseded)
    }

    /// Whether it goes on by itself.
    pub fn is_under_way(self) -> bool {
        matches!(self, State::Preparing | State::Pushing | State::Verifying)
    }
}

/// What a build of a publication is for, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[sqlx(rename_all = "kebab-case")]
pub enum Stage {
    /// Which version comes next, and why.
    Release,
    /// Who we are to the registry, and what it can do.
    Registry,
    /// What would be pushed.
    DryRun,
    /// The push.
    Push,
    /// Whether what is in the registry is what it should be; one for each image.
    Verify,
}

impl Stage {
    /// What it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Release => "version proposal",
            Stage::Registry => "registry check",
            Stage::DryRun => "dry run",
            Stage::Push => "push",
            Stage::Verify => "verification",
        }
    }
}
