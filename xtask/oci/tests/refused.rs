//! What is refused, and the message that says why and what to do.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use common::{Sandbox, dynamic_program, layers, program};
use image_spec::{FolderEntry, ImageSpec, Platform};

/// Changes the project or its spec, and expects the message.
fn refused(change: impl FnOnce(&Sandbox, &mut ImageSpec), message: &str) {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    change(&sandbox, &mut spec);
    assert_eq!(sandbox.refuse(&spec), message);
}

#[test]
fn programs_that_could_not_start() {
    refused(
        |sandbox, _| drop(sandbox.file("app", &program(Platform::LinuxArm64))),
        "app is built for arm64, not for linux/amd64; build it with `--platform linux/amd64`",
    );
    refused(
        |sandbox, _| {
            drop(sandbox.file("app", &dynamic_program(Platform::LinuxAmd64, "/lib64/ld-linux-x86-64.so.2")))
        },
        "app needs the loader /lib64/ld-linux-x86-64.so.2, which the base `static` does not have; link it statically \
         (`cargo xtask build` does) or use a base with that loader",
    );
    refused(
        |_, spec| layers(spec)[1].files[0].mode = Some(0o644),
        "app may not be executed by the user 65532:65532 (mode 0644); run `chmod +x` on it or give it the mode 0755",
    );
    refused(
        |sandbox, _| drop(sandbox.file("app", b"#!/bin/sh\nexec true\n")),
        "app is a script that needs /bin/sh, which the image does not have; use a compiled program or add the \
         interpreter",
    );
    refused(
        |sandbox, _| drop(sandbox.file("app", b"MZ\x90\0")),
        "app is not a Linux program (no ELF header); build it with `--platform linux/amd64`",
    );
    refused(
        |sandbox, _| drop(sandbox.file("app", &program(Platform::LinuxAmd64)[..80])),
        "cannot read app: a damaged ELF file: its program headers are cut short",
    );
    refused(
        |sandbox, spec| {
            sandbox.file("tool", &program(Platform::LinuxArm64));
            layers(spec)[0].files.push(sandbox.entry("tool", "/bin/tool", Some(0o755)));
        },
        "tool is built for arm64, not for linux/amd64; build it with `--platform linux/amd64`",
    );
}

#[test]
fn entrypoints_that_are_not_there() {
    refused(
        |_, spec| spec.config.entrypoint = vec!["/bin/app".to_owned()],
        "the entrypoint `/bin/app` is not in the image (looked for /bin/app); add a file with that destination",
    );
    refused(
        |_, spec| {
            spec.config.entrypoint = vec!["ap".to_owned()];
            spec.config.env.insert("PATH".to_owned(), "/bin:/".to_owned());
        },
        "the entrypoint `ap` is not in the image (looked for /bin/ap, /ap); add a file with that destination",
    );
    refused(|_, spec| spec.config.entrypoint = vec!["/etc".to_owned()], "the entrypoint /etc is not a file");
    refused(
        |_, spec| spec.config.entrypoint.clear(),
        "the image has no entrypoint; name the program that it runs",
    );
    refused(
        |_, spec| layers(spec)[1].files[0].dest = "/root/app".to_owned(),
        "the entrypoint `/app` is not in the image (looked for /app); add a file with that destination",
    );
    refused(
        |_, spec| {
            layers(spec)[1].files[0].dest = "/root/app".to_owned();
            spec.config.entrypoint = vec!["/root/app".to_owned()];
        },
        "the user 65532:65532 may not enter /root, where the entrypoint /root/app is; put it somewhere else",
    );
}

#[test]
fn entrypoints_are_found_as_the_runtime_finds_them() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("links")).unwrap();
    sandbox.file("links/real/app", &program(Platform::LinuxAmd64));
    fs::set_permissions(sandbox.path("links/real/app"), Permissions::from_mode(0o755)).unwrap();
    symlink("real", sandbox.path("links/current")).unwrap();
    sandbox.file("script", b"#!/srv/current/app -x\n");
    let mut spec = sandbox.spec();
    layers(&mut spec)[0].files.push(sandbox.entry("links", "/srv", None));
    layers(&mut spec)[0].files.push(sandbox.entry("script", "/bin/script", Some(0o755)));
    for entrypoint in ["/app", "/srv/current/app", "/bin/script", "script", "../srv/real/app"] {
        spec.config.entrypoint = vec![entrypoint.to_owned()];
        sandbox.write(&spec);
    }
}

#[test]
fn destinations_that_contradict_each_other() {
    refused(
        |sandbox, spec| layers(spec)[0].files.push(sandbox.entry("config/app.toml", "/app", None)),
        "layer `app`: /app is claimed twice: by config/app.toml and by app; give one of them another destination",
    );
    refused(
        |sandbox, spec| layers(spec)[1].files.push(sandbox.entry("config", "/app", None)),
        "layer `app`: /app would be a folder, but is app already; rename one of them",
    );
    refused(
        |_, spec| layers(spec)[1].files[0].dest = "/tmp".to_owned(),
        "layer `app`: /tmp is claimed twice: by a folder and by app; give one of them another destination",
    );
    for dest in ["app", "", "/a/../app", "//app", "/app/", "/./app", "/a\0"] {
        refused(
            |_, spec| layers(spec)[1].files[0].dest = dest.to_owned(),
            &format!(
                "layer `app`: the destination `{dest}` must be absolute, such as /app, without //, . or .."
            ),
        );
    }
    refused(
        |_, spec| layers(spec)[1].files[0].dest = "/".to_owned(),
        "layer `app`: app is a file and needs a name in the image, such as /app",
    );
    for (dest, owner, message) in [
        ("/app", "1000", "/app would be a folder, but is app already; rename one of them"),
        ("/", "1000", "the root of the image cannot belong to 1000; name a folder, such as /app/data"),
        ("data", "1000", "the destination `data` must be absolute, such as /app, without //, . or .."),
        ("/srv", "www", "the user `www` is not numeric; write 65532:65532 or the like"),
    ] {
        let folder = FolderEntry { dest: dest.to_owned(), owner: owner.to_owned() };
        refused(|_, spec| layers(spec)[1].folders.push(folder), &format!("layer `app`: {message}"));
    }
}

#[test]
fn sources_that_cannot_be_copied() {
    refused(
        |sandbox, _| fs::remove_file(sandbox.path("app")).unwrap(),
        "layer `app`: cannot read app: No such file or directory (os error 2)",
    );
    for target in ["/etc/passwd", "../secret", "more/../../secret"] {
        refused(
            |sandbox, _| symlink(target, sandbox.path("config/link")).unwrap(),
            &format!(
                "layer `config`: the link config/link leads to {target}, out of the folder that is copied; make it \
                 relative or copy the file"
            ),
        );
    }
    refused(
        |sandbox, _| drop(std::os::unix::net::UnixListener::bind(sandbox.path("config/socket")).unwrap()),
        "layer `config`: config/socket is a device, socket or pipe; an image holds files, folders and links",
    );
    refused(
        |sandbox, _| drop(sandbox.file("config/.wh.app", b"")),
        "layer `config`: config/.wh.app: names that begin with .wh. mean a deleted file in an image; rename it",
    );
}

#[test]
fn specs_that_promise_what_cannot_be() {
    refused(
        |_, spec| spec.config.user = "nonroot".to_owned(),
        "the user `nonroot` is not numeric; write 65532:65532 or the like",
    );
    refused(
        |_, spec| spec.config.workdir = "data".to_owned(),
        "the working folder `data` must be absolute, such as /data, without //, . or ..",
    );
    refused(
        |_, spec| spec.config.stop_signal = "sigterm".to_owned(),
        "`sigterm` is not a signal; write SIGTERM or the like",
    );
    refused(
        |_, spec| drop(spec.config.env.insert("A=B".to_owned(), String::new())),
        "`A=B` cannot be an environment variable; use letters, digits and _",
    );
    refused(
        |_, spec| spec.created = 1_700_000_000_000,
        "the creation time 1700000000000 is after 2242-03-16T12:56:31Z; give seconds, not milliseconds",
    );
}
