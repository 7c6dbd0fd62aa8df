//! The server, from its start to its end.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use xtask_kitchen::place::{Lock, Place, Running};
use xtask_kitchen::run::{Cook, Keep, Settings, choices};
use xtask_kitchen::store::Store;
use xtask_kitchen::web::{App, STREAMS, Secrets, router};

use crate::ask;
use crate::flags::KitchenFlags;
use crate::listen::Door;

/// Serves until SIGINT or SIGTERM. Then the builds that run are ended as well. Where another Kitchen of the project runs, a
/// browser can be let into that one instead.
///
/// # Errors
/// When another Kitchen of the project runs, the port is taken, or config/pipeline.toml has a mistake.
pub(crate) fn serve(place: &Place, flags: &KitchenFlags) -> Result<()> {
    if flags.open && place.running().is_some() {
        return let_in(&ask::entrance(place)?);
    }
    let lock = place.lock()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the server")?;
    let served = runtime.block_on(run(place, lock, flags));
    // Streams that are open, and files that are read, are nothing to wait for.
    runtime.shutdown_background();
    served
}

async fn run(place: &Place, mut lock: Lock, flags: &KitchenFlags) -> Result<()> {
    let all = Keep::default();
    let keep = Keep {
        days: flags.keep.days.unwrap_or(all.days),
        builds: flags.keep.builds.unwrap_or(all.builds),
        bytes: flags.keep.size.map_or(all.bytes, |size| u64::from(size) << 20),
    };
    let settings = Settings { at_once: usize::from(flags.at_once), keep, ..Settings::default() };
    let choices = choices(&settings.cargo, place.root()).await?;
    let store = Store::open(place).await?;
    let cook = Cook::new(place.clone(), store.clone(), choices, settings);
    cook.tidy().await?;

    let here = Door::here(flags.port).await?;
    let others = Door::for_others(flags).await?;
    let secrets = Arc::new(Secrets::new(&place.key())?);
    lock.tell(&Running { pid: std::process::id(), url: here.url.clone() })?;
    let streams = Arc::new(Semaphore::new(STREAMS));
    let entrance = secrets.entrance(&here.url)?;
    say(&format!("Kitchen is open at {entrance}"));
    let mut servers = Vec::new();
    for door in [Some(here), others].into_iter().flatten() {
        if !servers.is_empty() {
            say(&format!("and for others at {}", secrets.entrance(&door.url)?));
        }
        let hosts = Arc::new(door.hosts.clone());
        let app = App { cook: cook.clone(), secrets: secrets.clone(), hosts, streams: streams.clone() };
        servers.push(door.serve(router(app)));
    }
    say("An address lets one browser in. Ctrl-C closes Kitchen and ends its builds.");
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(async move { cook.work(stopped).await });
    if flags.open {
        open(&entrance);
    }
    until_asked_to_stop().await?;
    stop.send_replace(true);
    work.await.context("the cook")??;
    servers.iter().for_each(JoinHandle::abort);
    store.close().await;
    Ok(())
}

/// Opens a Kitchen that runs already.
fn let_in(entrance: &str) -> Result<()> {
    say(&format!("Kitchen runs already, and is open at {entrance}\nThe address lets one browser in."));
    open(entrance);
    Ok(())
}

async fn until_asked_to_stop() -> Result<()> {
    let [mut interrupt, mut terminate, mut hangup] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let cannot = "cannot handle signals";
    let (interrupt, terminate, hangup) = (
        interrupt.as_mut().ok().context(cannot)?,
        terminate.as_mut().ok().context(cannot)?,
        hangup.as_mut().ok().context(cannot)?,
    );
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
    Ok(())
}

/// Opens a page in whatever browser the user has. Where there is none, the address is on the terminal all the same.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.spawn().is_err() {
        say(&format!("`{program}` is not there: open the address yourself."));
    }
}

/// Writes lines for people.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
