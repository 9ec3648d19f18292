//! A page as the body of a response: printed, and packed if that is asked for, while it is sent.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame, SizeHint};

use super::page::{CHUNK, Page};

/// What is left of a page.
pub(super) struct PageBody {
    /// The first piece: where it is the only one, the length of the body is known.
    first: Option<io::Result<Vec<u8>>>,
    /// `None` when all of it is printed.
    page: Option<Page>,
    pack: Option<GzEncoder<Vec<u8>>>,
}

impl PageBody {
    pub(super) fn new(page: Page, gzip: bool) -> Self {
        // The fastest level: a page repeats itself so much that the best one gains little.
        let pack = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let mut body = Self {
            first: None,
            page: Some(page),
            pack,
        };
        body.first = body.next().transpose();
        body
    }

    /// The next piece of it, `None` at its end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(page) = &mut self.page {
            let mut piece = Vec::with_capacity(CHUNK + CHUNK / 8);
            let more = page.fill(&mut piece);
            if !more {
                self.page = None;
            }
            if let Some(pack) = &mut self.pack {
                pack.write_all(&piece)?;
                piece = std::mem::take(pack.get_mut());
            }
            if !more && let Some(pack) = self.pack.take() {
                piece.append(&mut pack.finish()?);
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let first = self.first.take();
        let piece = first.or_else(|| self.next().transpose());
        Poll::Ready(piece.map(|piece| piece.map(|piece| Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.page.is_none() && self.first.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.page, &self.first) {
            (None, Some(Ok(last))) => SizeHint::with_exact(last.len() as u64),
            (None, None) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}
