//! Where a section goes, and that nothing else changes.

use expect_test::{Expect, expect};

use super::*;
use crate::git::Commit;

fn changes() -> Vec<Change> {
    let commit = Commit { hash: "0".repeat(40), is_merge: false, message: "fix: a".to_owned() };
    Change::of(commit).into_iter().collect()
}

fn add(old: &str) -> Result<String> {
    let version = Version::new(0, 2, 0);
    with(Some(old), &Section { version: &version, date: "2026-11-22", changes: &changes() })
}

/// Whether every byte of `old` is in `new`, in its order.
fn keeps(old: &str, new: &str) -> bool {
    let mut new = new.bytes();
    old.bytes().all(|byte| new.any(|other| other == byte))
}

fn check(old: &str, expected: &Expect) {
    let new = add(old).unwrap();
    expected.assert_eq(&new);
    assert!(keeps(old, &new));
    if !old.contains('\n') {
        return;
    }
    let crlf = old.replace('\n', "\r\n");
    assert_eq!(add(&crlf).unwrap(), new.replace('\n', "\r\n"), "lines keep their ends");
}

#[test]
fn the_newest_comes_first() {
    check(
        "# Changelog\n\nText.\n\n## [0.1.0] - 2026-01-01\n\n- a\n",
        &expect![[r#"
        # Changelog

        Text.

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a

        ## [0.1.0] - 2026-01-01

        - a
    "#]],
    );
    check(
        "# Changelog\n## 0.1.0\n- a",
        &expect![[r#"
        # Changelog

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a

        ## 0.1.0
        - a"#]],
    );
}

#[test]
fn a_changelog_without_versions_gets_the_first() {
    check(
        "# Changelog\n",
        &expect![[r#"
        # Changelog

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a
    "#]],
    );
    check(
        "# Changelog\n\nText.\n\n[home]: https://example.com\n[more]: https://example.com/more\n",
        &expect![[r#"
            # Changelog

            Text.

            ## [0.2.0] - 2026-11-22

            ### Fixed

            - a

            [home]: https://example.com
            [more]: https://example.com/more
        "#]],
    );
}

#[test]
fn what_is_unreleased_is_of_the_version_from_now_on() {
    check(
        "# Changelog\n\n## [Unreleased]\n\n### Removed\n\n- b, by hand\n\n## [0.1.0]\n\n- a\n\n[0.1.0]: https://example.com\n",
        &expect![[r#"
            # Changelog

            ## [Unreleased]

            ## [0.2.0] - 2026-11-22

            ### Removed

            - b, by hand

            ### Fixed

            - a

            ## [0.1.0]

            - a

            [0.1.0]: https://example.com
        "#]],
    );
    check(
        "# Changelog\n\n## Unreleased\n\n## 0.1.0\n",
        &expect![[r#"
        # Changelog

        ## Unreleased

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a

        ## 0.1.0
    "#]],
    );
    let old = "## Unreleased\n\n\n\n## 0.1.0\n";
    assert!(add(old).unwrap().starts_with("## Unreleased\n\n\n\n## [0.2.0] - "));
    check(
        "## Unreleased",
        &expect![[r#"
        ## Unreleased

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a
    "#]],
    );
    check(
        "## [unreleased]\n\n- b, by hand",
        &expect![[r#"
        ## [unreleased]

        ## [0.2.0] - 2026-11-22

        - b, by hand

        ### Fixed

        - a
    "#]],
    );
}

#[test]
fn what_looks_like_a_heading_within_code_is_none() {
    check(
        "# Changelog\n\n```md\n## [0.2.0]\n```\n\n## [0.1.0]\n",
        &expect![[r#"
        # Changelog

        ```md
        ## [0.2.0]
        ```

        ## [0.2.0] - 2026-11-22

        ### Fixed

        - a

        ## [0.1.0]
    "#]],
    );
}

#[test]
fn a_version_has_one_section() {
    for old in
        ["## 0.2.0\n", "## [0.2.0] - 2026-01-01\n", "## v0.2.0\n", "## [v0.2.0](https://example.com)\n"]
    {
        assert!(add(old).is_err(), "{old}");
    }
    for old in ["## 0.2.0-rc.1\n", "## 0.2.01\n", "### 0.2.0\n", "## Version 0.2.0\n"] {
        assert!(add(old).is_ok(), "{old}");
    }
}

#[test]
fn an_empty_file_is_as_good_as_none() {
    let version = Version::new(0, 2, 0);
    let section = Section { version: &version, date: "2026-11-22", changes: &[] };
    assert_eq!(with(Some("\n"), &section).unwrap(), with(None, &section).unwrap());
    expect![[r#"
        # Changelog

        What is new in each version, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

        ## [0.2.0] - 2026-11-22

        Nothing but the version has changed.
    "#]]
    .assert_eq(&with(None, &section).unwrap());
}
