//! Layers on top of each other.

use std::time::{Duration, Instant};

use xtask_oci::unpack::tree::NodeKind;

use crate::Pulled;
use crate::raw::{Head, Tar};

/// What the layers add up to, an entry a line. A file is named by the layer and the item that it is from.
fn merged(archives: &[Tar]) -> Result<Vec<String>, String> {
    let pulled = Pulled::new();
    let view = pulled.view(archives).map_err(|error| pulled.message(&error))?;
    let lines = view.tree().nodes().map(|(path, node)| {
        let kind = match &node.kind {
            NodeKind::Folder => "folder".to_owned(),
            NodeKind::File { place, .. } => format!("{}.{}", place.layer, place.item),
            NodeKind::Link { target } => format!("-> {}", String::from_utf8_lossy(target)),
            other => format!("{other:?}").to_lowercase(),
        };
        let mode = if node.kind == NodeKind::Folder && node.mode == 0o755 {
            String::new()
        } else {
            format!(" {:o}", node.mode)
        };
        format!("{} {kind}{mode}", String::from_utf8_lossy(path))
    });
    Ok(lines.collect())
}

fn adds_up(archives: &[Tar], expected: &[&str]) {
    assert_eq!(merged(archives).unwrap(), expected);
}

fn lower() -> Tar {
    Tar::new().folder("a").file("a/x", "").folder("a/d").file("a/d/y", "").file("a-b", "").link("l", "a/d")
}

#[test]
fn higher_layers_add_and_replace() {
    let upper = Tar::new()
        .put(&Head { mode: 0o700, ..Head::new(b'5', b"a/d") }, b"")
        .put(&Head { mode: 0o600, ..Head::new(b'0', b"a/x") }, b"1")
        .file("new/deep/f", "");
    adds_up(
        &[lower(), upper],
        &[
            "/a folder",
            "/a-b 0.4 644",
            "/a/d folder 700",
            "/a/d/y 0.3 644",
            "/a/x 1.1 600",
            "/l -> a/d 777",
            "/new folder",
            "/new/deep folder",
            "/new/deep/f 1.2 644",
        ],
    );
}

#[test]
fn what_is_no_folder_removes_what_was_in_the_folder() {
    let rest = ["/a-b 0.4 644", "/l -> a/d 777"];
    for (upper, line) in [
        (Tar::new().file("a", ""), "/a 1.0 644"),
        (Tar::new().link("a", "b"), "/a -> b 777"),
        (Tar::new().block(Head::new(b'6', b"a").block()), "/a fifo 644"),
    ] {
        adds_up(&[lower(), upper], &[line, rest[0], rest[1]]);
    }
    // The other way round a folder takes the place, also one that is merely on the way.
    let file = Tar::new().file("f", "");
    adds_up(&[file.clone(), Tar::new().folder("f")], &["/f folder"]);
    adds_up(&[file, Tar::new().file("f/g", "")], &["/f folder", "/f/g 1.0 644"]);
    adds_up(&[Tar::new().link("f", "/g"), Tar::new().folder("f")], &["/f folder"]);
}

#[test]
fn whiteouts_delete_from_lower_layers_only() {
    let without_a = ["/a-b 0.4 644", "/l -> a/d 777"];
    adds_up(&[lower(), Tar::new().file(".wh.a", "")], &without_a);
    adds_up(
        &[lower(), Tar::new().file("a/d/.wh.y", "").file("a/.wh.x", "")],
        &["/a folder", "/a-b 0.4 644", "/a/d folder", "/l -> a/d 777"],
    );
    // What the same layer has stays, in either order.
    for upper in [
        Tar::new().file("a/new", "").file(".wh.a", ""),
        Tar::new().file(".wh.a", "").put(&Head::new(b'6', b"pipe"), b"").file("a/new", ""),
    ] {
        let lines = merged(&[lower(), upper]).unwrap();
        assert_eq!(lines[0], "/a folder");
        assert!(lines[2].starts_with("/a/new 1."), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("/a/x") || line.starts_with("/a/d")), "{lines:?}");
    }
    adds_up(
        &[lower(), Tar::new().file("a", "").file(".wh.a", "")],
        &["/a 1.0 644", without_a[0], without_a[1]],
    );
    // Of nothing, below nothing, and below a file.
    let nothing = Tar::new()
        .file(".wh.none", "")
        .file("no/such/.wh.none", "")
        .file("a/x/.wh.none", "")
        .file("no/.wh..wh..opq", "");
    assert_eq!(merged(&[lower(), nothing]).unwrap(), merged(&[lower()]).unwrap());
}

#[test]
fn opaque_folders_lose_what_lower_layers_have_in_them() {
    let kept = ["/a folder", "/a-b 0.4 644"];
    for upper in [
        Tar::new().folder("a").file("a/.wh..wh..opq", "").file("a/z", ""),
        Tar::new().file("a/.wh..wh..opq", "").file("a/z", ""),
        Tar::new().file("a/z", "").file("a/.wh..wh..opq", ""),
    ] {
        let lines = merged(&[lower(), upper]).unwrap();
        assert_eq!(lines[..2], kept);
        assert!(lines[2].starts_with("/a/z 1.") && lines.len() == 4, "{lines:?}");
    }
    adds_up(&[lower(), Tar::new().file(".wh..wh..opq", "").file("only", "")], &["/only 1.1 644"]);
    // A folder in the place of a link is not where the link led.
    let upper = Tar::new().folder("l").file("l/.wh..wh..opq", "");
    adds_up(
        &[lower(), upper],
        &["/a folder", "/a-b 0.4 644", "/a/d folder", "/a/d/y 0.3 644", "/a/x 0.1 644", "/l folder"],
    );
}

#[test]
fn links_on_the_way_are_followed_inside_the_image() {
    let base = Tar::new()
        .folder("usr/bin")
        .link("bin", "usr/bin")
        .link("abs", "/usr/../bin")
        .link("out", "../../../usr");
    let upper =
        Tar::new().file("bin/sh", "").file("abs/ls", "").file("out/bin/ps", "").file("abs/.wh.gone", "");
    adds_up(
        &[base, upper],
        &[
            "/abs -> /usr/../bin 777",
            "/bin -> usr/bin 777",
            "/out -> ../../../usr 777",
            "/usr folder",
            "/usr/bin folder",
            "/usr/bin/ls 1.1 644",
            "/usr/bin/ps 1.2 644",
            "/usr/bin/sh 1.0 644",
        ],
    );
    let around = [Tar::new().link("a", "b").link("b", "a"), Tar::new().file("a/f", "")];
    assert_eq!(
        merged(&around).unwrap_err(),
        "the layer layer1: the entry `/a/f`: more than 40 links are on the way to `/a`; use another image"
    );
    let growing = [Tar::new().link("a", "a/a"), Tar::new().file("a/f", "")];
    assert!(merged(&growing).unwrap_err().contains("more than 40 links are on the way to `/a`"));
}

#[test]
fn hard_links_are_their_target() {
    let base = Tar::new()
        .put(&Head { mode: 0o755, uid: 7, ..Head::new(b'0', b"usr/bin/python3.11") }, b"elf")
        .link("bin", "usr/bin");
    let upper = Tar::new().hard_link("usr/bin/python3", "bin/python3.11").hard_link("soft", "bin");
    let pulled = Pulled::new();
    let view = pulled.view(&[base.clone(), upper]).unwrap();
    let node = |path: &str| view.tree().get(path.as_bytes()).unwrap();
    let (target, link) = (node("/usr/bin/python3.11"), node("/usr/bin/python3"));
    assert_eq!((&link.kind, link.mode, link.uid), (&target.kind, 0o755, 7));
    assert_eq!(node("/soft").kind, NodeKind::Link { target: b"usr/bin".to_vec() });

    let missing = |target: &str| {
        format!(
            "it is another name of `{target}`, which is not there when the link is made; use another image"
        )
    };
    for (upper, entry, message) in [
        (Tar::new().hard_link("h", "none"), "/h", missing("/none")),
        (Tar::new().hard_link("h", "later").file("later", ""), "/h", missing("/later")),
        (Tar::new().hard_link("h", "h"), "/h", missing("/h")),
        (Tar::new().file(".wh.bin", "").hard_link("h", "bin"), "/h", missing("/bin")),
        (Tar::new().hard_link("usr", "usr/bin/python3.11"), "/usr", missing("/usr/bin/python3.11")),
        (
            Tar::new().hard_link("h", "usr"),
            "/h",
            "it is another name of the folder `/usr`; use another image".to_owned(),
        ),
    ] {
        assert_eq!(
            merged(&[base.clone(), upper]).unwrap_err(),
            format!("the layer layer1: the entry `{entry}`: {message}")
        );
    }
}

#[test]
fn of_two_entries_the_later_one_counts() {
    let tar = Tar::new()
        .file("f", "1")
        .file("./f", "22")
        .file("d/g", "")
        .file("d", "")
        .folder("d")
        .link("l", "f")
        .file("l", "3");
    adds_up(&[tar], &["/d folder", "/f 0.1 644", "/l 0.6 644"]);
}

#[test]
fn a_file_system_with_too_many_folders_is_refused() {
    // Each path makes two thousand folders, all of them long.
    let tar = (0..200).fold(Tar::new(), |tar, n| {
        let path = format!("{n}{}", "/d".repeat(2040));
        tar.pax(&[("path", &path)]).file("f", "")
    });
    let error = merged(&[tar]).unwrap_err();
    assert!(
        error.contains("the image has more than 1000000 entries, or 268435456 bytes of paths"),
        "{error}"
    );
}

#[test]
fn layers_that_would_take_forever_are_done_or_refused() {
    let start = Instant::now();
    let file = |tar: Tar, n| tar.file(&format!("d/{n}"), "").file("d/.wh..wh..opq", "").file(".wh.d", "");
    assert_eq!(merged(&[lower(), (0..20_000).fold(Tar::new(), file)]).unwrap().len(), 20_000 + 7);

    // Each way to `l0` takes forty thousand steps.
    let link = |tar: Tar, n| {
        tar.pax(&[("linkpath", &format!("{}l{}", "d/../".repeat(500), n + 1))]).link(&format!("l{n}"), "x")
    };
    let links = (0..39).fold(Tar::new().folder("d").folder("l39"), link);
    let upper = (0..5_000).fold(Tar::new(), |tar, n| tar.file("l0/f", "").file(&format!("g/{n}"), ""));
    assert_eq!(
        merged(&[links, upper]).unwrap_err(),
        "the layer layer1: the entry `/l0/f`: the ways through the image's links are too long; use another image"
    );
    println!("hostile layers: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
