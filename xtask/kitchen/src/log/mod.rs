//! Logs: what builds print, in one file each. The file is the truth; everything else follows it by byte offset.

mod line;
mod plain;
mod reader;
mod search;
mod writer;

pub(crate) use line::of_event;
pub(crate) use reader::Reader;
pub(crate) use search::{Found, Match, Pattern};
pub(crate) use writer::Writer;
