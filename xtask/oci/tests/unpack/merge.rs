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
    // The other way round a folder takes the place, also one that is merely on the way, unless the file is of this layer.
    let file = Tar::new().file("f", "");
    adds_up(&[file.clone(), Tar::new().folder("f").file("f/g", "")], &["/f folder", "/f/g 1.1 644"]);
    adds_up(&[file.clone(), Tar::new().file("f/g", "")], &["/f folder", "/f/g 1.0 644"]);
    assert_eq!(
        merged(&[file.file("f/g", "")]).unwrap_err(),
        "the layer layer0: the entry `/f/g`: `/f` is on its way and is no folder; use another image"
    );
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
    // Of nothing, and below nothing.
    let nothing = Tar::new().file(".wh.none", "").file("a/.wh.none", "").file("a/d/.wh.none", "");
    assert_eq!(merged(&[lower(), nothing]).unwrap(), merged(&[lower()]).unwrap());
    let nothing = Tar::new().file("no/such/.wh.none", "").file("also/.wh..wh..opq", "");
    adds_up(&[nothing], &["/also folder", "/no folder", "/no/such folder"]);
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
fn links_on_the_way_are_followed_inside_their_layer() {
    let links = || {
        Tar::new()
            .folder("usr/bin")
            .link("bin", "usr/bin")
            .link("abs", "/usr/../bin")
            .link("out", "../../../usr")
    };
    let same = links().file("bin/sh", "").file("abs/ls", "").file("out/bin/ps", "").file("abs/.wh.gone", "");
    adds_up(
        &[Tar::new().file("usr/bin/gone", "").file("usr/bin/stays", ""), same],
        &[
            "/abs -> /usr/../bin 777",
            "/bin -> usr/bin 777",
            "/out -> ../../../usr 777",
            "/usr folder",
            "/usr/bin folder",
            "/usr/bin/ls 1.5 644",
            "/usr/bin/ps 1.6 644",
            "/usr/bin/sh 1.4 644",
            "/usr/bin/stays 0.1 644",
        ],
    );
    // A folder hides a link of a lower layer, as in every overlay file system.
    adds_up(
        &[links(), Tar::new().file("bin/sh", "").file("out/.wh.x", "")],
        &[
            "/abs -> /usr/../bin 777",
            "/bin folder",
            "/bin/sh 1.0 644",
            "/out folder",
            "/usr folder",
            "/usr/bin folder",
        ],
    );
    let around = [Tar::new().link("a", "b").link("b", "a").file("a/f", "")];
    assert_eq!(
        merged(&around).unwrap_err(),
        "the layer layer0: the entry `/a/f`: more than 40 links are on the way to `/a`; use another image"
    );
    let growing = [Tar::new().link("a", "a/a").file("a/f", "")];
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
        (Tar::new().file("x/y", "").hard_link("x", "x/y"), "/x", missing("/x/y")),
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
fn what_replaces_a_folder_counts_for_what_comes_after() {
    let link = Tar::new().folder("b").file("a/f", "").link("a", "b").file("a/g", "");
    adds_up(&[link], &["/a -> b 777", "/b folder", "/b/g 0.3 644"]);
    let way = "the layer layer0: the entry `/a/g`: `/a` is on its way and is no folder; use another image";
    for tar in [
        Tar::new().file("t", "").file("a/f", "").hard_link("a", "t").file("a/g", ""),
        Tar::new().file("a/f", "").file("a", "").file("a/g", ""),
    ] {
        assert_eq!(merged(&[tar]).unwrap_err(), way);
    }
    // An entry may replace the link that is on its own way.
    let around = || Tar::new().file("t", "").link("l", ".").file("l/ok", "");
    for tar in [around().file("l/l", ""), around().hard_link("l/l", "t")] {
        let way =
            "the layer layer0: the entry `/l/f`: `/l` is on its way and is no folder; use another image";
        assert_eq!(merged(&[tar.file("l/f", "")]).unwrap_err(), way);
    }
    let gone =
        Tar::new().folder("b").link("a", "b").file("a/f", "").file("a", "").folder("a").file("a/g", "");
    adds_up(&[gone], &["/a folder", "/a/g 0.5 644", "/b folder", "/b/f 0.2 644"]);
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

    // Everything of the layer itself, and a chain of folders above it that are each emptied.
    let chain = |levels: usize| "d/".repeat(levels);
    let file = |tar: Tar, n| tar.pax(&[("path", &format!("{}{n}", chain(1000)))]).file("f", "");
    let mark =
        |tar: Tar, levels| tar.pax(&[("path", &format!("{}.wh..wh..opq", chain(levels)))]).file("f", "");
    let upper = (1..1000).fold((0..3_000).fold(Tar::new(), file), mark);
    assert_eq!(merged(&[lower(), upper]).unwrap().len(), 1000 + 3_000 + 6);

    // Each way to `l0` takes forty thousand steps.
    let link = |tar: Tar, n| {
        tar.pax(&[("linkpath", &format!("{}l{}", "d/../".repeat(500), n + 1))]).link(&format!("l{n}"), "x")
    };
    let links = (0..39).fold(Tar::new().folder("d").folder("l39"), link);
    let ways = (0..5_000).fold(links, |tar, n| tar.file("l0/f", "").file(&format!("g/{n}"), ""));
    assert_eq!(
        merged(&[ways]).unwrap_err(),
        "the layer layer0: the entry `/l0/f`: the ways through the image's links are too long; use another image"
    );

    // And so does each way of a hard link, which a higher layer has many of.
    let lower = (0..39).fold(Tar::new().folder("d").folder("l39").file("l39/f", ""), link);
    let upper = (0..5_000).fold(Tar::new(), |tar, n| tar.hard_link(&format!("h{n}"), "l0/f"));
    assert_eq!(
        merged(&[lower, upper]).unwrap_err(),
        "the layer layer1: the entry `/h256`: the ways through the image's links are too long; use another image"
    );
    println!("hostile layers: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}
