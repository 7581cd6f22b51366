//! The body of an answer: the pieces of a reply, sent without joining them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::reply::Reply;

/// The body of an answer, at most three pieces.
#[derive(Debug, Default)]
pub struct ReplyBody {
    pieces: [Bytes; 3],
}

impl ReplyBody {
    pub(super) fn empty() -> Self {
        Self::default()
    }
}

impl From<Reply> for ReplyBody {
    fn from(reply: Reply) -> Self {
        Self { pieces: reply.pieces }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().pieces.iter_mut().find(|piece| !piece.is_empty());
        Poll::Ready(next.map(|piece| Ok(Frame::data(std::mem::take(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
    }
}
