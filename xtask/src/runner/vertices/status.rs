//! BuildKit's raw JSON progress: the `SolveStatus` objects of
//! [moby/buildkit](https://github.com/moby/buildkit/blob/master/client/graph.go), and how they are found among lines.

use std::time::SystemTime;

use data_encoding::BASE64;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// What changed since the object before.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SolveStatus {
    /// The vertices that were planned, began or ended.
    pub(super) vertexes: Vec<VertexStatus>,
    /// How far transfers are, which is not shown.
    statuses: Vec<IgnoredAny>,
    /// What vertices printed.
    pub(super) logs: Vec<VertexLog>,
    /// What BuildKit has to say about the build definition.
    pub(super) warnings: Vec<VertexWarning>,
}

/// A vertex of the build graph, as it is now.
#[derive(Debug, Default, Deserialize)]
pub(super) struct VertexStatus {
    /// Identifies it; the same for each target of a bake that needs it.
    pub(super) digest: String,
    /// Those that it is made from.
    #[serde(default)]
    pub(super) inputs: Vec<String>,
    /// Such as `[target stage 2/3] RUN make`. The target is the one that reports it.
    #[serde(default)]
    pub(super) name: String,
    /// When it began; again for each time that it does.
    #[serde(default, deserialize_with = "time")]
    pub(super) started: Option<SystemTime>,
    /// When it ended, perhaps not for the last time.
    #[serde(default, deserialize_with = "time")]
    pub(super) completed: Option<SystemTime>,
    /// Whether its result was there already.
    #[serde(default)]
    pub(super) cached: bool,
    /// Why it failed; empty unless it did.
    #[serde(default)]
    pub(super) error: String,
}

/// Something that a vertex printed, which need not end where a line does.
#[derive(Debug, Deserialize)]
pub(super) struct VertexLog {
    /// The vertex's digest.
    pub(super) vertex: String,
    /// The bytes.
    #[serde(default, deserialize_with = "bytes")]
    pub(super) data: Vec<u8>,
}

/// A warning.
#[derive(Debug, Deserialize)]
pub(super) struct VertexWarning {
    /// A sentence.
    #[serde(default, deserialize_with = "bytes")]
    pub(super) short: Vec<u8>,
    /// Where more is said; may be empty.
    #[serde(default)]
    pub(super) url: String,
}

impl SolveStatus {
    /// The object that `text` is; none when it is something else.
    pub(super) fn parse(text: &str) -> Option<SolveStatus> {
        let status: SolveStatus = serde_json::from_str(text).ok()?;
        let SolveStatus { vertexes, statuses, logs, warnings } = &status;
        let says_nothing =
            vertexes.is_empty() && statuses.is_empty() && logs.is_empty() && warnings.is_empty();
        (!says_nothing).then_some(status)
    }
}

/// A time as RFC 3339 writes it. Only the difference of a vertex's times counts, and both have the same offset: BuildKit
/// writes UTC, but buildx its own vertices' times in the local zone. So the offset is left out.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time_of_day = text.find('T').unwrap_or_default();
    let end = text[time_of_day..].find(['Z', '+', '-']).map_or(text.len(), |at| time_of_day + at);
    humantime::parse_rfc3339(&format!("{}Z", &text[..end])).map(Some).map_err(D::Error::custom)
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    BASE64.decode(text.as_bytes()).map_err(D::Error::custom)
}

/// The longest object that is waited for, in bytes.
const MAX_OBJECT: usize = 16 * 1024 * 1024;

/// Finds the objects among the lines: buildx 0.13 writes each over several, later ones on one, which is split again
/// where it is longer than the runner's lines are.
#[derive(Default)]
pub(super) struct Objects {
    lines: Vec<String>,
    length: usize,
    /// How many braces and brackets are open.
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

/// What a line turned out to be.
pub(super) enum Found {
    /// A part of an object, or an empty one: nothing is to be done yet.
    Part,
    /// The last line of an object.
    Object(SolveStatus),
    /// These lines are no object.
    Text(Vec<String>),
}

impl Objects {
    /// Takes the next line.
    pub(super) fn line(&mut self, line: &str) -> Found {
        if self.lines.is_empty() && line == "{}" {
            return Found::Part;
        }
        if self.lines.is_empty() && !(line == "{" || line.starts_with("{\"")) {
            return Found::Text(vec![line.to_owned()]);
        }
        self.lines.push(line.to_owned());
        self.length += line.len();
        line.bytes().for_each(|byte| self.count(byte));
        if self.depth > 0 && self.length < MAX_OBJECT {
            return Found::Part;
        }
        let lines = self.rest();
        // Line ends are nothing to JSON, and where a long line was split there was none.
        SolveStatus::parse(&lines.concat()).map_or(Found::Text(lines), Found::Object)
    }

    /// The lines of an object that did not end.
    pub(super) fn rest(&mut self) -> Vec<String> {
        std::mem::take(self).lines
    }

    fn count(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.in_string => self.is_escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
