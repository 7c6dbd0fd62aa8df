//! Where a browser shows an image that was pushed.

use image_spec::Reference;

/// The web page of an image in its registry, for registries that have such pages.
pub fn page(image: &Reference, digest: &str) -> Option<String> {
    let path = image.repository().path();
    match image.repository().registry() {
        "docker.io" => Some(format!("https://hub.docker.com/r/{path}/tags?name={}", image.tag_or_latest())),
        // It leads on to the package at GitHub.
        "ghcr.io" => Some(format!("https://ghcr.io/{path}")),
        "quay.io" => Some(format!("https://quay.io/repository/{path}/manifest/{digest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_registries_have_pages() {
        let shown = |name: &str| page(&name.parse().unwrap(), "sha256:1");
        let hub = "https://hub.docker.com/r/team/app/tags?name=1.0.0";
        assert_eq!(shown("team/app:1.0.0").as_deref(), Some(hub));
        assert_eq!(shown("ghcr.io/team/app:1").as_deref(), Some("https://ghcr.io/team/app"));
        let quay = "https://quay.io/repository/team/app/manifest/sha256:1";
        assert_eq!(shown("quay.io/team/app:1").as_deref(), Some(quay));
        assert_eq!(shown("registry.example.com/team/app:1"), None);
    }
}
