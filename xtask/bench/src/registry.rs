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
