//! Sizes as people read them.

/// A size in bytes, in units of 1000.
pub fn bytes(count: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{:.2} {name}", count as f64 / unit as f64),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        let sizes = [0, 999, 4_700_000, 1_400_000_000].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "4.70 MB", "1.40 GB"]);
    }
}
