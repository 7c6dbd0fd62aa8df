//! Logs on stderr, and traces for a collector where one is configured.

mod otlp;
pub(crate) mod trace;

use std::{
    env,
    io::{self, IsTerminal},
};

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    Layer,
    field::MakeExt,
    filter::Targets,
    fmt::format::{FormatFields, debug_fn},
    layer::SubscriberExt,
    registry,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, Settings};

/// Sends what is left of the traces when dropped.
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Starts logging for the whole process; when something logs already, that stays in charge.
pub fn start(settings: &Settings) -> Telemetry {
    let filter = settings.log.filter.clone();
    let provider = settings.otlp.endpoint.as_deref().map(otlp::provider);
    // An error here means a subscriber is already set, as it may be in a test.
    let _ = match &provider {
        None => registry().with(filter).with(printer(settings.log.format)).try_init(),
        Some(provider) => {
            // The service's own requests, whatever is logged: not what its libraries do, the exporter least of all.
            let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
            registry()
                .with(otlp::layer(provider).with_filter(ours))
                .with(printer(settings.log.format).with_filter(filter))
                .try_init()
        }
    };
    Telemetry(provider)
}

/// Colours for people at a terminal, plain lines or JSON for everything else.
fn printer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match format {
        LogFormat::Pretty if io::stderr().is_terminal() && !no_color => lines.compact().boxed(),
        // The same without the machinery of colours, which costs as much as all else in a line even when it is off.
        LogFormat::Pretty => lines.compact().with_ansi(false).fmt_fields(plain_fields()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

fn plain_fields() -> impl for<'writer> FormatFields<'writer> + 'static {
    let plain = debug_fn(|line, field, value| match field.name() {
        "message" => write!(line, "{value:?}"),
        name => write!(line, "{name}={value:?}"),
    });
    plain.delimited(" ")
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            otlp::stop(provider);
        }
    }
}
