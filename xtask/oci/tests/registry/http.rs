//! As much of HTTP/1.1 as the tests need: heads are read and written, bodies are counted out.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpStream};

/// The first line and the headers of a request or an answer.
#[derive(Clone, Debug)]
pub struct Head {
    first: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// An answer with this status, such as `404 Not Found`.
    pub fn answer(status: &str) -> Head {
        Head { first: format!("HTTP/1.1 {status}"), headers: Vec::new() }
    }

    /// The next head of a connection, or nothing where it ends.
    pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Head>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            lines.push(line.to_owned());
        }
        let mut lines = lines.into_iter();
        let first = lines.next().ok_or(io::ErrorKind::InvalidData)?;
        let header = |line: String| line.split_once(':').map(|(n, v)| (n.to_owned(), v.trim().to_owned()));
        Ok(Some(Head { first, headers: lines.filter_map(header).collect() }))
    }

    pub fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        stream.write_all(self.text().as_bytes())
    }

    pub fn text(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{}\r\n{}\r\n", self.first, headers.collect::<String>())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Head {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// How long the body is, if the head says so.
    pub fn length(&self) -> Option<u64> {
        self.get("content-length")?.parse().ok()
    }

    pub fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// What is asked for, with its query.
    pub fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// The same request for something else.
    pub fn with_target(mut self, target: &str) -> Head {
        self.first = format!("{} {target} HTTP/1.1", self.method());
        self
    }

    pub fn status(&self) -> u16 {
        self.target().parse().unwrap_or(0)
    }
}

/// Asks a server for something, on a connection of its own.
pub fn ask(server: SocketAddr, method: &str, target: &str, body: &[u8]) -> io::Result<(Head, Vec<u8>)> {
    let stream = TcpStream::connect(server)?;
    let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
    let head = Head { first: format!("{method} {target} HTTP/1.1"), headers: Vec::new() };
    let head = head.with("Host", server).with("Connection", "close").with("Accept", accept);
    head.with("Content-Length", body.len()).write(&mut &stream)?;
    (&stream).write_all(body)?;
    let mut stream = BufReader::new(stream);
    let answer = Head::read(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut body = Vec::new();
    if method != "HEAD" {
        stream.read_to_end(&mut body)?;
    }
    Ok((answer, body))
}
