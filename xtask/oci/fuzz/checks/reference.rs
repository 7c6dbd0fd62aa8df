//! Names of images, and where they lead: on the command line, in `pipeline.toml`, in `images.lock`, in specs.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use image_spec::{Base, Compression, Pins, Platform, Reference, Registries, Repository, Tag};
use xtask_oci::registry::challenge::Challenge;
use xtask_oci::registry::location::Location;

const DIGEST: &str = "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";

/// Reads the first line as a name, the rest as where its registry sends us or how it wants a login, and all of it as a lock
/// file.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, place) = text.split_once('\n').unwrap_or((text, ""));
    challenge(place);
    read_back::<Base>(name);
    read_back::<Compression>(name);
    read_back::<Platform>(name);
    let repository = read_back::<Repository>(name);
    let tag = read_back::<Tag>(place);
    if let Some(reference) = read_back::<Reference>(name) {
        assert_eq!(reference.to_string(), name, "a name is written as it was read");
        let pinned = reference.with_digest(DIGEST).expect("every image can be named by its digest");
        assert_eq!(pinned.repository(), reference.repository());
        locate(reference.repository(), place);
        pin(&reference);
    }
    if let (Some(repository), Some(tag)) = (repository, tag) {
        let reference = repository.with_tag(&tag);
        assert_eq!(reference.to_string().parse(), Ok(reference));
    }
    read_back::<Pins>(text);
}

/// What is read is written so that it is read as the same again.
fn read_back<T>(text: &str) -> Option<T>
where
    T: FromStr<Err: Display> + Display + Debug + PartialEq,
{
    match text.parse::<T>() {
        Ok(value) => {
            assert_eq!(value.to_string().parse().ok().as_ref(), Some(&value), "{text:?}");
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// A legal name has a URL, and an answer never leads from an encrypted registry to a place that is not.
fn locate(repository: &Repository, place: &str) {
    let location = Location::to_pull(repository, &Registries::default());
    let port = location.registry.rsplit_once(':').map_or("80", |(_, port)| port.trim_end_matches(']'));
    assert!(port.bytes().all(|digit| digit.is_ascii_hexdigit()), "{port}");
    let url = location.url("manifests/latest");
    assert!(location.owns(&url), "{url} is not of {}", location.registry);
    assert!(location.trusts(&url), "{url}");
    let _ = location.owns(place);
    if let Ok(found) = location.resolve(&url, place) {
        assert!(location.trusts(&found), "{found}");
    }
}

/// What is put into the lock file is found there again, also after the file was read anew.
fn pin(reference: &Reference) {
    if reference.digest().is_some() {
        return;
    }
    let mut pins = Pins::default();
    pins.insert(reference, DIGEST);
    let pins = read_back::<Pins>(&pins.to_string()).expect("the file is legal");
    let pinned = pins.pinned(reference).expect("the name is known");
    assert_eq!((pinned.digest(), pinned.tag()), (Some(DIGEST), reference.tag()));
}

/// What is read can be written with quotation marks and is read as the same again.
fn challenge(text: &str) {
    let Some(read) = Challenge::parse(text) else { return };
    if read.parameters.is_empty() || read.parameters.values().any(|value| value.contains('"')) {
        return;
    }
    let parameters = read.parameters.iter().map(|(name, value)| format!("{name}=\"{value}\""));
    let written = format!("{} {}", read.scheme, parameters.collect::<Vec<_>>().join(","));
    assert_eq!(Challenge::parse(&written), Some(read));
}
