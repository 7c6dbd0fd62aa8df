//! What commits mean for a version, by [Conventional Commits](https://www.conventionalcommits.org/en/v1.0.0/).

use next_version::VersionIncrement;
use semver::Version;

use crate::git::Commit;

/// A commit that counts, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The commit.
    pub(crate) commit: Commit,
    /// What a conventional commit says; none for any other.
    pub(crate) conventional: Option<Conventional>,
    /// What looks like the mark of a breaking change and is none, and how it is written.
    pub(crate) malformed: Option<String>,
}

/// What a conventional commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conventional {
    /// Such as `feat`, in small letters.
    pub(crate) kind: String,
    /// What of the project it is about.
    pub(crate) scope: Option<String>,
    /// The rest of its first line.
    pub(crate) description: String,
    /// Whether it breaks something, and what it says of that besides its description.
    pub(crate) breaking: Option<Option<String>>,
}

impl Change {
    /// What `commit` says of itself; none for a merge that is not described by hand: what it merges says it all.
    pub(crate) fn of(commit: Commit) -> Option<Change> {
        let conventional = conventional(&commit.message);
        if commit.is_merge && conventional.is_none() {
            return None;
        }
        let is_breaking = conventional.as_ref().is_some_and(|known| known.breaking.is_some());
        let malformed = if is_breaking { None } else { malformed(&commit.message) };
        Some(Change { commit, conventional, malformed })
    }

    /// What it makes of `version` on its own, and why.
    pub(crate) fn reason(&self, version: &Version) -> String {
        let increment = VersionIncrement::from_commits(version, [&self.commit.message]);
        let part = increment.map_or("nothing", |increment| name(&increment));
        let below = version.major == 0 && version.pre.is_empty();
        match &self.conventional {
            None => format!("{part}: not a conventional commit"),
            Some(Conventional { breaking: Some(_), .. }) if below => format!("{part}: breaking, below 1.0"),
            Some(Conventional { breaking: Some(_), .. }) => format!("{part}: breaking"),
            Some(Conventional { kind, .. }) if kind == "feat" && below => {
                format!("{part}: feature, below 1.0")
            }
            Some(Conventional { kind, .. }) if kind == "feat" => format!("{part}: feature"),
            Some(Conventional { kind, .. }) => format!("{part}: {kind}"),
        }
    }
}

/// The part of a version that `increment` raises.
pub(crate) fn name(increment: &VersionIncrement) -> &'static str {
    match increment {
        VersionIncrement::Major => "major",
        VersionIncrement::Minor => "minor",
        VersionIncrement::Patch => "patch",
        VersionIncrement::Prerelease => "pre-release",
    }
}

fn conventional(message: &str) -> Option<Conventional> {
    let commit = git_conventional::Commit::parse(message).ok()?;
    let description = commit.description().trim().to_owned();
    let more = commit.breaking_description().map(one_line).filter(|more| *more != description);
    Some(Conventional {
        kind: commit.type_().as_str().to_lowercase(),
        scope: commit.scope().map(|scope| scope.as_str().to_owned()),
        breaking: commit.breaking().then_some(more),
        description,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How what looks like the mark of a breaking change in a message without one has to be written, if there is such.
fn malformed(message: &str) -> Option<String> {
    let mut lines = message.trim_start().lines();
    in_header(lines.next().unwrap_or_default()).or_else(|| lines.find_map(in_footer))
}

/// An exclamation mark elsewhere than right before the colon: `feat!(scope):`, `feat(scope) !:`, `feat:!`.
fn in_header(subject: &str) -> Option<String> {
    let (head, description) = subject.split_once(':')?;
    let (kind, scope) = match head.split_once('(') {
        Some((kind, rest)) => {
            let (scope, after) = rest.split_once(')')?;
            (format!("{kind}{after}"), format!("({scope})"))
        }
        None => (head.to_owned(), String::new()),
    };
    let has_mark = kind.contains('!') || description.starts_with('!');
    let word = kind.replace(['!', ' '], "");
    // A sentence with an exclamation mark has more than one word before its colon.
    let is_one_word = kind.replace('!', " ").split_whitespace().count() == 1;
    let is_kind = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (has_mark && is_one_word && is_kind).then(|| format!("write `{word}{scope}!: …`"))
}

/// `BREAKING CHANGES:`, `Breaking change:`, and a right footer in a commit that is not conventional.
fn in_footer(line: &str) -> Option<String> {
    let rest = line.get(.."breaking".len()).filter(|word| word.eq_ignore_ascii_case("breaking"));
    let rest =
        rest.map(|word| line[word.len()..].trim_start_matches([' ', '-', '_']).to_ascii_lowercase())?;
    let rest = rest.strip_prefix("changes").or_else(|| rest.strip_prefix("change")).unwrap_or(&rest);
    let is_mark = rest.trim_start().starts_with(':') || rest.trim().is_empty();
    is_mark.then(|| {
        "write `BREAKING CHANGE: …` in the last paragraph of a commit that begins with `feat: …` or another type".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(message: &str) -> Option<Change> {
        Change::of(Commit { hash: "0".repeat(40), is_merge: false, message: message.to_owned() })
    }

    fn check_reason(version: Version, message: &str, expected: &str) {
        assert_eq!(change(message).unwrap().reason(&version), expected, "{message}");
    }

    #[test]
    fn each_commit_says_what_it_raises() {
        let (below, above) = (Version::new(0, 2, 3), Version::new(1, 2, 3));
        check_reason(below.clone(), "feat: a", "patch: feature, below 1.0");
        check_reason(below.clone(), "feat(x)!: a", "minor: breaking, below 1.0");
        check_reason(below, "Add a", "patch: not a conventional commit");
        check_reason(Version::new(0, 0, 1), "feat!: a", "patch: breaking, below 1.0");
        check_reason(above.clone(), "feat: a", "minor: feature");
        check_reason(above.clone(), "FIX: a", "patch: fix");
        check_reason(above.clone(), "docs: a", "patch: docs");
        check_reason(above.clone(), "fix: a\n\nText.\n\nBREAKING CHANGE: b\n", "major: breaking");
        check_reason(above, "fix: a\n\nText.\n\nBREAKING-CHANGE: b\n", "major: breaking");
        check_reason("1.0.0-rc.1".parse().unwrap(), "feat!: a", "pre-release: breaking");
    }

    #[test]
    fn a_mark_that_loses_the_break_is_noticed() {
        for (message, right) in [
            ("feat!(api): a", "write `feat(api)!: …`"),
            ("feat(api) !: a", "write `feat(api)!: …`"),
            ("feat !: a", "write `feat!: …`"),
            ("feat:! a", "write `feat!: …`"),
            ("feat(api):! a", "write `feat(api)!: …`"),
            ("feat!!: a", "write `feat!: …`"),
        ] {
            assert_eq!(change(message).unwrap().malformed.as_deref(), Some(right), "{message}");
        }
        for message in [
            "feat: a\n\nBREAKING CHANGES: b",
            "feat: a\n\nBreaking change: b",
            "feat: a\n\nBREAKING: b",
            "feat: a\n\nBREAKING CHANGE\nb",
            "Add a\n\nBREAKING CHANGE: b",
        ] {
            assert!(change(message).unwrap().malformed.is_some(), "{message}");
        }
    }

    #[test]
    fn other_text_is_no_mark() {
        for message in [
            "feat!: a",
            "feat(api)!: a",
            "feat: a!",
            "feat: a\n\nBREAKING CHANGE: b",
            "Hello world! It works: really",
            "fix: breaking news\n\nThis is not breaking anything: it mends.\nBreaking it would be bad.",
            "Say why: (x)!",
            "ü(",
            "",
        ] {
            assert_eq!(change(message).unwrap().malformed, None, "{message}");
        }
    }

    #[test]
    fn a_merge_counts_where_somebody_described_it() {
        let merge = |message: &str| {
            Change::of(Commit { hash: "0".repeat(40), is_merge: true, message: message.to_owned() })
        };
        assert_eq!(merge("Merge branch 'x'"), None);
        assert!(merge("feat!: x (#1)").is_some());
    }
}
