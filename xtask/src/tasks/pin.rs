//! `pin`: looks up again which digests the images of the configuration stand for.

use anyhow::Result;
use image_spec::{Base, PinSpec};

use super::image::registries;
use super::{engine, engine_step, words};
use crate::config::{Config, IMAGES_LOCK};
use crate::plan::{Plan, Step};

/// Plans `pin`. There is nothing to do for a configuration that names no image.
pub(crate) fn plan(config: &Config) -> Result<Plan> {
    let image = &config.pipeline.image;
    let base = match &image.base {
        Base::Image(reference) => Some(reference),
        Base::Static | Base::Scratch => None,
    };
    let files = image.files.iter().filter_map(|file| file.from.as_ref());
    let mut images = base.into_iter().chain(files).cloned().collect::<Vec<_>>();
    images.sort();
    images.dedup();
    let spec = PinSpec { images, registries: registries(config) };
    let pin = Step {
        name: "pin".to_owned(),
        why: format!("renew {IMAGES_LOCK}"),
        argv: vec![engine(config), "pin".to_owned(), "--lock".to_owned(), IMAGES_LOCK.to_owned()],
        stdin: Some(serde_json::to_string_pretty(&spec)?),
        needs: words(&["engine"]),
        outputs: vec![IMAGES_LOCK.into()],
        ..Step::default()
    };
    let steps = if spec.images.is_empty() { vec![] } else { vec![engine_step(config), pin] };
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.target("xtask.lock")), ..Plan::default() })
}
