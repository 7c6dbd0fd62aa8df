//! Flags of `check`.

use clap::Args;

/// Flags of `check`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CheckFlags {
    /// Database backends, with commas between them [default: all in config/pipeline.toml]
    #[arg(long = "backend", value_name = "BACKEND", value_delimiter = ',')]
    pub(crate) backends: Vec<String>,
    /// Repair first what can be repaired: format, lints, query cache
    #[arg(long)]
    pub(crate) fix: bool,
    /// Only these: format, lock, deny, advisories, dockerfile, workflows (or workflows-lint, workflows-security), clippy,
    // template: if pipeline_tests
    /// sqlx, test, or of these three only one part: pipeline, images, a backend, or both, as in test-pipeline
    // template: else
    // template: add /// sqlx, test, or of these three only one part: pipeline, a backend, or both, as in test-pipeline
    // template: end
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// All but these, named as for --only
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Only what a change since this revision of git can affect
    #[arg(long, value_name = "REV")]
    pub(crate) since: Option<String>,
    /// Go on after a failure [default: with CI set]
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Fail where something is missing, instead of leaving it out [default: with CI set]
    #[arg(long)]
    pub(crate) strict: bool,
    /// Also run what has succeeded before on the same files [default: with CI set]
    #[arg(long)]
    pub(crate) fresh: bool,
}
