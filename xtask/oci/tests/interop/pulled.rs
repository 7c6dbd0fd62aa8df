//! Docker and podman pull what our engine pushed, and run it.

use libtest_mimic::{Failed, Trial};

use super::engines::{Candidate, Engine};
use super::sample::{HOST, PLATFORMS, Pushed};

pub fn trials(engines: &[Candidate]) -> Vec<Trial> {
    let kinds = ["zstd:3", "gzip:6", "mixed"];
    let test = |(candidate, kind): (&Candidate, &'static str)| {
        let name = format!("{} pulls and runs {kind}", candidate.name);
        candidate.trial(name, true, "", move |engine| pull_and_run(engine, kind))
    };
    engines.iter().flat_map(|engine| kinds.map(|kind| test((engine, kind)))).collect()
}

fn pull_and_run(engine: &Engine, kind: &str) -> Result<(), Failed> {
    let pushed = Pushed::of(kind)?;
    for platform in PLATFORMS {
        let _image = engine.pull(&pushed.name, platform)?;
        let inspect = |format| engine.run(&["image", "inspect", "--format", format, &pushed.name]);
        assert!(inspect("{{json .RepoDigests}}")?.contains(&pushed.report.digest), "{platform}");
        // Docker shows the image of this machine's platform, whichever others it has.
        if engine.is_podman {
            assert_eq!(inspect("{{.Architecture}}")?, platform.architecture());
        }
        pushed.check(&engine.export(&pushed.name, platform)?, platform)?;
        if platform == HOST {
            assert_eq!(engine.says(&pushed.name)?, "ok");
        }
    }
    Ok(())
}
