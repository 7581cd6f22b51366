//! The body of a request: read within its limits, or thrown away so that its sender gets to read
//! why. What it says is not known here.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header;
use http::request::Parts;
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::memory_budget::{Charge, MemoryBudget};
use crate::limits;

/// The reason why a body is not there.
pub(super) enum Unread {
    /// It is longer than this.
    TooLarge(usize),
    TooSlow,
    Broken,
    /// Too many large ones were under way for too long.
    Busy,
    /// The requests under way take all the memory that they may have.
    OverBudget,
}

/// A body, and what it takes.
pub(super) struct ReceivedBody {
    pub(super) bytes: Bytes,
    pub(super) held: BodyHold,
}

/// The things a request holds until its answer is known: the turn of a large body, and its part of
/// the memory. Given back when dropped.
pub(super) struct BodyHold {
    _turn: Option<OwnedSemaphorePermit>,
    _charge: Charge,
}

/// The room that the bodies of all requests share.
pub(super) struct BodyRoom {
    pub(super) turns: Arc<Semaphore>,
    pub(super) memory: MemoryBudget,
    /// Longest body.
    pub(super) most: usize,
}

/// Reads a body that is not too long within [`limits::HTTP_BODY_TIME`], which
/// includes the wait for its turn. What happens to few requests has a place of its own, so that the
/// others are not made larger by it.
pub(super) async fn read<B>(
    head: &Parts,
    mut body: Pin<&mut B>,
    room: &BodyRoom,
) -> Result<ReceivedBody, Unread>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > room.most as u64 {
        Box::pin(discard(head, body)).await;
        return Err(Unread::TooLarge(room.most));
    }
    let end = Instant::now() + limits::HTTP_BODY_TIME;
    let is_small = body
        .size_hint()
        .upper()
        .is_some_and(|bytes| bytes <= limits::HTTP_SMALL_BODY_BYTES);
    let turn = match is_small {
        true => None,
        false => match timeout_at(end, Arc::clone(&room.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Some(turn),
            _ => {
                Box::pin(discard(head, body)).await;
                return Err(Unread::Busy);
            }
        },
    };
    let charge = room.memory.charge();
    match timeout_at(
        end,
        Limited::new(charge.body(body.as_mut()), room.most).collect(),
    )
    .await
    {
        Ok(Ok(body)) => {
            let bytes = body.to_bytes();
            // One that did not announce its length may have turned out small.
            let turn = turn.filter(|_| bytes.len() as u64 > limits::HTTP_SMALL_BODY_BYTES);
            Ok(ReceivedBody {
                bytes,
                held: BodyHold {
                    _turn: turn,
                    _charge: charge,
                },
            })
        }
        Ok(Err(_)) if charge.is_over() => {
            drop((turn, charge));
            Box::pin(discard(head, body)).await;
            Err(Unread::OverBudget)
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            drop(turn);
            Box::pin(discard(head, body)).await;
            Err(Unread::TooLarge(room.most))
        }
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::TooSlow),
    }
}

/// Reads a body that nobody wants. Most clients send all of it before they read the answer, and
/// would find a reset connection instead of the refusal. Bounded in bytes and time; a body that is
/// announced as longer is not begun.
pub(super) async fn discard<B>(head: &Parts, mut body: Pin<&mut B>)
where
    B: Body<Data = Bytes> + Send,
{
    let waits_for_permission = head.headers.contains_key(header::EXPECT);
    if waits_for_permission || body.size_hint().lower() > limits::HTTP_DISCARDED_BYTES {
        return;
    }
    let reading = async {
        let mut left = limits::HTTP_DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whether it all came or not, the refusal is next.
    let _end = timeout_at(Instant::now() + limits::HTTP_BODY_TIME, reading).await;
}
