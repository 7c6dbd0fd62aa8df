//! Requests made up from the OpenAPI document by Schemathesis (<https://schemathesis.readthedocs.io>): good, bad and
//! absurd ones. Whatever comes, the answer is one that the document describes, and never a server error.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use support::{Service, database::TestDatabase};

/// At least so many requests have to be made for the test to mean something.
const ENOUGH: u32 = 500;

#[test]
#[ignore = "needs schemathesis: pip install schemathesis, then cargo test -p app --test fuzz -- --ignored"]
fn no_request_gets_an_answer_that_is_not_described() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("RUST_LOG", "info")]);
    let folder = tempfile::TempDir::new().unwrap();
    let output = Command::new("schemathesis")
        .args(["run", &format!("http://{}/openapi.json", service.address), "--no-color", "--max-examples=100"])
        .args(["--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        // The stream of changes has no end to wait for.
        .args(["--exclude-path=/notes/events", "--warnings=off"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));

    let made =
        report.split_once(" generated").and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    assert!(made.is_some_and(|made: u32| made >= ENOUGH), "{made:?} requests: {report}");
    let (_, metrics) = service.admin("/metrics");
    assert!(!metrics.contains("status=\"5"), "{metrics}");
}
