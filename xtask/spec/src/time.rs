//! Times as images carry them.

/// The last time that a tar header can hold, in seconds since the Unix epoch: in the year 2242.
pub const MAX: u64 = 0o777_7777_7777;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;
const DAYS_IN_400_YEARS: u64 = 146_097;

/// `seconds` since the Unix epoch in UTC, as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) writes it.
pub fn rfc3339(seconds: u64) -> String {
    let (year, month, day) = date(seconds / SECONDS_A_DAY);
    let second = seconds % SECONDS_A_DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date that is `days` after 1970-01-01, by the algorithm of
/// [Howard Hinnant](https://howardhinnant.github.io/date_algorithms.html#civil_from_days): years begin in March, so that
/// the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_written_as_people_know_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (MAX, "2242-03-16T12:56:31Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
