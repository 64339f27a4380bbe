//! A stream of server-sent events: its pace, and the ways in which it breaks. Never knows what the events say.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::time::Instant;

use super::faults::Kind;
use super::reply::{self, Body};

/// One step of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An event that comes at once.
    Event(Bytes),
    /// An event that carries a token, and comes when the model has made it.
    Token(Bytes),
    /// The connection ends here, as nobody promised.
    Cut,
}

/// Breaks a stream the way `fault` says. `error` makes the event of a stream error, given how many events come before
/// it; `spoil` makes an event that cannot be read of the first half of one. Faults that are not about the content of a
/// stream leave it alone.
pub fn break_with(
    mut steps: Vec<Step>,
    fault: &Kind,
    error: impl FnOnce(usize) -> Bytes,
    spoil: impl FnOnce(&[u8]) -> Bytes,
) -> Vec<Step> {
    match fault {
        Kind::StreamError { after, .. } => {
            steps.truncate(position(&steps, after.unwrap_or(0)));
            steps.push(Step::Event(error(steps.len())));
        }
        Kind::Truncated { after } | Kind::EndsEarly { after } => {
            let tokens = steps.iter().filter(|step| matches!(step, Step::Token(_))).count();
            let at = position(&steps, after.unwrap_or(tokens / 2));
            let broken = steps.get(at).map(half);
            steps.truncate(at);
            steps.extend(broken);
            steps.extend(matches!(fault, Kind::Truncated { .. }).then_some(Step::Cut));
        }
        Kind::Malformed { after } => {
            let at = position(&steps, after.unwrap_or(0));
            if let Some(step) = steps.get_mut(at) {
                let Step::Event(half) = half(step) else { return steps };
                *step = Step::Event(spoil(&half));
            }
        }
        Kind::EmptyStream => steps.clear(),
        Kind::Status { .. } | Kind::Reset | Kind::Hang | Kind::SlowFirstToken { .. } | Kind::Gzip => {}
    }
    steps
}

/// The index of the step behind `tokens` tokens; the very first step for none.
fn position(steps: &[Step], tokens: usize) -> usize {
    if tokens == 0 {
        return 0;
    }
    let nth = steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Token(_))).nth(tokens - 1);
    // With fewer tokens than asked for: behind the last one, in front of whatever ends the stream.
    let last = steps.iter().rposition(|step| matches!(step, Step::Token(_))).unwrap_or(0);
    nth.map_or(last, |(index, _)| index) + 1
}

fn half(step: &Step) -> Step {
    match step {
        Step::Event(event) | Step::Token(event) => Step::Event(event.slice(..event.len() / 2)),
        Step::Cut => Step::Cut,
    }
}

/// A body that takes the steps, the first of them after `wait`, tokens `per_token` apart.
pub fn body(steps: Vec<Step>, wait: Duration, per_token: Duration) -> Body {
    let start = (steps.into_iter(), wait, None);
    let frames = stream::unfold(start, move |(mut steps, wait, due)| async move {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let due: Instant = due.unwrap_or_else(Instant::now);
        let (frame, due): (io::Result<_>, _) = match steps.next()? {
            Step::Event(event) => (Ok(Frame::data(event)), due),
            Step::Token(event) => {
                let due = due + per_token;
                if !per_token.is_zero() {
                    tokio::time::sleep_until(due).await;
                }
                (Ok(Frame::data(event)), due)
            }
            Step::Cut => (Err(reply::cut().await), due),
        };
        Some((frame, (steps, Duration::ZERO, Some(due))))
    });
    StreamBody::new(frames).boxed_unsync()
}
