//! What can be read of a line: `assets/text.js` shows the same in a page, and a test compares them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Whatever is not text (ECMA-48): a control sequence; a control string with its end, or without one up to the line's;
/// another escape; a control character other than a tab; a character that changes the direction of what follows it.
#[expect(clippy::unwrap_used, reason = "a test compiles it")]
static CONTROL: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r"(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?",
        r"(?:\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x1b\x{9c}]*(?:\x07|\x1b\\|\x{9c})?",
        r"\x1b[ -/]*[0-~]?",
        r"[\x00-\x08\x0a-\x1f\x7f-\x{9f}\u{61c}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]",
    ];
    Regex::new(&kinds.join("|")).unwrap()
});

/// What can be read of a line, once its carriage returns and control sequences have done what they do.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    match settle(line) {
        Cow::Borrowed(text) => CONTROL.replace_all(text, ""),
        Cow::Owned(text) => Cow::Owned(CONTROL.replace_all(&text, "").into_owned()),
    }
}

/// The line as it stands after its carriage returns: what follows the last one, behind the name of the step.
fn settle(line: &str) -> Cow<'_, str> {
    let text = line.trim_end_matches('\r');
    let Some((before, rest)) = text.rsplit_once('\r') else { return Cow::Borrowed(text) };
    let until_first = before.split('\r').next().unwrap_or(before);
    match until_first.split_once(" | ") {
        Some((step, _)) => Cow::Owned(format!("{step} | {rest}")),
        None => Cow::Borrowed(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_a_page_shows() {
        let lines: Vec<(String, String)> = serde_json::from_str(include_str!("lines.json")).unwrap();
        for (line, expected) in lines {
            assert_eq!(plain(&line), expected, "{line:?}");
        }
    }
}
