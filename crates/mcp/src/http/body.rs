//! The body of an answer: the pieces of a reply, sent without joining them, or a stream of events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::event_stream::AnswerEvents;
use super::session_body::SessionBody;
use crate::reply::Reply;

/// The body of an answer: whole, in at most three pieces, or a stream of events.
#[derive(Debug)]
pub struct ReplyBody {
    kind: BodyKind,
}

#[derive(Debug)]
enum BodyKind {
    Pieces(Reply),
    Events(Box<AnswerEvents>),
    Session(Box<SessionBody>),
}

impl ReplyBody {
    pub(super) fn empty() -> Self {
        Self {
            kind: BodyKind::Pieces(Reply::default()),
        }
    }
}

impl From<Reply> for ReplyBody {
    fn from(reply: Reply) -> Self {
        Self {
            kind: BodyKind::Pieces(reply),
        }
    }
}

impl From<AnswerEvents> for ReplyBody {
    fn from(events: AnswerEvents) -> Self {
        Self {
            kind: BodyKind::Events(Box::new(events)),
        }
    }
}

impl From<SessionBody> for ReplyBody {
    fn from(events: SessionBody) -> Self {
        Self {
            kind: BodyKind::Session(Box::new(events)),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.get_mut().kind {
            BodyKind::Pieces(reply) => {
                Poll::Ready(reply.next_piece().map(|piece| Ok(Frame::data(piece))))
            }
            BodyKind::Events(events) => events
                .poll_piece(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(piece)))),
            BodyKind::Session(events) => events
                .poll_piece(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(piece)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            BodyKind::Pieces(reply) => reply.len() == 0,
            BodyKind::Events(events) => events.is_ended(),
            BodyKind::Session(events) => events.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            BodyKind::Pieces(reply) => SizeHint::with_exact(reply.len() as u64),
            BodyKind::Events(_) | BodyKind::Session(_) => SizeHint::default(),
        }
    }
}
