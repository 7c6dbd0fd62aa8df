//! The platforms that the service is built for.

/// As images name them, this machine's first.
pub(crate) const PLATFORMS: [&str; 2] = if cfg!(target_arch = "aarch64") {
    ["linux/arm64", "linux/amd64"]
} else {
    ["linux/amd64", "linux/arm64"]
};

/// This machine's architecture, as images name it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// rustc's name of the one of [`PLATFORMS`], with musl.
pub(crate) fn target(platform: &str) -> &'static str {
    if platform == "linux/arm64" { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_platform_is_that_of_this_machine() {
        assert_eq!(PLATFORMS[0], format!("linux/{}", architecture()));
        assert_eq!(target(PLATFORMS[0]), format!("{}-unknown-linux-musl", std::env::consts::ARCH));
        assert_ne!(target(PLATFORMS[0]), target(PLATFORMS[1]));
    }
}
