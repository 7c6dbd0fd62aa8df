//! A client for one connection that knows how far each request got.
//!
//! Clients made for applications hide what is measured here: they retry, and report a request that never left like one
//! whose answer did not come. Wanted is just enough of HTTP/1.1 for answers that give their length or end the connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything that the service may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The header line of a body in JSON.
pub(crate) const JSON: &str = "content-type: application/json\r\n";

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A request without a body.
    pub(crate) fn get(path: &str) -> Request {
        Request::new("GET", path, "", "")
    }

    /// A request that deletes whatever version there is.
    pub(crate) fn delete(path: &str) -> Request {
        Request::new("DELETE", path, "", "")
    }

    /// A request that creates a note.
    pub(crate) fn create(title: &str) -> Request {
        let body = serde_json::json!({ "title": title, "body": "x".repeat(200) }).to_string();
        Request::new("POST", "/notes", JSON, &body)
    }

    /// Any request. Header lines end with `\r\n`; that of the body's length is none of them.
    pub(crate) fn new(method: &str, path: &str, headers: &str, body: &str) -> Request {
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head = format!("{method} {path} HTTP/1.1\r\nhost: soak\r\n{headers}{length}\r\n");
        Request([head, body.to_owned()].concat().into_bytes())
    }

    /// What goes over the wire.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status code.
    pub(crate) status: u16,
    /// Its header, as it came.
    pub(crate) head: String,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether the server is about to close the connection.
    fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// How far a request got that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There was no connection to send it over: trying again is safe.
    Refused,
    /// The connection was closed before all of it was sent: trying again is safe.
    NotSent,
    /// All of it was sent, and no answer came.
    Dropped,
}

/// A client. It connects when there is something to send, and keeps the connection until the server closes it.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client that is not connected yet.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address, connection: None }
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn call(&mut self, request: &Request) -> Result<Answer, Failure> {
        let mut stream = match self.connection.take().filter(is_open) {
            Some(stream) => stream,
            None => connect(self.address).await.map_err(|_| Failure::Refused)?,
        };
        stream.write_all(request.bytes()).await.map_err(|_| Failure::NotSent)?;
        let answer = match timeout(PATIENCE, read_answer(&mut stream)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => return Err(Failure::Dropped),
        };
        if !answer.is_last() {
            self.connection = Some(stream);
        }
        Ok(answer)
    }
}

/// Makes one request on a connection of its own.
///
/// # Errors
/// When no answer comes.
pub(crate) async fn call(address: SocketAddr, request: &Request) -> Result<Answer> {
    match Client::new(address).call(request).await {
        Ok(answer) => Ok(answer),
        Err(failure) => bail!("no answer from {address}: {failure:?}"),
    }
}

/// Makes one request that has to succeed.
///
/// # Errors
/// When it does not, with what the answer said.
pub(crate) async fn succeed(address: SocketAddr, request: &Request) -> Result<Answer> {
    let answer = call(address, request).await?;
    if !(200..300).contains(&answer.status) {
        bail!("{} from {address}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(answer)
}

/// Connects; what is written is sent at once.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether the server has not closed the connection since the last answer. Nothing else can have come meanwhile.
fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Reads an answer with its body.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Result<Answer> {
    let mut answer = read_head(stream).await?;
    let length = answer.header("content-length").map(str::parse::<usize>).transpose()?;
    match length {
        // These have no body, whatever their header says.
        _ if [204, 304].contains(&answer.status) => {}
        None if answer.is_last() => {
            stream.read_to_end(&mut answer.body).await?;
        }
        None => bail!("an answer without its length"),
        Some(length) => {
            let came = answer.body.len();
            if came > length {
                bail!("an answer longer than it says");
            }
            answer.body.resize(length, 0);
            stream.read_exact(&mut answer.body[came..]).await?;
        }
    }
    Ok(answer)
}

/// Reads an answer up to the end of its header, and as much of its body as came along.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Result<Answer> {
    const END: &[u8] = b"\r\n\r\n";
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = bytes.windows(END.len()).position(|window| window == END) {
            let body = bytes.split_off(end + END.len());
            let head = String::from_utf8(bytes).context("a header that is no text")?;
            let status = head.split(' ').nth(1).context("no status")?.parse()?;
            return Ok(Answer { status, head, body });
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            bail!("the connection was closed within an answer");
        }
    }
}
