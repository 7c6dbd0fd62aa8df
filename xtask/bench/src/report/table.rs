//! The report for a terminal, in Markdown, so that it can be pasted.

use std::fmt::Write as _;

use super::growth::Line;
use super::{Report, Row, Section};
use crate::measure::Quantity;
use crate::stats::Spread;

/// Everything that was measured.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    for section in &report.sections {
        let _ = writeln!(text, "## {}\n", section.title);
        let _ = writeln!(text, "{}", rows(section));
        for (mark, note) in notes(section) {
            let _ = writeln!(text, "{mark}: {note}");
        }
        text.push('\n');
    }
    for change in &report.changes {
        let _ = writeln!(text, "{change}");
    }
    let _ = writeln!(text, "{}", report.machine);
    text
}

/// What there is to say besides figures.
pub(super) fn notes(section: &Section) -> Vec<(String, String)> {
    let noise = section.noise.iter().map(|noise| ("warning".to_owned(), noise.clone()));
    let left_out = section.left_out.iter().map(|one| (format!("without {}", one.name), one.why.clone()));
    let growth = section.growth.iter().flat_map(|growth| {
        let line = |line: &Line| {
            (line.name.clone(), format!("{} = {}", line.quantity.title(), line.shown(growth.of)))
        };
        growth.lines.iter().map(line)
    });
    noise.chain(left_out).chain(growth).collect()
}

fn rows(section: &Section) -> String {
    let (head, body) = cells(section);
    let all = std::iter::once(&head).chain(&body).collect::<Vec<_>>();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:width$}", width = width(column)));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    std::iter::once(line(&head)).chain([rule]).chain(body.iter().map(line)).collect()
}

/// The head and the rows of a section's table.
pub(super) fn cells(section: &Section) -> (Vec<String>, Vec<Vec<String>>) {
    let main = section.main;
    let mut others =
        section.rows.iter().flat_map(Row::quantities).filter(|one| *one != main).collect::<Vec<_>>();
    others.sort_unstable();
    others.dedup();
    let mut head = vec![String::new(), main.title().to_owned(), "min–max".to_owned()];
    head.push(format!("× {}", section.base));
    head.extend(section.limit.iter().map(|limit| format!("× {limit}")));
    head.extend(others.iter().map(|one| one.title().to_owned()));
    let body = section.rows.iter().map(|row| {
        let mut cells = vec![row.name.clone()];
        let spread = row.spread(main);
        cells.push(spread.map(|spread| main.show(spread.median)).unwrap_or_default());
        cells.push(spread.map(|spread| reach(main, spread)).unwrap_or_default());
        let beside = |name: &String| {
            let ratio = row.beside(section.row(name)?, main)?;
            Some(format!("{:.2}", ratio.median))
        };
        cells.push(beside(&section.base).unwrap_or_default());
        cells.extend(section.limit.iter().map(|limit| beside(limit).unwrap_or_default()));
        let median =
            |one: &Quantity| row.spread(*one).map(|spread| one.show(spread.median)).unwrap_or_default();
        cells.extend(others.iter().map(median));
        cells
    });
    (head, body.collect())
}

fn reach(quantity: Quantity, spread: Spread) -> String {
    format!("{}–{}", quantity.show(spread.min), quantity.show(spread.max))
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn a_table_has_ratios_and_warnings() {
        let mut report = report();
        report.sections[0].left_out[0].why = "UPX is not installed".to_owned();
        report.machine.processor = None;
        let expected = "\
## One line edited

|        | seconds | min–max     | × galley | × cargo | CPU seconds | MiB of memory |
|---|---|---|---|---|---|---|
| galley | 4.20    | 4.00–4.40   | 1.00     | 1.05    | 8.40        | 512           |
| cargo  | 4.00    | 4.00–4.00   | 0.95     | 1.00    | 8.00        | 512           |
| chef   | 42.00   | 40.00–44.00 | 10.00    | 10.50   | 84.00       | 512           |

warning: others keep 1.0 of 2 cores busy
without upx: UPX is not installed

2 cores, 4 GiB of memory, no Docker
";
        assert_eq!(table(&report), expected);
    }
}
