//! `ci matrix`: the jobs of continuous integration, which follow from `config/pipeline.toml`. Workflows hold no lists.

use image_spec::{Platform, Reference};
use serde::Serialize;

use super::{check, image};
use crate::cli::{ImageFlags, MatrixFlags};
use crate::config::Config;
use crate::plan::Product;
use crate::tools::Goal;

/// The systems besides Linux that the pipeline itself works on, as GitHub
/// [names](https://docs.github.com/en/actions/reference/runners/github-hosted-runners) its machines.
const HOSTS: [&str; 2] = ["macos-15", "windows-2025"];

/// Rows for the key `include` of a matrix.
#[derive(Debug, Serialize)]
struct Matrix<'a> {
    check: Vec<Part>,
    backends: Vec<Backend<'a>>,
    platforms: Vec<Native>,
    hosts: [Host; 2],
}

/// A part of the gate. All of them together are the gate.
#[derive(Debug, Serialize)]
struct Part {
    part: String,
    /// What `check --only` takes.
    only: String,
    /// What `setup --for` has to install first; empty where the machines have it all.
    goal: &'static str,
}

/// A database that the service is built for.
#[derive(Debug, Serialize)]
struct Backend<'a> {
    backend: &'a str,
    /// The first tag of its image in this version.
    tag: String,
}

/// A platform, and a machine of it.
#[derive(Debug, Serialize)]
struct Native {
    platform: String,
    runner: &'static str,
}

/// A machine.
#[derive(Debug, Serialize)]
struct Host {
    runner: &'static str,
}

/// The matrix as one line of JSON; with a name as a line that GitHub takes for the output of a step.
///
/// # Errors
/// For a version that is no legal tag.
pub(crate) fn matrix(config: &Config, flags: &MatrixFlags) -> anyhow::Result<Product> {
    let build = &config.pipeline.build;
    let part = |(part, only): (String, String)| Part { goal: goal(&part), part, only };
    let backends = build.backends.iter().map(|backend| {
        let tags = image::tags(config, &ImageFlags::default(), backend, false)?;
        let tag = tags.first().map(Reference::tag_or_latest).unwrap_or_default();
        Ok(Backend { backend, tag })
    });
    let native = |platform: &Platform| Native { platform: platform.to_string(), runner: runner(*platform) };
    let matrix = Matrix {
        check: check::parts(config).into_iter().map(part).collect(),
        backends: backends.collect::<anyhow::Result<_>>()?,
        platforms: build.platforms.iter().map(native).collect(),
        hosts: HOSTS.map(|runner| Host { runner }),
    };
    let name = flags.name.as_ref().map(|name| format!("{name}=")).unwrap_or_default();
    Ok(Product::Definition { text: format!("{name}{}\n", serde_json::to_string(&matrix)?) })
}

/// Programs for the others are a part of GitHub's machines, or nothing needs them.
fn goal(part: &str) -> &'static str {
    match part {
        check::QUICK => Goal::Check.name(),
        check::IMAGES => Goal::Native.name(), // template: if pipeline_tests
        _ => "",
    }
}

fn runner(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxAmd64 => "ubuntu-24.04",
        Platform::LinuxArm64 => "ubuntu-24.04-arm",
    }
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::cli::CheckFlags;
    use crate::config::fixture::config;
    use crate::tasks::check::Files;

    fn check(name: Option<&str>, expected: &Expect) {
        let flags = MatrixFlags { name: name.map(str::to_owned) };
        let Product::Definition { text } = matrix(&config(), &flags).unwrap() else { panic!("no text") };
        expected.assert_eq(&text);
    }

    #[test]
    fn jobs_follow_from_the_configuration() {
        check(
            None,
            &expect![[r#"
                {"check":[{"part":"quick","only":"format,lock,deny,advisories,dockerfile,workflows","goal":"check"},{"part":"pipeline","only":"pipeline","goal":""},{"part":"images","only":"images","goal":"native"},{"part":"sqlite","only":"sqlite","goal":""},{"part":"postgres","only":"postgres","goal":""}],"backends":[{"backend":"sqlite","tag":"1.2.3"},{"backend":"postgres","tag":"postgres-1.2.3"}],"platforms":[{"platform":"linux/amd64","runner":"ubuntu-24.04"},{"platform":"linux/arm64","runner":"ubuntu-24.04-arm"}],"hosts":[{"runner":"macos-15"},{"runner":"windows-2025"}]}
            "#]],
        );
    }

    #[test]
    fn a_name_makes_it_an_output_of_a_step() {
        check(
            Some("matrix"),
            &expect![[r#"
                matrix={"check":[{"part":"quick","only":"format,lock,deny,advisories,dockerfile,workflows","goal":"check"},{"part":"pipeline","only":"pipeline","goal":""},{"part":"images","only":"images","goal":"native"},{"part":"sqlite","only":"sqlite","goal":""},{"part":"postgres","only":"postgres","goal":""}],"backends":[{"backend":"sqlite","tag":"1.2.3"},{"backend":"postgres","tag":"postgres-1.2.3"}],"platforms":[{"platform":"linux/amd64","runner":"ubuntu-24.04"},{"platform":"linux/arm64","runner":"ubuntu-24.04-arm"}],"hosts":[{"runner":"macos-15"},{"runner":"windows-2025"}]}
            "#]],
        );
    }

    /// A step of the gate that no job had would never run on GitHub.
    #[test]
    fn all_parts_together_are_the_gate() {
        let config = config();
        let steps = |only: &str| {
            let only = only.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let flags = CheckFlags { only, ..CheckFlags::default() };
            let plan = check::plan(&config, &Files::default(), &flags).unwrap();
            let names = plan.steps.into_iter().map(|step| step.name).filter(|name| name != "databases");
            names.collect::<Vec<_>>()
        };
        let parts = check::parts(&config);
        let of_parts = parts.iter().flat_map(|(_, only)| steps(only)).collect::<Vec<_>>();
        let once = of_parts.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(once.len(), of_parts.len(), "{of_parts:?}");
        assert_eq!(once, steps("").into_iter().collect());
    }
}
// template: end
