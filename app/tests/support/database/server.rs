use std::env;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use super::execute;

/// Removed when dropped.
pub(super) struct Place {
    server: String,
    name: String,
}

pub(super) fn create() -> (String, Place) {
    static COUNT: AtomicU32 = AtomicU32::new(0);

    let server = env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL must name a server to test with; `cargo xtask check` starts one itself");
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
    on(&server, format!("CREATE DATABASE {name}"));
    let (address, query) = server.split_once('?').unwrap_or((&server, ""));
    let address = &address[..address.rfind('/').unwrap()];
    (format!("{address}/{name}?{query}"), Place { server, name })
}

impl Drop for Place {
    fn drop(&mut self) {
        // template: if "postgres" in backends
        let force = if app::db::BACKEND == "postgres" { " WITH (FORCE)" } else { "" };
        // template: else
        // template: add let force = "";
        // template: end
        on(&self.server, format!("DROP DATABASE {}{force}", self.name));
    }
}

/// Executes a statement on the server. On a thread of its own: the test may be in a runtime.
fn on(server: &str, statement: String) {
    let server = server.to_owned();
    thread::spawn(move || execute(&server, statement)).join().unwrap();
}
