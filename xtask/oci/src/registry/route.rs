//! Which hosts are spoken to directly where HTTPS_PROXY names a proxy: this machine, and whom NO_PROXY lists.
//!
//! The HTTP library knows NO_PROXY, but less of it than curl and Go do: no domains with what is below them, no networks,
//! no blanks after commas. And no proxy can reach a registry on this machine.

use std::env;
use std::net::IpAddr;

use ureq::http::Uri;

/// Whether a URL is asked for without a proxy.
pub(super) fn is_direct(url: &str) -> bool {
    let list = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| env::var(name).ok());
    let host = url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_ascii_lowercase));
    host.is_some_and(|host| is_loopback(&host) || is_listed(&host, &list.unwrap_or_default()))
}

/// Whether a host, without its port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

/// Whether NO_PROXY has a host: by `*`, its name or address, a domain that it is in, or a network such as 10.0.0.0/8.
fn is_listed(host: &str, list: &str) -> bool {
    list.split([',', ' ']).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        match (entry.split_once('/'), address(host)) {
            (Some((network, bits)), Some(host)) => {
                address(network).zip(bits.parse().ok()).is_some_and(|(net, bits)| is_within(host, net, bits))
            }
            (None, _) if entry == "*" || entry == host => true,
            (None, Some(host)) => address(&entry) == Some(host),
            (None, None) => {
                let domain = entry.trim_start_matches('*').trim_start_matches('.');
                let is_itself = host == domain && !entry.starts_with(['*', '.']);
                is_itself || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            }
            (Some(_), None) => false,
        }
    })
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether the first `bits` of two addresses are the same.
fn is_within(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (one, other, width) = match (host, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (one ^ other).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_directly() {
        for url in
            ["http://localhost:5000/v2/", "http://127.0.0.1:5000/", "http://[::1]:1/v2/", "http://LOCALHOST"]
        {
            assert!(is_direct(url), "{url}");
        }
        for host in ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_curl_and_go_read_it() {
        for (host, list) in [
            ("ghcr.io", "ghcr.io"),
            ("ghcr.io", "a.example, GHCR.io"),
            ("a.example.com", "example.com"),
            ("a.example.com", ".example.com"),
            ("a.example.com", "*.example.com"),
            ("anything", "*"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("10.1.2.3", "0.0.0.0/0"),
            ("10.1.2.3", "10.1.2.3"),
            ("[fd00::1]", "fd00::/8"),
            ("[fd00::1]", "fd00::1"),
        ] {
            assert!(is_listed(host, list), "{host} {list}");
        }
        for (host, list) in [
            ("ghcr.io", ""),
            ("ghcr.io", "hcr.io"),
            ("example.com", ".example.com"),
            ("badexample.com", "example.com"),
            ("11.1.2.3", "10.0.0.0/8"),
            ("10.1.2.3", "10.0.0.0/33"),
            ("10.1.2.3", "10.0.0.0/x"),
            ("host", "10.0.0.0/8"),
            ("[fd00::1]", "10.0.0.0/8"),
        ] {
            assert!(!is_listed(host, list), "{host} {list}");
        }
    }
}
