//! Why an answer is none, and what to do about it.

use super::address::{WRITE, shown};
use super::link::{Link, Reply};
use super::secret::Who;
use super::{Error, trust};

impl Link {
    /// Nothing came back, or not all of it.
    pub(super) fn lost(&self, error: &reqwest::Error) -> Error {
        let (base, why) = (shown(&self.base), root(error));
        Error::Lost(if error.is_timeout() {
            format!(
                "{base} did not answer within {:?}: allow it more with --timeout, or see what it is busy with, \
                 and whether something in between lets nobody through",
                self.timeout
            )
        } else if error.is_connect() {
            self.unreached(&base, &why)
        } else {
            self.cut_short(error, &base, &why)
        })
    }

    fn unreached(&self, base: &str, why: &str) -> String {
        let option = self.option;
        let write = match option {
            "--target" => "http://HOST:PORT/metrics",
            _ => WRITE,
        };
        if why.contains(trust::REFUSED) {
            format!(
                "{base} is not believed: {why}; give the certificate of its authority with --ca, \
                 and the name that its own was issued for with {option}"
            )
        } else if why.contains("corrupt message") || why.contains("handshake eof") {
            format!(
                "{base} does not speak https ({why}): write http:// in {option}, or the port that has https"
            )
        } else {
            format!("{base} cannot be reached: {why}; say where it is with {option} {write}")
        }
    }

    /// Somebody is there.
    fn cut_short(&self, error: &reqwest::Error, base: &str, why: &str) -> String {
        let see = "ask again; its log, or that of what is in between, says why";
        if error.is_body() || error.is_decode() {
            return format!("{base} broke off in the middle of its answer ({why}): {see}");
        }
        if !why.starts_with("invalid HTTP") && !why.contains("message head is too large") {
            return format!("{base} hung up without an answer ({why}): {see}");
        }
        let other = "another program listens there";
        let mend = match self.base.scheme() {
            "https" => other.to_owned(),
            _ => format!(
                "write https:// in {} if it wants that, else {other}",
                self.option
            ),
        };
        format!("{base} does not answer in HTTP ({why}): {mend}")
    }

    pub(super) fn endless(&self, most: usize) -> Error {
        self.other(&format!("answers with more than {} MiB", most >> 20))
    }

    /// Nobody asked for that.
    pub(super) fn compressed(&self, coding: &str) -> Error {
        self.other(&format!(
            "answers compressed ({coding}), which it was not asked for"
        ))
    }

    fn other(&self, what: &str) -> Error {
        let (base, option) = (shown(&self.base), self.option);
        Error::Lost(format!(
            "{base} {what}: another program listens there, or one in between changes answers; say with {option} where to ask"
        ))
    }

    /// A status that is no success, with what it says of it.
    pub(super) fn status(&self, path: &str, reply: &Reply, said: &str) -> Error {
        let (base, status) = (shown(&self.base), reply.status);
        let path = match asked(path) {
            "" => String::new(),
            path => format!(" {path} was"),
        };
        let said = match said {
            "" => String::new(),
            said => format!(" ({said})"),
        };
        let hint = self.hint(reply);
        Error::Lost(format!(
            "{base}:{path} answered with HTTP status {status}{said}: {hint}"
        ))
    }

    fn hint(&self, reply: &Reply) -> String {
        let option = self.option;
        let is_page = option == "--target";
        let wants_https = || String::from_utf8_lossy(&reply.body).contains("HTTPS");
        match (reply.status, &self.who) {
            (300..=399, _) => format!(
                "it points elsewhere{}, which is not followed: write that in {option}, or give it a token (--token-file) where it is a login",
                self.elsewhere(reply)
            ),
            (400, _) if self.base.scheme() == "http" && wants_https() => {
                format!("it wants https: write https:// in {option}")
            }
            (401 | 403, Who::Anybody) => {
                "give it a token (--token-file) or a user and password (--user-file)".to_owned()
            }
            (401 | 403, _) => {
                "it does not let this token, or user and password, in: see whether they are right and may read this"
                    .to_owned()
            }
            (404, _) if is_page => {
                "its page is under another path, /metrics as a rule: write that in --target".to_owned()
            }
            (404, _) => {
                "this is not where Prometheus' API is: a path in front of it belongs to --prometheus".to_owned()
            }
            (502..=504, _) => {
                "it is not ready or too busy, or what stands in front of it does not reach it: ask again".to_owned()
            }
            _ => "its log says why".to_owned(),
        }
    }

    /// `, to ..`, where a redirect says it; without the API's path, which comes behind what is given.
    fn elsewhere(&self, reply: &Reply) -> String {
        let there = reply.location.as_deref();
        let there = there.and_then(|there| self.base.join(there).ok());
        let named = there.filter(|there| there.username().is_empty() && there.password().is_none());
        named.map_or_else(String::new, |there| {
            let there = shown(&there);
            let base = there.split("/api/v1/").next().unwrap_or_default();
            format!(", to {base}")
        })
    }

    pub(super) fn not_its_api(&self, path: &str) -> Error {
        let (base, path) = (shown(&self.base), asked(path));
        Error::Lost(format!(
            "{base}: {path} was not answered as Prometheus' API does: another program listens there; say where Prometheus is with --prometheus"
        ))
    }

    /// It calls that a success, and what has to come with it is not there.
    pub(super) fn broken(&self, path: &str) -> Error {
        let (base, path) = (shown(&self.base), asked(path));
        Error::Lost(format!(
            "{base}: {path} was answered with a success whose data are not those of Prometheus' API: the answer is broken; \
             see what stands in between, or say where Prometheus is with --prometheus"
        ))
    }
}

/// A path without its query.
fn asked(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// The innermost reason: what is around it says only that a request failed.
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
