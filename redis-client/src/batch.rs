//! Commands that are sent in one piece, and the promises of their replies: what pipelines and
//! transactions have in common.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;

use crate::command::{Command, Flags};
use crate::encoder::Encoder;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::reply::{self, Reply, ReplyKind};
use crate::resp::Frame;

/// Encoded commands, to be written in one piece.
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: BytesMut,
    replies: u32,
    repeatable: bool,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
            replies: 0,
            repeatable: true,
        }
    }

    pub(crate) fn push(&mut self, command: &Command<'_>) {
        command.encode(&mut self.bytes);
        self.replies += 1;
        self.repeatable &= command.is_repeatable();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn replies(&self) -> u32 {
        self.replies
    }

    /// Whether the server may execute all of it twice without harm.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }
}

/// Collects commands, and later hands out their replies.
#[derive(Debug)]
pub(crate) struct Collector(Arc<Mutex<Collected>>);

#[derive(Debug)]
struct Collected {
    batch: Batch,
    names: Vec<Cow<'static, str>>,
    /// The batch is on its way.
    taken: bool,
    outcome: Option<Outcomes>,
    wakers: Vec<Waker>,
}

#[derive(Debug)]
struct Outcomes {
    replies: Vec<Option<Frame>>,
    /// For those without a reply.
    error: Error,
}

impl Collector {
    /// Starts with a batch that may hold a beginning already.
    pub(crate) fn new(batch: Batch) -> Self {
        Self(Arc::new(Mutex::new(Collected {
            batch,
            names: Vec::new(),
            taken: false,
            outcome: None,
            wakers: Vec::new(),
        })))
    }

    /// Adds a command and promises its reply.
    pub(crate) fn push<E: Encoder, R: ReplyKind<E>>(
        &self,
        command: &Command<'_>,
        encoder: E,
        place: &'static str,
    ) -> Result<Queued<R::Value>> {
        command.check()?;
        if command
            .flags()
            .intersects(Flags::SESSION.union(Flags::ENDS_CONNECTION))
        {
            let message = format!(
                "it changes the state of its connection, which {place} shares with others; call it on a Connection"
            );
            return Err(Error::argument(message).for_command(command.name()));
        }
        let mut collected = lock(&self.0);
        let index = collected.names.len();
        collected.batch.push(command);
        collected.names.push(command.name());
        drop(collected);
        Ok(Queued {
            collected: Arc::clone(&self.0),
            index,
            decode: Box::new(move |frame| reply::decode::<E, R>(Reply::Frame(frame), encoder)),
        })
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.0).names.len()
    }

    /// The batch, to be sent: from now on it may have been executed.
    pub(crate) fn take_batch(&self) -> Batch {
        let mut collected = lock(&self.0);
        collected.taken = true;
        std::mem::replace(&mut collected.batch, Batch::new())
    }

    /// The name of a command, for errors.
    pub(crate) fn name(&self, index: usize) -> Cow<'static, str> {
        lock(&self.0).names.get(index).cloned().unwrap_or_default()
    }

    /// Keeps the promises: with the replies, and with the error for those that have none.
    pub(crate) fn resolve(&self, replies: impl IntoIterator<Item = Frame>, error: Error) {
        let mut collected = lock(&self.0);
        if collected.outcome.is_none() {
            collected.outcome = Some(Outcomes {
                replies: replies.into_iter().map(Some).collect(),
                error,
            });
        }
        let wakers = std::mem::take(&mut collected.wakers);
        drop(collected);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let (outcome, message) = if lock(&self.0).taken {
            (
                Outcome::Unknown,
                "what it was queued in was dropped before its replies came",
            )
        } else {
            (
                Outcome::NotSent,
                "what it was queued in was dropped before it was executed",
            )
        };
        self.resolve([], Error::new(ErrorKind::Transaction, outcome, message));
    }
}

fn lock(collected: &Mutex<Collected>) -> MutexGuard<'_, Collected> {
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The promise of a reply: what a command in a [`Transaction`](crate::Transaction) or
/// [`Pipeline`](crate::Pipeline) gives. It is a future, resolved when that is executed.
pub struct Queued<T> {
    collected: Arc<Mutex<Collected>>,
    index: usize,
    decode: Box<dyn Fn(Frame) -> Result<T> + Send + Sync>,
}

impl<T> Queued<T> {
    /// The reply, if what the command was queued in has been executed.
    ///
    /// # Errors
    ///
    /// That of this command, or the reason why nothing was executed. `None` is not given twice: a
    /// reply that was taken already is an [`ErrorKind::Argument`].
    pub fn take(&self) -> Option<Result<T>> {
        let mut collected = lock(&self.collected);
        self.taken(&mut collected)
    }

    fn taken(&self, collected: &mut Collected) -> Option<Result<T>> {
        let outcome = collected.outcome.as_mut()?;
        let result = match outcome.replies.get_mut(self.index) {
            Some(reply) => match reply.take() {
                Some(frame) => (self.decode)(frame),
                None => Err(Error::argument("its reply was taken already")),
            },
            None => Err(outcome.error.duplicate()),
        };
        Some(result.map_err(|error| {
            let name = collected.names.get(self.index).cloned().unwrap_or_default();
            error.for_command(name)
        }))
    }
}

impl<T> Future for Queued<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut collected = lock(&self.collected);
        match self.taken(&mut collected) {
            Some(result) => Poll::Ready(result),
            None => {
                if !collected
                    .wakers
                    .iter()
                    .any(|waker| waker.will_wake(cx.waker()))
                {
                    collected.wakers.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for Queued<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
