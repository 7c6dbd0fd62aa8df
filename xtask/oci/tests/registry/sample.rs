//! Images to push, of bytes that look random, and clients in a hurry to push them.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use image_spec::{Base, Compression, ImageSpec, Platform, PushReport, Registries, Repository};
use xtask_oci::base::Foundation;
use xtask_oci::cache::Cached;
use xtask_oci::digest::Digest;
use xtask_oci::files::Content;
use xtask_oci::image::{Blob, Image, PlatformImage};
use xtask_oci::layer::LayerBlob;
use xtask_oci::registry::client::Connection;
use xtask_oci::registry::push::{self, Push};
use xtask_oci::registry::retry::Policy;
use xtask_oci::registry::transport::Patience;

use super::common::Sandbox;

pub const REPOSITORY: &str = "team/app";

/// Gives up soon.
pub const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    answer: Duration::from_millis(1500),
    piece: Duration::from_millis(700),
    pace: 1 << 20,
    store: 64 << 20,
};

/// Tries as often as usual, and sooner.
pub const POLICY: Policy = Policy {
    attempts: 5,
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(100),
    longest_wish: Duration::from_secs(3),
};

pub fn connection() -> Connection {
    Connection::with(&Registries::default(), PATIENCE, POLICY)
}

pub fn repository(registry: SocketAddr, name: &str) -> Repository {
    format!("{registry}/{name}").parse().unwrap()
}

/// Images in a folder of their own.
pub struct Samples(pub Sandbox);

impl Samples {
    pub fn new() -> Samples {
        Samples(Sandbox::new())
    }

    /// A file of bytes that depend on `seed` alone.
    pub fn file(&self, seed: u64, size: usize) -> Blob {
        let bytes = random(seed, size);
        let path = self.0.file(&format!("blobs/{seed}-{size}"), &bytes);
        let content = Content::Path(path);
        Blob {
            media_type: "application/octet-stream",
            digest: Digest::of(&bytes),
            size: size as u64,
            content,
        }
    }

    /// An image for two platforms, with layers of these sizes of which the first is common to all images, and the names
    /// `<registry>/team/app:<tag>`.
    pub fn image(&self, seed: u64, sizes: &[usize], registry: SocketAddr, tags: &[&str]) -> Image {
        let names = tags.iter().map(|tag| format!("{registry}/{REPOSITORY}:{tag}")).collect::<Vec<_>>();
        self.named(seed, sizes, &names)
    }

    pub fn named(&self, seed: u64, sizes: &[usize], names: &[String]) -> Image {
        let spec = self.spec(names);
        let platform = |platform: Platform| {
            let number = platform as u64;
            let layers = sizes.iter().enumerate().map(|(at, size)| {
                let seed = if at == 0 { 7 } else { seed * 100 + number * 10 + at as u64 };
                layer(&self.file(seed, *size))
            });
            let layers = layers.collect::<Vec<_>>();
            PlatformImage::new(&spec, platform, &Foundation::default(), &layers, Vec::new()).unwrap()
        };
        Image::new(&spec, vec![platform(Platform::LinuxAmd64), platform(Platform::LinuxArm64)]).unwrap()
    }

    fn spec(&self, names: &[String]) -> ImageSpec {
        let tags = names.iter().map(|name| name.parse().unwrap()).collect();
        ImageSpec { base: Base::Scratch, tags, ..self.0.spec() }
    }
}

fn layer(file: &Blob) -> LayerBlob {
    let Content::Path(path) = file.content.clone() else { panic!("it is a file") };
    LayerBlob {
        name: "random".to_owned(),
        diff_id: file.digest,
        media_type: Compression::None.layer_media_type(),
        blob: Cached { path, digest: file.digest, size: file.size },
        cached: true,
    }
}

/// Bytes that look random and depend on `seed` alone.
pub fn random(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Pushes, and returns the error as people see it.
pub fn push(image: &Image) -> Result<PushReport, String> {
    push_with(image, &connection(), &Push::default())
}

pub fn push_with(image: &Image, connection: &Connection, how: &Push<'_>) -> Result<PushReport, String> {
    push::push(image, connection, how).map_err(|error| format!("{error:#}"))
}

pub fn digest(image: &Image) -> String {
    image.root().digest.to_string()
}

/// How many bytes its blobs have, each counted once.
pub fn size_of(image: &Image) -> u64 {
    let unique =
        image.contents().map(|blob| (blob.digest, blob.size)).collect::<std::collections::BTreeMap<_, _>>();
    unique.values().sum()
}

pub fn read(blob: &Blob) -> Vec<u8> {
    match &blob.content {
        Content::Bytes(bytes) => bytes.to_vec(),
        Content::Path(path) => fs::read(path).unwrap(),
    }
}
