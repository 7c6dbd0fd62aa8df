//! Artifacts that objcopy works on: with a list of packages in them, and their debug information beside them.
//!
//! What a test needs and this machine lacks is said in one line, and the test is counted as ignored, never as passed.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use common::{Sandbox, program};
use image_spec::Platform;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use xtask_oci::artifact::{self, Options, Packages};
use xtask_oci::elf::sections::Sections;
use xtask_oci::proof::audit;
use xtask_oci::proof::debug::{self, Objcopy};

const ENGINE: &str = env!("CARGO_BIN_EXE_xtask-oci");
const HOST: Platform =
    if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 };
const METADATA: &[u8] = br#"{
    "packages": [
        {"id": "app 1", "name": "app", "version": "1.0.0", "source": null, "license": null, "features": {},
         "dependencies": [], "targets": [{"kind": ["bin"]}]}
    ],
    "workspace_members": ["app 1"],
    "resolve": {"nodes": [{"id": "app 1", "deps": [], "features": []}], "root": null}
}"#;

type Test = fn() -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let objcopy = Platform::ALL.into_iter().all(|platform| Objcopy::find(platform).is_some());
    // What the compiler makes of the engine depends on the linker and on how the tests are run.
    let debug =
        objcopy && sections(Path::new(ENGINE)).have_debug_info() && build_id(Path::new(ENGINE)).is_some();
    let needs_objcopy: [(_, Test); 3] = [
        ("a list goes in once", list_goes_in_once),
        ("a new list replaces the old", new_list_replaces_old),
        ("the SBOM of a binary is printed", sbom_is_printed),
    ];
    let needs_debug: [(_, Test); 3] = [
        ("debug information is split off", debug_is_split_off),
        ("the same input gives the same bytes", same_bytes),
        ("without a build id nothing is split off", nothing_is_split_off),
    ];
    let trials = needs_objcopy
        .into_iter()
        .map(|(name, test)| trial(name, objcopy, "LLVM's objcopy, as Rust's toolchain has it", test))
        .chain(needs_debug.into_iter().map(|(name, test)| {
            trial(name, debug, "objcopy and an engine with debug information and a build id", test)
        }));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn trial(name: &str, possible: bool, needs: &str, test: Test) -> Trial {
    if !possible {
        let _ = writeln!(stderr(), "skipped: `{name}` needs {needs}");
    }
    Trial::test(name, test).with_ignored_flag(!possible)
}

fn options(platform: Platform, metadata: Option<&[u8]>) -> Options<'_> {
    let packages = metadata.map(|metadata| Packages { metadata, root: "app" });
    Options { platform, packages, keep_symbols: false, pack: false }
}

fn place(src: &Path, dest: &Path, options: &Options<'_>) -> Vec<String> {
    artifact::place(src, dest, options).unwrap_or_else(|error| panic!("{error:#}"))
}

fn sections(path: &Path) -> Sections {
    Sections::read(&mut File::open(path).unwrap()).unwrap()
}

fn build_id(path: &Path) -> Option<Vec<u8>> {
    debug::build_id(path).unwrap()
}

/// A program as linkers write it, with section headers.
fn linked_program(platform: Platform) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.shstrtab\0";
    let mut bytes = program(platform);
    let names = bytes.len() as u64;
    bytes.extend(NAMES);
    let (headers, length) = (bytes.len() as u64, NAMES.len() as u64);
    bytes.extend([0; 64]);
    bytes.extend([1u32, 3].iter().flat_map(|field| field.to_le_bytes()));
    bytes.extend([0, 0, names, length, 0, 1, 0].iter().flat_map(|field: &u64| field.to_le_bytes()));
    bytes[40..48].copy_from_slice(&headers.to_le_bytes());
    bytes[58..64].copy_from_slice(&[64, 0, 2, 0, 1, 0]);
    bytes
}

/// The files of a folder with their times and contents.
fn files(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            (path.clone(), (time, fs::read(&path).unwrap()))
        })
        .collect()
}

fn list_goes_in_once() -> Result<(), Failed> {
    for platform in Platform::ALL {
        let sandbox = Sandbox::new();
        let src = sandbox.file("app", &linked_program(platform));
        let dest = sandbox.path("dist/app");
        let options = options(platform, Some(METADATA));
        assert_eq!(place(&src, &dest, &options), [""; 0]);
        assert_eq!(sandbox.names("dist"), ["app", "app.made", "app.sha256"]);
        let list = audit::read(&dest)?.expect("it has a list");
        assert_eq!(
            list.packages.iter().map(|it| (it.name.as_str(), it.root)).collect::<Vec<_>>(),
            [("app", true)]
        );
        if platform == HOST {
            assert_eq!(Command::new(&dest).output()?.stdout, b"ok\n");
        }
        let before = files(&sandbox.path("dist"));
        assert_eq!(place(&src, &dest, &options), [""; 0]);
        assert_eq!(files(&sandbox.path("dist")), before, "a second run touched something");
    }
    Ok(())
}

fn sbom_is_printed() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let src = sandbox.file("app", &linked_program(HOST));
    place(&src, &sandbox.path("dist/app"), &options(HOST, Some(METADATA)));
    let sbom = |binary: &str, format: &str| {
        let mut engine = Command::new(ENGINE);
        engine.current_dir(sandbox.path(".")).args(["sbom", binary, "--format", format]).output()
    };
    let spdx: Value = serde_json::from_slice(&sbom("dist/app", "spdx")?.stdout)?;
    assert_eq!(
        (&spdx["name"], &spdx["creationInfo"]["created"]),
        (&"app".into(), &"1970-01-01T00:00:00Z".into())
    );
    let cyclonedx: Value = serde_json::from_slice(&sbom("dist/app", "cyclonedx")?.stdout)?;
    assert_eq!(cyclonedx["components"][0]["version"], "1.0.0");
    let without = sbom("app", "spdx")?;
    assert_eq!(without.status.code(), Some(1));
    let says = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(says.starts_with("error: app does not say what it was compiled from; place it by "), "{says}");
    Ok(())
}

fn new_list_replaces_old() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let src = sandbox.file("app", &linked_program(Platform::LinuxAmd64));
    let dest = sandbox.path("dist/app");
    let version = |dest: &Path| audit::read(dest).unwrap().map(|list| list.packages[0].version.to_string());
    let newer = String::from_utf8_lossy(METADATA).replace("1.0.0", "1.0.1");
    place(&src, &dest, &options(Platform::LinuxAmd64, Some(METADATA)));
    // A binary that has a list already, such as one of cargo-auditable, gets ours instead.
    place(&dest, &sandbox.path("again/app"), &options(Platform::LinuxAmd64, Some(newer.as_bytes())));
    assert_eq!(version(&sandbox.path("again/app")).as_deref(), Some("1.0.1"));
    place(&src, &dest, &options(Platform::LinuxAmd64, Some(newer.as_bytes())));
    assert_eq!(version(&dest).as_deref(), Some("1.0.1"));
    place(&src, &dest, &options(Platform::LinuxAmd64, None));
    assert_eq!(version(&dest), None);
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);

    let bare = sandbox.file("bare", &program(Platform::LinuxAmd64));
    let error = artifact::place(&bare, &dest, &options(Platform::LinuxAmd64, Some(METADATA))).unwrap_err();
    assert!(error.to_string().ends_with("is it packed, or without section headers?"), "{error:#}");
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
    Ok(())
}

fn debug_is_split_off() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let (src, dest) = (Path::new(ENGINE), sandbox.path("dist/app"));
    assert_eq!(place(src, &dest, &options(HOST, Some(METADATA))), [""; 0]);
    assert_eq!(sandbox.names("dist"), ["app", "app.debug", "app.made", "app.sha256"]);
    let debug = sandbox.path("dist/app.debug");
    assert!(sections(&debug).have_debug_info() && !sections(&dest).have_debug_info());
    assert!(sections(&dest).get(".symtab").is_none() && sections(&debug).get(".symtab").is_some());
    assert_eq!((build_id(&dest), build_id(&debug)), (build_id(src), build_id(src)));
    let link = sections(&dest).get(".gnu_debuglink").unwrap().content(&mut File::open(&dest)?)?;
    assert!(link.starts_with(b"app.debug\0"), "{link:?}");
    assert!(audit::read(&dest)?.is_some());
    assert!(Command::new(&dest).arg("--version").output()?.status.success());

    let before = files(&sandbox.path("dist"));
    place(src, &dest, &options(HOST, Some(METADATA)));
    assert_eq!(files(&sandbox.path("dist")), before, "a second run touched something");
    fs::remove_file(&debug)?;
    place(src, &dest, &options(HOST, Some(METADATA)));
    assert!(debug.is_file(), "lost debug information is not made again");

    place(src, &dest, &Options { keep_symbols: true, ..options(HOST, None) });
    assert_eq!(fs::read(&dest)?, fs::read(src)?);
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
    Ok(())
}

fn same_bytes() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    for folder in ["one", "two"] {
        place(Path::new(ENGINE), &sandbox.path(folder).join("app"), &options(HOST, Some(METADATA)));
    }
    for name in sandbox.names("one") {
        assert_eq!(
            fs::read(sandbox.path("one").join(&name))?,
            fs::read(sandbox.path("two").join(&name))?,
            "{name}"
        );
    }
    Ok(())
}

fn nothing_is_split_off() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let mut bytes = fs::read(ENGINE)?;
    let note = sections(Path::new(ENGINE)).get(".note.gnu.build-id").unwrap().offset;
    bytes[usize::try_from(note)? + 12..][..4].copy_from_slice(b"none");
    let src = sandbox.file("app", &bytes);
    let warnings = place(&src, &sandbox.path("dist/app"), &options(HOST, None));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("it has no build id") && warnings[0].contains("--build-id"), "{warnings:?}");
    assert_eq!(fs::read(sandbox.path("dist/app"))?, bytes);
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
    Ok(())
}
