//! Publish/subscribe: who gets which messages ([`Registry`], part of the connection's state machine),
//! and the [`Subscription`] that a user holds.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use tokio::task::coop::poll_proceed;

use crate::arg::{Arg, ToArg};
use crate::call::Executor;
use crate::client::AnyClient;
use crate::command::{Command, Spec};
use crate::commands::spec;
use crate::connection::{Connection, Subscribing};
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, Result};
use crate::resp::{Blob, DecodeError, Decoder, Frame};

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PubSubReply<N> {
    /// The channel that it was published to.
    pub channel: N,
    /// The message.
    pub value: N,
    /// The pattern that we subscribed to, for a message that came because of one.
    pub pattern: Option<N>,
}

/// What a [`Subscription`] sees.
#[derive(Debug)]
#[non_exhaustive]
pub enum PubSubEvent<N> {
    /// A message.
    Message(PubSubReply<N>),
    /// Messages may be missing from here on, until [`Restored`](Self::Restored) where the connection
    /// was lost.
    Gap(Gap),
    /// All subscriptions are in force again after a lost connection.
    Restored,
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// The connection was lost.
    ConnectionLost,
    /// So many messages were dropped because they were not taken fast enough.
    Dropped(u64),
}

/// What happens when messages come faster than they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Keeps up to this many bytes of messages, drops the oldest beyond that, and says how many in
    /// [`Gap::Dropped`].
    DropOldest(usize),
    /// Keeps up to this many bytes of messages and then reads no more until some are taken. The
    /// subscription gets a connection of its own, so that nobody else waits. The server drops a
    /// connection that takes too little for too long (`client-output-buffer-limit`), which is a
    /// [`Gap::ConnectionLost`].
    BackPressure(usize),
}

impl Default for Backlog {
    /// The latest 16 MiB.
    fn default() -> Self {
        Self::DropOldest(16 * 1024 * 1024)
    }
}

/// The three namespaces of subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Channel,
    Pattern,
    Shard,
}

impl Space {
    const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];

    fn subscribe(self) -> &'static Spec {
        match self {
            Self::Channel => &spec::SUBSCRIBE,
            Self::Pattern => &spec::PSUBSCRIBE,
            Self::Shard => &spec::SSUBSCRIBE,
        }
    }

    fn unsubscribe(self) -> &'static Spec {
        match self {
            Self::Channel => &spec::UNSUBSCRIBE,
            Self::Pattern => &spec::PUNSUBSCRIBE,
            Self::Shard => &spec::SUNSUBSCRIBE,
        }
    }
}

/// What somebody listens to.
#[derive(Debug, Default)]
struct Names {
    channels: HashSet<Box<[u8]>>,
    patterns: HashSet<Box<[u8]>>,
    shards: HashSet<Box<[u8]>>,
}

impl Names {
    fn of(&self, space: Space) -> &HashSet<Box<[u8]>> {
        match space {
            Space::Channel => &self.channels,
            Space::Pattern => &self.patterns,
            Space::Shard => &self.shards,
        }
    }

    fn of_mut(&mut self, space: Space) -> &mut HashSet<Box<[u8]>> {
        match space {
            Space::Channel => &mut self.channels,
            Space::Pattern => &mut self.patterns,
            Space::Shard => &mut self.shards,
        }
    }
}

/// What a push message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    Message,
    Confirmation,
    Other,
}

impl Push {
    pub(crate) fn of(frame: &Frame) -> Self {
        let mut decoder = Decoder::new(frame);
        let _ = decoder.array();
        match decoder.blob().map(Blob::as_bytes) {
            Ok(b"message" | b"pmessage" | b"smessage") => Self::Message,
            Ok(
                b"subscribe" | b"psubscribe" | b"ssubscribe" | b"unsubscribe" | b"punsubscribe"
                | b"sunsubscribe",
            ) => Self::Confirmation,
            _ => Self::Other,
        }
    }
}

/// The subscribers of a connection.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    subscribers: Vec<Option<Subscriber>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubscriberId(usize);

#[derive(Debug)]
struct Subscriber {
    names: Names,
    backlog: Backlog,
    events: VecDeque<Event>,
    bytes: usize,
    dropped: u64,
    closed: Option<Error>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(crate) enum Event {
    Message(Frame),
    Gap(Gap),
    Restored,
    Refused(Error),
}

impl Subscriber {
    fn push(&mut self, event: Event, wakes: &mut Vec<Waker>) {
        if let Event::Message(frame) = &event {
            self.bytes += frame.bytes().len();
            if let Backlog::DropOldest(limit) = self.backlog {
                self.drop_oldest(limit);
            }
        }
        self.events.push_back(event);
        wakes.extend(self.waker.take());
    }

    fn drop_oldest(&mut self, limit: usize) {
        while self.bytes > limit {
            let Some(at) = self
                .events
                .iter()
                .position(|event| matches!(event, Event::Message(_)))
            else {
                return;
            };
            if let Some(Event::Message(frame)) = self.events.remove(at) {
                self.bytes -= frame.bytes().len();
                self.dropped += 1;
            }
        }
    }

    fn has_names(&self) -> bool {
        Space::ALL
            .iter()
            .any(|space| !self.names.of(*space).is_empty())
    }
}

impl Registry {
    pub(crate) fn add(&mut self, backlog: Backlog) -> SubscriberId {
        let subscriber = Some(Subscriber {
            names: Names::default(),
            backlog,
            events: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            closed: None,
            waker: None,
        });
        match self
            .subscribers
            .iter_mut()
            .enumerate()
            .find(|(_, place)| place.is_none())
        {
            Some((id, place)) => {
                *place = subscriber;
                SubscriberId(id)
            }
            None => {
                self.subscribers.push(subscriber);
                SubscriberId(self.subscribers.len() - 1)
            }
        }
    }

    /// Removes a subscriber. The commands that end what nobody else listens to.
    pub(crate) fn remove(&mut self, id: SubscriberId) -> Vec<Subscribing<'static>> {
        let Some(subscriber) = self.subscribers.get_mut(id.0).and_then(Option::take) else {
            return Vec::new();
        };
        let orphans = Space::ALL.into_iter().map(|space| {
            let names = subscriber.names.of(space).iter();
            let orphans: Vec<_> = names.filter(|name| !self.is_wanted(space, name)).collect();
            (space, orphans)
        });
        orphans
            .filter(|(_, names)| !names.is_empty())
            .map(|(space, names)| {
                subscribing(
                    space.unsubscribe(),
                    names.iter().map(|name| name.to_vec().into()),
                )
            })
            .collect()
    }

    fn subscriber(&mut self, id: SubscriberId) -> Option<&mut Subscriber> {
        self.subscribers.get_mut(id.0)?.as_mut()
    }

    fn is_wanted(&self, space: Space, name: &[u8]) -> bool {
        self.subscribers
            .iter()
            .flatten()
            .any(|other| other.names.of(space).contains(name))
    }

    /// The names that it did not listen to before.
    fn listen(&mut self, id: SubscriberId, space: Space, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let Some(subscriber) = self.subscriber(id) else {
            return Vec::new();
        };
        let known = subscriber.names.of_mut(space);
        names
            .iter()
            .filter(|name| known.insert(name.as_slice().into()))
            .cloned()
            .collect()
    }

    /// The names that nobody listens to any more.
    fn ignore(&mut self, id: SubscriberId, space: Space, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        if let Some(subscriber) = self.subscriber(id) {
            for name in names {
                subscriber.names.of_mut(space).remove(name.as_slice());
            }
        }
        names
            .iter()
            .filter(|name| !self.is_wanted(space, name))
            .cloned()
            .collect()
    }

    fn names(&mut self, id: SubscriberId, space: Space) -> Vec<Vec<u8>> {
        let names = self
            .subscriber(id)
            .map(|subscriber| subscriber.names.of(space));
        names
            .into_iter()
            .flatten()
            .map(|name| name.to_vec())
            .collect()
    }

    /// Gives a message to everybody who listens to its channel or pattern.
    pub(crate) fn dispatch(&mut self, frame: Frame, wakes: &mut Vec<Waker>) {
        let mut decoder = Decoder::new(&frame);
        let _ = decoder.array();
        let space = match decoder.blob().map(Blob::as_bytes) {
            Ok(b"message") => Space::Channel,
            Ok(b"pmessage") => Space::Pattern,
            _ => Space::Shard,
        };
        let Ok(name) = decoder.blob().map(Blob::as_bytes) else {
            return;
        };
        for subscriber in self.subscribers.iter_mut().flatten() {
            if subscriber.names.of(space).contains(name) {
                subscriber.push(Event::Message(frame.clone()), wakes);
            }
        }
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscribers.iter().flatten().any(Subscriber::has_names)
    }

    /// Whether reading has to wait for a subscriber.
    pub(crate) fn is_full(&self) -> bool {
        self.subscribers.iter().flatten().any(|subscriber| {
            matches!(subscriber.backlog, Backlog::BackPressure(limit) if subscriber.bytes >= limit.max(1))
        })
    }

    pub(crate) fn lost(&mut self, wakes: &mut Vec<Waker>) {
        for subscriber in self.subscribers.iter_mut().flatten() {
            let already = matches!(
                subscriber.events.back(),
                Some(Event::Gap(Gap::ConnectionLost))
            );
            if subscriber.has_names() && !already {
                subscriber.push(Event::Gap(Gap::ConnectionLost), wakes);
            }
        }
    }

    /// What has to be subscribed to on a new connection.
    pub(crate) fn restore(&self) -> Vec<Subscribing<'static>> {
        let all = Space::ALL.into_iter().map(|space| {
            let names: HashSet<&[u8]> = self
                .subscribers
                .iter()
                .flatten()
                .flat_map(|subscriber| subscriber.names.of(space))
                .map(|name| &**name)
                .collect();
            (space, names)
        });
        all.filter(|(_, names)| !names.is_empty())
            .map(|(space, names)| {
                subscribing(
                    space.subscribe(),
                    names.iter().map(|name| name.to_vec().into()),
                )
            })
            .collect()
    }

    pub(crate) fn restored(&mut self, wakes: &mut Vec<Waker>) {
        for subscriber in self.subscribers.iter_mut().flatten() {
            if subscriber.has_names() {
                subscriber.push(Event::Restored, wakes);
            }
        }
    }

    /// The server refused to subscribe anew.
    pub(crate) fn refused(&mut self, reply: &Frame, wakes: &mut Vec<Waker>) {
        let text = Decoder::new(reply).error().unwrap_or_default();
        for subscriber in self.subscribers.iter_mut().flatten() {
            if subscriber.has_names() {
                subscriber.push(Event::Refused(Error::server(text)), wakes);
            }
        }
    }

    pub(crate) fn closed(&mut self, error: &Error, wakes: &mut Vec<Waker>) {
        for subscriber in self.subscribers.iter_mut().flatten() {
            subscriber.closed.get_or_insert_with(|| error.duplicate());
            wakes.extend(subscriber.waker.take());
        }
    }

    /// The next event. What was dropped comes first: it was older.
    pub(crate) fn poll_event(&mut self, id: SubscriberId, cx: &Context<'_>) -> Poll<Result<Event>> {
        let Some(subscriber) = self.subscriber(id) else {
            return Poll::Pending;
        };
        if subscriber.dropped > 0 {
            let dropped = std::mem::take(&mut subscriber.dropped);
            return Poll::Ready(Ok(Event::Gap(Gap::Dropped(dropped))));
        }
        if let Some(event) = subscriber.events.pop_front() {
            if let Event::Message(frame) = &event {
                subscriber.bytes -= frame.bytes().len();
            }
            return Poll::Ready(Ok(event));
        }
        if let Some(error) = &subscriber.closed {
            return Poll::Ready(Err(error.duplicate()));
        }
        match &mut subscriber.waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            waker => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(any(test, fuzzing))]
impl Registry {
    /// A subscriber of one channel, for the model of the state machine.
    pub(crate) fn add_listener(&mut self, channel: &[u8], backlog: Backlog) -> SubscriberId {
        let id = self.add(backlog);
        self.listen(id, Space::Channel, &[channel.to_vec()]);
        id
    }
}

fn subscribing<'a>(
    spec: &'static Spec,
    names: impl ExactSizeIterator<Item = Arg<'a>>,
) -> Subscribing<'a> {
    let mut command = Command::new(spec);
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    for name in names {
        command.push(0, name);
    }
    Subscribing(command, count)
}

/// A subscription to channels and patterns: a [`Stream`] of [`PubSubEvent`]s.
///
/// After a lost connection it subscribes anew by itself, and says so: [`PubSubEvent::Gap`], then
/// [`PubSubEvent::Restored`]. It never just ends: the stream's last item, if the connection is closed
/// for good, is an error.
///
/// ```no_run
/// use redis_client::prelude::*;
///
/// # async fn example(client: Connection) -> redis_client::Result<()> {
/// let mut subscription = client.start_subscribe().await?;
/// subscription.subscribe(["news"]).await?;
/// subscription.psubscribe(["weather.*"]).await?;
/// loop {
///     let message = subscription.next_published().await?;
///     println!("{} on {}", message.value, message.channel);
/// }
/// # }
/// ```
pub struct Subscription<E: Encoder = Utf8> {
    connection: Connection<E>,
    id: SubscriberId,
    ended: bool,
}

impl<E: Encoder> Subscription<E> {
    /// Listens to channels.
    pub async fn subscribe<'a>(
        &self,
        channels: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.enter(Space::Channel, self.encode(channels)).await
    }

    /// Stops listening to channels; to all where none is named.
    pub async fn unsubscribe<'a>(
        &self,
        channels: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.leave(Space::Channel, self.encode(channels)).await
    }

    /// Listens to channels whose names match glob-style patterns.
    pub async fn psubscribe<'a>(
        &self,
        patterns: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.enter(Space::Pattern, self.encode(patterns)).await
    }

    /// Stops listening to patterns; to all where none is named.
    pub async fn punsubscribe<'a>(
        &self,
        patterns: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.leave(Space::Pattern, self.encode(patterns)).await
    }

    /// Listens to sharded channels (Redis and Valkey 7.0).
    pub async fn ssubscribe<'a>(
        &self,
        channels: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.enter(Space::Shard, self.encode(channels)).await
    }

    /// Stops listening to sharded channels; to all where none is named.
    pub async fn sunsubscribe<'a>(
        &self,
        channels: impl IntoIterator<Item = impl ToArg<'a, E>>,
    ) -> Result<()> {
        self.leave(Space::Shard, self.encode(channels)).await
    }

    /// The next message, whatever gaps lie before it; [`next_event`](Self::next_event) shows them.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](crate::ErrorKind::NotConnected) when the connection is closed for good,
    /// [`Decode`](crate::ErrorKind::Decode) for a message that does not decode (others may follow).
    pub async fn next_published(&mut self) -> Result<PubSubReply<E::Native>> {
        loop {
            if let PubSubEvent::Message(message) = self.next_event().await? {
                return Ok(message);
            }
        }
    }

    /// The next message, gap or end of a gap.
    ///
    /// # Errors
    ///
    /// As [`next_published`](Self::next_published).
    pub async fn next_event(&mut self) -> Result<PubSubEvent<E::Native>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<PubSubEvent<E::Native>>> {
        // Where messages come without end, others on the same thread are to have their turn too.
        let turn = ready!(poll_proceed(cx));
        let id = self.id;
        let event = self.connection.with_core(|core| {
            let event = core.subscribers.poll_event(id, cx);
            core.relieved();
            event
        });
        let event = ready!(event);
        turn.made_progress();
        Poll::Ready(match event? {
            Event::Message(frame) => message(&frame, self.connection.encoder())
                .map(PubSubEvent::Message)
                .map_err(Error::decode),
            Event::Gap(gap) => Ok(PubSubEvent::Gap(gap)),
            Event::Restored => Ok(PubSubEvent::Restored),
            Event::Refused(error) => Err(error),
        })
    }

    fn encode<'a>(&self, names: impl IntoIterator<Item = impl ToArg<'a, E>>) -> Vec<Vec<u8>> {
        let encoder = self.connection.encoder();
        names
            .into_iter()
            .map(|name| name.to_arg(encoder).with_bytes(<[u8]>::to_vec))
            .collect()
    }

    async fn enter(&self, space: Space, names: Vec<Vec<u8>>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        // Known before it is sent: no message may come between.
        let fresh = self
            .connection
            .with_core(|core| core.subscribers.listen(self.id, space, &names));
        let undo = Leaving::new(self, space, fresh);
        self.send(space.subscribe(), &names).await?;
        undo.disarm();
        Ok(())
    }

    async fn leave(&self, space: Space, names: Vec<Vec<u8>>) -> Result<()> {
        let orphans = self.connection.with_core(|core| {
            let names = if names.is_empty() {
                core.subscribers.names(self.id, space)
            } else {
                names
            };
            core.subscribers.ignore(self.id, space, &names)
        });
        if orphans.is_empty() {
            return Ok(());
        }
        let redo = Leaving::new(self, space, orphans.clone());
        self.send(space.unsubscribe(), &orphans).await?;
        redo.disarm();
        Ok(())
    }

    async fn send(&self, spec: &'static Spec, names: &[Vec<u8>]) -> Result<()> {
        let command = subscribing(spec, names.iter().map(|name| name.as_slice().into()));
        self.connection.confirmed(&command).await
    }
}

/// Stops listening when it is dropped: a call that fails or is dropped half-way leaves no subscription behind
/// whose messages nobody wants.
struct Leaving<'s, E: Encoder> {
    subscription: &'s Subscription<E>,
    space: Space,
    names: Vec<Vec<u8>>,
}

impl<'s, E: Encoder> Leaving<'s, E> {
    fn new(subscription: &'s Subscription<E>, space: Space, names: Vec<Vec<u8>>) -> Self {
        Self {
            subscription,
            space,
            names,
        }
    }

    fn disarm(mut self) {
        self.names.clear();
    }
}

impl<E: Encoder> Drop for Leaving<'_, E> {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        self.subscription.connection.with_core(|core| {
            let orphans = core
                .subscribers
                .ignore(self.subscription.id, self.space, &self.names);
            if !orphans.is_empty() {
                core.submit_detached(&subscribing(
                    self.space.unsubscribe(),
                    orphans.iter().map(|name| name.as_slice().into()),
                ));
            }
        });
    }
}

impl<E: Encoder> Stream for Subscription<E> {
    type Item = Result<PubSubEvent<E::Native>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let event = ready!(this.poll_event(cx));
        this.ended = event.as_ref().is_err_and(Error::is_disconnected);
        Poll::Ready(Some(event))
    }
}

impl<E: Encoder> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.connection.with_core(|core| {
            for command in core.subscribers.remove(self.id) {
                core.submit_detached(&command);
            }
            core.relieved();
        });
    }
}

impl<E: Encoder> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

fn message<E: Encoder>(frame: &Frame, encoder: E) -> Result<PubSubReply<E::Native>, DecodeError> {
    let mut decoder = Decoder::new(frame);
    let count = decoder.array()?;
    decoder.skip();
    let pattern = if count == 4 {
        Some(encoder.decode(decoder.blob()?)?)
    } else {
        None
    };
    let channel = encoder.decode(decoder.blob()?)?;
    let value = encoder.decode(decoder.blob()?)?;
    Ok(PubSubReply {
        channel,
        value,
        pattern,
    })
}

/// Begins a subscription; see [`Connection::start_subscribe`].
#[must_use = "nothing happens until this is awaited"]
#[derive(Debug)]
pub struct StartSubscribe<E: Encoder> {
    source: AnyClient<E>,
    backlog: Backlog,
    own: bool,
}

impl<E: Encoder> StartSubscribe<E> {
    pub(crate) fn new(source: AnyClient<E>) -> Self {
        Self {
            source,
            backlog: Backlog::default(),
            own: false,
        }
    }

    /// What happens when messages come faster than they are taken.
    pub fn backlog(mut self, backlog: Backlog) -> Self {
        self.backlog = backlog;
        self
    }

    /// Gives the subscription a connection of its own.
    pub fn own_connection(mut self) -> Self {
        self.own = true;
        self
    }

    async fn start(self) -> Result<Subscription<E>> {
        let waits = matches!(self.backlog, Backlog::BackPressure(_));
        let connection = match self.source {
            AnyClient::Connection(connection)
                if !self.own && !waits && connection.speaks_resp3() =>
            {
                connection
            }
            AnyClient::Connection(connection) => connection.for_messages().await?,
            AnyClient::Pool(pool) => {
                let encoder = pool.encoder();
                pool.shared()
                    .await?
                    .with_encoder(encoder)
                    .for_messages()
                    .await?
            }
        };
        let backlog = self.backlog;
        let id = connection.with_core(|core| core.subscribers.add(backlog));
        Ok(Subscription {
            connection,
            id,
            ended: false,
        })
    }
}

impl<E: Encoder> IntoFuture for StartSubscribe<E> {
    type Output = Result<Subscription<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
