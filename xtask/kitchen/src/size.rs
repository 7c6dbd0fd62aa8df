//! Sizes as people read them.

/// A size in bytes, in units of 1000.
pub(crate) fn bytes(count: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{:.2} {name}", count / unit),
        None => format!("{count:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        let sizes = [0.0, 999.0, 4_700_000.0, 1_400_000_000.0].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "4.70 MB", "1.40 GB"]);
    }
}
