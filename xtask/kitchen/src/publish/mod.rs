//! Publications: what leads from the commits since the last release to an image in a registry that was looked at again.
//!
//! ```text
//! release -> registry -> dry run -> a person confirms -> push -> verify
//! ```
//!
//! Each stage is a build like any other. Nothing is pushed that no person has confirmed, for these names and these files.

mod link;
mod selection;
mod state;

pub use link::page;
pub use selection::{Confirmation, Selection};
pub use state::{Stage, State};
