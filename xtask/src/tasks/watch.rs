//! `watch`: after each change the cheapest gate that can fail, the tests, the image, and then the service anew.

use anyhow::{Result, bail};

use super::{bd, beside_xtask, build, image, up, words};
use crate::cli::{BdFlags, BuildFlags, ImageFlags, MessageFormat, Run, RunFlags, WatchFlags};
use crate::config::{Config, Pipeline};
use crate::plan::{Service, Step, Watch};
use crate::tools::Need;

/// What has to be known of the machine: what `bd` has to know, since the service may be a container.
pub(crate) fn need(pipeline: &Pipeline) -> Need {
    bd::need(pipeline, &BdFlags::default())
}

/// Plans `watch`. Each stage is a run of this program, so that it has the cache, the locks and the output of one.
///
/// # Errors
/// For a backend that there is not, and where the service cannot run as was asked for.
pub(crate) fn plan(config: &Config, flags: &WatchFlags, run: &RunFlags) -> Result<Watch> {
    let backend = config.backend(flags.backend.as_deref())?;
    let stage = |name: &str, why: &str, task: &[&str]| Step {
        name: name.to_owned(),
        why: why.to_owned(),
        argv: [
            vec![beside_xtask(config, "xtask")],
            words(task),
            words(&["--backend", backend]),
            handed_on(run),
        ]
        .concat(),
        ..Step::default()
    };
    let [lint, test] = [format!("format,clippy-{backend}"), format!("test-{backend}")];
    let stages = vec![
        stage("lint", "the service is formatted and has no lints", &["check", "--only", &lint]),
        stage("test", "all its tests pass", &["check", "--only", &test]),
        stage("bd", "build the service and its image", &["bd"]),
    ];
    Ok(Watch { cwd: config.root.clone(), stages, service: service(config, flags.run, backend)? })
}

/// The flags of this run that its stages get as well.
fn handed_on(run: &RunFlags) -> Vec<String> {
    let mut flags = Vec::new();
    flags.extend(run.jobs.map(|jobs| format!("--jobs={jobs}")));
    flags.extend(run.quiet.then(|| "--quiet".to_owned()));
    flags.extend((run.message_format == MessageFormat::Json).then(|| "--message-format=json".to_owned()));
    flags
}

/// How the service is run: in a container where a runtime answers, else as a process where this machine runs Linux.
fn service(config: &Config, asked: Option<Run>, backend: &str) -> Result<Option<Service>> {
    let runtime = config.host.tools.runtime.as_ref().map(|runtime| runtime.program);
    let own = config.host.platform.filter(|own| *own == config.own_platform());
    let (run, end) = match (asked, runtime, own) {
        (Some(Run::Container) | None, Some(program), _) => {
            let (run, end) = container(config, program, backend)?;
            (run, Some(end))
        }
        (Some(Run::Container), None, _) => {
            bail!("neither docker nor podman answers; start one, or watch with `--run process`")
        }
        (Some(Run::Process) | None, _, Some(_)) => (process(config, backend), None),
        (Some(Run::Process), _, None) => {
            bail!(
                "this machine does not run what is built, which is for {}; watch with `--run container`",
                config.own_platform()
            )
        }
        (Some(Run::None), ..) | (None, None, None) => return Ok(None),
    };
    let metadata = config.root.join(image::own_metadata(config, backend));
    Ok(Some(Service { run, end, metadata, urls: up::urls(config) }))
}

/// The command that `bd` reports, with a name to end the container by.
fn container(config: &Config, program: &str, backend: &str) -> Result<(Step, [Step; 2])> {
    let name = format!("{}-watch", config.pipeline.build.package);
    let tag = &image::tags(config, &ImageFlags::default(), backend, false)?[0];
    let mut argv = bd::run_argv(config, program, tag);
    argv.splice(2..2, words(&["--name", &name]));
    let end = |step: &str, why: &str, command: &str| Step {
        name: step.to_owned(),
        why: why.to_owned(),
        argv: words(&[program, command, &name]),
        ..Step::default()
    };
    let gently = end("stop", "end the version before, if it runs", "stop");
    Ok((run(argv), [gently, end("kill", "end it at once", "kill")]))
}

/// The binary, where it finds its settings: `config/app.toml`.
fn process(config: &Config, backend: &str) -> Step {
    let program = &config.pipeline.build.binaries()[0];
    let path = build::artifact_path(config, &BuildFlags::default(), backend, config.own_platform(), program);
    run([path.to_string_lossy().into_owned()].into_iter().chain(config.pipeline.image.args.clone()).collect())
}

fn run(argv: Vec<String>) -> Step {
    Step { name: "run".to_owned(), why: "run the new version".to_owned(), argv, ..Step::default() }
}
