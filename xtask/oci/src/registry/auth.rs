//! Tokens: how a registry says what it wants, and how it is got, by the
//! [distribution project's](https://distribution.github.io/distribution/spec/auth/token/) scheme.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use ureq::Body;
use ureq::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::challenge::Challenge;
use super::credentials::Credentials;
use super::location::Location;
use super::retry::Failure;
use super::transport::{Expected, Payload, Transport, host, refusal};

/// What a token server's answer may take. Tokens with many scopes are some kilobytes.
const ANSWER: Expected = Expected { body: 1 << 20, stored: 0 };

/// The right to do something in a registry, once it is got. Shared by all requests of a client.
#[derive(Debug)]
pub(super) struct Authorizer {
    /// What is going to be done, such as `repository:team/app:pull,push`.
    scopes: Vec<String>,
    header: Mutex<Option<HeaderValue>>,
}

/// What a token server answers: some call it a token, some an access token, some both.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Authorizer {
    /// For what is going to be done.
    pub(super) fn new(scopes: Vec<String>) -> Authorizer {
        Authorizer { scopes, header: Mutex::new(None) }
    }

    /// What to send along; nothing before the registry has asked.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what the registry asks for in its `WWW-Authenticate` after it refused `used`. Of several requests that were
    /// refused together, one goes.
    pub(super) fn renew(
        &self,
        transport: &Transport,
        location: &Location,
        headers: &HeaderMap,
        used: Option<&HeaderValue>,
    ) -> Result<(), Failure> {
        let mut header = self.header.lock().unwrap_or_else(PoisonError::into_inner);
        if header.as_ref() != used {
            return Ok(());
        }
        let registry = &location.registry;
        let credentials = Credentials::find(registry, &location.repository)?;
        let challenges = headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let challenges = challenges.filter_map(Challenge::parse).collect::<Vec<_>>();
        let bearer = challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
        let basic = challenges.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"));
        let text = match (bearer, &credentials) {
            (Some(challenge), _) => {
                format!("Bearer {}", self.token(transport, location, challenge, &credentials)?)
            }
            (None, Credentials::Password { user, password }) if basic => basic_header(user, password),
            (None, _) if basic => {
                return Err(Failure::Final(anyhow!(
                    "{registry} wants a user and a password; log in with `docker login {registry}`"
                )));
            }
            (None, _) => {
                return Err(Failure::Final(anyhow!(
                    "{registry} does not say how to log in (no WWW-Authenticate)"
                )));
            }
        };
        let mut value = HeaderValue::from_str(&text).context("the token has illegal characters")?;
        value.set_sensitive(true);
        *header = Some(value);
        Ok(())
    }

    fn token(
        &self,
        transport: &Transport,
        location: &Location,
        challenge: &Challenge,
        credentials: &Credentials,
    ) -> Result<String, Failure> {
        let realm =
            challenge.parameters.get("realm").context("the registry names no token server (realm)")?;
        if !location.trusts(realm) {
            let text = format!("{} wants a login at {realm}, which is not encrypted", location.registry);
            return Err(Failure::Final(anyhow!(text)));
        }
        let service = challenge.parameters.get("service").map_or("", String::as_str);
        let demand = |scopes: &[String]| demand(transport, realm, service, scopes, credentials);
        let mut answer = demand(&self.scopes)?;
        // A mount is worth asking for, and the push can do without.
        if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            && self.scopes.len() > 1
        {
            answer = demand(&self.scopes[..1])?;
        }
        if !answer.status().is_success() {
            return Err(refusal(&format!("no token for {} as {credentials:?}", location.registry), answer));
        }
        let mut body = answer.into_body();
        let text = body.with_config().limit(ANSWER.body).read_to_string().map_err(Failure::passing)?;
        // An error of the parser would repeat the text, with the token in it.
        let answer: TokenAnswer = serde_json::from_str(&text)
            .map_err(|_| anyhow!("the token server's answer is not understood"))?;
        let tokens = [answer.token, answer.access_token];
        let token = tokens.into_iter().flatten().find(|token| !token.is_empty());
        Ok(token.context("the token server's answer has no token")?)
    }
}

/// Asks a token server, by the form that the credentials are for.
fn demand(
    transport: &Transport,
    realm: &str,
    service: &str,
    scopes: &[String],
    credentials: &Credentials,
) -> Result<Response<Body>, Failure> {
    let mut headers = HeaderMap::new();
    let answer = if let Credentials::Identity(token) = credentials {
        // The OAuth form takes all scopes in one field.
        let form = form(&[
            ("grant_type", "refresh_token"),
            ("client_id", "xtask-oci"),
            ("service", service),
            ("scope", &scopes.join(" ")),
            ("refresh_token", token),
        ]);
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        transport.send(Method::POST, realm, &headers, Payload::Bytes(form.as_bytes()), ANSWER)?
    } else {
        let scopes = scopes.iter().map(|scope| ("scope", &scope[..]));
        let fields = [("service", service)].into_iter().chain(scopes).collect::<Vec<_>>();
        if let Credentials::Password { user, password } = credentials {
            let mut basic = HeaderValue::from_str(&basic_header(user, password))
                .context("the password has illegal characters")?;
            basic.set_sensitive(true);
            headers.insert("authorization", basic);
        }
        let url = with_query(realm, &form(&fields));
        transport.send(Method::GET, &url, &headers, Payload::Empty, ANSWER)?
    };
    if answer.status().is_redirection() {
        let place = answer.headers().get("location").and_then(|place| place.to_str().ok()).map_or("", host);
        return Err(Failure::Final(anyhow!(
            "the token server {} sends us to {place}, which may not see the credentials; have the registry name that one",
            host(realm)
        )));
    }
    Ok(answer)
}

fn basic_header(user: &str, password: &str) -> String {
    format!("Basic {}", crate::base64::encode(format!("{user}:{password}").as_bytes()))
}

fn with_query(url: &str, query: &str) -> String {
    format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' })
}

/// Fields as [HTML forms](https://url.spec.whatwg.org/#application/x-www-form-urlencoded) write them.
fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
                _ => out += &format!("%{byte:02X}"),
            }
            out
        })
    };
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    fields.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        let query = form(&[("service", "a b"), ("scope", "repository:x/y:pull,push"), ("none", "")]);
        assert_eq!(query, "service=a%20b&scope=repository%3Ax%2Fy%3Apull%2Cpush");
        assert_eq!(with_query("https://a/t?x=1", "y=2"), "https://a/t?x=1&y=2");
        assert_eq!(with_query("https://a/t", "y=2"), "https://a/t?y=2");
    }
}
