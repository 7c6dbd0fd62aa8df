//! HTTPS by the service itself: served, renewed while it runs, refused when it cannot be used.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use support::{PROMPTLY, Service, app, database::TestDatabase};
use tempfile::TempDir;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// Writes a new self-signed certificate for localhost and its key; gives the certificate.
fn write_certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    made.cert.pem()
}

/// The status and HSTS header that a client gets who trusts this certificate only.
fn get(service: &Service, trusted: &str) -> Result<(u16, String), String> {
    let roots = RootCerts::from(vec![Certificate::from_pem(trusted.as_bytes()).unwrap()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let agent: Agent = Agent::config_builder().tls_config(tls).build().into();
    let port = service.address.rsplit(':').next().unwrap();
    let response =
        agent.get(format!("https://localhost:{port}/notes")).call().map_err(|error| error.to_string())?;
    let hsts = response.headers()["strict-transport-security"].to_str().unwrap().to_owned();
    Ok((response.status().as_u16(), hsts))
}

#[test]
fn a_certificate_is_served_and_renewed_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let first = write_certificate(folder.path());
    let file = |name| folder.path().join(name).display().to_string();
    let database = TestDatabase::create();
    let (certificate, key) = (file("tls.crt"), file("tls.key"));
    let settings =
        [("APP__SERVER__TLS__CERTIFICATE", certificate.as_str()), ("APP__SERVER__TLS__PRIVATE_KEY", &key)];
    let service = Service::start(&database, &settings);
    assert_eq!(get(&service, &first), Ok((200, "max-age=31536000".to_owned())));
    assert_eq!(service.admin("/readyz").0, 200);

    // Half of a renewal, or a broken one, changes nothing.
    fs::write(folder.path().join("tls.crt"), "not a certificate").unwrap();
    thread::sleep(Duration::from_millis(2200));
    assert_eq!(get(&service, &first).unwrap().0, 200);

    let second = write_certificate(folder.path());
    let started = Instant::now();
    while get(&service, &second).is_err() {
        assert!(started.elapsed() < Duration::from_secs(5), "the new certificate is not served");
        thread::sleep(Duration::from_millis(100));
    }
    let error = get(&service, &first).unwrap_err();
    assert!(error.contains("invalid peer certificate"), "{error}");

    // A client that never begins its handshake holds nobody up.
    let _silent = service.send(b"");
    service.signal("TERM");
    let (status, took, log) = service.wait();
    assert_eq!(status.code(), Some(0));
    assert!(took < PROMPTLY, "{took:?}");
    assert_eq!(log.matches("still using the certificate from before").count(), 1, "{log}");
    assert_eq!(log.matches("certificate reloaded").count(), 1, "{log}");
}

#[test]
fn a_bad_certificate_ends_it_with_4_and_the_file() {
    let folder = TempDir::new().unwrap();
    let other = TempDir::new().unwrap();
    write_certificate(folder.path());
    write_certificate(other.path());
    fs::write(folder.path().join("empty"), "").unwrap();
    let other_key = other.path().join("tls.key").display().to_string();
    for (certificate, key, reason) in [
        ("nowhere", "tls.key", "cannot read nowhere: No such file"),
        ("empty", "tls.key", "there is no certificate in it"),
        ("tls.crt", "empty", "empty: "),
        ("tls.crt", "tls.crt", "tls.crt: "),
        ("tls.crt", other_key.as_str(), "keys may not be consistent: KeyMismatch"),
    ] {
        let settings =
            [("APP__SERVER__TLS__CERTIFICATE", certificate), ("APP__SERVER__TLS__PRIVATE_KEY", key)];
        for arguments in [&["--check-config"][..], &["--server.port=0", "--admin.port=0"]] {
            let output = app(folder.path(), &settings).args(arguments).output().unwrap();
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(4), "{complaint}");
            assert!(
                complaint.starts_with(&format!("app: cannot use the certificate {certificate}: ")),
                "{complaint}"
            );
            assert!(complaint.contains(reason), "{reason} is not in: {complaint}");
        }
    }
}
