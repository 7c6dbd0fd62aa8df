//! What images start from: the built-in base, nothing, or an image of somebody else.

pub mod built_in;

use anyhow::{Context as _, Result};
use image_spec::{Base, ImageSpec, Platform};

use crate::cache::{Cache, Cached};
use crate::container::Container;
use crate::files::{Entries, LayerFiles};
use crate::layer::{self, LayerBlob};
use crate::oci::History;
use crate::pull::{self, PulledImage, Sources};

/// A base, for one platform.
#[derive(Clone, Debug, Default)]
pub struct Foundation {
    /// The files of the built-in base.
    pub files: Option<LayerFiles>,
    /// Somebody else's image.
    pub image: Option<PulledImage>,
    /// What either holds.
    pub entries: Entries,
}

impl Foundation {
    /// Fetches what `spec` starts from, if it has to be fetched.
    ///
    /// # Errors
    /// As [`Sources::pull`], and when a layer cannot be read.
    pub fn get(spec: &ImageSpec, platform: Platform, sources: &Sources) -> Result<Foundation> {
        match &spec.base {
            Base::Static => {
                let files = built_in::files();
                Ok(Foundation { entries: files.entries.clone(), files: Some(files), image: None })
            }
            Base::Scratch => Ok(Foundation::default()),
            Base::Image(reference) => {
                let image = sources.pull(reference, platform)?;
                let view = sources.view(&image).with_context(|| format!("the base {reference}"))?;
                Ok(Foundation { entries: view.entries(), image: Some(image), files: None })
            }
        }
    }

    /// Its layers, lowest first: made, taken as they are, or, where the spec wants that, compressed anew.
    ///
    /// # Errors
    /// A layer cannot be read or written.
    pub fn layers(&self, spec: &ImageSpec, cache: &Cache) -> Result<Vec<LayerBlob>> {
        if let Some(files) = &self.files {
            return Ok(vec![layer::make(files, spec.compression, cache)?]);
        }
        let Some(image) = &self.image else { return Ok(Vec::new()) };
        let name = format!("base {}", image.name());
        let blob = |layer: &pull::Layer| {
            if spec.recompress {
                return layer::recompress(&name, &layer.to_read(), spec.compression, cache);
            }
            let blob = Cached { path: layer.path.clone(), digest: layer.digest, size: layer.size };
            let media_type = layer.packing.layer_media_type();
            Ok(LayerBlob { name: name.clone(), diff_id: layer.diff_id, media_type, blob, cached: true })
        };
        image.layers.iter().map(blob).collect()
    }

    /// How its own containers run.
    pub fn container(&self) -> Container {
        self.image.as_ref().map(|image| image.config.config.clone()).unwrap_or_default()
    }

    /// Where its layers come from.
    pub fn history(&self) -> Vec<History> {
        let theirs = self.image.iter().flat_map(|image| image.config.history.clone());
        theirs.chain(self.files.as_ref().map(layer::history)).collect()
    }
}
