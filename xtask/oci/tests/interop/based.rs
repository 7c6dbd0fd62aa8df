//! Our engine builds upon what BuildKit built and Docker pushed.

use image_spec::{Base, Platform};
use libtest_mimic::{Failed, Trial};

use super::engines::{Candidate, Engine, Store};
use super::listing::Listing;
use super::sample::{HOST, Pushed, layer};
use super::shell;

/// Everything that a layer can say of those below it, and names that tar headers have no room for.
const DOCKERFILE: &str = r#"
RUN rm /srv/deleted && ln /srv/below /srv/other-name-of-below \
 && rm -r /srv/opaque && mkdir -m 0700 /srv/opaque && echo new >/srv/opaque/new && chown 1000:1001 /srv/opaque \
 && mkdir /srv/two && echo one >/srv/two/one && ln /srv/two/one /srv/two/two && ln /srv/two/one /srv/three \
 && echo tool >/srv/tool && chown 5:6 /srv/tool && chmod 4750 /srv/tool && mkdir -m 1777 /srv/sticky \
 && ln -s ../srv/two /srv/link && ln -s nowhere /srv/dangling && mkfifo /srv/pipe \
 && echo file >/srv/becomes-folder && mkdir /srv/becomes-file && echo in >/srv/becomes-file/in \
 && truncate -s 300K /srv/zeros
RUN rm /srv/two/one && chmod 0600 /srv/three && rm /srv/link && mkdir /srv/link && echo in >/srv/link/in \
 && rm /srv/becomes-folder && mkdir /srv/becomes-folder && echo in >/srv/becomes-folder/in \
 && rm -r /srv/becomes-file && echo file >/srv/becomes-file && mv /srv/opaque /srv/moved && chown 9:9 /srv/sticky \
 && mkdir -p /srv/grün/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 \
 && cd /srv/grün/0*/ && echo long >0123456789012345678901234567890123456789 \
 && echo -n >"/srv/ a space, a \"quote\" and \\ " && echo latin >"/srv/$(printf 'caf\351')"
COPY more/ /srv/folder/
"#;

pub fn trials(engines: &[Candidate]) -> Vec<Trial> {
    let is_shell = shell::is_there();
    let test = |(candidate, how): (&Candidate, How)| {
        let possible = is_shell && candidate.builds;
        let name = format!("our engine builds upon what {} built and pushed as {how:?}", candidate.name);
        let needs = "docker buildx, ldd and coreutils";
        candidate.trial(name.to_lowercase(), possible, needs, move |engine| build(engine, how))
    };
    let hows = |candidate| How::of(candidate).iter().map(move |how| (candidate, *how));
    engines.iter().flat_map(hows).map(test).collect()
}

/// How layers are compressed on their way to the registry.
#[derive(Clone, Copy, Debug)]
enum How {
    /// By `docker push`. The classic store says so of the base's layers too, which stay zstd.
    Gzip,
    /// By BuildKit, in which only containerd's store has a say.
    Zstd,
}

impl How {
    fn of(candidate: &Candidate) -> &'static [How] {
        match candidate.store {
            Some(Store::Classic) => &[How::Gzip],
            Some(Store::Containerd) => &[How::Gzip, How::Zstd],
            None => &[],
        }
    }
}

fn build(engine: &Engine, how: How) -> Result<(), Failed> {
    let pushed = Pushed::of("zstd:3")?;
    let dockerfile = format!("FROM {}\n{DOCKERFILE}", shell::push(&pushed)?);
    pushed.sandbox.file("context/more/new", b"new");
    let name = pushed.other("docker:1");
    let zstd = "compression=zstd,force-compression=true,oci-mediatypes=true";
    let output = match how {
        How::Gzip => "type=docker".to_owned(),
        How::Zstd => format!("type=image,name={name},push=true,{zstd}"),
    };
    let _image = engine.build(&pushed.sandbox, &dockerfile, &name, &output)?;
    if let How::Gzip = how {
        engine.run(&["push", "--quiet", &name])?;
    }
    let theirs = engine.export(&name, HOST)?;
    let expected = Listing::default()
        .with_folder("/srv/moved", 0o700, (1000, 1001))
        .with_file("/srv/moved/new", b"new\n", 0o644, (0, 0))
        .with_file("/srv/other-name-of-below", b"below", 0o644, (0, 0))
        .with_file("/srv/two/two", b"one\n", 0o644, (0, 0))
        .with_file("/srv/tool", b"tool\n", 0o4750, (5, 6))
        .with_file("/srv/folder/new", b"new", 0o644, (0, 0))
        .with_file("/srv/folder/old", b"folder/old", 0o644, (7, 8));
    assert_eq!(theirs.lacks(&expected), [""; 0]);
    assert_eq!(theirs.differences(&Listing::of_image(&name, HOST)?), [""; 0]);
    build_upon(engine, &pushed, &name, &theirs, HOST)
}

/// The same with a layer of ours on top is what Docker sees then.
fn build_upon(
    engine: &Engine,
    pushed: &Pushed,
    base: &str,
    theirs: &Listing,
    platform: Platform,
) -> Result<(), Failed> {
    let name = pushed.other("upon:1");
    let files = vec![
        pushed.sandbox.entry(platform.architecture(), "/app", Some(0o755)),
        pushed.sandbox.entry("context/more", "/srv/moved", None),
    ];
    let layers = vec![layer("on top", files)];
    let spec = pushed.spec(&name, Base::Image(base.parse()?), "zstd:3", [(platform, layers)].into())?;
    pushed.push(&spec)?;
    let _image = engine.pull(&name, platform)?;
    assert_eq!(engine.says(&name)?, "ok");
    let seen = engine.export(&name, platform)?;
    let app = crate::common::program(platform);
    let expected = theirs.clone().with_file("/app", &app, 0o755, (0, 0));
    let expected = expected.with_file("/srv/moved/new", b"new", 0o644, (0, 0));
    assert_eq!(seen.differences(&expected), [""; 0]);
    Ok(())
}
