//! The server, from its start to its end.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use xtask_kitchen::place::{Lock, Place, Running};
use xtask_kitchen::run::{Cook, Settings, choices};
use xtask_kitchen::store::Store;
use xtask_kitchen::web::{App, Hosts, STREAMS, Secrets, router};

use crate::flags::KitchenFlags;

/// Serves until SIGINT or SIGTERM. Then the builds that run are ended as well.
///
/// # Errors
/// When another Kitchen of the project runs, the port is taken, or config/pipeline.toml has a mistake.
pub(crate) fn serve(place: &Place, flags: &KitchenFlags) -> Result<()> {
    let lock = place.lock()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the server")?;
    let served = runtime.block_on(run(place, lock, flags));
    // Streams that are open, and files that are read, are nothing to wait for.
    runtime.shutdown_background();
    served
}

async fn run(place: &Place, mut lock: Lock, flags: &KitchenFlags) -> Result<()> {
    let settings = Settings { at_once: usize::from(flags.at_once), ..Settings::default() };
    let choices = choices(&settings.cargo, place.root()).await?;
    let store = Store::open(place).await?;
    let cook = Cook::new(place.clone(), store.clone(), choices, settings);
    cook.tidy().await?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await;
    let listener = listener.with_context(|| format!("port {} is taken; --port names another", flags.port))?;
    let port = listener.local_addr().context("the port")?.port();
    let secrets = Arc::new(Secrets::new(&place.key())?);
    let url = format!("http://127.0.0.1:{port}");
    let entrance = format!("{url}/enter#{}", secrets.token()?);
    lock.tell(&Running { pid: std::process::id(), url: url.clone() })?;

    let (stop, stopped) = watch::channel(false);
    let app = App {
        cook: cook.clone(),
        secrets,
        hosts: Arc::new(Hosts::new(port, &[], false)),
        streams: Arc::new(Semaphore::new(STREAMS)),
    };
    let server = tokio::spawn(async move { axum::serve(listener, router(app)).await });
    let work = tokio::spawn(async move { cook.work(stopped).await });
    say(&format!(
        "Kitchen is open at {entrance}\nThe address lets one browser in. Ctrl-C closes Kitchen and ends its builds."
    ));
    if flags.open {
        open(&entrance);
    }
    until_asked_to_stop().await?;
    stop.send_replace(true);
    work.await.context("the cook")??;
    server.abort();
    store.close().await;
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
