//! Where Prometheus is, how long it may take, and who asks.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::address;
use super::link::Link;
use super::secret::{self, Who};
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
        let given = self.prometheus.clone();
        let given = given.or_else(|| variable("PLIMSOLL_PROMETHEUS"));
        let given = given.unwrap_or_else(|| "http://127.0.0.1:9090".to_owned());
        let option = "--prometheus";
        let who = match self.given()? {
            Who::Anybody => of_environment()?,
            given => given,
        };
        self.link_to(option, address::base(option, &given)?, who)
    }

    /// The text that somebody else serves, who is told who asks only by options: what the environment says is for Prometheus.
    pub(crate) fn page(&self, url: &str) -> Result<String, Failure> {
        let option = "--target";
        let link = self.link_to(option, address::address(option, url)?, self.given()?)?;
        let reply = link.page()?;
        match reply.status {
            200 => Ok(String::from_utf8_lossy(&reply.body).into_owned()),
            _ => Err(link.status("", &reply, "").into()),
        }
    }

    fn link_to(&self, option: &'static str, url: Url, who: Who) -> Result<Link, Failure> {
        let ca = self.authorities(&url)?;
        // Inside a cluster that may be meant.
        if !matches!(who, Who::Anybody) && address::is_open(&url) {
            eprintln!(
                "warning: {option} {}: the token or password goes there without encryption; write https:// if it has that",
                address::shown(&url)
            );
        }
        Link::new(option, url, self.timeout, who, ca.as_deref())
    }

    /// Who is believed at an address. What the environment says is for those with https; an option is for this one.
    fn authorities(&self, base: &Url) -> Result<Option<PathBuf>, Failure> {
        if self.ca.is_some() && base.scheme() == "http" {
            return Err(Failure::new(format!(
                "--ca: {} shows no certificate: write https://, or leave --ca out",
                address::shown(base)
            )));
        }
        let of_environment = || variable("PLIMSOLL_PROMETHEUS_CA").map(PathBuf::from);
        Ok(self.ca.clone().or_else(of_environment))
    }

    /// Who asks, by the options.
    fn given(&self) -> Result<Who, Failure> {
        if let Some(path) = &self.token_file {
            return Who::bearer(&path.display().to_string(), &secret::read(path)?);
        }
        match &self.user_file {
            Some(path) => Who::user(&path.display().to_string(), &secret::read(path)?),
            None => Ok(Who::Anybody),
        }
    }
}

fn of_environment() -> Result<Who, Failure> {
    let (user, token) = ("PLIMSOLL_PROMETHEUS_USER", "PLIMSOLL_PROMETHEUS_TOKEN");
    if let Some(text) = variable(user) {
        return Who::user(&format!("${user}"), &text);
    }
    match variable(token) {
        Some(text) => Who::bearer(&format!("${token}"), &text),
        None => Ok(Who::Anybody),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
