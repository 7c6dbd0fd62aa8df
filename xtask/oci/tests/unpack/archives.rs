//! What single archives mean, and what is refused.

use std::fmt::Write as _;

use crate::raw::{Head, Tar, pax, sum};
use crate::read;

fn refused(tar: Vec<u8>, message: &str) {
    assert_eq!(read(tar).unwrap_err(), format!("the layer layer: {message}"));
}

fn means(tar: Vec<u8>, items: &[&str]) {
    assert_eq!(read(tar).unwrap(), items);
}

#[test]
fn every_kind_of_entry() {
    let tar = Tar::new()
        .folder("./")
        .folder("./d/")
        .put(&Head { mode: 0o104_755, uid: 65532, ..Head::new(b'0', b"d/f") }, b"hello")
        .link("l", "../d/f")
        .hard_link("h", "./d/f")
        .block(Head::new(b'3', b"dev/null").block())
        .block(Head::new(b'4', b"dev/sda").block())
        .block(Head::new(b'6', b"pipe").block())
        .file("d/.wh.gone", "")
        .file("d/.wh..wh..opq", "")
        .file(".wh..wh..opq", "")
        .folder(".wh..wh.plnk")
        .file(".wh..wh.plnk/1.2", "x")
        .put(&Head::new(0, b"old"), b"123")
        .put(&Head::new(0, b"olddir/"), b"")
        .put(&Head::new(b'7', b"contiguous"), b"1");
    means(
        tar.end(),
        &[
            "/d folder 755 0:0",
            "/d/f file 5 4755 65532:65532",
            "/l -> ../d/f 777 0:0",
            "/h = /d/f 644 0:0",
            "/dev/null device 644 0:0",
            "/dev/sda device 644 0:0",
            "/pipe fifo 644 0:0",
            "/d/gone whiteout 644 0:0",
            "/d opaque 644 0:0",
            "/ opaque 644 0:0",
            "/old file 3 644 0:0",
            "/olddir folder 644 0:0",
            "/contiguous file 1 644 0:0",
        ],
    );
}

#[test]
fn long_names_of_every_format() {
    let (name, target) = ("n/".repeat(500) + "n", "t".repeat(300));
    let item = |name: &str| format!("/{name} -> {target} 777 0:0");
    let gnu = Tar::new().gnu_long(b'L', &name).gnu_long(b'K', &target).link("short", "short");
    let posix =
        Tar::new().pax(&[("path", &name), ("linkpath", &target), ("mtime", "1.5")]).link("short", "short");
    let global = Tar::new().put(&Head::new(b'g', b"g"), &pax(&[("path", "ignored")])).0;
    for tar in [gnu.clone(), posix.clone(), Tar([global, posix.0].concat())] {
        means(tar.end(), &[&item(&name)]);
    }
    let binary = [
        &b"30 SCHILY.xattr.user.x=a\n12 \xff\n"[..],
        &pax(&[("path", "b"), ("size", "3"), ("uid", "70000")]),
    ]
    .concat();
    let tar =
        Tar::new().put(&Head::new(b'x', b"x"), &binary).block(Head::new(b'0', b"a").block()).content(b"abc");
    means(tar.file("next", "").end(), &["/b file 3 644 70000:0", "/next file 0 644 0:0"]);
}

#[test]
fn paths_that_lead_elsewhere() {
    for name in ["../a", "a/../../b", "..", "/../etc/passwd"] {
        refused(
            Tar::new().file(name, "").end(),
            &format!("the path `{name}` leads elsewhere by `..`; use another image"),
        );
    }
    refused(
        Tar::new().pax(&[("path", "a\0/../b")]).file("x", "").end(),
        "the path `a\\0/../b` of a pax header holds a NUL; use another image",
    );
    refused(
        Tar::new().hard_link("h", "../../etc/shadow").end(),
        "the entry `/h`: it is another name of a file: the path `../../etc/shadow` leads elsewhere by `..`; \
         use another image",
    );
    refused(
        Tar::new().link("l", "").end(),
        "the entry `/l`: it is a link to ``, which cannot be a path; use another image",
    );
    for name in [".", "/", "./"] {
        refused(
            Tar::new().file(name, "x").end(),
            &format!("the entry `{name}` has no name; use another image"),
        );
    }
    refused(Tar::new().file("", "x").end(), "an entry has no name; use another image");
    let long = "x".repeat(4096);
    refused(
        Tar::new().gnu_long(b'L', &long).file("x", "").end(),
        &format!("the path `/{}…` is longer than 4096 bytes; use another image", &long[..79]),
    );
    // Where a link leads is not the layer's to decide: it is followed inside the image only.
    means(Tar::new().link("l", "../../../etc").end(), &["/l -> ../../../etc 777 0:0"]);
    means(Tar::new().file("/etc/passwd", "").end(), &["/etc/passwd file 0 644 0:0"]);
}

#[test]
fn whiteouts_that_mean_nothing() {
    for (name, path) in [("d/.wh.", "/d/.wh."), (".wh..", "/.wh.."), ("d/.wh...", "/d/.wh...")] {
        refused(
            Tar::new().file(name, "").end(),
            &format!("`{path}` deletes nothing that has a name; use another image"),
        );
    }
    refused(
        Tar::new().file("a/.wh.b/c", "").end(),
        "`/a/.wh.b/c` lies in a folder whose name begins with .wh., which means a deleted file; use another image",
    );
}

#[test]
fn names_that_are_not_utf8_are_kept_as_they_are() {
    let head = Head { target: b"\xfe", ..Head::new(b'2', b"caf\xe9") };
    means(Tar::new().block(head.block()).end(), &["/caf\u{fffd} -> \u{fffd} 644 0:0"]);
}

#[test]
fn sparse_files_are_known_by_their_real_size() {
    let mut block = Head { size: 512, ..Head::new(b'S', b"gnu") }.block();
    block[257..265].copy_from_slice(b"ustar  \0");
    block[482] = 1;
    block[483..495].copy_from_slice(b"00000100000\0");
    let mut map = [0; 512];
    map[504] = 1;
    let gnu = Tar::new().block(sum(block)).block(map).block([0; 512]).content(&[1; 512]);
    let keys = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "posix"),
        ("GNU.sparse.realsize", "9999"),
    ];
    let both = Tar([gnu.0, Tar::new().pax(&keys).file("GNUSparseFile.0/posix", "1\n0\n1\nx").0].concat());
    means(
        both.file("next", "").end(),
        &["/gnu sparse 32768 644 0:0", "/posix sparse 9999 644 0:0", "/next file 0 644 0:0"],
    );
    refused(
        Tar::new().pax(&keys[..3]).file("x", "").end(),
        "the size of `posix` is unreadable; use another image",
    );
}

#[test]
fn sizes_that_lie() {
    let lying = |size| Tar::new().block(Head { size, ..Head::new(b'0', b"f") }.block()).content(b"12345");
    refused(lying(1 << 30).end(), "the archive ends 1073740288 bytes too early; pull it again");
    refused(lying(0).end(), "after 1 headers comes one with a wrong checksum; use another image");
    refused(
        Tar::new().pax(&[("size", "9223372036854775807")]).file("f", "").end(),
        &format!("the archive ends {} bytes too early; pull it again", i64::MAX - 1024),
    );
    for (size, message) in [("-1", "no number"), ("99999999999999999999", "no number"), ("0x10", "no number")]
    {
        let tar = Tar::new().pax(&[("size", size)]).file("f", "");
        refused(tar.end(), &format!("the size `{size}` of a pax header is {message}; use another image"));
    }
    let mut negative = Head::new(b'0', b"f").block();
    negative[124..136].fill(0xff);
    refused(Tar::new().block(sum(negative)).end(), "the size of `f` is unreadable; use another image");
    // Links, folders and devices have no content, whatever their header says: so Go reads them.
    let tar = Tar::new().block(Head { size: 5000, ..Head::new(b'5', b"d") }.block()).file("f", "1");
    means(tar.end(), &["/d folder 755 0:0", "/f file 1 644 0:0"]);
}

#[test]
fn headers_that_contradict_each_other() {
    let two = "two headers of one kind describe the same entry; use another image";
    refused(Tar::new().pax(&[("path", "a")]).pax(&[("path", "b")]).file("c", "").end(), two);
    refused(Tar::new().gnu_long(b'L', "a").gnu_long(b'L', "b").file("c", "").end(), two);
    refused(Tar::new().gnu_long(b'K', "a").gnu_long(b'K', "b").link("c", "d").end(), two);
    refused(
        Tar::new().gnu_long(b'L', "a").pax(&[("path", "b")]).file("c", "").end(),
        "two headers each give the next entry another name; use another image",
    );
    for tar in [Tar::new().pax(&[("path", "a")]), Tar::new().gnu_long(b'L', "a")] {
        let message = "the archive ends after a header that describes the next entry; use another image";
        refused(tar.clone().end(), message);
        refused(tar.0, message);
    }
}

#[test]
fn fields_that_are_unreadable() {
    for (at, bytes, message) in [
        (0, &b"g"[..], "after 0 headers comes one with a wrong checksum"),
        (100, b"0o644", "the mode of `f` is unreadable"),
        (108, b"\x80\0\0\x01\0\0\0\0", "the owner of `f` is no number of 32 bits"),
        (116, b"nobody", "the group of `f` is no number of 32 bits"),
        (124, b"8", "the size of `f` is unreadable"),
        (156, b"V", "the entry `f`: it is of the unknown type `V`"),
        (156, b"\x1b", "the entry `f`: it is of the unknown type `\\u{1b}`"),
    ] {
        let mut block = Head::new(b'0', b"f").block();
        block[at..at + bytes.len()].copy_from_slice(bytes);
        let block = if at == 0 { block } else { sum(block) };
        refused(Tar::new().block(block).end(), &format!("{message}; use another image"));
    }
}

#[test]
fn archives_that_end_early_or_go_on() {
    let whole = Tar::new().file("a", "12345").file("b", &"x".repeat(1000)).end();
    for length in [1, 511, 513, 1023, 1025, 2000, 2559] {
        let error = read(whole[..length].to_vec()).unwrap_err();
        assert!(
            error.starts_with("the layer layer: the archive ends ")
                && error.ends_with("too early; pull it again"),
            "{error}"
        );
    }
    // Without the end mark, with half of it, and with padding after it, as tools write it.
    let expected = ["/a file 5 644 0:0", "/b file 1000 644 0:0"];
    for length in [2560, 3072, 3584] {
        means(whole[..length].to_vec(), &expected);
    }
    means([&whole[..], &[0; 10240]].concat(), &expected);
    means([&whole[..], b"garbage"].concat(), &expected);
    means(Vec::new(), &[]);
    let hole = [&whole[..1024], &[0; 512], &whole[1024..]].concat();
    refused(hole, "the archive goes on after a block of zeros; use another image");
    refused(b"PK\x03\x04".repeat(200), "after 0 headers comes one with a wrong checksum; use another image");
}

#[test]
fn the_readers_of_others_agree() {
    let mut expected = String::new();
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..200u64 {
        let mut header = if number % 2 == 0 { tar::Header::new_gnu() } else { tar::Header::new_ustar() };
        let path =
            format!("d{}/{}", number % 7, "long name ".repeat(number as usize % 30) + &number.to_string());
        header.set_size(number * 100);
        header.set_mode(0o600 + (number % 8) as u32);
        header.set_uid(number << 13);
        header.set_gid(number);
        if path.len() > 100 && number % 2 == 1 {
            builder.append_pax_extensions([("path", path.as_bytes())]).unwrap();
            header.set_path("short").unwrap();
            header.set_cksum();
            builder.append(&header, &vec![1; number as usize * 100][..]).unwrap();
        } else {
            builder.append_data(&mut header, &path, &vec![1; number as usize * 100][..]).unwrap();
        }
        writeln!(
            expected,
            "/{path} file {} {:o} {}:{number}",
            number * 100,
            0o600 + number % 8,
            number << 13
        )
        .unwrap();
    }
    let ours = read(builder.into_inner().unwrap()).unwrap();
    assert_eq!(ours.join("\n") + "\n", expected);
}
