//! Logs on stderr, and traces for a collector where one is configured.

mod otlp;
pub(crate) mod trace;

use std::{
    env,
    io::{self, IsTerminal},
};

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{Layer, Registry, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat, Settings};

/// Sends what is left of the traces when dropped.
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Starts logging for the whole process; when something logs already, that stays in charge.
pub fn start(settings: &Settings) -> Telemetry {
    let provider = settings.otlp.endpoint.as_deref().map(otlp::provider);
    let traces = provider.as_ref().map(|provider| {
        // The service's own requests: not what its libraries do, the exporter's own work least of all.
        let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), tracing::Level::INFO);
        otlp::layer(provider).with_filter(ours)
    });
    let subscriber = tracing_subscriber::registry().with(traces).with(printer(&settings.log));
    // An error here means a subscriber is already set, as it may be in a test.
    let _ = subscriber.try_init();
    Telemetry(provider)
}

type Inner = tracing_subscriber::layer::Layered<Option<TracesLayer>, Registry>;
type TracesLayer = tracing_subscriber::filter::Filtered<otlp::TraceLayer, Targets, Registry>;

/// Colours for people at a terminal, plain lines or JSON for everything else.
fn printer(settings: &Log) -> impl Layer<Inner> + use<> {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match settings.format {
        LogFormat::Pretty => lines.compact().with_ansi(io::stderr().is_terminal() && !no_color).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    lines.with_filter(settings.filter.clone())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            otlp::stop(provider);
        }
    }
}
