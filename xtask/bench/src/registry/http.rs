//! HTTP/1.1, as far as clients of registries speak it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A request, whose body is still to be read.
pub(crate) struct Request<'a, 'b> {
    /// The method, such as `PUT`.
    pub(crate) method: String,
    /// The path without its query.
    pub(crate) path: String,
    /// The query's values by their names, decoded.
    pub(crate) query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    reader: &'a mut BufReader<&'b TcpStream>,
    is_read: bool,
}

impl<'a, 'b> Request<'a, 'b> {
    /// Reads the next one; none when the client has gone. One that waits for leave to go on gets it.
    pub(crate) fn read(
        reader: &'a mut BufReader<&'b TcpStream>,
        mut client: &TcpStream,
    ) -> io::Result<Option<Request<'a, 'b>>> {
        match reader.fill_buf()?.first() {
            None => return Ok(None),
            Some(byte) if !byte.is_ascii_uppercase() => return refuse(reader, client),
            Some(_) => {}
        }
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
                None => break,
            };
        }
        if headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        Ok(Some(Request { method, path, query, headers, reader, is_read: false }))
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Copies the body to `to`.
    pub(crate) fn body_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.is_read = true;
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return self.chunks_to(to);
        }
        let length = self.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        copy(self.reader, length, to)
    }

    fn chunks_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            let length = line.trim().split(';').next().unwrap_or_default();
            let length =
                u64::from_str_radix(length, 16).map_err(|_| Error::other("a chunk without a length"))?;
            copy(self.reader, length, to)?;
            self.reader.read_line(&mut String::new())?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Reads what is left of the body, so that the next request can be read.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.is_read { Ok(()) } else { self.body_to(&mut io::sink()) }
    }
}

/// Tells a client that begins with TLS, as Docker does, that this is plain HTTP: it tries that next.
fn refuse<'a, 'b>(
    reader: &mut BufReader<&'b TcpStream>,
    mut client: &TcpStream,
) -> io::Result<Option<Request<'a, 'b>>> {
    let length = reader.buffer().len();
    reader.consume(length);
    client.write_all(b"HTTP/1.1 400 -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    client.shutdown(Shutdown::Write)?;
    // Closed with bytes unread, the answer would be lost.
    client.set_read_timeout(Some(Duration::from_secs(1)))?;
    let _ = io::copy(reader, &mut io::sink());
    Ok(None)
}

fn copy(from: &mut impl Read, length: u64, to: &mut impl Write) -> io::Result<()> {
    let copied = io::copy(&mut from.take(length), to)?;
    if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Percent-encoding taken away.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| (byte? as char).to_digit(16);
        plain.push(match byte {
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(b'?'),
                _ => b'?',
            },
            byte => byte,
        });
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Text(Vec<u8>),
    File(File, u64),
}

impl Answer {
    /// One without a body.
    pub(crate) fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Body::Text(Vec::new()) }
    }

    /// With a header more.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// With this body.
    pub(crate) fn text(self, text: Vec<u8>) -> Answer {
        Answer { body: Body::Text(text), ..self }
    }

    /// With a file of this length as its body.
    pub(crate) fn file(self, file: File, length: u64) -> Answer {
        Answer { body: Body::File(file, length), ..self }
    }

    /// The status line and the headers.
    pub(crate) fn head(&self) -> String {
        let length = match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::File(_, length) => *length,
        };
        let mut head = format!("HTTP/1.1 {} -\r\nContent-Length: {length}\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "Docker-Distribution-API-Version: registry/2.0\r\n\r\n"
    }

    /// Sends the body.
    pub(crate) fn write_body(self, to: &mut impl Write) -> io::Result<()> {
        match self.body {
            Body::Text(text) => to.write_all(&text),
            Body::File(file, length) => copy(&mut BufReader::new(file), length, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decoded("sha256%3Aab%2f"), "sha256:ab/");
        assert_eq!(decoded("100%"), "100?");
    }
}
