//! Builds that run: one after the other from the queue, each a group of processes.

mod commit;
mod cook;
mod course;
mod feed;
mod kill;
mod mask;
mod process;
mod publication;
mod retain;
mod source;

pub use commit::choices;
pub use cook::{Cook, Settings};
pub(crate) use feed::Feed;
pub(crate) use kill::end_exactly;
pub(crate) use mask::Mask;
pub(crate) use process::is_alive;
pub use publication::Answer;
pub use retain::Keep;
