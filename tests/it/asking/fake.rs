//! A Prometheus of which the test says what it knows.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::any;
use axum::{Router, body};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Labels and value of a series.
pub(super) type Series = (Value, f64);
pub(super) type Answer = dyn Fn(&str) -> Result<Vec<Series>, String> + Send + Sync;

/// A target that is up, the declared rules loaded, every query empty.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) targets: Value,
    pub(super) rules: Value,
    pub(super) names: Vec<String>,
    pub(super) who: Option<&'static str>,
    /// What of its API answers without data.
    pub(super) null: &'static str,
    pub(super) query: Arc<Answer>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            targets: json!([target("up", "", "15s")]),
            rules: json!([]),
            names: Vec::new(),
            who: None,
            null: "",
            query: Arc::new(|_| Ok(Vec::new())),
        }
    }

    pub(super) fn query(
        mut self,
        answer: impl Fn(&str) -> Result<Vec<Series>, String> + Send + Sync + 'static,
    ) -> Self {
        self.query = Arc::new(answer);
        self
    }

    /// Everybody else is refused.
    pub(super) fn only_for(mut self, who: &'static str) -> Self {
        self.who = Some(who);
        self
    }

    /// Its address, until the test ends.
    pub(super) fn serve(self) -> String {
        serve(Router::new().fallback(any(async move |request| self.answer(request).await)))
    }

    fn series(&self, expr: &str) -> Result<Vec<Series>, String> {
        match expr.starts_with("count by (__name__)") {
            true => Ok(self.names.iter().map(named).collect()),
            false => (self.query)(expr),
        }
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let who = request.headers().get("authorization");
        if self
            .who
            .is_some_and(|only| who.is_none_or(|who| who != only))
        {
            return response(401, "text/plain", "who?".to_owned());
        }
        let path = request.uri().path().to_owned();
        let form = body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
        let data = match path.as_str() {
            _ if path.strip_prefix("/api/v1/") == Some(self.null) => Value::Null,
            "/metrics" => {
                let page = "# TYPE orders_total counter\norders_total 3\n";
                return response(200, "text/plain", page.to_owned());
            }
            "/api/v1/status/buildinfo" => json!({ "version": "3.5.0" }),
            "/api/v1/targets" => json!({ "activeTargets": self.targets }),
            "/api/v1/rules" => json!({ "groups": self.rules }),
            "/api/v1/query" => match self.series(&expr(&form)) {
                Ok(series) => vector(&series),
                Err(why) => {
                    let error = json!({ "status": "error", "errorType": "bad_data", "error": why });
                    return response(400, "application/json", error.to_string());
                }
            },
            other => panic!("{other} is not asked for"),
        };
        let answer = json!({ "status": "success", "data": data });
        response(200, "application/json", answer.to_string())
    }
}

pub(super) fn target(health: &str, error: &str, every: &str) -> Value {
    json!({
        "labels": { "job": "shop", "instance": "a:1" },
        "scrapeUrl": "http://a:1/metrics",
        "health": health,
        "lastError": error,
        "scrapeInterval": every,
    })
}

fn named(name: &String) -> Series {
    (json!({ "__name__": name }), 1.0)
}

fn vector(series: &[Series]) -> Value {
    let one =
        |(labels, value): &Series| json!({ "metric": labels, "value": [0, value.to_string()] });
    json!({ "resultType": "vector", "result": series.iter().map(one).collect::<Vec<_>>() })
}

/// The expression of a form.
fn expr(form: &[u8]) -> String {
    let hex: HashMap<String, u8> = (0..=255)
        .map(|byte| (format!("{byte:02X}"), byte))
        .collect();
    let text = std::str::from_utf8(form)
        .unwrap()
        .strip_prefix("query=")
        .unwrap();
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(hex[&part[..2]]);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn response(status: u16, kind: &str, body: String) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header("content-type", kind);
    response.body(Body::from(body)).unwrap()
}

/// What answers everything alike.
pub(super) fn answering(status: u16, kind: &'static str, body: &'static str) -> String {
    let answer = async move || response(status, kind, body.to_owned());
    serve(Router::new().fallback(any(answer)))
}

/// What listens, and never answers.
pub(super) fn pending() -> String {
    serve(Router::new().fallback(any(async || std::future::pending::<()>().await)))
}

fn serve(app: Router) -> String {
    let address = listening(async move |listener| axum::serve(listener, app).await.unwrap());
    format!("http://{address}")
}

/// Where this answers, on a thread of its own, until the test ends.
pub(super) fn listening(answer: impl AsyncFnOnce(TcpListener) + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            answer(TcpListener::from_std(listener).unwrap()).await;
        });
    });
    address
}
