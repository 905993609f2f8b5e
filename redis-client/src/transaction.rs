//! Transactions: MULTI … EXEC in one write, and WATCH on a connection of its own.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::arg::{Arg, ToArg};
use crate::batch::{Batch, Collector, Queued};
use crate::call::Executor;
use crate::command::Command;
use crate::commands::spec;
use crate::config::random_fraction;
use crate::connection::Connection;
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::reply::ReplyKind;
use crate::resp::{Decoder, Frame};
use crate::source::{Lease, Source};

/// A transaction: commands are queued and executed in one go, with nobody else's commands between.
/// Every command gives a [`Queued`], the promise of its reply, which [`exec`](Self::exec) keeps.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example(client: Connection) -> redis_client::Result<()> {
/// let transaction = client.multi().await?;
/// let first = transaction.set("key", "value").await?;
/// let second = transaction.incr("counter").await?;
/// transaction.exec().await?;
/// assert_eq!(first.await?.as_ref().map(|status| status.as_str()), Some("OK"));
/// println!("{}", second.await?);
/// # Ok(())
/// # }
/// ```
///
/// Without watched keys nothing is sent before `exec`, and then all of it in one write, so that it needs
/// no connection of its own. With watched keys ([`Multi::watch`], [`Watch::multi`]) it has one until
/// `exec`, [`discard`](Self::discard), or the drop.
///
/// | what happens | `exec` gives | each `Queued` gives |
/// |---|---|---|
/// | executed | `Ok` | its reply; an error of one command is its own |
/// | a watched key has changed | [`ErrorKind::Transaction`], rejected | the same |
/// | the server refuses to queue a command | [`ErrorKind::Transaction`] naming that command, rejected | the same |
/// | discarded, or dropped | | [`ErrorKind::Transaction`], not sent |
/// | the connection is lost | [`ErrorKind::ConnectionLost`] with its outcome | the same |
#[derive(Debug)]
pub struct Transaction<E: Encoder = Utf8> {
    source: Source,
    collector: Collector,
    encoder: E,
}

impl<E: Encoder> Transaction<E> {
    fn new(source: Source, encoder: E) -> Self {
        let mut batch = Batch::new();
        batch.push(&Command::new(&spec::MULTI));
        Self {
            source,
            collector: Collector::new(batch),
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

    /// Executes the transaction.
    ///
    /// # Errors
    ///
    /// See the table in [`Transaction`].
    pub async fn exec(self) -> Result<()> {
        match self.execute().await? {
            Executed::Yes => Ok(()),
            Executed::KeyChanged(error) => Err(error),
        }
    }

    async fn execute(mut self) -> Result<Executed> {
        let count = self.len();
        // Without commands there is still an EXEC where keys are watched: whether they have changed is
        // a result too.
        if count == 0 && !self.source.is_leased() {
            return Ok(Executed::Yes);
        }
        let mut batch = self.collector.take_batch();
        batch.push(&Command::new(&spec::EXEC));
        let failed = |error: Error| {
            self.collector.resolve([], error.duplicate());
            Err(error)
        };
        let replies = match self.source.run(&batch).await {
            Ok((replies, None)) => replies,
            Ok((_, Some(error))) | Err(error) => return failed(error.for_command("EXEC")),
        };
        self.source.forget_watched();
        // OK for MULTI, QUEUED for each command, and the reply of EXEC.
        let mut replies = replies.into_iter();
        let begun = replies.next();
        if let Some(text) = begun.as_ref().and_then(|frame| Decoder::new(frame).error()) {
            return failed(Error::server(text).for_command("MULTI"));
        }
        for (index, frame) in replies.by_ref().take(count).enumerate() {
            if let Some(text) = Decoder::new(&frame).error() {
                let refused = Error::server(text);
                let message = format!(
                    "nothing was executed, because the server refused {}: {}",
                    self.collector.name(index),
                    refused.message()
                );
                return failed(
                    Error::new(ErrorKind::Transaction, Outcome::Rejected, message)
                        .for_command("EXEC"),
                );
            }
        }
        let Some(frame) = replies.next() else {
            return failed(Error::new(
                ErrorKind::Protocol,
                Outcome::Unknown,
                "EXEC has no reply",
            ));
        };
        let mut decoder = Decoder::new(&frame);
        if let Some(text) = decoder.error() {
            return failed(Error::server(text).for_command("EXEC"));
        }
        if decoder.null() {
            let message = "nothing was executed, because a watched key has changed";
            let error =
                Error::new(ErrorKind::Transaction, Outcome::Rejected, message).for_command("EXEC");
            self.collector.resolve([], error.duplicate());
            return Ok(Executed::KeyChanged(error));
        }
        match results(&mut decoder) {
            Ok(results) if results.len() == count => {
                let missing = Error::new(
                    ErrorKind::Protocol,
                    Outcome::Unknown,
                    "EXEC gave too few replies",
                );
                self.collector.resolve(results, missing);
                Ok(Executed::Yes)
            }
            Ok(_) => failed(Error::new(
                ErrorKind::Protocol,
                Outcome::Unknown,
                "EXEC gave another number of replies than commands",
            )),
            Err(error) => failed(error),
        }
    }

    /// Forgets all queued commands. Nothing of them was sent.
    pub async fn discard(mut self) -> Result<()> {
        let discarded = Error::new(
            ErrorKind::Transaction,
            Outcome::NotSent,
            "the transaction was discarded",
        );
        self.collector.resolve([], discarded);
        let unwatched = self.source.unwatch().await;
        self.source.forget_watched();
        unwatched
    }

    /// Forgets all watched keys: the transaction will be executed whether they change or not.
    pub async fn unwatch(&self) -> Result<()> {
        self.source.unwatch().await
    }
}

/// What became of a transaction that the server understood.
enum Executed {
    Yes,
    KeyChanged(Error),
}

fn results(decoder: &mut Decoder<'_>) -> Result<Vec<Frame>> {
    let count = decoder.array().map_err(Error::decode)?;
    Ok((0..count).map(|_| decoder.take_frame()).collect())
}

impl<E: Encoder> Executor for Transaction<E> {
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
        Poll::Ready(
            self.collector
                .push::<E, R>(command, self.encoder, "a transaction"),
        )
    }

    fn cancel(&self, (): &mut ()) {}
}

/// Begins a [`Transaction`]; see [`Connection::multi`].
#[must_use = "nothing happens until this is awaited"]
#[derive(Debug)]
pub struct Multi<E: Encoder> {
    source: Source,
    encoder: E,
    watched: Vec<Vec<u8>>,
}

impl<E: Encoder> Multi<E> {
    pub(crate) fn new(source: Source, encoder: E) -> Self {
        Self {
            source,
            encoder,
            watched: Vec::new(),
        }
    }

    /// Watches keys: if one of them is changed by somebody else before `exec`, nothing is executed.
    pub fn watch<'a>(mut self, keys: impl IntoIterator<Item = impl ToArg<'a, E>>) -> Self {
        let encoder = self.encoder;
        self.watched.extend(
            keys.into_iter()
                .map(|key| key.to_arg(encoder).with_bytes(<[u8]>::to_vec)),
        );
        self
    }
}

impl<E: Encoder> IntoFuture for Multi<E> {
    type Output = Result<Transaction<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.watched.is_empty() {
                return Ok(Transaction::new(self.source, self.encoder));
            }
            Ok(Watch::begin(&self.source, self.encoder, &self.watched)
                .await?
                .multi())
        })
    }
}

/// Watched keys, on a connection of their own: read them here, then [`multi`](Self::multi).
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example(client: Connection) -> redis_client::Result<()> {
/// let watch = client.watch(["balance"]).await?;
/// let balance: i64 = watch.get("balance").await?.and_then(|text| text.parse().ok()).unwrap_or(0);
/// let transaction = watch.multi();
/// transaction.set("balance", balance + 10).await?;
/// transaction.exec().await?; // an error if somebody else changed `balance` meanwhile
/// # Ok(())
/// # }
/// ```
///
/// Dropping it forgets the keys. [`Connection::transaction`] does all this in a loop.
#[derive(Debug)]
pub struct Watch<E: Encoder = Utf8> {
    lease: Lease,
    connection: Connection<E>,
}

impl<E: Encoder> Watch<E> {
    pub(crate) async fn begin(source: &Source, encoder: E, keys: &[Vec<u8>]) -> Result<Self> {
        let mut command = Command::new(&spec::WATCH);
        for key in keys {
            command.push_key(0, Arg::from(key.as_slice()));
        }
        let watching = source.watch(&command).await;
        let lease = watching.map_err(|error| error.for_command("WATCH"))?;
        let connection = lease.connection().with_encoder(encoder);
        Ok(Self { lease, connection })
    }

    /// Begins the transaction.
    pub fn multi(self) -> Transaction<E> {
        let encoder = self.connection.encoder();
        Transaction::new(Source::Leased(self.lease), encoder)
    }
}

impl<E: Encoder> Executor for Watch<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = crate::connection::Ticket;

    fn encoder(&self) -> E {
        self.connection.encoder()
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Self::Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        self.connection.poll_call::<R>(command, ticket, cx)
    }

    fn cancel(&self, ticket: &mut Self::Ticket) {
        self.connection.cancel(ticket);
    }
}

/// How often [`Connection::transaction`] tries.
pub(crate) const ATTEMPTS: u32 = 100;

/// Runs `body` on watched keys and executes what it queued, again and again while somebody else
/// changes the keys in between.
pub(crate) async fn optimistic<E, T, F, A>(
    source: &Source,
    encoder: E,
    keys: &[Vec<u8>],
    body: F,
) -> Result<T>
where
    E: Encoder,
    F: Fn(Optimistic<E>) -> A,
    A: Future<Output = Result<T>>,
{
    let mut attempt = 0;
    loop {
        let watch = Watch::begin(source, encoder, keys).await?;
        let mut begin = Batch::new();
        begin.push(&Command::new(&spec::MULTI));
        let optimistic = Optimistic {
            watch: Arc::new(watch),
            queue: Arc::new(Collector::new(begin)),
        };
        let value = body(optimistic.clone()).await?;
        let (Some(watch), Some(queue)) = (
            Arc::into_inner(optimistic.watch),
            Arc::into_inner(optimistic.queue),
        ) else {
            return Err(Error::argument(
                "the body of the transaction has given its handle away, so that more commands might still be queued",
            ));
        };
        let transaction = Transaction {
            source: Source::Leased(watch.lease),
            collector: queue,
            encoder,
        };
        match transaction.execute().await {
            Ok(Executed::Yes) => return Ok(value),
            Ok(Executed::KeyChanged(error)) if attempt >= ATTEMPTS => return Err(error),
            Ok(Executed::KeyChanged(_)) => {
                attempt += 1;
                // The longer the others win, the longer the pause; a random part keeps them apart.
                let ceiling = Duration::from_micros(100 << attempt.min(8));
                tokio::time::sleep(ceiling.mul_f64(random_fraction())).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What the body of [`Connection::transaction`] works with: commands on it are executed at once, on the
/// watched keys; commands on its [`queue`](Self::queue) when the body is done, if no key has changed.
#[derive(Debug, Clone)]
pub struct Optimistic<E: Encoder = Utf8> {
    watch: Arc<Watch<E>>,
    queue: Arc<Collector>,
}

impl<E: Encoder> Optimistic<E> {
    /// Queues commands for the transaction.
    pub fn queue(&self) -> Queue<'_, E> {
        Queue(self)
    }
}

impl<E: Encoder> Executor for Optimistic<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = crate::connection::Ticket;

    fn encoder(&self) -> E {
        self.watch.encoder()
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Self::Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        self.watch.poll_call::<R>(command, ticket, cx)
    }

    fn cancel(&self, ticket: &mut Self::Ticket) {
        self.watch.cancel(ticket);
    }
}

/// The commands that an [`Optimistic`] transaction will execute.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'t, E: Encoder>(&'t Optimistic<E>);

impl<E: Encoder> Executor for Queue<'_, E> {
    type Encoder = E;
    type Output<T> = Queued<T>;
    type Ticket = ();

    fn encoder(&self) -> E {
        self.0.encoder()
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        (): &mut (),
        _: &mut Context<'_>,
    ) -> Poll<Result<Queued<R::Value>>> {
        Poll::Ready(
            self.0
                .queue
                .push::<E, R>(command, self.0.encoder(), "a transaction"),
        )
    }

    fn cancel(&self, (): &mut ()) {}
}
