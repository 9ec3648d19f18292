//! One question and its answer, over HTTP.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url};
use tokio::runtime::Runtime;

use super::address::WRITE;
use super::{Error, trust};
use crate::failure::Failure;

pub(super) enum Who {
    Anybody,
    Bearer(String),
    User(String, String),
}

/// What asks; it does not show who.
pub(super) struct Link {
    runtime: Runtime,
    client: Client,
    base: String,
    option: &'static str,
    timeout: Duration,
    who: Who,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// To what listens at `base`, which an option says.
    /// `ca` is a file with whom https is to believe.
    pub(super) fn new(
        option: &'static str,
        base: &Url,
        timeout: Duration,
        who: Who,
        ca: Option<&Path>,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|error| Failure::new(format!("cannot ask anybody: {error}")))?;
        Ok(Self {
            runtime,
            client: trust::client(base, ca)?,
            base: base.as_str().trim_end_matches('/').to_owned(),
            option,
            timeout,
            who,
        })
    }

    pub(super) fn get(&self, path: &str) -> Result<(u16, Vec<u8>), Error> {
        self.send(self.client.get(format!("{}{path}", self.base)))
    }

    /// A form, for expressions are longer than addresses may be.
    pub(super) fn post(&self, path: &str, form: String) -> Result<(u16, Vec<u8>), Error> {
        let request = self.client.post(format!("{}{path}", self.base));
        let kind = "application/x-www-form-urlencoded";
        self.send(request.header("content-type", kind).body(form))
    }

    fn send(&self, request: RequestBuilder) -> Result<(u16, Vec<u8>), Error> {
        let request = match &self.who {
            Who::Anybody => request,
            Who::Bearer(token) => request.bearer_auth(token),
            Who::User(name, password) => request.basic_auth(name, Some(password)),
        };
        let whole = async {
            let response = request.timeout(self.timeout).send().await?;
            let status = response.status().as_u16();
            Ok((status, response.bytes().await?.to_vec()))
        };
        self.runtime
            .block_on(whole)
            .map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &reqwest::Error) -> Error {
        let (base, option, why) = (&self.base, self.option, root(error));
        Error::Lost(if error.is_timeout() {
            format!(
                "{base} did not answer within {:?}: allow it more with --timeout, or see what it is busy with",
                self.timeout
            )
        } else if why.contains(trust::REFUSED) {
            format!(
                "{base} is not believed: {why}; give the certificate of its authority with --ca, \
                 and the name that its own was issued for with {option}"
            )
        } else {
            format!("{base} cannot be reached: {why}; say where it is with {option} {WRITE}")
        })
    }

    pub(super) fn status(&self, path: &str, status: u16) -> Error {
        let hint = match status {
            300..=399 => {
                "it points elsewhere, which is not followed: give that address, such as the one with https://, or a token where it is a login"
            }
            401 | 403 => "give it a token (--token-file) or a user and password (--user-file)",
            404 => {
                "this is not where Prometheus' API is: a path in front of it belongs to --prometheus"
            }
            502..=504 => "it is not ready, or what stands in front of it does not reach it",
            _ => "its log says why",
        };
        Error::Lost(format!(
            "{}: {path} was answered with HTTP status {status}: {hint}",
            self.base
        ))
    }

    pub(super) fn not_its_api(&self, path: &str) -> Error {
        Error::Lost(format!(
            "{}: {path} was not answered as Prometheus' API does: another program listens there; say where Prometheus is with --prometheus",
            self.base
        ))
    }
}

/// The innermost reason: what is around it says only that a request failed.
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
