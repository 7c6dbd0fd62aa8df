//! `pin`: looks up again which digests the images of the configuration stand for.

use anyhow::Result;
use image_spec::{Base, PinSpec};

use super::image::registries;
use super::{engine_step, engine_task};
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
        why: format!("renew {IMAGES_LOCK}"),
        outputs: vec![IMAGES_LOCK.into()],
        ..engine_task(config, "pin", &["pin", "--lock", IMAGES_LOCK], &spec)?
    };
    let steps = if spec.images.is_empty() { vec![] } else { vec![engine_step(config), pin] };
    Ok(Plan { cwd: config.root.clone(), steps, lock: Some(config.lock()), ..Plan::default() })
}
