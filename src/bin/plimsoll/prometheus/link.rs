//! One question and its answer, over HTTP.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap, LOCATION};
use reqwest::{Client, RequestBuilder, Response, Url};
use tokio::runtime::Runtime;

use super::address::shown;
use super::secret::Who;
use super::{Error, trust};
use crate::failure::Failure;

/// What is longer comes from something else.
const MAX_BYTES: usize = 64 << 20;

/// What asks; it does not show who.
pub(super) struct Link {
    runtime: Runtime,
    client: Client,
    pub(super) base: Url,
    pub(super) option: &'static str,
    pub(super) timeout: Duration,
    pub(super) who: Who,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("base", &shown(&self.base))
            .finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Where it points to.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Link {
    /// To what listens at `base`, which an option says.
    /// `ca` is a file with whom https is to believe.
    pub(super) fn new(
        option: &'static str,
        base: Url,
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
            client: trust::client(&base, ca)?,
            base,
            option,
            timeout,
            who,
        })
    }

    /// What stands at the address itself.
    pub(super) fn page(&self) -> Result<Reply, Error> {
        self.send(self.client.get(self.base.clone()))
    }

    pub(super) fn get(&self, path: &str) -> Result<Reply, Error> {
        self.send(self.client.get(format!("{}{path}", shown(&self.base))))
    }

    /// A form, for expressions are longer than addresses may be.
    pub(super) fn post(&self, path: &str, form: String) -> Result<Reply, Error> {
        let request = self.client.post(format!("{}{path}", shown(&self.base)));
        let kind = "application/x-www-form-urlencoded";
        self.send(request.header("content-type", kind).body(form))
    }

    fn send(&self, request: RequestBuilder) -> Result<Reply, Error> {
        let request = match &self.who {
            Who::Anybody => request,
            Who::Bearer(token) => request.bearer_auth(token),
            Who::User(name, password) => request.basic_auth(name, Some(password)),
        };
        self.runtime.block_on(async {
            let sent = request.timeout(self.timeout).send().await;
            let response = sent.map_err(|error| self.lost(&error))?;
            let text = |name| header(response.headers(), name);
            if let Some(coding) =
                text(CONTENT_ENCODING.as_str()).filter(|coding| coding != "identity")
            {
                return Err(self.compressed(&coding));
            }
            Ok(Reply {
                status: response.status().as_u16(),
                location: text(LOCATION.as_str()),
                body: self.whole(response).await?,
            })
        })
    }

    /// The body, as long as it is no longer than an answer.
    async fn whole(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| self.lost(&error))? else {
                return Ok(body);
            };
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(self.endless(MAX_BYTES));
            }
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
