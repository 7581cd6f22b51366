//! The progress of a call, told to a client that wants to hear of it, or drawn for the person who
//! made it in a terminal. Knows no tool.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use footbridge_connector::{OnProgress, Progress};
use footbridge_mcp::Call;
use tokio::sync::mpsc;

use crate::caller::Caller;
use crate::terminal::ProgressLine;

/// Steps that may wait for a slow client; further ones are left out.
const WAITING: usize = 16;
/// Characters of the backend's words that are passed on.
const MAX_MESSAGE: usize = 200;
/// How much further a step is than the one before when the backend counts no further: the protocol
/// wants it to grow.
const LEAST_STEP: f64 = 0.001;

/// Does the work, and tells how far it is.
pub(super) async fn with_progress<F: Future>(
    call: &Call<Caller>,
    start: impl FnOnce(Option<OnProgress>) -> F,
) -> F::Output {
    if !call.wants_progress() {
        let line = matches!(*call.caller, Caller::Terminal).then(ProgressLine::on_terminal);
        return start(line.flatten().map(drawn_on)).await;
    }
    // few calls are told of: the others need no room for it
    Box::pin(told_of_steps(call, start)).await
}

async fn told_of_steps<F: Future>(
    call: &Call<Caller>,
    start: impl FnOnce(Option<OnProgress>) -> F,
) -> F::Output {
    let (sender, mut steps) = mpsc::channel(WAITING);
    let note: OnProgress = Arc::new(move |step: Progress| {
        // a client that is behind hears the next one
        drop(sender.try_send(step));
    });
    let mut work = pin!(start(Some(note)));
    let mut last = None;
    let done = loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => last = Some(tell(call, step, last).await),
            done = &mut work => break done,
        }
    };
    while let Ok(step) = steps.try_recv() {
        last = Some(tell(call, step, last).await);
    }
    done
}

/// Progress on a line of the person's terminal, which goes with the call.
fn drawn_on(line: ProgressLine) -> OnProgress {
    Arc::new(move |step: Progress| {
        line.draw(
            step.done,
            step.total,
            step.message.as_deref().unwrap_or_default(),
        );
    })
}

async fn tell(call: &Call<Caller>, step: Progress, last: Option<f64>) -> f64 {
    let done = after(step.done, last);
    let message = step.message.as_deref().map(one_line);
    call.progress(done, step.total, message.as_deref()).await;
    done
}

/// How far it is said to be: never less than before.
fn after(done: f64, last: Option<f64>) -> f64 {
    let done = if done.is_finite() { done } else { 0.0 };
    last.map_or(done, |last| done.max(last + LEAST_STEP))
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_MESSAGE, after, one_line};

    #[test]
    fn progress_always_grows() {
        assert_eq!((after(3.0, None), after(4.0, Some(3.0))), (3.0, 4.0));
        assert!(
            after(3.0, Some(3.0)) > 3.0
                && after(1.0, Some(3.0)) > 3.0
                && after(f64::NAN, Some(3.0)) > 3.0
        );
        assert_eq!(after(f64::INFINITY, None), 0.0);
    }

    #[test]
    fn the_backends_words_stay_on_one_short_line() {
        assert_eq!(one_line("a\nb\u{7}"), "a b ");
        assert_eq!(
            one_line(&"é".repeat(MAX_MESSAGE + 1)).chars().count(),
            MAX_MESSAGE
        );
    }
}
