//! What the service counts and measures, for Prometheus (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use std::{
    fs,
    sync::{Arc, OnceLock},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::db::{self, Db};

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// In seconds; from a read out of memory to the longest that a request may take.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The metrics of the process; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Request, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    rejected: Counter,
    connections: Gauge,
    idle_connections: Gauge,
    memory: Gauge,
    db: OnceLock<Db>,
}

/// What requests are told apart by. The route, not the path: paths are without number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All of them, at zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let requests: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let [in_flight, connections, idle_connections, memory] = std::array::from_fn(|_| Gauge::default());
        let rejected = Counter::default();
        let build = [("version", env!("CARGO_PKG_VERSION")), ("backend", db::BACKEND)];

        registry.register("build", "What runs", Info::new(build));
        registry.register_with_unit(
            "http_request_duration",
            "Requests, until the header of the answer",
            Unit::Seconds,
            requests.clone(),
        );
        registry.register("http_requests_in_flight", "Requests being handled", in_flight.clone());
        registry.register(
            "http_requests_rejected",
            "Requests beyond the limit, answered 503",
            rejected.clone(),
        );
        registry.register("db_connections", "Open connections to the database", connections.clone());
        registry.register("db_connections_idle", "Those of them not in use", idle_connections.clone());
        registry.register_with_unit(
            "process_resident_memory",
            "Memory of the process",
            Unit::Bytes,
            memory.clone(),
        );
        let db = OnceLock::new();
        Self(Arc::new(Inner {
            registry,
            requests,
            in_flight,
            rejected,
            connections,
            idle_connections,
            memory,
            db,
        }))
    }

    /// From now on, the connections to this database are counted.
    pub fn watch(&self, db: Db) {
        // It is opened once in the life of the service.
        let _ = self.0.db.set(db);
    }

    /// Counts a request as being handled until the guard is dropped, whatever becomes of it.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let request = Request { method, route: route.to_owned(), status };
        self.0.requests.get_or_create(&request).observe(took.as_secs_f64());
    }

    pub(crate) fn rejected(&self) {
        self.0.rejected.inc();
    }

    /// All metrics as text.
    pub fn render(&self) -> String {
        if let Some(db) = self.0.db.get() {
            self.0.connections.set(db.pool().size().into());
            self.0.idle_connections.set(i64::try_from(db.pool().num_idle()).unwrap_or(i64::MAX));
        }
        if let Some(bytes) = resident_memory() {
            self.0.memory.set(bytes);
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }
}

/// A request being handled.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// `VmRSS` in bytes; none where there is no /proc.
fn resident_memory() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
