//! Errors that decide the exit code.

use std::fmt;

/// A mistake on the command line: exit code 2, as clap's own.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The exit code that tells `error` apart: 2 for usage, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() { 2 } else { 1 }
}

/// Completes "unknown thing `given`" with the name that was probably meant.
pub(crate) fn did_you_mean(given: &str, known: &[String]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("there is: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let known = ["native".to_owned(), "buildkit".to_owned()];
        assert_eq!(did_you_mean("nativ", &known), "did you mean `native`?");
        assert_eq!(did_you_mean("oracle", &known), "there is: native, buildkit");
    }
}
