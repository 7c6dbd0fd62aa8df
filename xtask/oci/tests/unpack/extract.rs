//! Files out of images.

use std::fs;
use std::io::Write as _;

use xtask_oci::digest::Digest;
use xtask_oci::files::{Content, Entries, Entry, Kind};
use xtask_oci::unpack::stored::Listings;
use xtask_oci::unpack::{Packing, View};

use crate::Pulled;
use crate::raw::{Head, Tar};

fn lower() -> Tar {
    Tar::new()
        .put(&Head { mode: 0o755, uid: 5, ..Head::new(b'0', b"usr/lib/libc.so.6") }, b"libc")
        .file("usr/lib/old", "old")
        .put(&Head { mode: 0o700, ..Head::new(b'5', b"usr/lib/sub") }, b"")
        .hard_link("usr/lib/sub/again", "usr/lib/libc.so.6")
        .link("lib", "usr/lib")
        .link("lib64", "../../lib")
        .link("usr/lib/libc.so", "libc.so.6")
        .link("broken", "usr/none/x")
        .link("round", "round2")
        .link("round2", "/round")
        .folder("empty")
}

fn upper() -> Tar {
    Tar::new().file("usr/lib/new", "new").file("usr/lib/.wh.old", "").file("etc/os-release", "ID=x")
}

/// What was extracted: path, kind, mode, owner and content.
fn lines(entries: &Entries) -> Vec<String> {
    let line = |(path, entry): (&String, &Entry)| {
        let kind = match &entry.kind {
            Kind::Folder => "folder".to_owned(),
            Kind::Link { target } => format!("-> {target}"),
            Kind::File { content: Content::Path(source), size } => {
                let content = fs::read(source).unwrap();
                assert_eq!(source.file_name().unwrap().to_str().unwrap(), Digest::of(&content).hex());
                assert_eq!(*size, content.len() as u64);
                format!("`{}`", String::from_utf8_lossy(&content))
            }
            other => panic!("{path} is {other:?}"),
        };
        format!("{path} {kind} {:o} {}", entry.mode, entry.uid)
    };
    entries.iter().map(line).collect()
}

fn extract(archives: &[Tar], wanted: &[&str]) -> Result<Vec<String>, String> {
    let pulled = Pulled::new();
    let view = pulled.view(archives).unwrap();
    let before = pulled.names(".".as_ref());
    let result = view.extract(wanted, &pulled.path("out"));
    let mut after = pulled.names(".".as_ref());
    after.retain(|name| name != "out");
    assert_eq!(after, before);
    assert!(pulled.names("out".as_ref()).iter().all(|name| name.len() == 64));
    result.map(|entries| lines(&entries)).map_err(|error| pulled.message(&error))
}

#[test]
fn files_and_folders_come_out_of_the_merged_view() {
    let layers = [lower(), upper()];
    assert_eq!(
        extract(&layers, &["/usr/lib", "/etc/os-release"]).unwrap(),
        [
            "/etc/os-release `ID=x` 644 0",
            "/usr/lib folder 755 0",
            "/usr/lib/libc.so -> libc.so.6 777 0",
            "/usr/lib/libc.so.6 `libc` 755 5",
            "/usr/lib/new `new` 644 0",
            "/usr/lib/sub folder 700 0",
            "/usr/lib/sub/again `libc` 755 5",
        ]
    );
    assert_eq!(extract(&layers, &["/empty"]).unwrap(), ["/empty folder 755 0"]);
    assert_eq!(extract(&layers, &[]).unwrap(), [] as [&str; 0]);
    let all = extract(&[Tar::new().file("a", "1").file("b/c", "2")], &["/"]).unwrap();
    assert_eq!(all, ["/a `1` 644 0", "/b folder 755 0", "/b/c `2` 644 0"]);
}

#[test]
fn links_are_followed_inside_the_image_and_keep_the_name_that_was_asked_for() {
    let layers = [lower(), upper()];
    for wanted in ["/lib/libc.so", "/lib64/libc.so.6", "/usr/lib/libc.so", "/lib64/sub/again"] {
        assert_eq!(extract(&layers, &[wanted]).unwrap(), [format!("{wanted} `libc` 755 5")]);
    }
    let lines = extract(&layers, &["/lib64"]).unwrap();
    assert_eq!(lines[..2], ["/lib64 folder 755 0", "/lib64/libc.so -> libc.so.6 777 0"]);
    assert_eq!(lines.len(), 6);
    let out = [Tar::new().link("l", "../../../etc/passwd").file("etc/passwd", "of the image")];
    assert_eq!(extract(&out, &["/l"]).unwrap(), ["/l `of the image` 644 0"]);
}

#[test]
fn equal_contents_are_one_file() {
    let pulled = Pulled::new();
    let same = (0..50).fold(Tar::new(), |tar, n| tar.file(&format!("d/{n}"), ["odd", "even"][n % 2]));
    let view = pulled.view(&[same.clone(), same]).unwrap();
    assert_eq!(view.extract(&["/d"], &pulled.path("out")).unwrap().len(), 51);
    let mut expected = ["odd", "even"].map(|content| Digest::of(content.as_bytes()).hex());
    expected.sort();
    assert_eq!(pulled.names("out".as_ref()), expected);
}

#[test]
fn what_is_missing_is_answered_with_what_there_is() {
    let many = (10..40).fold(lower(), |tar, n| tar.file(&format!("many/file{n}"), ""));
    for (wanted, message) in [
        ("/usr/lib/nwe", "`/usr/lib/nwe` is not in the image; `/usr/lib` holds new, libc.so, libc.so.6, sub"),
        ("/usr/lib/old", "`/usr/lib/old` is not in the image; `/usr/lib` holds libc.so, libc.so.6, new, sub"),
        (
            "/lib/x/y",
            "`/lib/x/y` leads to `/usr/lib/x/y`, which is not in the image; `/usr/lib` holds libc.so, libc.so.6, new, sub",
        ),
        ("/etc/os-release/x", "`/etc/os-release/x` is not in the image; `/etc/os-release` is no folder"),
        ("/empty/x", "`/empty/x` is not in the image; `/empty` is empty"),
        (
            "/srv",
            "`/srv` is not in the image; `/` holds broken, empty, etc, lib, lib64, many, round, round2, usr",
        ),
        ("/broken", "`/broken` leads to `/usr/none/x`, which is not in the image; `/usr` holds lib"),
        (
            "/many/file9",
            "`/many/file9` is not in the image; `/many` holds file10, file11, file12, file13, file14, file15, file16, file17, file18, file19, file20, file21 and 18 more",
        ),
        ("/round", "more than 40 links are on the way to `/round`; use another image"),
        ("/round/x", "more than 40 links are on the way to `/round/x`; use another image"),
        ("usr", "the path `usr` must be absolute, such as /app, without //, . or .."),
        ("/usr/../etc", "the path `/usr/../etc` must be absolute, such as /app, without //, . or .."),
    ] {
        assert_eq!(extract(&[many.clone(), upper()], &["/usr/lib/libc.so", wanted]).unwrap_err(), message);
    }
}

#[test]
fn what_cannot_be_copied_is_refused_by_name() {
    let tar = Tar::new()
        .block(Head::new(b'3', b"dev/null").block())
        .block(Head::new(b'6', b"run/pipe").block())
        .pax(&[("GNU.sparse.size", "100")])
        .file("var/sparse", "")
        .block(Head::new(b'0', b"names/caf\xe9").block())
        .block(Head { target: b"\xff", ..Head::new(b'2', b"links/l") }.block())
        .file("fine", "");
    for (wanted, message) in [
        ("/dev", "`/dev/null` is a device, which cannot be copied; name the files that are needed instead"),
        (
            "/dev/null",
            "`/dev/null` is a device, which cannot be copied; name the files that are needed instead",
        ),
        ("/run", "`/run/pipe` is a pipe, which cannot be copied; name the files that are needed instead"),
        (
            "/var",
            "`/var/sparse` is stored as a sparse file, which cannot be copied; name the files that are needed instead",
        ),
        ("/names", "the name of `/names/caf\\xe9` is not UTF-8; name the files that are needed instead"),
        (
            "/links",
            "`/links/l` is a link to a name that is not UTF-8, which cannot be copied; name the files that are needed instead",
        ),
    ] {
        assert_eq!(extract(std::slice::from_ref(&tar), &["/fine", wanted]).unwrap_err(), message);
    }
    assert_eq!(extract(&[tar], &["/fine"]).unwrap(), ["/fine `` 644 0"]);
}

#[test]
fn only_layers_that_are_needed_are_read_and_each_of_them_whole() {
    let pulled = Pulled::new();
    let view = pulled.view(&[lower(), upper()]).unwrap();
    let out = pulled.path("out");
    fs::remove_file(pulled.path("layer0")).unwrap();
    assert!(view.extract(&["/etc/os-release"], &out).is_ok());
    let error = pulled.message(&view.extract(&["/usr/lib"], &out).unwrap_err());
    assert_eq!(error, "the layer layer0: cannot open layer0: No such file or directory (os error 2)");
    // A layer that has changed since it was listed.
    let mut tar = upper().end();
    tar[512] ^= 1;
    fs::write(pulled.path("layer1"), &tar).unwrap();
    let error = pulled.message(&view.extract(&["/etc/os-release"], &out).unwrap_err());
    assert!(error.starts_with("the layer layer1: its content has the digest sha256:"), "{error}");
    let other = Tar::new().file("x", "").end();
    let mut changed = pulled.layers(&[upper()]);
    let view = View::of(changed.clone(), &Listings::new(&pulled.path("cache"))).unwrap();
    fs::write(&changed.remove(0).blob, &other).unwrap();
    assert!(view.extract(&["/etc/os-release"], &out).unwrap_err().to_string().starts_with("the layer "));
}

#[test]
fn existing_files_are_replaced_whole_and_a_full_folder_is_no_problem() {
    let pulled = Pulled::new();
    let view = pulled.view(&[upper()]).unwrap();
    let out = pulled.path("out");
    fs::create_dir(&out).unwrap();
    let path = out.join(Digest::of(b"ID=x").hex());
    fs::write(&path, "damaged").unwrap();
    view.extract(&["/etc"], &out).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "ID=x");
    let error = view.extract(&["/etc"], "/proc/none/out".as_ref()).unwrap_err();
    assert!(format!("{error:#}").contains("cannot create the folder /proc/none"), "{error:#}");
}

#[test]
fn ten_thousand_files_come_out_of_a_compressed_layer() {
    let pulled = Pulled::new();
    let tar = (0..10_000).fold(Tar::new(), |tar, n| tar.file(&format!("d/{n}"), &n.to_string())).end();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    let layer = pulled.blob("layer", Packing::Gzip, &encoder.finish().unwrap(), &tar);
    let view = View::of(vec![layer], &Listings::new(&pulled.path("cache"))).unwrap();
    let start = std::time::Instant::now();
    let entries = view.extract(&["/d"], &pulled.path("out")).unwrap();
    println!("10,000 files: {:?}", start.elapsed());
    assert_eq!(entries.len(), 10_001);
    assert_eq!(pulled.names("out".as_ref()).len(), 10_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    let start = std::time::Instant::now();
    assert_eq!(view.extract(&["/d"], &pulled.path("out")).unwrap(), entries);
    println!("the same again: {:?}", start.elapsed());
}
