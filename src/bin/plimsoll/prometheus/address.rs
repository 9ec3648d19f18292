//! Where something listens.

use std::net::IpAddr;

use reqwest::Url;

use crate::failure::Failure;

pub(super) const WRITE: &str = "http://HOST:PORT or https://HOST:PORT";

/// What an option says: `http://HOST:PORT` or `https://HOST:PORT`, and a path, if it has one. It is not repeated before it is
/// known to hold no secret: everybody reads messages.
pub(super) fn address(option: &str, text: &str) -> Result<Url, Failure> {
    if text.contains('@') {
        return Err(Failure::new(format!(
            "{option} holds a user or a password: put USER:PASSWORD into a file for --user-file; an @ in a path is written %40"
        )));
    }
    if text.contains('#') {
        return Err(Failure::new(format!(
            "{option} holds a #, and what follows it is asked of nobody: leave it out"
        )));
    }
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Failure::new(format!("{option} is no address to ask: write {WRITE}")))
}

/// The same, of something that has paths of its own behind it.
pub(super) fn base(option: &str, text: &str) -> Result<Url, Failure> {
    let url = address(option, text)?;
    match url.query() {
        None => Ok(url),
        Some(_) => Err(Failure::new(format!(
            "{option} holds a ?, and the paths of the API come behind it: write {WRITE}, with a path in front of the API if there is one"
        ))),
    }
}

/// As people are shown it: a query may hold a secret.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether what is sent there can be read on the way.
pub(super) fn is_open(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let number = host.trim_start_matches('[').trim_end_matches(']');
    let number = number.parse::<IpAddr>();
    let is_here = number.map_or(host == "localhost", |number| number.is_loopback());
    url.scheme() == "http" && !is_here
}
