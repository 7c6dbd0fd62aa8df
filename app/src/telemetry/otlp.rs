//! Traces for a collector: OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! The SDK reads what else there is to set from its own variables, `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER`
//! among them.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Subscriber, warn};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// A collector that does not answer must not hold up the end of the process for longer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What collects spans and sends them, from a thread of its own.
pub(super) fn provider(endpoint: &str) -> SdkTracerProvider {
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/').trim_end_matches("/v1/traces"));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client(ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into()))
        .with_endpoint(url)
        .build();
    // Otherwise the SDK calls it `unknown_service`.
    let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| env!("CARGO_PKG_NAME").to_owned());
    let builder =
        SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(name).build());
    match exporter {
        Ok(exporter) => builder.with_batch_exporter(exporter).build(),
        Err(error) => {
            warn!(%error, endpoint, "traces are not sent");
            builder.build()
        }
    }
}

/// Makes spans of the log's spans.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
}

/// Sends what is left.
pub(super) fn stop(provider: &SdkTracerProvider) {
    if let Err(error) = provider.shutdown_with_timeout(TIMEOUT) {
        warn!(%error, "the last traces were not sent");
    }
}

/// The exporter's thread may block, so a blocking client does, with the one TLS library that the program has anyway.
#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(head, body.to_vec()))?;
        let (head, mut body) = response.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}
