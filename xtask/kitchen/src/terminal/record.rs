//! The form of a record, as `xtask/src/report/record.rs` writes it: JSON lines, first what the run is. Whatever else a line
//! may be harms nothing.

use serde::Deserialize;

use crate::build::quote;
use crate::store::{Commit, Leader};

/// The version of the form.
const VERSION: u32 = 1;
/// The most words of a command that are taken, and bytes of each.
const MAX_WORDS: (usize, usize) = (200, 4096);

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Header {
    record: u32,
    /// Milliseconds since the Unix epoch.
    pub(crate) started: i64,
    pid: i64,
    pid_started: Option<i64>,
    /// What was typed after `cargo xtask`.
    pub(crate) words: Vec<String>,
}

/// A further line.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<'a> {
    /// What is built.
    Commit(Commit),
    /// Seconds since the run began, and an event as programs are told it, without its end.
    Event(f64, Vec<u8>),
    /// Nothing that is known.
    Other(&'a [u8]),
}

impl Header {
    /// Reads the first line. None where it is not one.
    pub(crate) fn parse(line: &[u8]) -> Option<Header> {
        let header: Header = serde_json::from_slice(line).ok()?;
        let fits = |word: &String| word.len() <= MAX_WORDS.1;
        let is_sound = header.record == VERSION
            && header.started >= 0
            && header.words.len() <= MAX_WORDS.0
            && header.words.iter().all(fits);
        is_sound.then_some(header)
    }

    /// What a person has typed.
    pub(crate) fn command(&self) -> String {
        let words = self.words.iter().map(|word| quote(word));
        ["cargo".to_owned(), "xtask".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }

    /// The process; none where it said too little to be told from a later one with its number.
    pub(crate) fn leader(&self) -> Option<Leader> {
        let started = self.pid_started?;
        (self.pid > 1).then_some(Leader { pid: self.pid, started })
    }
}

impl Line<'_> {
    /// Reads a line, without its end.
    pub(crate) fn parse(line: &[u8]) -> Line<'_> {
        #[derive(Deserialize)]
        struct CommitLine {
            commit: Commit,
        }
        if let Ok(CommitLine { commit }) = serde_json::from_slice(line) {
            return Line::Commit(commit.checked());
        }
        event(line).unwrap_or(Line::Other(line))
    }
}

/// Takes the time away, so that what is left is what Kitchen reads of its own builds, byte by byte.
fn event(line: &[u8]) -> Option<Line<'_>> {
    let rest = line.strip_prefix(b"{\"at\":")?;
    let end = rest.iter().position(|byte| *byte == b',')?;
    let at: f64 = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let is_time = at.is_finite() && at >= 0.0;
    is_time.then(|| Line::Event(at, [b"{", &rest[end + 1..]].concat()))
}

impl Commit {
    /// Without what git would not say.
    fn checked(self) -> Commit {
        let is_hash = |text: &String| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_name = |text: &String| text.len() <= 250 && !text.chars().any(char::is_control);
        Commit {
            revision: self.revision.filter(is_hash),
            branch: self.branch.filter(is_name),
            dirty: self.dirty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_runs() {
        let line = br#"{"record":1,"started":5,"pid":70,"pid_started":9,"words":["bd","--tag=it's"]}"#;
        let header = Header::parse(line).unwrap();
        assert_eq!(header.command(), r"cargo xtask bd '--tag=it'\''s'");
        assert_eq!(header.leader(), Some(Leader { pid: 70, started: 9 }));
        let unknown = Header::parse(br#"{"record":1,"started":5,"pid":70,"words":[]}"#).unwrap();
        assert_eq!(unknown.leader(), None);
        for pid in ["0", "-1", "1"] {
            let line = format!(r#"{{"record":1,"started":5,"pid":{pid},"pid_started":9,"words":[]}}"#);
            assert_eq!(Header::parse(line.as_bytes()).unwrap().leader(), None);
        }
        for line in ["", "{}", "null", r#"{"record":2,"started":5,"pid":70,"words":[]}"#, "\u{0}"] {
            assert_eq!(Header::parse(line.as_bytes()), None);
        }
    }

    #[test]
    fn a_line_is_an_event_with_its_time_or_harms_nothing() {
        let event = |at, text: &str| Line::Event(at, text.as_bytes().to_vec());
        assert_eq!(
            Line::parse(br#"{"at":1.25,"v":1,"event":"note","message":"a"}"#),
            event(1.25, r#"{"v":1,"event":"note","message":"a"}"#)
        );
        let known = Commit { revision: Some("0a".to_owned()), branch: Some("a/b".to_owned()), dirty: true };
        let line = br#"{"commit":{"revision":"0a","branch":"a/b","dirty":true}}"#;
        assert_eq!(Line::parse(line), Line::Commit(known));
        let strange = br#"{"commit":{"revision":"<b>","branch":"a\nb","dirty":false}}"#;
        assert_eq!(Line::parse(strange), Line::Commit(Commit::default()));
        for line in
            [&b"{\"at\":NaN,}"[..], b"{\"at\":-1,}", b"{\"at\":1e999,}", b"{\"at\":", b"\xff\0", b"[]"]
        {
            assert_eq!(Line::parse(line), Line::Other(line));
        }
    }
}
