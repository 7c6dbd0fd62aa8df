//! Builds that were started in a terminal: `cargo xtask bd` leaves a record of each in a file, which is followed while it
//! grows, and removed once all of it is in the history.

mod follow;
mod followed;
mod record;
mod watcher;

use std::time::Duration;

pub(crate) use followed::Followed;
pub(crate) use watcher::Watcher;

/// How often it is looked for what is new.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
