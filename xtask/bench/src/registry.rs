//! A registry on this machine, as far as pushes and pulls need one: the
//! [distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md) without
//! authentication, lists and deletion. It believes what digests it is told of blobs: what is measured are its clients.

mod http;
mod store;

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};

use http::{Answer, Request};
pub(crate) use store::Store;

/// A running registry. Its threads end with their connections.
pub(crate) struct Registry {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What was pushed.
    pub(crate) store: Arc<Store>,
}

impl Registry {
    /// One that keeps blobs in `folder`.
    ///
    /// # Errors
    /// When there is no port, or no such folder can be made.
    pub(crate) fn start(folder: &Path) -> Result<Registry> {
        let store = Arc::new(Store::new(folder)?);
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr().context("cannot listen")?;
        let shared = Arc::clone(&store);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let store = Arc::clone(&shared);
                // A client that goes away is its own business.
                thread::spawn(move || drop(serve(&client, &store)));
            }
        });
        Ok(Registry { address, store })
    }
}

fn serve(client: &TcpStream, store: &Store) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 * 1024, client);
    while let Some(mut request) = Request::read(&mut reader, client)? {
        let answer = answer(&mut request, store)?;
        let is_head = request.method == "HEAD";
        request.finish()?;
        let mut client = client;
        client.write_all(answer.head().as_bytes())?;
        if !is_head {
            answer.write_body(&mut client)?;
        }
    }
    Ok(())
}

fn answer(request: &mut Request<'_, '_>, store: &Store) -> std::io::Result<Answer> {
    let path = request.path.clone();
    let Some(path) = path.strip_prefix("/v2/") else { return Ok(Answer::status(404)) };
    if path.is_empty() {
        return Ok(Answer::status(200));
    }
    if let Some((name, rest)) = path.split_once("/blobs/uploads/") {
        return store.upload(request, name, rest);
    }
    if let Some((_, digest)) = path.split_once("/blobs/") {
        return Ok(store.blob(digest));
    }
    match path.split_once("/manifests/") {
        Some((name, reference)) if request.method == "PUT" => store.put_manifest(request, name, reference),
        Some((name, reference)) => Ok(store.manifest(name, reference)),
        None => Ok(Answer::status(404)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::Shutdown;

    use super::*;

    /// Sends `text` and reads to the end.
    fn say(registry: &Registry, text: &[u8]) -> String {
        let mut stream = TcpStream::connect(registry.address).unwrap();
        stream.write_all(text).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn an_image_is_pushed_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path()).unwrap();
        let put = |head: &str, body: &str| {
            say(
                &registry,
                format!("{head} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
            )
        };
        // Whole, and in pieces, of which one is chunked.
        assert!(put("POST /v2/a/b/blobs/uploads/?digest=sha256%3A1", "one").starts_with("HTTP/1.1 201 "));
        let begun = put("POST /v2/a/b/blobs/uploads/", "");
        let location = begun.split("Location: ").nth(1).unwrap().lines().next().unwrap();
        let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n2\r\n!!\r\n0\r\n\r\n";
        let answer = say(&registry, format!("PATCH {location} HTTP/1.1\r\n{chunked}").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 202 ") && answer.contains("Range: 0-4"), "{answer}");
        assert!(put(&format!("PUT {location}?digest=sha256:2"), "").starts_with("HTTP/1.1 201 "));
        assert!(put("GET /v2/a/b/blobs/sha256:2", "").ends_with("\r\n\r\ntwo!!"));
        assert!(put("HEAD /v2/a/b/blobs/sha256:2", "").contains("Content-Length: 5\r\n"));
        assert!(put("GET /v2/a/b/blobs/sha256:3", "").starts_with("HTTP/1.1 404 "));
        assert!(put("POST /v2/c/blobs/uploads/?mount=sha256:1&from=a/b", "").starts_with("HTTP/1.1 201 "));

        let manifest = r#"{"layers": [{"size": 3}, {"size": 5}]}"#;
        assert!(put("PUT /v2/a/b/manifests/latest", manifest).contains("Docker-Content-Digest: sha256:"));
        assert_eq!(registry.store.layers("a/b", "latest", "amd64").unwrap(), [3, 5]);
        assert!(registry.store.layers("a/b", "next", "amd64").is_err());
    }

    #[test]
    fn who_begins_with_tls_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path()).unwrap();
        assert!(say(&registry, b"\x16\x03\x01\x02\x00\x01").starts_with("HTTP/1.1 400 "));
    }
}
