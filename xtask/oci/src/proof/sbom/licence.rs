//! Licences of packages as [SPDX expressions](https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/).

/// The expression that the field `license` of a Cargo.toml means, or `None` if it is no expression. Old packages write
/// `MIT/Apache-2.0` for `MIT OR Apache-2.0`.
pub(super) fn expression(text: &str) -> Option<String> {
    let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut depth = 0usize;
    let mut wants_name = true;
    for word in &words {
        match (*word, wants_name) {
            ("(", true) => depth += 1,
            (")", false) => depth = depth.checked_sub(1)?,
            ("AND" | "OR" | "WITH", false) => wants_name = true,
            (name, true) if is_name(name) => wants_name = false,
            _ => return None,
        }
    }
    let is_whole = depth == 0 && !wants_name;
    is_whole.then(|| words.join(" ").replace("( ", "(").replace(" )", ")"))
}

/// Whether it may be a name of the SPDX list. Names of one's own would need the text of the licence in the document.
fn is_name(word: &str) -> bool {
    !matches!(word, "AND" | "OR" | "WITH" | "(" | ")")
        && !word.starts_with("LicenseRef-")
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_kept_and_old_ones_rewritten() {
        for (text, expected) in [
            ("MIT", "MIT"),
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("MIT / Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0+", "Apache-2.0 WITH LLVM-exception OR GPL-2.0+"),
        ] {
            assert_eq!(expression(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_not_known() {
        for text in [
            "",
            "MIT,",
            "MIT Apache-2.0",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "()",
            "LicenseRef-mine",
            "see: LICENSE",
        ] {
            assert_eq!(expression(text), None, "{text}");
        }
    }
}
