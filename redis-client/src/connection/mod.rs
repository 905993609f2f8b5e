//! One connection: a cheap handle for any number of callers, a state machine ([`core`]), and a task
//! that moves the bytes ([`driver`]) over a socket from [`connect`](crate::connect).

mod core;
mod driver;

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::core::{Arrived, Core, CoreLimits, Millis, SlotId};
pub(crate) use self::driver::Transport;
use crate::call::Executor;
use crate::command::Command;
use crate::config::Config;
use crate::connect::{self, Endpoint};
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::reply::{self, Reply, ReplyKind, StreamHead, Streaming};

/// A connection to one server, shared by everybody who has a clone of it.
///
/// Commands of all callers are written in the order in which they are first polled, those that come
/// while a write is under way together in the next one (automatic pipelining), and their replies are
/// read in the same order.
///
/// # Dropping a call
///
/// | when | what happens |
/// |---|---|
/// | before it was written | it is never sent |
/// | after that | its reply is thrown away when it comes; no other call notices |
/// | a blocking command ([`blpop`](crate::ListCommands::blpop), …) after that | the connection is closed at once (and made anew), so that the server takes no element for a caller who has gone |
/// | a streaming reply, half-read | the rest is skipped, or the connection closed when that is too much |
///
/// A blocking command makes all others on the same connection wait: give it a connection of its own.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example() -> redis_client::Result<()> {
/// let connection = Connection::connect("redis://localhost").await?;
/// connection.set("key", "value").expire(60).await?;
/// assert_eq!(connection.get("key").await?.as_deref(), Some("value"));
/// # Ok(())
/// # }
/// ```
pub struct Connection<E = Utf8> {
    handle: Arc<Handle>,
    encoder: E,
}

/// Closes the connection when the last clone is gone.
struct Handle(Arc<Shared>);

/// What the handles and the driver share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    config: Config,
    started: Instant,
    /// How often deadlines are looked at, if there are any.
    tick_interval: Option<Duration>,
}

impl Connection {
    /// Connects to a server: `redis://[user:password@]host[:port][/db][?option=value]`, `rediss://…`
    /// for TLS, `unix:///path` for a unix socket. The options are those of [`Config`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL is wrong, [`ErrorKind::Connect`] if the server cannot be
    /// reached in time, [`ErrorKind::Authentication`] if it refuses the user.
    pub async fn connect(url: &str) -> Result<Self> {
        url.parse::<Config>()?.connect().await
    }

    /// A [`Config`] to set the options of a connection one by one.
    pub fn builder() -> Config {
        Config::new()
    }
}

impl<E: Encoder> Connection<E> {
    pub(crate) async fn open(config: Config, encoder: E) -> Result<Self> {
        let endpoint = Endpoint::new(&config)?;
        let link = endpoint.connect(&config).await?;
        let shared = Shared::new(config);
        shared.lock().connected();
        let supervised = Arc::clone(&shared);
        tokio::spawn(async move { supervised.supervise(Some(endpoint), link).await });
        Ok(Self::from_shared(shared, encoder))
    }

    pub(crate) async fn over(
        config: Config,
        encoder: E,
        io: Pin<Box<dyn Transport>>,
    ) -> Result<Self> {
        let link = connect::connect_over(&config, io).await?;
        let shared = Shared::new(config);
        shared.lock().connected();
        let supervised = Arc::clone(&shared);
        tokio::spawn(async move { supervised.supervise(None, link).await });
        Ok(Self::from_shared(shared, encoder))
    }

    fn from_shared(shared: Arc<Shared>, encoder: E) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
            encoder,
        }
    }

    /// The same connection with another encoder: `connection.with_encoder(Raw)` for bytes.
    pub fn with_encoder<F: Encoder>(&self, encoder: F) -> Connection<F> {
        Connection {
            handle: Arc::clone(&self.handle),
            encoder,
        }
    }

    /// Whether there is a connection right now.
    pub fn is_connected(&self) -> bool {
        self.shared().lock().is_up()
    }

    /// Whether a command is under way.
    pub fn in_use(&self) -> bool {
        self.shared().lock().in_flight() > 0
    }

    /// Whether a blocking command is under way, so that others have to wait for it.
    pub fn in_blocking_call(&self) -> bool {
        self.shared().lock().in_blocking_call()
    }

    /// Closes the connection for all its handles. Commands that are under way fail.
    pub fn close(&self) {
        self.shared().close("the connection was closed");
    }

    fn shared(&self) -> &Shared {
        &self.handle.0
    }
}

impl<E: Clone> Clone for Connection<E> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            encoder: self.encoder.clone(),
        }
    }
}

impl<E> fmt::Debug for Connection<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("config", &self.handle.0.config)
            .field("connected", &self.handle.0.lock().is_up())
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close("the connection was dropped");
    }
}

impl Shared {
    fn new(config: Config) -> Arc<Self> {
        let limits = CoreLimits {
            commands: config.max_in_flight.max(1),
            bytes: config.max_in_flight_bytes,
            skip: config.max_skip,
            reply: config.reply_limits,
        };
        // A sixteenth of the timeout is precise enough and costs next to nothing.
        let timeout = config.reply_timeout.unwrap_or(Duration::from_secs(4));
        Arc::new(Self {
            core: Mutex::new(Core::new(limits)),
            started: Instant::now(),
            tick_interval: Some(
                (timeout / 16).clamp(Duration::from_millis(5), Duration::from_millis(250)),
            ),
            config,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // Nothing within the lock panics; and if it did, the state would still be whole.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Millis {
        // Never zero, which means "no deadline".
        u64::try_from(self.started.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// Runs `f` under the lock and wakes whom it concerns after that.
    fn with<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.lock();
        let result = f(&mut core);
        let wakes = core.take_few_wakes();
        drop(core);
        wakes.into_iter().for_each(Waker::wake);
        result
    }

    fn close(&self, why: &str) {
        self.with(|core| {
            if !core.is_closed() {
                core.closed(Error::new(ErrorKind::NotConnected, Outcome::NotSent, why));
            }
        });
    }

    /// Serves one connection after the other, until it is closed for good.
    async fn supervise(self: Arc<Self>, endpoint: Option<Endpoint>, mut link: connect::Link) {
        loop {
            let ended = driver::drive(&self, link.io, link.unread).await;
            self.with(|core| core.disconnected(&ended.error, ended.written));
            let Some(endpoint) = endpoint.as_ref().filter(|_| self.config.auto_reconnect) else {
                self.close(ended.error.message());
                return;
            };
            match self.reconnect(endpoint).await {
                Some(next) => link = next,
                None => return,
            }
            self.with(Core::connected);
        }
    }

    /// Tries again and again, with growing pauses, while the deadlines of waiting commands go on.
    async fn reconnect(&self, endpoint: &Endpoint) -> Option<connect::Link> {
        let mut attempt = 0;
        loop {
            if self.lock().is_closed() {
                return None;
            }
            let pause = self.config.reconnect.pause(attempt);
            self.watch(tokio::time::sleep(pause)).await?;
            match self.watch(endpoint.connect(&self.config)).await? {
                Ok(link) => return Some(link),
                Err(error) => {
                    attempt += 1;
                    if self.config.reconnect.gives_up_after(attempt) {
                        self.close(&format!(
                            "gave up reconnecting after {attempt} attempts: {error}"
                        ));
                        return None;
                    }
                }
            }
        }
    }

    /// Waits for `future` and looks after deadlines meanwhile; `None` when the connection is closed.
    async fn watch<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut timer = pin!(tokio::time::sleep(
            self.tick_interval.unwrap_or(Duration::from_secs(1))
        ));
        std::future::poll_fn(|cx| {
            {
                let mut core = self.lock();
                core.register_driver(cx.waker());
                if core.is_closed() {
                    return Poll::Ready(None);
                }
            }
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            while timer.as_mut().poll(cx).is_ready() {
                self.with(|core| core.tick(self.now()));
                let next = tokio::time::Instant::now()
                    + self.tick_interval.unwrap_or(Duration::from_secs(1));
                timer.as_mut().reset(next);
            }
            Poll::Pending
        })
        .await
    }
}

/// A call under way on a [`Connection`].
#[derive(Debug, Default)]
pub struct Ticket {
    slot: Option<SlotId>,
    attempts: u8,
    /// An attempt before this one may have been executed.
    uncertain: bool,
}

impl Ticket {
    /// What may have been executed once is not unsent, whatever became of its repetition.
    fn outcome_of_all(&self, error: Error) -> Error {
        match error.outcome() {
            Outcome::NotSent if self.uncertain => error.with_outcome(Outcome::Unknown),
            _ => error,
        }
    }
}

impl<E: Encoder> Executor for Connection<E> {
    type Encoder = E;
    type Output<T> = T;
    type Ticket = Ticket;

    fn encoder(&self) -> E {
        self.encoder
    }

    fn poll_call<R: ReplyKind<E>>(
        &self,
        command: &mut Command<'_>,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        let reply = ready!(poll_reply(&self.handle, command, R::STREAMING, ticket, cx));
        Poll::Ready(
            reply
                .and_then(|reply| reply::decode::<E, R>(reply, self.encoder))
                .map_err(|error| error.for_command(command.name())),
        )
    }

    fn cancel(&self, ticket: &mut Ticket) {
        if let Some(slot) = ticket.slot.take() {
            self.shared().with(|core| core.cancel(slot));
        }
    }
}

fn poll_reply(
    handle: &Arc<Handle>,
    command: &Command<'_>,
    streaming: Streaming,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
) -> Poll<Result<Reply>> {
    let shared = &handle.0;
    loop {
        let Some(slot) = ticket.slot else {
            command.check()?;
            let patience = patience(command, &shared.config);
            let submitted = shared.with(|core| core.submit(command, streaming, patience, cx));
            ticket.slot = Some(submitted.map_err(|error| ticket.outcome_of_all(error))?);
            return Poll::Pending;
        };
        let arrived = ready!(shared.with(|core| core.poll_reply(slot, command, cx)));
        ticket.slot = None;
        return Poll::Ready(match arrived {
            Ok(Arrived::Frame(frame)) => Ok(Reply::Frame(frame)),
            Ok(Arrived::Stream { shape, len }) => Ok(Reply::Stream(StreamHead {
                shape,
                len,
                chunks: Chunks {
                    handle: Arc::clone(handle),
                    slot,
                },
            })),
            Err(error) if may_retry(&error, command, ticket, &shared.config) => {
                ticket.attempts += 1;
                ticket.uncertain |= error.outcome() == Outcome::Unknown;
                continue;
            }
            Err(error) => Err(ticket.outcome_of_all(error)),
        });
    }
}

/// What was not sent is always sent again; what may have been executed only if that does no harm.
fn may_retry(error: &Error, command: &Command<'_>, ticket: &Ticket, config: &Config) -> bool {
    error.kind() == ErrorKind::ConnectionLost
        && config.auto_reconnect
        && ticket.attempts < config.reconnect.retries
        && match error.outcome() {
            Outcome::NotSent => true,
            Outcome::Unknown => command.is_repeatable(),
            _ => false,
        }
}

/// Milliseconds until a call is given up; zero: never.
fn patience(command: &Command<'_>, config: &Config) -> u32 {
    let patience = match (command.blocks_for(), command.reply_timeout()) {
        (_, Some(own)) => Some(own),
        (Some(Duration::ZERO), None) => None,
        (Some(block), None) => config
            .reply_timeout
            .map(|margin| block.saturating_add(margin)),
        (None, None) => config.reply_timeout,
    };
    patience.map_or(0, |patience| {
        u32::try_from(patience.as_millis())
            .unwrap_or(u32::MAX)
            .max(1)
    })
}

/// The pieces of a streamed reply.
pub(crate) struct Chunks {
    handle: Arc<Handle>,
    slot: SlotId,
}

impl Chunks {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        self.handle.0.with(|core| core.poll_chunk(self.slot, cx))
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.handle.0.with(|core| core.cancel(self.slot));
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}
