use std::env::consts::EXE_SUFFIX;
use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;
use crate::platform::{canonical, symlink, unprintable_name};

const A: &str = "aaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccc";

/// A folder with these files.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|file| write(&folder.path().join(file)));
    folder
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "something").unwrap();
}

fn look(root: &Path) -> Found {
    scan(root, &root.join("debug"), Locking::None)
}

/// Each item with its paths, and whether it stays.
fn check(found: &Found, expected: &Expect) {
    let line = |item: &Item| {
        let path =
            |path: &PathBuf| path.strip_prefix(&found.root).unwrap().display().to_string().replace('\\', "/");
        let paths = item.paths.iter().map(path).collect::<Vec<_>>().join(" ");
        let stays = if item.stays { ", stays" } else { "" };
        format!("{} {:?}{stays}: {paths}\n", item.place, item.content)
    };
    expected.assert_eq(&found.items.iter().map(line).collect::<String>());
    assert!(found.failures.is_empty(), "{:?}", found.failures);
}

#[test]
fn what_belongs_to_one_unit_is_one_item() {
    let target = folder(&[
        ".rustc_info.json",
        "CACHEDIR.TAG",
        "xtask.lock",
        "packages-sqlite-linux-amd64.json",
        "debug/.cargo-lock",
        &format!("debug/.fingerprint/serde-{A}/lib-serde"),
        &format!("debug/deps/libserde-{A}.rlib"),
        &format!("debug/deps/libserde-{A}.rmeta"),
        &format!("debug/deps/serde-{A}.d"),
        &format!("debug/.fingerprint/app-{B}/bin-app"),
        &format!("debug/deps/app-{B}"),
        "debug/app.d",
        "debug/copied-by-somebody.dll",
        &format!("debug/.fingerprint/ring-{C}/run-build-script-build-script-build"),
        &format!("debug/build/ring-{C}/out/libring.a"),
        &format!("debug/deps/orphan-{}.d", "d".repeat(16)),
        "debug/deps/libplugin.so",
        "debug/incremental/app-04dc1sge1v0k5/s-h/dep-graph.bin",
        "x86_64-unknown-linux-musl/CACHEDIR.TAG",
        &format!("x86_64-unknown-linux-musl/dist/.fingerprint/app-{A}/bin-app"),
        &format!("verify/x86_64-unknown-linux-musl/release/.fingerprint/app-{A}/bin-app"),
        "verify/dist/app",
    ]);
    let debug = target.path().join("debug");
    fs::hard_link(debug.join(format!("deps/app-{B}")), debug.join("app")).unwrap();
    check(
        &look(target.path()),
        &expect![[r#"
        . Files, stays: .rustc_info.json
        . Files, stays: CACHEDIR.TAG
        debug Programs, stays: debug/deps/libplugin.so
        debug Incremental: debug/incremental/app-04dc1sge1v0k5
        debug Programs, stays: debug/.cargo-lock
        debug Programs, stays: debug/copied-by-somebody.dll
        debug Dependencies: debug/.fingerprint/serde-aaaaaaaaaaaaaaaa debug/deps/libserde-aaaaaaaaaaaaaaaa.rlib debug/deps/libserde-aaaaaaaaaaaaaaaa.rmeta debug/deps/serde-aaaaaaaaaaaaaaaa.d
        debug Programs: debug/.fingerprint/app-bbbbbbbbbbbbbbbb debug/deps/app-bbbbbbbbbbbbbbbb debug/app debug/app.d
        debug BuildScripts: debug/.fingerprint/ring-cccccccccccccccc debug/build/ring-cccccccccccccccc
        debug Dependencies: debug/deps/orphan-dddddddddddddddd.d
        . Files: packages-sqlite-linux-amd64.json
        verify/dist Files: verify/dist/app
        verify/x86_64-unknown-linux-musl/release Programs: verify/x86_64-unknown-linux-musl/release/.fingerprint/app-aaaaaaaaaaaaaaaa
        x86_64-unknown-linux-musl Files, stays: x86_64-unknown-linux-musl/CACHEDIR.TAG
        x86_64-unknown-linux-musl/dist Programs: x86_64-unknown-linux-musl/dist/.fingerprint/app-aaaaaaaaaaaaaaaa
        . Files, stays: xtask.lock
    "#]],
    );
}

#[test]
fn artifacts_go_with_the_files_beside_them_and_layers_one_by_one() {
    let target = folder(&[
        "dist/app-sqlite-linux-amd64",
        "dist/app-sqlite-linux-amd64.made",
        "dist/app-sqlite-linux-amd64.sha256",
        "dist/app-mysql-linux-amd64",
        "images/app-sqlite.tar",
        "images/app-sqlite.json",
        "images/app-sqlite/index.json",
        "images/bake.json",
        "images/cache/1-zstd-3/10-aa-bb",
        "images/cache/1-zstd-3/20-cc-dd",
        "images/cache/extracted/ee/file",
        "tmp/some/file",
        "sqlx/sqlite/query-1.json",
    ]);
    check(
        &look(target.path()),
        &expect![[r#"
        dist Files: dist/app-mysql-linux-amd64
        dist Files: dist/app-sqlite-linux-amd64 dist/app-sqlite-linux-amd64.made dist/app-sqlite-linux-amd64.sha256
        images Files: images/app-sqlite images/app-sqlite.json images/app-sqlite.tar
        images Files: images/bake.json
        images/cache Files: images/cache/1-zstd-3/10-aa-bb
        images/cache Files: images/cache/1-zstd-3/20-cc-dd
        images/cache Files: images/cache/extracted/ee
        sqlx Files: sqlx/sqlite
        tmp Files: tmp/some
    "#]],
    );
    // A cargo that builds with the profile `dist` for this machine shares the folder.
    write(&target.path().join(format!("dist/.fingerprint/app-{A}/bin-app")));
    let found = look(target.path());
    let artifact = found.items.iter().find(|item| item.paths[0].ends_with("dist/app-sqlite-linux-amd64"));
    let artifact = artifact.unwrap();
    assert_eq!((artifact.paths.len(), artifact.stays, artifact.content), (3, false, Content::Files));
}

#[test]
fn this_program_and_the_engine_stay() {
    let unit = |name: &str, hash| {
        [
            format!("debug/.fingerprint/{name}-{hash}/bin-{name}"),
            format!("debug/deps/{name}-{hash}{EXE_SUFFIX}"),
        ]
    };
    let files = [unit("xtask", A), unit("xtask-oci", B), unit("xtask", C)].concat();
    let target = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let debug = target.path().join("debug");
    for (name, hash) in [("xtask", A), ("xtask-oci", B)] {
        fs::hard_link(
            debug.join(format!("deps/{name}-{hash}{EXE_SUFFIX}")),
            debug.join(format!("{name}{EXE_SUFFIX}")),
        )
        .unwrap();
    }
    let staying = |found: &Found| found.items.iter().map(|item| item.stays).collect::<Vec<_>>();
    assert_eq!(staying(&look(target.path())), [true, true, false]);

    // Where a file cannot have two names, nothing tells which of the units it came from.
    let xtask = debug.join(format!("xtask{EXE_SUFFIX}"));
    fs::remove_file(&xtask).unwrap();
    fs::copy(debug.join(format!("deps/xtask-{A}{EXE_SUFFIX}")), &xtask).unwrap();
    assert_eq!(staying(&look(target.path())), [true; 4]);
    // In another folder nothing is theirs.
    assert_eq!(staying(&scan(target.path(), Path::new("/elsewhere"), Locking::None))[1..], [false; 3]);
}

#[test]
fn a_unit_was_last_used_when_its_fingerprint_was() {
    let fingerprint = format!("debug/.fingerprint/serde-{A}/lib-serde");
    let target = folder(&[&fingerprint, &format!("debug/deps/libserde-{A}.rlib")]);
    let day = |days: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86400);
    let set = |modified, accessed| {
        let times = FileTimes::new().set_modified(day(modified)).set_accessed(day(accessed));
        File::open(target.path().join(&fingerprint)).unwrap().set_times(times).unwrap();
        look(target.path()).items[0].last_used
    };
    assert_eq!(set(100, 200), day(200));
    assert_eq!(set(300, 200), day(300));
}

#[test]
fn a_file_with_two_names_takes_space_once() {
    let target = folder(&["tmp/one"]);
    let size = look(target.path()).items[0].size;
    assert!(size >= "something".len() as u64);
    fs::hard_link(target.path().join("tmp/one"), target.path().join("tmp/two")).unwrap();
    let sizes = look(target.path()).items.iter().map(|item| item.size).collect::<Vec<_>>();
    assert_eq!(sizes, [size, 0]);
}

#[test]
#[cfg_attr(windows, ignore = "not everybody may make links there")]
fn what_a_link_leads_to_is_out_of_reach() {
    let outside = folder(&["deps/precious", &format!(".fingerprint/precious-{A}/lib-precious"), "file"]);
    let target = folder(&[&format!("debug/.fingerprint/serde-{A}/lib-serde")]);
    let debug = target.path().join("debug");
    symlink(&outside.path().join("deps"), &debug.join("deps")).unwrap();
    fs::create_dir(target.path().join("dist")).unwrap();
    symlink(&outside.path().join("file"), &target.path().join("dist/file")).unwrap();
    fs::create_dir_all(debug.join(format!("build/serde-{A}"))).unwrap();
    symlink(outside.path(), &debug.join(format!("build/serde-{A}/out"))).unwrap();
    symlink(outside.path(), &debug.join(format!("build/serde-{B}"))).unwrap();
    symlink(outside.path(), &target.path().join("release")).unwrap();
    let within = tempfile::tempdir().unwrap();
    let root = within.path().join("target");
    symlink(target.path(), &root).unwrap();

    let found = look(&root);
    assert_eq!(found.root, canonical(target.path()).unwrap());
    check(
        &found,
        &expect![[r#"
        debug BuildScripts: debug/.fingerprint/serde-aaaaaaaaaaaaaaaa debug/build/serde-aaaaaaaaaaaaaaaa
        debug BuildScripts: debug/build/serde-bbbbbbbbbbbbbbbb
        dist Files: dist/file
        . Files, stays: release
    "#]],
    );
    found.items.iter().filter(|item| !item.stays).for_each(|item| remove(item).unwrap());
    assert!(outside.path().join("deps/precious").exists() && outside.path().join("file").exists());
    assert!(outside.path().join(format!(".fingerprint/precious-{A}/lib-precious")).exists());
    assert!(!target.path().join("dist/file").is_symlink());
    assert!(!debug.join(format!("build/serde-{A}")).exists() && debug.join("deps").is_symlink());
}

#[test]
fn names_need_not_be_text() {
    let target = folder(&["tmp/one"]);
    let name = &unprintable_name();
    write(&target.path().join("tmp").join(name));
    write(&target.path().join("debug/.fingerprint").join(name));
    write(&target.path().join("debug/deps").join(name));
    let found = look(target.path());
    assert!(found.failures.is_empty());
    found.items.iter().for_each(|item| remove(item).unwrap());
    assert!(!target.path().join("tmp").join(name).exists());
}

#[test]
fn the_fingerprint_goes_first() {
    let target = folder(&[
        &format!("debug/.fingerprint/serde-{A}/lib-serde"),
        &format!("debug/build/serde-{A}/output"),
        &format!("debug/deps/libserde-{A}.rlib"),
    ]);
    let found = look(target.path());
    let item = &found.items[0];
    assert!(item.paths[0].ends_with(format!("debug/.fingerprint/serde-{A}")));
    assert_eq!(item.paths.len(), 3);
    // What stands in the way of it keeps the rest in its place.
    let mut stuck = item.clone();
    stuck.paths[0] = target.path().join("debug/.fingerprint/serde-{A}\0");
    assert!(remove(&stuck).unwrap_err().path.ends_with("serde-{A}\0"));
    assert!(item.paths[1..].iter().all(|path| path.exists()));
    remove(item).unwrap();
    assert!(item.paths.iter().all(|path| !path.exists()));
}

#[test]
fn what_a_build_has_locked_stays() {
    let files = ["debug", "release"].map(|profile| format!("{profile}/.fingerprint/serde-{A}/lib-serde"));
    let target = folder(&files.each_ref().map(String::as_str));
    let staying = |locking| {
        let found = scan(target.path(), Path::new("/elsewhere"), locking);
        let staying = found.items.iter().filter(|item| item.content == Content::Dependencies);
        (staying.map(|item| item.stays).collect::<Vec<_>>(), found.in_use.clone())
    };
    let lock = |path: &str| {
        let file = File::create(target.path().join(path)).unwrap();
        file.try_lock_shared().unwrap();
        file
    };
    // A program that a test beside this one is starting holds the files of all until it runs.
    let unlocked = |file: File, path: &str| {
        drop(file);
        let is_free = || File::open(target.path().join(path)).unwrap().try_lock().is_ok();
        while !is_free() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    assert_eq!(staying(Locking::Existing), (vec![false, false], vec![]));
    assert!(!target.path().join("debug/.cargo-lock").exists() && !target.path().join("xtask.lock").exists());
    let build = lock("debug/.cargo-build-lock");
    assert_eq!(staying(Locking::All), (vec![true, false], vec!["debug".to_owned()]));
    unlocked(build, "debug/.cargo-build-lock");
    let build = lock("release/.cargo-lock");
    assert_eq!(staying(Locking::Existing), (vec![false, true], vec!["release".to_owned()]));
    assert_eq!(staying(Locking::None).1, [""; 0]);
    unlocked(build, "release/.cargo-lock");
    let run = lock("xtask.lock");
    assert_eq!(staying(Locking::All), (vec![true, true], vec![".".to_owned()]));
    unlocked(run, "xtask.lock");
    let held = scan(target.path(), Path::new("/elsewhere"), Locking::All);
    assert!(File::open(target.path().join("debug/.cargo-lock")).unwrap().try_lock().is_err());
    drop(held);
    assert!(File::open(target.path().join("debug/.cargo-lock")).unwrap().try_lock().is_ok());
}
