//! Builds that run: one after the other from the queue, each a group of processes.

mod commit;
mod cook;
mod feed;
mod kill;
mod mask;
mod process;

pub use commit::choices;
pub use cook::{Cook, Settings};
