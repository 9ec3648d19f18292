//! The layer asks nothing of the types it meets: whatever `tower_http::trace::TraceLayer` takes, it takes.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use plimsoll::http::MeasureLayer;
use tower::{Layer, Service};

use super::{line, lines, plimsoll};

/// Neither `Send`, `Sync`, `Clone`, `Debug`, `Display` nor `'static`; so are the types below that hold one.
struct Failure<'a>(&'a Cell<u32>);

/// One frame, then the failure.
struct Stream<'a> {
    frames: u32,
    failures: &'a Cell<u32>,
}

impl<'a> Body for Stream<'a> {
    type Data = Bytes;
    type Error = Failure<'a>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure<'a>>>> {
        if self.frames == 0 {
            return Poll::Ready(Some(Err(Failure(self.failures))));
        }
        self.frames -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"half")))))
    }
}

/// Answers once, and then fails.
struct Odd<'a> {
    answers: u32,
    failures: &'a Cell<u32>,
}

/// No body at all.
struct Question(Rc<str>);

impl<'a> Service<Request<Question>> for Odd<'a> {
    type Response = Response<Stream<'a>>;
    type Error = Failure<'a>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure<'a>>> + 'a>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure<'a>>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        assert_eq!(&*request.into_body().0, "who?");
        let failures = self.failures;
        let answer = self.answers.checked_sub(1);
        self.answers = answer.unwrap_or(0);
        Box::pin(async move {
            answer.ok_or(Failure(failures))?;
            Ok(Response::new(Stream {
                frames: 1,
                failures,
            }))
        })
    }
}

#[tokio::test]
async fn types_that_are_not_send_sync_clone_or_static_are_measured() {
    let failures = Cell::new(0);
    let plimsoll = plimsoll();
    let mut service = MeasureLayer::new(&plimsoll).layer(Odd {
        answers: 1,
        failures: &failures,
    });
    let question = || Request::new(Question(Rc::from("who?")));
    let fail = |Failure(failures): Failure<'_>| failures.set(failures.get() + 1);

    let Ok(response) = service.call(question()).await else {
        panic!("the first one is answered");
    };
    let mut body = pin!(response.into_body());
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Err(failure) = frame else { continue };
        fail(failure);
        break;
    }
    let Err(failure) = service.call(question()).await else {
        panic!("the second one fails");
    };
    fail(failure);
    assert_eq!(failures.get(), 2);
    assert_eq!(lines(&plimsoll), [line("GET unmatched", [2, 2, 0, 0])]);
}
