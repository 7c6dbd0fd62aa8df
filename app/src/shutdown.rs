//! The signal to stop, for everyone who has to know of it.

use std::{io, process};

use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Tells whether, and waits until, the service is asked to stop. Clones see the same request.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Listens for SIGTERM and SIGINT from now on: the first asks to stop, the second ends the process at once.
    ///
    /// The first process of a container gets no default handlers from the kernel: unless a program handles SIGTERM
    /// itself, it is ignored until the container is killed.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (ask, shutdown) = Self::by_hand();

        tokio::spawn(async move {
            let mut next = async || {
                select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let signal = next().await;
            tracing::info!(signal, "stopping");
            ask.send_replace(true);
            let signal = next().await;
            tracing::warn!(signal, "ending at once");
            process::exit(1);
        });
        Ok(shutdown)
    }

    /// A request to stop that the caller makes by sending `true`; dropping the sender makes it too.
    pub fn by_hand() -> (watch::Sender<bool>, Self) {
        let (ask, asked) = watch::channel(false);
        (ask, Self(asked))
    }

    /// Whether the service has been asked to stop.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the service is asked to stop; at once if it already has been.
    pub async fn requested(mut self) {
        // An error means that the sender is gone: nobody could ask any more, so it counts as asked.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
