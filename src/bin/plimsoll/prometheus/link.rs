//! One question and its answer, over HTTP.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use tokio::runtime::Runtime;

use super::Error;
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
    /// To what listens at `base`, which an option says: `http://HOST:PORT` and a path, if it has one.
    pub(super) fn new(
        option: &'static str,
        base: &str,
        timeout: Duration,
        who: Who,
    ) -> Result<Self, Failure> {
        check(option, base)?;
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(format!("cannot ask anybody: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let client = Client::builder().no_proxy().build();
        Ok(Self {
            runtime: runtime.map_err(|error| failed(&error))?,
            client: client.map_err(|error| failed(&error))?,
            base: base.trim_end_matches('/').to_owned(),
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
        let base = &self.base;
        Error::Lost(match error.is_timeout() {
            true => format!(
                "{base} did not answer within {:?}: allow it more with --timeout, or see what it is busy with",
                self.timeout
            ),
            false => format!(
                "{base} cannot be reached: {}; say where it is with {} http://HOST:PORT",
                root(error),
                self.option
            ),
        })
    }

    pub(super) fn status(&self, path: &str, status: u16) -> Error {
        let hint = match status {
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

fn check(option: &str, base: &str) -> Result<(), Failure> {
    if base.starts_with("https://") {
        return Err(Failure::new(format!(
            "{option}: https is not built in: bring it to this machine, such as with \
             `kubectl port-forward svc/prometheus 9090` or `ssh -L 9090:localhost:9090 HOST`, \
             and use http://127.0.0.1:9090",
        )));
    }
    let rest = base.strip_prefix("http://").filter(|rest| !rest.is_empty());
    let Some(rest) = rest else {
        return Err(Failure::new(format!(
            "{option} {base}: write http://HOST:PORT"
        )));
    };
    // Everybody on the machine reads command lines; the address is part of messages.
    match rest
        .split('/')
        .next()
        .is_some_and(|host| host.contains('@'))
    {
        true => Err(Failure::new(format!(
            "{option} holds a user or a password: put USER:PASSWORD into a file for --user-file"
        ))),
        false => Ok(()),
    }
}

/// The innermost reason: what is around it says only that a request failed.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
