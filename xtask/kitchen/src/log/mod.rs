//! Logs: what builds print, in one file each. The file is the truth; everything else follows it by byte offset.

mod line;
mod reader;
mod writer;

pub(crate) use line::of_event;
pub(crate) use reader::Reader;
pub(crate) use writer::Writer;
