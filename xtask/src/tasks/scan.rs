//! `scan`: known vulnerabilities in an image, by the scanner that is installed.

use anyhow::{Result, bail};
use image_spec::{Output, Reference};

use super::{build, engine_step, image, words};
use crate::cli::{ImageFlags, ScanFlags};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Step};

/// The scanners, in the order in which they are looked for.
const SCANNERS: [&str; 2] = ["trivy", "grype"];

/// Plans `scan`: of the image that was named, or else of one that is built.
///
/// # Errors
/// No scanner is installed, several images would be built, and as [`build::plan`].
pub(crate) fn plan(config: &Config, flags: &ScanFlags) -> Result<Plan> {
    let Some(scanner) = SCANNERS.into_iter().find(|scanner| config.host.tools.has(scanner)) else {
        bail!("neither trivy nor grype is on PATH; `cargo xtask doctor` shows how to install one");
    };
    let lock = Some(config.lock());
    let steps = match &flags.reference {
        Some(reference) => vec![scan_step(scanner, &Subject::Registry(reference), flags)],
        None => built(config, flags, scanner)?,
    };
    Ok(Plan { cwd: config.root.clone(), steps, lock, ..Plan::default() })
}

/// What is scanned.
enum Subject<'a> {
    Registry(&'a Reference),
    Layout(&'a str),
}

/// The steps that build an image and scan it.
fn built(config: &Config, flags: &ScanFlags, scanner: &str) -> Result<Vec<Step>> {
    let mut builds = build::builds(config, &flags.build, &[config.own_platform()])?;
    if builds.len() > 1 || builds[0].platforms.len() > 1 {
        let text = "scanners take one image at a time; name one --backend and one --platform";
        return Err(Usage(text.to_owned()).into());
    }
    let build = builds.remove(0);
    let dest = config.target(&format!("images/{}-scan", image::name(config, &build)));
    let layout = dest.to_string_lossy().into_owned();
    let image_flags = ImageFlags { build: flags.build.clone(), ..ImageFlags::default() };
    let mut spec = image::spec(config, &image_flags, &build, false, vec![Output::Layout { dest }])?;
    // Scanners wonder which image of a layout is meant when it has several names.
    spec.tags.truncate(1);
    let image = image::step(config, &spec, &build, false)?;
    let mut scan = scan_step(scanner, &Subject::Layout(&layout), flags);
    scan.needs = vec![image.step.name.clone()];
    let mut steps = vec![engine_step(config)];
    steps.extend(build.steps.into_iter().chain([image.step, scan]));
    Ok(steps)
}

fn scan_step(scanner: &str, subject: &Subject<'_>, flags: &ScanFlags) -> Step {
    let severity = flags.fail_on.name();
    let sarif = flags.sarif.as_ref().map(|file| file.to_string_lossy().into_owned());
    let argv = if scanner == "trivy" {
        let wanted = flags.fail_on.and_above().iter().map(|severity| severity.name().to_uppercase());
        let wanted = wanted.collect::<Vec<_>>().join(",");
        let mut argv = words(&["trivy", "image", "--exit-code", "1", "--severity", &wanted]);
        if let Some(file) = &sarif {
            argv.extend(words(&["--format", "sarif", "--output", file]));
        }
        argv.extend(match subject {
            Subject::Registry(reference) => vec![reference.to_string()],
            Subject::Layout(folder) => words(&["--input", folder]),
        });
        argv
    } else {
        let mut argv = words(&["grype", "--fail-on", severity]);
        argv.extend(sarif.map(|file| format!("--output=sarif={file}")));
        argv.push(match subject {
            Subject::Registry(reference) => format!("registry:{reference}"),
            Subject::Layout(folder) => format!("oci-dir:{folder}"),
        });
        argv
    };
    Step {
        name: "scan".to_owned(),
        why: format!("look for known vulnerabilities, {severity} or worse, by {scanner}"),
        argv,
        ..Step::default()
    }
}
