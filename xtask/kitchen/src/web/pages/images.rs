//! Images that were pushed, or would be: names, digest, and what goes over the network.

use maud::{Markup, html};

use super::units::bytes;
use crate::store::Pushed;

/// A table of them; each has its digest as its place in the page.
pub(super) fn images(images: &[Pushed]) -> Markup {
    let is_dry = images.iter().any(|image| image.dry_run);
    html! {
        table.images {
            thead {
                tr {
                    th { "Image" } th { "Digest" } th.number { "Size" }
                    th.number { @if is_dry { "To upload" } @else { "Uploaded" } }
                    th.number { @if is_dry { "To mount" } @else { "Mounted" } }
                    th.number { "Already there" }
                }
            }
            tbody {
                @for image in images {
                    tr id=(image.digest) {
                        td { @for name in image.names() { div { code { (name) } } } }
                        td { code.digest { (image.digest) } }
                        td.number data-label="size" { (bytes(image.size as f64)) }
                        td.number data-label=(if is_dry { "to upload" } else { "uploaded" }) { (bytes(image.uploaded as f64)) }
                        td.number data-label=(if is_dry { "to mount" } else { "mounted" }) { (bytes(image.mounted as f64)) }
                        td.number data-label="already there" { (bytes(image.present as f64)) }
                    }
                }
            }
        }
    }
}
