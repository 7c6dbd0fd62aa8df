//! Packs binaries with [UPX](https://upx.github.io), and proves that what comes out still starts.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::Platform;

use crate::atomic::TempPath;
use crate::error::PathContext as _;
use crate::program::{self, on_path};

/// How long a packed binary may take to print its version.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Packs a copy of `src` under a temporary name beside `dest`.
///
/// # Errors
/// UPX is not installed or fails, or the packed binary does not start here. `dest` is not touched.
pub fn pack(src: &Path, dest: &Path, platform: Platform) -> Result<TempPath> {
    ensure!(on_path("upx").is_some(), "upx is not installed (`apt install upx-ucl`)");
    let temp = TempPath::beside(dest)?;
    fs::copy(src, temp.path()).cannot("write", dest)?;
    fs::set_permissions(temp.path(), Permissions::from_mode(0o755)).cannot("make executable", dest)?;
    program::run(Command::new("upx").args(["--best", "--lzma", "-qqq"]).arg(temp.path()), "upx")?;
    check_starts(temp.path(), platform)?;
    Ok(temp)
}

/// Runs `<binary> --version`, through QEMU where the binary is for another machine.
fn check_starts(binary: &Path, platform: Platform) -> Result<()> {
    let binary = fs::canonicalize(binary).cannot("find", binary)?;
    let mut command = if env::consts::OS == "linux" && env::consts::ARCH == platform.rust_arch() {
        Command::new(&binary)
    } else {
        let name = format!("qemu-{}-static", platform.rust_arch());
        ensure!(on_path(&name).is_some(), "whether it still starts cannot be checked without {name}");
        let mut qemu = Command::new(name);
        qemu.arg(&binary);
        qemu
    };
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("the packed binary does not start")?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the packed binary does not start: --version ends with {status}");
            return Ok(());
        }
        if start.elapsed() > START_TIMEOUT {
            child.kill()?;
            child.wait()?;
            bail!(
                "the packed binary does not start: --version takes more than {} s",
                START_TIMEOUT.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(5));
    }
}
