//! What takes space, and what was removed.

use image_spec::size::bytes;
use serde::Serialize;

/// What takes space in the target folder, and beside it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Space {
    /// The target folder.
    pub(crate) folder: String,
    /// What is in it, the largest first.
    pub(crate) rows: Vec<SpaceRow>,
    /// Bytes in all.
    pub(crate) total: u64,
    /// The cache of the builder, where that runs.
    pub(crate) builder: Option<BuilderSpace>,
    /// A command that would remove something.
    pub(crate) next: Option<String>,
}

/// What is alike in one folder.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SpaceRow {
    /// The folder, from the target folder.
    pub(crate) place: String,
    /// What it is: `dependencies`, `incremental`, `build scripts`, `programs and tests`, `files`.
    pub(crate) content: &'static str,
    /// How many could be removed one by one.
    pub(crate) items: usize,
    /// Bytes on the disk.
    pub(crate) size: u64,
    /// The same by when it was last used.
    pub(crate) used: Used,
}

/// Bytes by when they were last used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Used {
    /// In the last 24 hours.
    pub(crate) day: u64,
    /// Before that, and in the last 7 days.
    pub(crate) week: u64,
    /// Before that, and in the last 30 days.
    pub(crate) month: u64,
    /// Before that.
    pub(crate) older: u64,
}

/// What the builder keeps.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BuilderSpace {
    /// Its name.
    pub(crate) name: String,
    /// Bytes, all nodes together.
    pub(crate) size: u64,
}

/// What was removed from the target folder, or would be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Removed {
    /// The target folder.
    pub(crate) folder: String,
    /// Whether it is all still there.
    pub(crate) dry_run: bool,
    /// What went, the largest first.
    pub(crate) rows: Vec<SpaceRow>,
    /// Bytes that became free.
    pub(crate) size: u64,
    /// Bytes that stay.
    pub(crate) left: u64,
    /// The folders that were left alone because a build uses them.
    pub(crate) in_use: Vec<String>,
}

/// A table of what takes space.
pub(super) fn space(space: &Space) -> String {
    let head = ["size", "< 1 day", "< 7 days", "< 30 days", "older"].map(|title| format!("{title:>10}"));
    let mut text = format!("{}\n", head.join(" "));
    let mut all = Used::default();
    for row in &space.rows {
        all = all.and(row.used);
        text += &format!("{}   {}\n", columns(row.size, row.used), label(row));
    }
    text += &format!("{}   in all, in {}\n", columns(space.total, all), space.folder);
    if let Some(builder) = &space.builder {
        text += &format!("{:>10}{:44}   cache of the builder {}\n", bytes(builder.size), "", builder.name);
    }
    if let Some(command) = &space.next {
        text += &format!("\nto remove some of it: {command}\n");
    }
    text
}

/// A table of what was removed.
pub(super) fn removed(removed: &Removed) -> String {
    let mut text = String::new();
    for row in &removed.rows {
        let count = if row.items == 1 { "1 item".to_owned() } else { format!("{} items", row.items) };
        text += &format!("{:>10} {count:>12}   {}\n", bytes(row.size), label(row));
    }
    let verbs = if removed.dry_run { ["would become free", "would stay"] } else { ["became free", "stay"] };
    let (size, left, folder) = (bytes(removed.size), bytes(removed.left), &removed.folder);
    text + &format!("{size} {}; {left} {} in {folder}\n", verbs[0], verbs[1])
}

fn columns(size: u64, used: Used) -> String {
    let some = |size| if size == 0 { "-".to_owned() } else { bytes(size) };
    let columns = [bytes(size), some(used.day), some(used.week), some(used.month), some(used.older)];
    columns.map(|column| format!("{column:>10}")).join(" ")
}

fn label(row: &SpaceRow) -> String {
    match row.content {
        "files" => row.place.clone(),
        content => format!("{}: {content}", row.place),
    }
}

impl Used {
    /// Both together.
    pub(crate) fn and(self, other: Used) -> Used {
        Used {
            day: self.day + other.day,
            week: self.week + other.week,
            month: self.month + other.month,
            older: self.older + other.older,
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn row(place: &str, content: &'static str, used: Used) -> SpaceRow {
        let size = used.day + used.week + used.month + used.older;
        SpaceRow { place: place.to_owned(), content, items: 2, size, used }
    }

    #[test]
    fn space_is_a_table() {
        let rows = vec![
            row("debug", "dependencies", Used { day: 1_500_000_000, older: 700_000_000, ..Used::default() }),
            row("images/cache", "files", Used { week: 12_000_000, month: 4096, ..Used::default() }),
        ];
        let total = rows.iter().map(|row| row.size).sum();
        let shown = Space {
            folder: "/galley/target".to_owned(),
            rows,
            total,
            builder: Some(BuilderSpace { name: "galley".to_owned(), size: 10_360_000_000 }),
            next: Some("cargo xtask clean --older-than 7d".to_owned()),
        };
        expect![[r#"
                  size    < 1 day   < 7 days  < 30 days      older
               2.20 GB    1.50 GB          -          -  700.00 MB   debug: dependencies
              12.00 MB          -   12.00 MB    4.10 kB          -   images/cache
               2.21 GB    1.50 GB   12.00 MB    4.10 kB  700.00 MB   in all, in /galley/target
              10.36 GB                                               cache of the builder galley

            to remove some of it: cargo xtask clean --older-than 7d
        "#]]
        .assert_eq(&space(&shown));
    }

    #[test]
    fn what_went_is_a_table_and_a_sentence() {
        let used = Used { older: 700_000_000, ..Used::default() };
        let one = SpaceRow { items: 1, ..row("dist", "files", Used::default()) };
        let mut shown = Removed {
            folder: "/galley/target".to_owned(),
            dry_run: true,
            rows: vec![row("debug", "dependencies", used), one],
            size: 700_000_000,
            left: 4096,
            in_use: vec![],
        };
        let would = removed(&shown);
        shown.dry_run = false;
        shown.rows.clear();
        expect![[r#"
             700.00 MB      2 items   debug: dependencies
                   0 B       1 item   dist
            700.00 MB would become free; 4.10 kB would stay in /galley/target
            700.00 MB became free; 4.10 kB stay in /galley/target
        "#]]
        .assert_eq(&(would + &removed(&shown)));
    }
}
