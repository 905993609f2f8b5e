//! Pipelines: several commands in one write, without a transaction around them.

use std::task::{Context, Poll};

use crate::batch::{Batch, Collector, Queued};
use crate::call::Executor;
use crate::command::{Command, Flags};
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::reply::ReplyKind;
use crate::source::Source;

/// Several commands in one write. Every command gives a [`Queued`], the promise of its reply; an error
/// in one command leaves the others alone. It is not atomic: other clients' commands may come between.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example(client: Connection) -> redis_client::Result<()> {
/// let pipeline = client.pipeline();
/// let name = pipeline.get("name").await?; // queued, not sent
/// let visits = pipeline.incr("visits").await?;
/// pipeline.execute().await?;
/// println!("{:?}: {}", name.await?, visits.await?);
/// # Ok(())
/// # }
/// ```
///
/// Dropping it sends nothing. Dropping [`execute`](Self::execute) before it is done is like dropping a
/// single call: what was not written is never sent, the replies of what was are thrown away.
#[derive(Debug)]
pub struct Pipeline<E: Encoder = Utf8> {
    source: Source,
    collector: Collector,
    encoder: E,
}

impl<E: Encoder> Pipeline<E> {
    pub(crate) fn new(source: Source, encoder: E) -> Self {
        Self {
            source,
            collector: Collector::new(Batch::new()),
            encoder,
        }
    }

    /// How many commands are queued.
    pub fn len(&self) -> usize {
        self.collector.len()
    }

    /// Whether no command is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends all commands in one piece and waits for their replies, which the [`Queued`]s then have.
    ///
    /// # Errors
    ///
    /// When the connection is lost; each `Queued` has its reply, if it came before that, or the error.
    pub async fn execute(self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let batch = self.collector.take_batch();
        let (replies, error) = match self.source.run(&batch).await {
            Ok(arrived) => arrived,
            Err(error) => (Vec::new(), Some(error)),
        };
        let result = error
            .as_ref()
            .map_or(Ok(()), |error| Err(error.duplicate()));
        let rest = error
            .unwrap_or_else(|| Error::new(ErrorKind::Protocol, Outcome::Unknown, "no reply came"));
        self.collector.resolve(replies, rest);
        result
    }
}

impl<E: Encoder> Executor for Pipeline<E> {
    type Encoder = E;
    type Output<T> = Queued<T>;
    type Ticket = ();

    fn encoder(&self) -> E {
        self.encoder
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        (): &mut (),
        _: &mut Context<'_>,
    ) -> Poll<Result<Queued<R::Value>>> {
        if command.flags().contains(Flags::BLOCKING) {
            let error = Error::argument(
                "it blocks, and a pipeline shares its connection with others; call it outside",
            );
            return Poll::Ready(Err(error.for_command(command.name())));
        }
        Poll::Ready(
            self.collector
                .push::<E, R>(command, self.encoder, "a pipeline"),
        )
    }

    fn cancel(&self, (): &mut ()) {}
}
