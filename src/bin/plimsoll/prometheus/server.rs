//! Where Prometheus is, how long it may take, and who asks.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use tokio::runtime::Runtime;

use super::Error;
use crate::failure::Failure;

/// `--prometheus` and what belongs to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Server {
    /// Where Prometheus is [default: $PLIMSOLL_PROMETHEUS, else http://127.0.0.1:9090]
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// How long it may take to answer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// A file with a bearer token; without it $PLIMSOLL_PROMETHEUS_TOKEN, if set
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// A file with USER:PASSWORD; without it $PLIMSOLL_PROMETHEUS_USER, if set
    #[arg(long, value_name = "PATH", conflicts_with = "token_file")]
    user_file: Option<PathBuf>,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing, such as 10s".to_owned()),
        Ok(given) => Ok(given),
        Err(error) => Err(format!("{error}; write 500ms, 10s or 2m")),
    }
}

enum Who {
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

impl Server {
    pub(super) fn link(&self) -> Result<Link, Failure> {
        let base = self
            .prometheus
            .clone()
            .or_else(|| variable("PLIMSOLL_PROMETHEUS"));
        let base = base.unwrap_or_else(|| "http://127.0.0.1:9090".to_owned());
        Link::new("--prometheus", &base, self.timeout, self.who()?)
    }

    /// The text that somebody else serves, who is not told who asks.
    pub(crate) fn page(&self, url: &str) -> Result<String, Failure> {
        let link = Link::new("--target", url, self.timeout, Who::Anybody)?;
        let (status, body) = link.get("")?;
        match status {
            200 => Ok(String::from_utf8_lossy(&body).into_owned()),
            _ => Err(Failure::new(format!(
                "{url} answered with HTTP status {status}"
            ))),
        }
    }

    fn who(&self) -> Result<Who, Failure> {
        let token = secret(self.token_file.as_ref(), "PLIMSOLL_PROMETHEUS_TOKEN")?;
        let user = secret(self.user_file.as_ref(), "PLIMSOLL_PROMETHEUS_USER")?;
        match (token, user) {
            (_, Some(user)) if self.token_file.is_none() => {
                let (name, password) = user.split_once(':').ok_or_else(|| {
                    Failure::new("user and password of Prometheus: write USER:PASSWORD")
                })?;
                Ok(Who::User(name.to_owned(), password.to_owned()))
            }
            (Some(token), _) => Ok(Who::Bearer(token)),
            _ => Ok(Who::Anybody),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn secret(file: Option<&PathBuf>, name: &str) -> Result<Option<String>, Failure> {
    let Some(path) = file else {
        return Ok(variable(name));
    };
    let read = fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(Some(read.trim().to_owned()))
}

impl Link {
    /// To what listens at `base`, which an option says: `http://HOST:PORT` and a path, if it has one.
    fn new(option: &'static str, base: &str, timeout: Duration, who: Who) -> Result<Self, Failure> {
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
