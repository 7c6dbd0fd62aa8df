//! The engine alone, at layers of any size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::bench::Bench;
use crate::command::command;
use crate::field::Field;
use crate::platform::architecture;

/// A program that an image can begin with, as an engine looks at it; nobody starts it.
const PROGRAM: &str = "void _start(void) { for (;;); }\n";

/// xtask-oci, and a folder for what it makes.
pub(super) struct Engine {
    program: PathBuf,
    folder: PathBuf,
}

impl Engine {
    /// Builds it in galley's clone, and makes a folder of the name `note`.
    ///
    /// # Errors
    /// When it cannot be built, or there is no C compiler.
    pub(super) fn build(bench: &Bench, field: &Field, note: &str) -> Result<Engine> {
        let project = &field.galley()?.project;
        let mut build = command("cargo", project.folder());
        build.args(["build", "--quiet", "--locked", "--package", "xtask-oci"]);
        bench.runner.run(build)?;
        let folder = bench.folder.join(note);
        fs::create_dir(&folder).context("cannot make a folder")?;
        fs::write(folder.join("start.c"), PROGRAM).context("cannot write a program")?;
        let mut compile = command("cc", &folder);
        compile.args(["-static", "-nostdlib", "-o", "start", "start.c"]);
        bench.runner.run(compile)?;
        Ok(Engine { program: project.folder().join("target/debug/xtask-oci"), folder })
    }

    /// Where it works.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What makes a layer of the folder `tree`: tar, SHA-256 of both, compression, all written to the disk.
    ///
    /// # Errors
    /// When there can be no file that says so.
    pub(super) fn layer(&self, tree: &Path, compression: &str) -> Result<Command> {
        let spec = json!({
            "base": "scratch", "tags": [], "created": 0, "compression": compression, "labels": {}, "outputs": [],
            "config": {"user": "0:0", "entrypoint": ["/start"], "env": {}, "ports": [], "workdir": "/",
                       "stop_signal": "SIGTERM"},
            "platforms": {format!("linux/{}", architecture()): [
                {"name": "tree", "files": [{"src": tree, "dest": "/tree"}, {"src": "start", "dest": "/start"}]},
            ]},
        });
        fs::write(self.folder.join("spec.json"), spec.to_string()).context("cannot write what to make")?;
        let mut command = command(&self.program.to_string_lossy(), &self.folder);
        command.args(["image", "--cache", "cache", "spec.json"]);
        Ok(command)
    }

    /// How many bytes the layer has that was made last.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn size(&self) -> Result<u64> {
        largest(&self.folder.join("cache")).context("the engine has left no layer")
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn forget(&self) -> Result<()> {
        let cache = self.folder.join("cache");
        if cache.exists() { fs::remove_dir_all(cache).context("cannot remove a layer") } else { Ok(()) }
    }
}

/// The size of the largest file in `folder` and below.
fn largest(folder: &Path) -> Option<u64> {
    let sizes = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        if metadata.is_dir() { largest(&entry.path()) } else { Some(metadata.len()) }
    });
    sizes.max()
}
