//! Where Prometheus is, how long it may take, and who asks.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::address::{address, is_open};
use super::link::{Link, Who};
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
    /// A file with the certificates (PEM) that https believes, and no others; without it
    /// $PLIMSOLL_PROMETHEUS_CA, if set, else those of the system
    #[arg(long, value_name = "PATH")]
    ca: Option<PathBuf>,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing, such as 10s".to_owned()),
        Ok(given) => Ok(given),
        Err(error) => Err(format!("{error}; write 500ms, 10s or 2m")),
    }
}

impl Server {
    pub(super) fn link(&self) -> Result<Link, Failure> {
        let base = self
            .prometheus
            .clone()
            .or_else(|| variable("PLIMSOLL_PROMETHEUS"));
        let base = base.unwrap_or_else(|| "http://127.0.0.1:9090".to_owned());
        let base = address("--prometheus", &base)?;
        let (who, ca) = (self.who()?, self.authorities(&base)?);
        // Inside a cluster that may be meant.
        if !matches!(who, Who::Anybody) && is_open(&base) {
            eprintln!(
                "warning: --prometheus {base}: the token or password goes there without encryption; write https:// if it has that"
            );
        }
        Link::new("--prometheus", &base, self.timeout, who, ca.as_deref())
    }

    /// The text that somebody else serves, who is not told who asks.
    pub(crate) fn page(&self, url: &str) -> Result<String, Failure> {
        let url = address("--target", url)?;
        let ca = self.authorities(&url)?;
        let link = Link::new("--target", &url, self.timeout, Who::Anybody, ca.as_deref())?;
        let (status, body) = link.get("")?;
        match status {
            200 => Ok(String::from_utf8_lossy(&body).into_owned()),
            _ => Err(Failure::new(format!(
                "{url} answered with HTTP status {status}"
            ))),
        }
    }

    /// Who is believed at an address. What the environment says is for those with https; an option is for this one.
    fn authorities(&self, base: &Url) -> Result<Option<PathBuf>, Failure> {
        if self.ca.is_some() && base.scheme() == "http" {
            return Err(Failure::new(format!(
                "--ca: {base} shows no certificate: write https://, or leave --ca out"
            )));
        }
        let of_environment = || variable("PLIMSOLL_PROMETHEUS_CA").map(PathBuf::from);
        Ok(self.ca.clone().or_else(of_environment))
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
