//! The shell of the variant `debug`: busybox in a folder of its own, as in the debug images of distroless.

use image_spec::{FileEntry, Layer, LinkEntry, Reference};

/// The folder, which is on nobody's search path unless they put it there.
const FOLDER: &str = "/busybox";

/// What people reach for when they look into a container.
const APPLETS: [&str; 40] = [
    "awk", "basename", "cat", "chmod", "cp", "cut", "date", "df", "dirname", "du", "env", "find", "free",
    "grep", "gzip", "head", "hexdump", "id", "kill", "less", "ln", "ls", "mkdir", "mv", "nc", "netstat",
    "nslookup", "ping", "ps", "pwd", "rm", "sed", "sh", "sleep", "stat", "tail", "top", "vi", "wget",
    "xargs",
];

/// The layer with the busybox of the image `from`.
pub(super) fn layer(from: Reference) -> Layer {
    let busybox = format!("{FOLDER}/busybox");
    let link = |applet: &str| LinkEntry { dest: format!("{FOLDER}/{applet}"), target: "busybox".to_owned() };
    Layer {
        name: "shell".to_owned(),
        files: vec![FileEntry {
            from: Some(from),
            src: "/bin/busybox".into(),
            dest: busybox,
            mode: Some(0o755),
            owner: None,
        }],
        folders: vec![],
        links: APPLETS.iter().map(|applet| link(applet)).collect(),
    }
}
