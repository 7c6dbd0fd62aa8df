//! The configuration with every database and platform, whichever this project has.

use std::fs;
use std::path::Path;

const LINES: [&str; 2] =
    ["backends = ['sqlite', 'postgres', 'mysql']", "platforms = ['linux/amd64', 'linux/arm64']"];

/// Writes config/pipeline.toml of the workspace at `root` to the one at `to`, where there is a folder for it.
pub(crate) fn write_pipeline(root: &Path, to: &Path) {
    let file = "config/pipeline.toml";
    let own = fs::read_to_string(root.join(file)).unwrap();
    let whole = own.lines().map(|line| {
        let same_key = |other: &&str| line.split(" = ").next() == other.split(" = ").next();
        LINES.into_iter().find(same_key).unwrap_or(line)
    });
    fs::write(to.join(file), whole.collect::<Vec<_>>().join("\n")).unwrap();
}
