//! How much of the history is kept: builds by age and count, their logs also by size.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::clock;
use crate::place::Place;
use crate::store::Store;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How much is kept. What waits or runs always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days since a build has ended.
    pub days: u32,
    /// Builds.
    pub builds: u32,
    /// Bytes of the whole folder. Logs go, and not the rest of what is known of a build.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { days: 90, builds: 10_000, bytes: 2 << 30 }
    }
}

/// Removes what is too old or too much, and the files of builds that are not known any more.
pub(super) async fn retain(store: &Store, place: &Place, keep: Keep) -> Result<()> {
    store.forget(clock::now() - i64::from(keep.days) * DAY, keep.builds).await?;
    let files = {
        let place = place.clone();
        tokio::task::spawn_blocking(move || files(&place.logs())).await.context("the logs")??
    };
    // Asked after the files were listed: whatever began in between has its files and its build.
    let ended = store.ended().await?;
    let place = place.clone();
    let removed = tokio::task::spawn_blocking(move || remove(&place, files, &ended, keep.bytes)).await;
    removed.context("the logs")?
}

/// The files of each build, with their sizes.
fn files(logs: &Path) -> Result<BTreeMap<i64, Vec<(PathBuf, u64)>>> {
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for entry in fs::read_dir(logs).context("cannot read the folder of logs")?.flatten() {
        let name = entry.file_name();
        let build = name.to_str().and_then(|name| name.split_once('.')?.0.parse().ok());
        if let (Some(build), Ok(metadata)) = (build, entry.metadata()) {
            files.entry(build).or_default().push((entry.path(), metadata.len()));
        }
    }
    Ok(files)
}

fn remove(
    place: &Place,
    files: BTreeMap<i64, Vec<(PathBuf, u64)>>,
    ended: &BTreeMap<i64, bool>,
    bytes: u64,
) -> Result<()> {
    let others = [place.folder(), place.spool()].iter().map(|folder| size_of_files(folder)).sum::<u64>();
    let mut total = others + files.values().flatten().map(|(_, size)| size).sum::<u64>();
    for (build, files) in files {
        let is_needed = match ended.get(&build) {
            None => false,
            Some(has_ended) => !has_ended || total <= bytes,
        };
        if is_needed {
            continue;
        }
        for (path, size) in files {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            total -= size;
        }
    }
    Ok(())
}

/// The size of the files in a folder, without those in folders within.
fn size_of_files(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok().filter(fs::Metadata::is_file))
        .map(|file| file.len())
        .sum()
}
