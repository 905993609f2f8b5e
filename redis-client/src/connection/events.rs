//! What happens to a connection, for those who want to know.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::error::Error;

/// What happens to a connection; see [`Connection::events`](crate::Connection::events).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The connection is gone, for this reason.
    Lost(Arc<Error>),
    /// This attempt to connect anew (counted from 1) begins.
    Reconnecting(u32),
    /// The connection is there again, with user, database, name and subscriptions as before.
    Restored,
    /// It will not come back: it was closed, or the attempts are used up.
    Closed,
}

/// Events are few; who takes none for so long loses the oldest.
const KEEP: usize = 256;

/// A [`Stream`] of what happens to a connection from now on; it ends after [`ConnectionEvent::Closed`].
#[derive(Debug)]
pub struct ConnectionEvents(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<ConnectionEvent>,
    ended: bool,
    waker: Option<Waker>,
}

/// Everybody who listens.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Weak<Mutex<Queue>>>>);

impl Listeners {
    pub(super) fn add(&self) -> ConnectionEvents {
        let queue = Arc::default();
        lock(&self.0).push(Arc::downgrade(&queue));
        ConnectionEvents(queue)
    }

    pub(super) fn tell(&self, event: &ConnectionEvent) {
        let mut wakers = Vec::new();
        lock(&self.0).retain(|listener| {
            let Some(queue) = listener.upgrade() else {
                return false;
            };
            let mut queue = lock(&queue);
            if queue.events.len() == KEEP {
                queue.events.pop_front();
            }
            queue.events.push_back(event.clone());
            queue.ended = matches!(event, ConnectionEvent::Closed);
            wakers.extend(queue.waker.take());
            true
        });
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl ConnectionEvents {
    /// The next event; `None` when there will be no more.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&self, cx: &Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut queue = lock(&self.0);
        if let Some(event) = queue.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        queue.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Stream for ConnectionEvents {
    type Item = ConnectionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        self.poll_event(cx)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
