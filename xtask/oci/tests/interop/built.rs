//! BuildKit builds upon what our engine pushed.

use libtest_mimic::{Failed, Trial};

use super::engines::{Candidate, Engine};
use super::listing::Listing;
use super::sample::{HOST, Pushed};

pub fn trials(engines: &[Candidate]) -> Vec<Trial> {
    let test = |(candidate, kind): (&Candidate, &'static str)| {
        let name = format!("{} builds upon {kind}", candidate.name);
        candidate.trial(name, candidate.builds, "docker buildx", move |engine| build(engine, kind))
    };
    let docker = engines.iter().filter(|candidate| candidate.store.is_some());
    docker.flat_map(|engine| ["zstd:3", "mixed"].map(|kind| test((engine, kind)))).collect()
}

/// By `FROM`, and by `COPY --from`.
fn build(engine: &Engine, kind: &str) -> Result<(), Failed> {
    let pushed = Pushed::of(kind)?;
    pushed.sandbox.file("context/more", b"more");
    let upon = format!("FROM {}\nCOPY more /srv/data/\nCOPY --chown=7:8 more /more\n", pushed.name);
    let name = pushed.other("built:1");
    let _image = engine.build(&pushed.sandbox, &upon, &name, "type=docker")?;
    assert_eq!(engine.says(&name)?, "ok");
    let expected = pushed.expected[&HOST].clone();
    let expected = expected.with_file("/srv/data/more", b"more", 0o644, (0, 0));
    let seen = engine.export(&name, HOST)?;
    assert_eq!(seen.lacks(&expected.with_file("/more", b"more", 0o644, (7, 8))), [""; 0]);

    let from = format!("FROM scratch\nCOPY --from={} /srv/data /app /\nENTRYPOINT [\"/app\"]\n", pushed.name);
    let name = pushed.other("from:1");
    let _image = engine.build(&pushed.sandbox, &from, &name, "type=docker")?;
    assert_eq!(engine.says(&name)?, "ok");
    let all = &pushed.expected[&HOST];
    let expected: Listing = all.copied("/srv/data/", "/");
    assert_eq!(engine.export(&name, HOST)?.lacks(&expected), [""; 0]);
    Ok(())
}
