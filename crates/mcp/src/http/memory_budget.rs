//! The memory that requests may take together, from the first byte of a body to its answer. What
//! the bodies say is not known here: their bytes and their punctuation tell what they may become.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Bytes of memory that the requests of a program may take together. Clones share it; give one to
/// every service of a program ([`super::McpService::memory_budget`]) and charge the bodies of other
/// routes to it with [`MemoryBudget::charge`].
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    left: Arc<Semaphore>,
    whole: u32,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::new(limits::HTTP_MEMORY_BYTES)
    }
}

impl MemoryBudget {
    /// A budget of so many bytes, at most 4 GiB.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let whole = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            left: Arc::new(Semaphore::new(
                usize::try_from(whole).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            whole,
        }
    }

    /// Begins what one request takes; it lasts until every clone is dropped.
    #[must_use]
    pub fn charge(&self) -> Charge {
        let held = Charged {
            permit: None,
            weight: 0,
        };
        Charge {
            shared: Arc::new(ChargeState {
                budget: self.clone(),
                held: Mutex::new(held),
                is_over: AtomicBool::new(false),
            }),
        }
    }
}

/// The part of a budget that one request takes.
#[derive(Debug, Clone)]
pub struct Charge {
    shared: Arc<ChargeState>,
}

#[derive(Debug)]
struct ChargeState {
    budget: MemoryBudget,
    held: Mutex<Charged>,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct Charged {
    permit: Option<OwnedSemaphorePermit>,
    weight: u32,
}

/// The error that there is no memory for the body now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the requests under way take all the memory that they may have together; try again later")]
pub struct OverBudget;

impl Charge {
    /// The body, each piece of which is charged when it arrives. It fails with [`OverBudget`] when
    /// there is no room for a piece.
    pub fn body<B>(&self, body: B) -> ChargedBody<B> {
        ChargedBody {
            body,
            charge: self.clone(),
        }
    }

    /// Whether a body failed for it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.shared.is_over.load(Ordering::Relaxed)
    }

    /// A body that weighs more than the whole budget gets in alone.
    fn take(&self, piece: &[u8]) -> Result<(), OverBudget> {
        let ChargeState {
            budget,
            held,
            is_over,
        } = &*self.shared;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = held.weight.saturating_add(weight(piece)).min(budget.whole);
        let more = weight.saturating_sub(held.weight);
        let Ok(taken) = Arc::clone(&budget.left).try_acquire_many_owned(more) else {
            is_over.store(true, Ordering::Relaxed);
            return Err(OverBudget);
        };
        held.weight = weight;
        match &mut held.permit {
            Some(permit) => permit.merge(taken),
            none => *none = Some(taken),
        }
        Ok(())
    }
}

/// What a piece of JSON may take: itself, what is made of its texts, and a node for each value.
fn weight(piece: &[u8]) -> u32 {
    // Counted in bytes, a few hundred at a time, many of them can be looked at in one step.
    let in_chunk = |chunk: &[u8]| -> u8 {
        let is_value = |byte: &u8| u8::from(matches!(byte, b',' | b':' | b'[' | b'{'));
        chunk.iter().map(is_value).sum()
    };
    let values: usize = piece
        .chunks(usize::from(u8::MAX))
        .map(|chunk| usize::from(in_chunk(chunk)))
        .sum();
    let bytes = piece.len().saturating_mul(limits::HTTP_MEMORY_PER_BYTE);
    u32::try_from(bytes.saturating_add(values.saturating_mul(limits::HTTP_MEMORY_PER_VALUE)))
        .unwrap_or(u32::MAX)
}

/// A body whose pieces are charged to a budget. Made by [`Charge::body`].
#[derive(Debug)]
pub struct ChargedBody<B> {
    body: B,
    charge: Charge,
}

impl<B> Body for ChargedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(Into::into)?;
            frame
                .data_ref()
                .map_or(Ok(()), |data| this.charge.take(data))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};

    use super::{MemoryBudget, OverBudget, weight};
    use crate::limits::{HTTP_MEMORY_PER_BYTE, HTTP_MEMORY_PER_VALUE};

    const TEXT: &str = "ten bytes.";

    async fn read(charge: &super::Charge, text: &'static str) -> Result<Bytes, OverBudget> {
        let read = charge
            .body(Full::new(Bytes::from_static(text.as_bytes())))
            .collect()
            .await;
        read.map(|body| body.to_bytes())
            .map_err(|error| *error.downcast().unwrap())
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_and_fits_once_there_is_room() {
        let budget = MemoryBudget::new(2 * TEXT.len() * HTTP_MEMORY_PER_BYTE);
        let [first, second, third] = [budget.charge(), budget.charge(), budget.charge()];
        assert_eq!(read(&first, TEXT).await.unwrap(), TEXT);
        assert_eq!(read(&second, TEXT).await.unwrap(), TEXT);
        assert_eq!(read(&third, "x").await, Err(OverBudget));
        assert_eq!((second.is_over(), third.is_over()), (false, true));
        drop(first);
        assert_eq!(read(&budget.charge(), TEXT).await.unwrap(), TEXT);
    }

    #[tokio::test]
    async fn a_body_that_weighs_more_than_all_gets_in_alone() {
        let budget = MemoryBudget::new(TEXT.len());
        let alone = budget.charge();
        assert_eq!(read(&alone, TEXT).await.unwrap(), TEXT);
        assert_eq!(read(&alone, TEXT).await.unwrap(), TEXT);
        assert_eq!(read(&budget.charge(), "x").await, Err(OverBudget));
        drop(alone);
        assert_eq!(read(&budget.charge(), TEXT).await.unwrap(), TEXT);
    }

    #[test]
    fn values_weigh_more_than_their_letters() {
        let weighs = |text: &str, values: usize| {
            let expected = text.len() * HTTP_MEMORY_PER_BYTE + values * HTTP_MEMORY_PER_VALUE;
            assert_eq!(weight(text.as_bytes()) as usize, expected, "{text}");
        };
        weighs("", 0);
        weighs("plain", 0);
        weighs(r#"[{"a":0},{"a":0}]"#, 6);
    }
}
