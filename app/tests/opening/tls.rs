//! A server that insists on TLS.

use app::db::Db;

use super::place::at_once;
use super::settings;
use crate::support::database::TestDatabase;

/// The server must have a certificate by the authority in `TEST_DATABASE_CA`.
#[tokio::test]
async fn with_tls_required_a_certificate_of_another_authority_is_refused() {
    let file =
        |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} must name a file with a certificate"));
    let database = TestDatabase::create();
    let (url, _) = database.url.split_once('?').unwrap();
    let with = |ca: String| settings(&format!("{url}?sslmode=verify-full&sslrootcert={ca}"));

    Db::open(&with(file("TEST_DATABASE_CA"))).await.unwrap().check().await.unwrap();
    let error = at_once(with(file("TEST_DATABASE_OTHER_CA"))).await;
    assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
    // Not among the authorities that browsers trust either.
    let error = Db::open(&settings(&format!("{url}?sslmode=verify-full"))).await.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
}
