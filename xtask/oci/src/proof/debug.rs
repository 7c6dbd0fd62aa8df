//! Splits a linked binary by objcopy: the list of packages goes in, debug information goes to a file of its own.
//!
//! A debugger finds that file by the [debug link](https://sourceware.org/gdb/current/onlinedocs/gdb.html/Separate-Debug-Files.html)
//! and the build id. Rust's toolchains bring LLVM's objcopy, which knows every platform.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::Platform;

use super::audit;
use crate::atomic::TempPath;
use crate::elf::sections::Sections;
use crate::error::PathContext as _;
use crate::program::{self, on_path};

/// What is appended to the name of a binary for that of its debug information.
pub const SUFFIX: &str = ".debug";

/// The program objcopy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objcopy {
    program: PathBuf,
    /// The folder of the libraries that it needs and does not find itself.
    libraries: Option<PathBuf>,
}

impl Objcopy {
    /// The first that can work on binaries for `platform`: that of Rust's toolchain, LLVM's, or binutils', which know
    /// one machine only.
    pub fn find(platform: Platform) -> Option<Objcopy> {
        let plain = |program| Objcopy { program, libraries: None };
        let arch = platform.rust_arch();
        of_toolchain()
            .or_else(|| on_path("llvm-objcopy").map(plain))
            .or_else(|| on_path(&format!("{arch}-linux-gnu-objcopy")).map(plain))
            .or_else(|| on_path("objcopy").filter(|_| arch == env::consts::ARCH).map(plain))
    }

    fn run(&self, arguments: &[OsString]) -> Result<()> {
        let mut command = Command::new(&self.program);
        if let Some(folder) = &self.libraries {
            // The program looks for LLVM beside the target's libraries; it lies with those of the compiler.
            for variable in ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
                let others = env::var_os(variable).unwrap_or_default();
                let folders = [folder.clone()].into_iter().chain(env::split_paths(&others));
                command.env(variable, env::join_paths(folders)?);
            }
        }
        program::run(command.args(arguments), &self.program.to_string_lossy())
    }
}

/// The objcopy that comes with the compiler.
fn of_toolchain() -> Option<Objcopy> {
    let libraries = sysroot()?.join("lib");
    let targets = fs::read_dir(libraries.join("rustlib")).ok()?;
    let program = targets
        .flatten()
        .flat_map(|target| ["rust-objcopy", "llvm-objcopy"].map(|name| target.path().join("bin").join(name)))
        .filter(|program| program.is_file())
        .max();
    Some(Objcopy { program: program?, libraries: Some(libraries) })
}

/// Where the toolchain is. Cargo names itself to what it runs and lives in it, which saves asking rustc.
fn sysroot() -> Option<PathBuf> {
    let cargo = env::var_os("CARGO").map(PathBuf::from);
    let beside_cargo = cargo.and_then(|cargo| Some(cargo.parent()?.parent()?.to_owned()));
    beside_cargo.filter(|sysroot| sysroot.join("lib/rustlib").is_dir()).or_else(|| {
        let output = Command::new("rustc").args(["--print", "sysroot"]).stdin(Stdio::null()).output().ok()?;
        Some(str::from_utf8(&output.stdout).ok()?.trim_end().into())
    })
}

/// What is done to a binary.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The content of the section that lists its packages.
    pub packages: Option<&'a [u8]>,
    /// Whether symbols and debug information go to a file of their own. The binary needs a build id for that.
    pub split: bool,
}

/// A binary that was worked on. Its files are gone when this is dropped.
#[derive(Debug)]
pub struct Worked {
    _folder: TempPath,
    /// The binary.
    pub binary: PathBuf,
    /// Its debug information, if that was split off.
    pub debug: Option<PathBuf>,
}

/// Makes of `src`, in a temporary folder beside `dest`, the binary that is going to be `dest`.
///
/// # Errors
/// objcopy fails, or what it makes is not what it was asked for. Neither `src` nor `dest` is touched.
pub fn work(objcopy: &Objcopy, src: &Path, dest: &Path, work: Work<'_>) -> Result<Worked> {
    let folder = TempPath::beside(dest)?;
    fs::create_dir(folder.path()).cannot("create the folder", folder.path())?;
    // The debug link holds the name of the file, so that both have their final names from the beginning.
    let name = dest.file_name().with_context(|| format!("{} is not a file name", dest.display()))?;
    let binary = folder.path().join(name);
    let debug = work.split.then(|| folder.path().join(joined(name, SUFFIX)));
    let mut arguments = Vec::new();
    if let Some(debug) = &debug {
        objcopy.run(&["--only-keep-debug".into(), src.into(), debug.into()])?;
        arguments.extend(["--strip-all".into(), joined("--add-gnu-debuglink=", debug)]);
    }
    match work.packages {
        Some(packages) => {
            let list = folder.path().join("packages");
            fs::write(&list, packages).cannot("write", &list)?;
            arguments.push(joined("--remove-section=", audit::SECTION));
            arguments.push(joined(format!("--add-section={}=", audit::SECTION), list));
        }
        None => arguments.push(joined("--keep-section=", audit::SECTION)),
    }
    arguments.extend([src.into(), binary.clone().into()]);
    objcopy.run(&arguments)?;
    check(src, &binary, debug.as_deref(), work.packages)?;
    Ok(Worked { _folder: folder, binary, debug })
}

/// The build id of a binary.
///
/// # Errors
/// It cannot be read, or is no ELF file.
pub fn build_id(binary: &Path) -> Result<Option<Vec<u8>>> {
    let mut file = File::open(binary).cannot("open", binary)?;
    let id = Sections::read(&mut file).and_then(|sections| sections.build_id(&mut file));
    id.cannot("read", binary)
}

fn check(src: &Path, binary: &Path, debug: Option<&Path>, packages: Option<&[u8]>) -> Result<()> {
    if let Some(debug) = debug {
        let id = build_id(src)?;
        let is_same = id.is_some() && build_id(binary)? == id && build_id(debug)? == id;
        ensure!(is_same, "objcopy did not give {} and its debug information one build id", src.display());
    }
    if let Some(packages) = packages {
        let mut file = File::open(binary).cannot("open", binary)?;
        let sections = Sections::read(&mut file).cannot("read", binary)?;
        let Some(section) = sections.get(audit::SECTION) else {
            bail!(
                "objcopy could not put the list of packages into {}; is it packed, or without section headers?",
                src.display()
            );
        };
        let content = section.content(&mut file).cannot("read", binary)?;
        ensure!(content == packages, "objcopy put another list of packages into {}", src.display());
    }
    Ok(())
}

fn joined(first: impl Into<OsString>, second: impl AsRef<OsStr>) -> OsString {
    let mut text = first.into();
    text.push(second);
    text
}
