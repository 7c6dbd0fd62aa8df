//! Traces that began elsewhere: W3C Trace Context (<https://www.w3.org/TR/trace-context/>).

use axum::http::HeaderMap;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes the span a part of the caller's trace, if the headers name one, and writes the trace's id into it.
pub(crate) fn continue_in(span: &Span, headers: &HeaderMap) {
    if let Some(caller) = caller(headers) {
        span.record("trace_id", caller.trace_id().to_string());
        // An error means that no collector is configured.
        let _ = span.set_parent(Context::new().with_remote_span_context(caller));
    } else {
        let own = span.context().span().span_context().trace_id();
        if own != TraceId::INVALID {
            span.record("trace_id", own.to_string());
        }
    }
}

/// Tells the collector how it ended (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).
pub(crate) fn finish(span: &Span, status: u16) {
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

/// The caller's span; none without a valid `traceparent`.
fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Later versions may have more parts; version 00 has not, and ff never will be one.
    if !is_hex(version, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) {
        return None;
    }
    let state = headers.get("tracestate").and_then(|state| state.to_str().ok()?.parse::<TraceState>().ok());
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        state.unwrap_or_default(),
    );
    context.is_valid().then_some(context)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_callers_are_believed() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", value.parse().unwrap());
            caller(&headers)
        };
        let valid = read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(valid.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(valid.span_id().to_string(), "b7ad6b7169203331");
        assert!(valid.is_sampled() && valid.is_remote());
        assert!(!read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_sampled());
        // A later version, with a part that nobody knows yet.
        assert!(read("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what").is_some());
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
