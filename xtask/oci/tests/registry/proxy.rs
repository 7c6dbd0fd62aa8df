//! A proxy in front of the registry: does to requests what a test has told it, asks for logins, and remembers what came.

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::exchange::Exchange;
use super::fault::{Fault, Rule, Seen};
use super::http::Head;
use super::login::Login;

/// Listens until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections share.
pub struct Shared {
    pub registry: SocketAddr,
    pub login: Mutex<Login>,
    /// Uploads that went on without the client: the path that it knows, and where it is now.
    pub moved: Mutex<Vec<(String, String)>>,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    closed: AtomicBool,
}

impl Proxy {
    /// With what is to go wrong.
    pub fn new(registry: SocketAddr, rules: impl IntoIterator<Item = Rule>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            registry,
            login: Mutex::new(Login::Open),
            moved: Mutex::default(),
            rules: Mutex::new(rules.into_iter().collect()),
            seen: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let served = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if served.closed.load(Ordering::Relaxed) {
                    return;
                }
                let shared = served.clone();
                thread::spawn(move || shared.serve(&client));
            }
        });
        Proxy { address, shared }
    }

    pub fn with_login(registry: SocketAddr, login: Login) -> Proxy {
        let proxy = Proxy::new(registry, []);
        *proxy.shared.login.lock().unwrap() = login;
        proxy
    }

    /// More is to go wrong.
    pub fn add(&self, rule: Rule) {
        self.shared.rules.lock().unwrap().push(rule);
    }

    /// From now on nothing goes wrong, and what came is forgotten.
    pub fn heal(&self) {
        self.shared.rules.lock().unwrap().clear();
        self.shared.seen.lock().unwrap().clear();
    }

    pub fn login(&self, use_it: impl FnOnce(&mut Login)) {
        use_it(&mut self.shared.login.lock().unwrap());
    }

    /// Every token that was given out.
    pub fn tokens(&self) -> Vec<String> {
        self.shared.login.lock().unwrap().issued()
    }

    /// What a URL of the proxy begins with.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests of this method whose path contains `path`, in their order.
    pub fn seen(&self, method: &str, path: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.is(method, path)).cloned().collect()
    }

    pub fn count(&self, method: &str, path: &str) -> usize {
        self.seen(method, path).len()
    }

    /// How many bytes came in the bodies of such requests.
    pub fn received(&self, method: &str, path: &str) -> u64 {
        self.seen(method, path).iter().map(|seen| seen.body).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Serves a connection until either side ends it, which is no failure.
    fn serve(&self, client: &TcpStream) {
        let _ = client.set_nodelay(true);
        let mut reader = BufReader::new(client);
        while let Ok(Some(head)) = Head::read(&mut reader) {
            let number = self.remember(&head);
            let exchange = Exchange { shared: self, client, reader: &mut reader, head, number };
            if !exchange.run().unwrap_or(false) {
                return;
            }
        }
    }

    fn remember(&self, head: &Head) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.push(Seen { head: head.clone(), when: Instant::now(), body: 0 });
        seen.len() - 1
    }

    /// What goes wrong with a request. It counts for every rule that it fits.
    pub fn fault(&self, head: &Head) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        rules.iter_mut().filter_map(|rule| rule.applies(head)).next()
    }

    /// Adds to what came in a request's body.
    pub fn count(&self, number: usize, length: usize) {
        if let Some(seen) = self.seen.lock().unwrap().get_mut(number) {
            seen.body += length as u64;
        }
    }
}
