//! Prometheus' HTTP API, asked by commands.

mod address;
mod error;
mod link;
mod lost;
mod secret;
mod server;
mod trust;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::Failure;
pub(crate) use error::Error;
use link::{Link, Reply};
pub(crate) use server::{Server, duration};

/// A series and its value at the moment it was asked for.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Sample {
    /// The value of a label; empty without it.
    pub(crate) fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }
}

/// A Prometheus that answered once.
#[derive(Debug)]
pub(crate) struct Prometheus(Link);

impl Server {
    /// Asks for its version first, so that what is no Prometheus is named as such.
    pub(crate) fn connect(&self) -> Result<Prometheus, Failure> {
        let prometheus = Prometheus(self.link()?);
        prometheus.data("status/buildinfo").map_err(Failure::from)?;
        Ok(prometheus)
    }
}

impl Prometheus {
    /// The value of each series that an expression has now. Scalars are one without labels; native histograms count as 0.
    pub(crate) fn query(&self, expr: &str) -> Result<Vec<Sample>, Error> {
        let form = format!("query={}", encoded(expr));
        let data = self.answer("query", self.0.post("/api/v1/query", form)?)?;
        let wrong = || self.0.broken("query");
        if data["resultType"] == "scalar" {
            let labels = BTreeMap::new();
            let value = number(&data["result"]).ok_or_else(wrong)?;
            return Ok(vec![Sample { labels, value }]);
        }
        let series = data["result"].as_array().ok_or_else(wrong)?.iter();
        series
            .map(|series| sample(series).ok_or_else(wrong))
            .collect()
    }

    /// The `data` that its API has under a path.
    pub(crate) fn data(&self, path: &str) -> Result<Value, Error> {
        self.answer(path, self.0.get(&format!("/api/v1/{path}"))?)
    }

    /// A list in the `data` that its API has under a path: where a pointer says, or all of them.
    pub(crate) fn list(&self, path: &str, pointer: &str) -> Result<Vec<Value>, Error> {
        let mut data = self.data(path)?;
        match data.pointer_mut(pointer).map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(self.0.broken(path)),
        }
    }

    fn answer(&self, path: &str, reply: Reply) -> Result<Value, Error> {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&reply.body) else {
            return Err(match reply.status {
                200 => self.0.not_its_api(path),
                _ => self.0.status(path, &reply, ""),
            });
        };
        match answer["status"].as_str() {
            Some("success") => match answer["data"].take() {
                Value::Null => Err(self.0.broken(path)),
                data => Ok(data),
            },
            Some("error") => Err(self.error(path, &reply, &answer)),
            _ => Err(self.0.not_its_api(path)),
        }
    }

    /// An error in Prometheus' own words.
    fn error(&self, path: &str, reply: &Reply, answer: &Value) -> Error {
        let why = answer["error"].as_str().unwrap_or("it did not say why");
        match answer["errorType"].as_str() {
            Some("bad_data" | "execution") => Error::Refused(why.to_owned()),
            _ => self.0.status(path, reply, why),
        }
    }
}

fn sample(series: &Value) -> Option<Sample> {
    let labels = series["metric"].as_object()?.iter();
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    let value = match series.get("histogram") {
        Some(_) => 0.0,
        None => number(&series["value"])?,
    };
    Some(Sample {
        labels: labels.map(text).collect::<Option<_>>()?,
        value,
    })
}

/// Of `[time, "value"]`.
fn number(pair: &Value) -> Option<f64> {
    pair[1].as_str()?.parse().ok()
}

/// As a value of a form.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// As a string of PromQL.
pub(crate) fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{}\"", text.replace('\n', r"\n"))
}
