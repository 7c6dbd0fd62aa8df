//! A database that is a server.

use std::time::{Duration, Instant};

use app::config::Database;
use app::db::{BACKEND, Db, OpenError};

use super::settings;
use crate::support::database::TestDatabase;

/// Where nothing listens: bound and closed again.
fn unused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_and_named_without_the_password() {
    let url = format!("{BACKEND}://user:hunter2@127.0.0.1:{}/notes", unused_port());
    let started = Instant::now();
    let error = Db::open(&settings(&url)).await.unwrap_err();
    assert!(matches!(error, OpenError::Open { .. }), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("cannot open the database 127.0.0.1:"), "{message}");
    assert!(message.contains("/notes: ") && message.contains("refused"), "{message}");
    assert!(!message.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{message}");
    // 100 ms and 200 ms would go beyond 300 ms.
    assert!((100..2000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_comes_up_late_is_waited_for() {
    let database = TestDatabase::create();
    let (_, address) = database.url.rsplit_once('@').unwrap();
    let server = address.split(['/', '?']).next().unwrap().to_owned();
    let port = unused_port();
    let late = Database {
        connect_timeout: Duration::from_secs(10),
        ..settings(&database.url.replace(&server, &format!("127.0.0.1:{port}")))
    };
    let comes_up = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(&server).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
    };
    let (opened, ()) = tokio::join!(Db::open(&late), comes_up);
    opened.unwrap();
}

/// How it fails, without being tried again.
pub(super) async fn at_once(settings: Database) -> String {
    let patient = Database { connect_timeout: Duration::from_secs(60), ..settings };
    let opening = tokio::time::timeout(Duration::from_secs(10), Db::open(&patient));
    opening.await.expect("it is tried again").unwrap_err().to_string()
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again() {
    let database = TestDatabase::create();
    let (server, rest) = database.url.split_once("://").unwrap();
    let (_, rest) = rest.rsplit_once('@').unwrap();
    let wrong = format!("{server}://nobody:hunter2@{rest}");
    let error = at_once(settings(&wrong)).await;
    assert!(error.contains("nobody") && !error.contains("hunter2"), "{error}");
}
