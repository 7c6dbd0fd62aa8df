//! The proxy's doorkeeper: user and password, or tokens by the
//! [distribution project's](https://distribution.github.io/distribution/spec/auth/token/) scheme.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use xtask_oci::base64;

use super::http::Head;

/// Where tokens are given out.
pub const TOKENS: &str = "/token";

/// What the registry calls itself. Blanks have to be encoded in a query.
const SERVICE: &str = "the test's registry";

pub const USER: &str = "robot$ci";
pub const PASSWORD: &str = "pass:word&with=odd+signs";
pub const IDENTITY: &str = "an-identity-token/with+odd=signs";

/// What it takes to be let in.
pub enum Login {
    Open,
    Basic,
    Bearer(Tokens),
}

/// Who gets which tokens.
pub struct Tokens {
    /// Whether user and password are taken.
    pub takes_password: bool,
    /// What the names of the user's repositories begin with. Anybody may pull from `public/…`.
    pub own: Vec<&'static str>,
    /// Whether anybody is the user.
    pub anybody: bool,
    /// How many requests a token is good for.
    pub uses: u32,
    /// Whether to give no token at all to who asks for too much, instead of one for less.
    pub is_strict: bool,
    /// The scopes of each demand for a token.
    pub demands: Vec<Vec<String>>,
    issued: BTreeMap<String, Token>,
}

struct Token {
    rights: BTreeSet<(String, String)>,
    left: u32,
}

type Answer = (Head, String);

impl Tokens {
    pub fn new() -> Tokens {
        Tokens {
            takes_password: true,
            own: vec!["team/"],
            anybody: false,
            uses: u32::MAX,
            is_strict: false,
            demands: Vec::new(),
            issued: BTreeMap::new(),
        }
    }
}

impl Login {
    pub fn tokens(&mut self) -> &mut Tokens {
        match self {
            Login::Bearer(tokens) => tokens,
            _ => panic!("there are no tokens"),
        }
    }

    pub fn issued(&self) -> Vec<String> {
        match self {
            Login::Bearer(tokens) => tokens.issued.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The answer to a request that may not go on.
    pub fn refuses(&mut self, head: &Head) -> Option<Answer> {
        let sent = head.get("authorization").unwrap_or_default();
        match self {
            Login::Open => None,
            Login::Basic if sent == basic() => None,
            Login::Basic => Some(unauthorized(r#"Basic realm="registry""#)),
            Login::Bearer(tokens) => {
                let needed = needed(head);
                let token = tokens.issued.get_mut(sent.strip_prefix("Bearer ").unwrap_or_default());
                let scope =
                    needed.iter().map(|(repository, action)| format!("repository:{repository}:{action}"));
                let challenge = format!(
                    r#"Bearer realm="http://{}{TOKENS}",service="{SERVICE}",scope="{}""#,
                    head.get("host").unwrap_or_default(),
                    scope.collect::<Vec<_>>().join(" ")
                );
                let Some(token) = token.filter(|token| token.left > 0) else {
                    return Some(unauthorized(&challenge));
                };
                token.left -= 1;
                let may = needed.iter().all(|right| token.rights.contains(right));
                (!may).then(|| unauthorized(&format!(r#"{challenge},error="insufficient_scope""#)))
            }
        }
    }

    /// The answer to a demand for a token: by GET as Docker's scheme has it, or by POST for an identity token.
    pub fn issue(&mut self, head: &Head, form: &str) -> Answer {
        let is_form = head.method() == "POST";
        let query = if is_form { form } else { head.target().split_once('?').map_or("", |(_, query)| query) };
        let fields = fields(query);
        let all = |name: &str| {
            fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let tokens = self.tokens();
        let is_user = if is_form {
            let is_known = all("grant_type") == ["refresh_token"] && all("refresh_token") == [IDENTITY];
            if !is_known || all("client_id").is_empty() {
                return refused("401 Unauthorized", "UNAUTHORIZED", "unknown identity");
            }
            true
        } else {
            match head.get("authorization") {
                None => tokens.anybody,
                Some(sent) if tokens.takes_password && sent == basic() => true,
                Some(_) => {
                    return refused("401 Unauthorized", "UNAUTHORIZED", "incorrect username or password");
                }
            }
        };
        if all("service") != [SERVICE] {
            return refused("400 Bad Request", "UNSUPPORTED", "another service");
        }
        let scopes = all("scope").iter().flat_map(|s| s.split(' ')).map(str::to_owned).collect::<Vec<_>>();
        let (rights, denied) = tokens.rights(&scopes, is_user);
        tokens.demands.push(scopes);
        if tokens.is_strict && denied {
            return refused("403 Forbidden", "DENIED", "requested access to the resource is denied");
        }
        let random = || RandomState::new().hash_one(0);
        let token = format!("{:016x}{:016x}", random(), random());
        let name = if is_form { "access_token" } else { "token" };
        let body = format!(r#"{{"{name}":"{token}","expires_in":300}}"#);
        tokens.issued.insert(token, Token { rights, left: tokens.uses });
        (Head::answer("200 OK").with("Content-Type", "application/json"), body)
    }
}

impl Tokens {
    /// What is granted of what is asked for, and whether something is not.
    fn rights(&self, scopes: &[String], is_user: bool) -> (BTreeSet<(String, String)>, bool) {
        let (mut rights, mut denied) = (BTreeSet::new(), false);
        for scope in scopes {
            let mut parts = scope.splitn(3, ':').skip(1);
            let (repository, actions) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let is_own = is_user && self.own.iter().any(|own| repository.starts_with(own));
            for action in actions.split(',') {
                if is_own || (action == "pull" && repository.starts_with("public/")) {
                    rights.insert((repository.to_owned(), action.to_owned()));
                } else {
                    denied = true;
                }
            }
        }
        (rights, denied)
    }
}

/// What a request takes: pairs of repository and action.
fn needed(head: &Head) -> Vec<(String, String)> {
    let (path, query) = head.target().split_once('?').unwrap_or((head.target(), ""));
    let path = path.trim_start_matches("/v2/");
    let end = ["/blobs/", "/manifests/", "/tags/"].iter().filter_map(|part| path.find(part)).min();
    let repository = end.map_or("", |end| &path[..end]).to_owned();
    let action = if matches!(head.method(), "GET" | "HEAD") { "pull" } else { "push" };
    let from = fields(query).into_iter().filter(|(name, _)| name == "from");
    let from = from.map(|(_, from)| (from, "pull".to_owned()));
    [(repository, action.to_owned())].into_iter().chain(from).collect()
}

fn basic() -> String {
    format!("Basic {}", base64::encode(format!("{USER}:{PASSWORD}").as_bytes()))
}

fn unauthorized(challenge: &str) -> Answer {
    let (head, body) = refused("401 Unauthorized", "UNAUTHORIZED", "authentication required");
    (head.with("WWW-Authenticate", challenge), body)
}

fn refused(status: &str, code: &str, message: &str) -> Answer {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
    (Head::answer(status).with("Content-Type", "application/json"), body)
}

fn fields(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => (out.push(byte), rest = &after[2..]).1,
            _ => (out.push(if *first == b'+' { b' ' } else { *first }), rest = after).1,
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
