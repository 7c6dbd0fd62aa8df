//! One request through the proxy and its answer, with what goes wrong in between.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::fault::Fault;
use super::http::Head;
use super::login::TOKENS;
use super::proxy::Shared;

const ALL: u64 = u64::MAX;

pub struct Exchange<'a, 'b> {
    pub shared: &'a Shared,
    pub client: &'a TcpStream,
    pub reader: &'a mut BufReader<&'b TcpStream>,
    pub head: Head,
    /// Which of all requests it is.
    pub number: usize,
}

/// What happens to an answer's body on its way back.
struct Change {
    limit: u64,
    /// Whether the head says that there is no more.
    is_honest: bool,
    flip: bool,
    pause: Option<Duration>,
}

const NO_CHANGE: Change = Change { limit: ALL, is_honest: false, flip: false, pause: None };

impl Exchange<'_, '_> {
    /// Says whether the connection may be used again.
    pub fn run(mut self) -> io::Result<bool> {
        if self.head.get("transfer-encoding").is_some() {
            // As those do that want to know how much is to come.
            Head::answer("411 Length Required").with("Content-Length", 0).write(&mut &*self.client)?;
            return self.cut();
        }
        let is_login = self.head.target().starts_with(TOKENS);
        let refusal = if is_login { None } else { self.shared.login.lock().unwrap().refuses(&self.head) };
        if let Some((head, body)) = refusal {
            return self.say(head, &body);
        }
        if let Some(fault) = self.shared.fault(&self.head) {
            return self.suffer(fault);
        }
        if is_login {
            let mut form = Vec::new();
            self.carry(&mut form, ALL, false)?;
            self.head = self.head.clone().with("Content-Length", 0);
            let form = String::from_utf8_lossy(&form).into_owned();
            let (head, body) = self.shared.login.lock().unwrap().issue(&self.head, &form);
            return self.say(head, &body);
        }
        self.go_through(false, &NO_CHANGE)
    }

    fn suffer(mut self, fault: Fault) -> io::Result<bool> {
        match fault {
            Fault::Answer(status, headers) => {
                let head = headers.iter().fold(Head::answer(status), |head, (n, v)| head.with(n, v));
                self.say(head, "")
            }
            Fault::Redirect(status, origin) => {
                let place = origin + self.head.target();
                self.say(Head::answer(status).with("Location", place), "")
            }
            Fault::CutRequest(length) => {
                let mut registry = self.reach(&self.head.clone())?;
                self.carry(&mut registry, length, false)?;
                self.cut()
            }
            Fault::KeepPart(length) => self.keep_part(length),
            Fault::FlipRequest => self.go_through(true, &NO_CHANGE),
            Fault::StallRequest(length) => {
                self.carry(&mut io::sink(), length, false)?;
                // Longer than any client of the tests waits.
                thread::sleep(Duration::from_secs(10));
                self.cut()
            }
            Fault::LoseAnswer => {
                self.pass_on(ALL, false)?;
                self.cut()
            }
            Fault::CutAnswer(limit) => self.go_through(false, &Change { limit, ..NO_CHANGE }),
            Fault::Truncate(limit) => self.go_through(false, &Change { limit, is_honest: true, ..NO_CHANGE }),
            Fault::FlipAnswer => self.go_through(false, &Change { flip: true, ..NO_CHANGE }),
            Fault::Drip(pause) => self.go_through(false, &Change { pause: Some(pause), ..NO_CHANGE }),
            Fault::Silence => {
                self.carry(&mut io::sink(), ALL, false)?;
                // Until the client loses its patience.
                let _ = self.reader.read(&mut [0]);
                self.cut()
            }
            Fault::MoveLocation(origin) => self.change_location(&origin),
            Fault::RelativeLocation => self.change_location(""),
        }
    }

    fn cut(&self) -> io::Result<bool> {
        self.client.shutdown(Shutdown::Both)?;
        Ok(false)
    }

    /// Answers in the registry's place.
    fn say(&mut self, head: Head, body: &str) -> io::Result<bool> {
        self.carry(&mut io::sink(), ALL, false)?;
        let mut client = self.client;
        head.with("Content-Length", body.len()).write(&mut client)?;
        if self.head.method() != "HEAD" {
            client.write_all(body.as_bytes())?;
        }
        Ok(true)
    }

    /// Copies what the request carries, up to `limit` bytes.
    fn carry(&mut self, to: &mut impl Write, limit: u64, flip: bool) -> io::Result<()> {
        let (mut left, mut flip) = (self.head.length().unwrap_or(0).min(limit), flip);
        let mut chunk = vec![0; 64 * 1024];
        while left > 0 {
            let wanted = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let length = self.reader.read(&mut chunk[..wanted])?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.shared.count(self.number, length);
            chunk[0] ^= u8::from(std::mem::take(&mut flip));
            to.write_all(&chunk[..length])?;
            left -= length as u64;
        }
        Ok(())
    }

    /// A connection to the registry that has got this head.
    fn reach(&self, head: &Head) -> io::Result<TcpStream> {
        let target = head.target();
        let moved = self.shared.moved.lock().unwrap();
        let moved = moved.iter().rev().find(|(known, _)| target.split('?').next() == Some(known));
        let head = match moved {
            Some((_, now)) if head.method() == "GET" => head.clone().with_target(now),
            _ => head.clone(),
        };
        let mut registry = TcpStream::connect(self.shared.registry)?;
        head.with("Connection", "close").write(&mut registry)?;
        Ok(registry)
    }

    /// Has the registry answer the request, or what its first `limit` bytes make.
    fn pass_on(&mut self, limit: u64, flip: bool) -> io::Result<(Head, BufReader<TcpStream>)> {
        let length = self.head.length().map(|length| length.min(limit));
        let head = self.head.clone();
        let head = length.into_iter().fold(head, |head, length| head.with("Content-Length", length));
        let mut registry = self.reach(&head)?;
        self.carry(&mut registry, limit, flip)?;
        let mut registry = BufReader::new(registry);
        let answer = Head::read(&mut registry)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok((answer, registry))
    }

    fn go_through(mut self, flip: bool, change: &Change) -> io::Result<bool> {
        let (answer, registry) = self.pass_on(ALL, flip)?;
        self.relay(answer, registry, change)
    }

    fn keep_part(mut self, length: u64) -> io::Result<bool> {
        let (answer, _) = self.pass_on(length, false)?;
        let path = |url: &str| url.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
        if let Some(now) = answer.get("location").and_then(path) {
            let known = self.head.target().split('?').next().unwrap_or_default().to_owned();
            self.shared.moved.lock().unwrap().push((known, now));
        }
        self.cut()
    }

    fn change_location(mut self, origin: &str) -> io::Result<bool> {
        let (answer, registry) = self.pass_on(ALL, false)?;
        let path = answer.get("location").and_then(|url| url.splitn(4, '/').nth(3)).map(str::to_owned);
        let answer =
            path.into_iter().fold(answer, |head, path| head.with("Location", format!("{origin}/{path}")));
        self.relay(answer, registry, &NO_CHANGE)
    }

    fn relay(&self, answer: Head, mut registry: BufReader<TcpStream>, change: &Change) -> io::Result<bool> {
        let has_none = self.head.method() == "HEAD" || matches!(answer.status(), 204 | 304);
        let length = if has_none { Some(0) } else { answer.length() };
        let mut body = Vec::new();
        let limit = length.unwrap_or(ALL).min(change.limit);
        registry.by_ref().take(limit).read_to_end(&mut body)?;
        if let (true, Some(first)) = (change.flip, body.first_mut()) {
            *first ^= 1;
        }
        let answer = if change.is_honest { answer.with("Content-Length", body.len()) } else { answer };
        // The registry ends its connection after each answer; the client's may stay.
        let answer = answer.with("Connection", if length.is_some() { "keep-alive" } else { "close" });
        let bytes = [answer.text().as_bytes(), &body].concat();
        let mut client = self.client;
        match change.pause {
            Some(pause) => {
                for byte in bytes {
                    client.write_all(&[byte])?;
                    thread::sleep(pause);
                }
            }
            None => client.write_all(&bytes)?,
        }
        let is_whole = length.is_some_and(|length| change.is_honest || length == body.len() as u64);
        if is_whole { Ok(true) } else { self.cut() }
    }
}
