//! A search over all of a stored log, line by line, in what can be read of them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use regex::{Regex, RegexBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use super::plain::plain;

/// The longest expression, in bytes.
const LONGEST: usize = 1000;

/// The most that an expression may come to once it is compiled, in bytes. Together with the time it takes no more than
/// linear to look through a line, this bounds what a hostile one costs.
const COMPILED: usize = 1 << 20;

/// How many of the lines that match are told; of the others, only how many there are.
const MATCHES: usize = 200;

/// How many places in a line are told.
const RANGES: usize = 100;

/// How much of a line is told, in UTF-16 units: as much as a page shows.
const SHOWN: usize = 10_000;

/// How long one search may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is searched for.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

/// What was found, near a line.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Found {
    /// How many lines were searched.
    pub(crate) lines: u64,
    /// How many of them match.
    pub(crate) count: u64,
    /// How many of those are before the first of `matches`.
    pub(crate) before: u64,
    /// Whether that was the whole log, and not only as much of it as there was time for.
    pub(crate) is_whole: bool,
    /// Those near the line.
    pub(crate) matches: Vec<Match>,
}

/// A line that matches.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Match {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// What can be read of it.
    pub(crate) text: String,
    /// Where in that it matches, in UTF-16 units, as scripts count; none where what matches is empty.
    #[schema(value_type = Vec<Vec<usize>>)]
    pub(crate) ranges: Vec<(usize, usize)>,
}

/// Where a line is, in bytes.
struct Place {
    line: u64,
    start: u64,
    length: usize,
}

/// The places of matches around a line, as far as they are told.
#[derive(Default)]
struct Nearest {
    near: u64,
    places: VecDeque<Place>,
    /// How many of them are at the line or after it.
    after: usize,
    /// How many were before them.
    dropped: u64,
}

/// What has letters in an expression that do not stand for themselves.
#[expect(clippy::unwrap_used, reason = "every test of an expression compiles it")]
static OTHERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\\[pPxuU]\{[^}]*\}|\\.|\(\?P?<[^>]*>|\(\?P").unwrap());

impl Pattern {
    /// Reads a regular expression. It minds case only if it has an upper-case letter itself.
    ///
    /// # Errors
    /// Says in words for people why this is none.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        if text.len() > LONGEST {
            return Err(format!("The expression is longer than {LONGEST} bytes."));
        }
        let regex = RegexBuilder::new(text).case_insensitive(!minds_case(text)).size_limit(COMPILED).build();
        regex.map(Pattern).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "The expression repeats too much.".to_owned(),
            error => {
                let text = error.to_string();
                let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("No regular expression: {why}. A backslash takes a sign as it is, as in \\( or \\[.")
            }
        })
    }

    /// Searches the log at `path`, which may grow meanwhile, and tells of matches near the line `near`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn search(&self, path: &Path, near: u64) -> Result<Found> {
        self.search_until(path, near, Instant::now() + PATIENCE)
    }

    fn search_until(&self, path: &Path, near: u64, deadline: Instant) -> Result<Found> {
        let cannot = || format!("cannot read the log {}", path.display());
        let mut file = BufReader::with_capacity(64 << 10, File::open(path).with_context(cannot)?);
        let (mut lines, mut count, mut start, mut is_whole) = (0, 0, 0, true);
        let (mut nearest, mut bytes) = (Nearest { near, ..Nearest::default() }, Vec::new());
        loop {
            bytes.clear();
            let length = file.read_until(b'\n', &mut bytes).with_context(cannot)?;
            if length == 0 {
                break;
            }
            lines += 1;
            if self.0.is_match(&plain(&text(&bytes))) {
                count += 1;
                nearest.push(Place { line: lines, start, length });
            }
            start += length as u64;
            // The clock costs as much as a short line.
            if lines % 64 == 0 && Instant::now() > deadline {
                is_whole = false;
                break;
            }
        }
        let matches = nearest.places.iter().map(|place| self.tell(&mut file, place));
        let matches = matches.collect::<Result<_>>().with_context(cannot)?;
        Ok(Found { lines, count, before: nearest.dropped, is_whole, matches })
    }

    fn tell(&self, file: &mut BufReader<File>, place: &Place) -> Result<Match> {
        file.seek(SeekFrom::Start(place.start))?;
        let mut bytes = vec![0; place.length];
        file.read_exact(&mut bytes)?;
        let line = text(&bytes);
        let line = plain(&line);
        let shown = shown(&line);
        let found = self.0.find_iter(&line).take_while(|found| found.end() <= shown.len());
        let found = found.filter(|found| !found.is_empty()).take(RANGES);
        let ranges =
            found.map(|found| (units(&line[..found.start()]), units(&line[..found.end()]))).collect();
        Ok(Match { line: place.line, text: shown.to_owned(), ranges })
    }
}

impl Nearest {
    fn push(&mut self, place: Place) {
        if self.places.len() == MATCHES {
            if self.after >= MATCHES / 2 {
                return;
            }
            self.places.pop_front();
            self.dropped += 1;
        }
        self.after += usize::from(place.line >= self.near);
        self.places.push_back(place);
    }
}

/// The line without its end.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(bytes))
}

/// As much of a line as is told.
fn shown(line: &str) -> &str {
    let mut units = 0;
    let is_too_far = |letter: char| {
        units += letter.len_utf16();
        units > SHOWN
    };
    // A byte is never more than a unit.
    if line.len() <= SHOWN { line } else { line.split(is_too_far).next().unwrap_or_default() }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Whether there is an upper-case letter that stands for itself, and not for a class, as in `\S` and `\p{Lu}`.
fn minds_case(pattern: &str) -> bool {
    OTHERS.replace_all(pattern, "").chars().any(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn search(log: &str, pattern: &str, near: u64) -> Found {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        fs::write(&path, log).unwrap();
        Pattern::parse(pattern).unwrap().search(&path, near).unwrap()
    }

    #[test]
    fn lines_match_in_what_can_be_read_of_them() {
        let log = "a | \x1b[31mer\x1b[0mror\nb | 😀 10% err\r😀 Error error\nnone\nlast error";
        let found = search(log, "er+or", 1);
        assert_eq!((found.lines, found.count, found.before, found.is_whole), (4, 3, 0, true));
        let told = |at: usize| {
            let Match { line, text, ranges } = &found.matches[at];
            (*line, text.as_str(), ranges.as_slice())
        };
        assert_eq!(told(0), (1, "a | error", [(4, 9)].as_slice()));
        // The smile is one character, and two units.
        assert_eq!(told(1), (2, "b | 😀 Error error", [(7, 12), (13, 18)].as_slice()));
        assert_eq!(told(2), (4, "last error", [(5, 10)].as_slice()));
        assert_eq!(search(log, "Error", 1).count, 1, "an upper-case letter minds case");
        assert_eq!(search(log, r"^\S+ \| \S", 1).count, 2, "one that stands for a class does not");
        assert_eq!(search(log, "31m|x1b", 1).count, 0);
        assert_eq!(search(log, "error\\s+b", 1).count, 0, "a match is within a line");
        assert_eq!(search(log, "x*", 1).matches[0].ranges, []);
        assert_eq!(search("", "x*", 1).count, 0);
    }

    #[test]
    fn matches_are_told_around_a_line() {
        let log: String = (1..=10_000).map(|number| format!("line {number}\n")).collect();
        for (near, first, last) in [(1, 1, 200), (50, 1, 200), (5000, 4900, 5099), (10_000, 9801, 10_000)] {
            let found = search(&log, "line", near);
            assert_eq!((found.count, found.before), (10_000, first - 1));
            let lines: Vec<_> = found.matches.iter().map(|found| found.line).collect();
            assert_eq!(lines, (first..=last).collect::<Vec<_>>(), "near {near}");
        }
    }

    #[test]
    fn of_a_long_line_only_the_beginning_is_told_but_all_is_searched() {
        let log = format!("{}x{}needle\n", "😀".repeat(4000), "y".repeat(1 << 20));
        let found = search(&log, "needle|x|y", 1);
        assert_eq!(units(&found.matches[0].text), SHOWN);
        assert_eq!((found.matches[0].ranges.len(), found.matches[0].ranges[0]), (RANGES, (8000, 8001)));
        let found = search(&log, "needle", 1);
        assert_eq!((found.count, &*found.matches[0].ranges), (1, [].as_slice()));
    }

    #[test]
    fn what_is_no_expression_is_told_in_words() {
        for (text, why) in [
            ("(a", "No regular expression: unclosed group."),
            ("[z-a]", "No regular expression: invalid character class range"),
            ("*", "No regular expression: repetition operator missing expression."),
            ("(?=a)", "No regular expression: look-around"),
            (r"(a)\1", "No regular expression: backreferences are not supported."),
            ("(a{1000}){1000}", "The expression repeats too much."),
            (&"a".repeat(1001), "The expression is longer than 1000 bytes."),
            (&"(".repeat(1000), "No regular expression: "),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.starts_with(why) && !error.contains('\n'), "{text}: {error}");
        }
    }

    /// Those that take others a time that doubles with each character.
    #[test]
    fn a_hostile_expression_costs_little() {
        let log = format!("{}\n", "x".repeat(100_000)).repeat(10);
        let began = Instant::now();
        for pattern in ["(x+x+)+y", "(x|xx)+y", r"(.*)(.*)(.*)(.*)[^x]", "(x?){30}x{30}y", r"(\w+\s?)+!"] {
            assert_eq!(search(&log, pattern, 1).count, 0, "{pattern}");
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[test]
    fn a_search_ends_when_it_has_taken_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        fs::write(&path, "line\n".repeat(1000)).unwrap();
        let found = Pattern::parse("line").unwrap().search_until(&path, 1, Instant::now()).unwrap();
        assert_eq!((found.lines, found.count, found.is_whole), (64, 64, false));
    }
}
