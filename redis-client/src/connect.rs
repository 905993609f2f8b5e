//! From a [`Config`] to a connection that is ready for commands: dialling, TLS, handshake.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use socket2::{SockRef, Socket, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::call::{Call, Executor, Request};
use crate::command::Command;
use crate::commands::ConnectionCommands;
use crate::config::{Address, Config, Credentials, Protocol};
use crate::connection::Transport;
use crate::encoder::Utf8;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::reply::{self, Reply, ReplyKind};
use crate::resp::{Frame, ReplyLimits, Scanner};

/// A socket after the handshake, and bytes that came after that.
pub(crate) struct Link {
    pub(crate) io: Pin<Box<dyn Transport>>,
    pub(crate) unread: BytesMut,
    pub(crate) protocol: Protocol,
    /// A second handle of the socket, to end it at once; there is none for a stream of the user's.
    pub(crate) breaker: Option<Socket>,
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Link>> + Send + 'a>>;

/// What was said on an earlier connection and has to be said again: names and encoded commands.
pub(crate) type Session = Vec<(&'static str, Bytes)>;

/// A server's address with all that can be prepared before dialling.
pub(crate) struct Endpoint {
    address: Address,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::Connector>,
}

impl Endpoint {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            address: config.address.clone(),
            #[cfg(feature = "tls")]
            tls: match &config.address {
                Address::Tcp { tls: true, .. } => {
                    Some(crate::tls::Connector::new(config.tls.as_ref())?)
                }
                _ => None,
            },
        })
    }

    /// Dials and shakes hands, within the connect timeout.
    pub(crate) fn connect<'a>(
        &'a self,
        config: &'a Config,
        session: &'a [(&'static str, Bytes)],
    ) -> Connecting<'a> {
        // Boxed: its callers are several, and each would be compiled with a copy of it inside.
        Box::pin(async move {
            let connecting = async {
                let (io, breaker) = self.dial(config.keep_alive).await?;
                let link = handshake(config, session, io).await?;
                Ok(Link { breaker, ..link })
            };
            in_time(config, connecting).await.unwrap_or_else(|timeout| {
                Err(Error::connect(format!(
                    "{}: no connection within {timeout:?}",
                    self.address
                )))
            })
        })
    }

    async fn dial(
        &self,
        keep_alive: Option<Duration>,
    ) -> Result<(Pin<Box<dyn Transport>>, Option<Socket>)> {
        let failed = |error: io::Error| {
            Error::connect(format!(
                "{}: {error}; is a server running there, and does it listen on this address?",
                self.address
            ))
            .with_source(error)
        };
        match &self.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(failed)?;
                let breaker = SockRef::from(&stream).try_clone().ok();
                Ok((Box::pin(stream), breaker))
            }
            Address::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port))
                    .await
                    .map_err(failed)?;
                // Batches are put together by the driver; Nagle's algorithm would only delay them.
                stream.set_nodelay(true).map_err(failed)?;
                if let Some(idle) = keep_alive {
                    let keep_alive = TcpKeepalive::new()
                        .with_time(idle)
                        .with_interval(idle / 3 + Duration::from_secs(1));
                    SockRef::from(&stream)
                        .set_tcp_keepalive(&keep_alive)
                        .map_err(failed)?;
                    // Keep-alive is silent while data waits for its acknowledgement.
                    #[cfg(any(target_os = "linux", target_os = "android"))]
                    SockRef::from(&stream)
                        .set_tcp_user_timeout(Some(idle * 2))
                        .map_err(failed)?;
                }
                let breaker = SockRef::from(&stream).try_clone().ok();
                #[cfg(feature = "tls")]
                if let Some(tls) = &self.tls {
                    return Ok((tls.connect(host, stream).await?, breaker));
                }
                Ok((Box::pin(stream), breaker))
            }
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Shakes hands over a stream that is connected already, within the connect timeout.
pub(crate) async fn connect_over(config: &Config, io: Pin<Box<dyn Transport>>) -> Result<Link> {
    in_time(config, handshake(config, &[], io))
        .await
        .unwrap_or_else(|timeout| {
            Err(Error::connect(format!(
                "no answer to the handshake within {timeout:?}"
            )))
        })
}

/// The timeout, if it is over before the connection is there.
async fn in_time<T>(config: &Config, connecting: impl Future<Output = T>) -> Result<T, Duration> {
    match config.connect_timeout {
        None => Ok(connecting.await),
        Some(timeout) => tokio::time::timeout(timeout, connecting)
            .await
            .map_err(|_| timeout),
    }
}

/// Agrees with the server on protocol, user, name and database.
fn handshake<'a>(
    config: &'a Config,
    session: &'a [(&'static str, Bytes)],
    io: Pin<Box<dyn Transport>>,
) -> Connecting<'a> {
    Box::pin(shake_hands(config, session, io))
}

async fn shake_hands(
    config: &Config,
    session: &[(&'static str, Bytes)],
    io: Pin<Box<dyn Transport>>,
) -> Result<Link> {
    let mut talk = Handshake {
        io,
        unread: BytesMut::new(),
        has_spoken: false,
    };
    let credentials = match &config.credentials {
        None => None,
        Some(Credentials::Fixed { username, password }) => {
            Some((username.clone(), password.clone()))
        }
        Some(Credentials::Provider(provider)) => Some(provider().await?),
    };
    let resp3 = match config.protocol {
        Some(Protocol::Resp2) => false,
        Some(Protocol::Resp3) => {
            talk.hello(config, credentials.as_ref()).await?;
            true
        }
        None => match talk.hello(config, credentials.as_ref()).await {
            Ok(()) => true,
            Err(error) if refuses_hello(&error) => false,
            Err(error) => return Err(error),
        },
    };
    if !resp3 {
        if let Some((username, password)) = &credentials {
            let mut auth = Plan.auth(password.as_str());
            if let Some(username) = username {
                auth = auth.username(username.as_str());
            }
            talk.call(auth.into_call()).await?;
        }
        if let Some(name) = &config.client_name {
            talk.call(Plan.client_setname(name.as_str()).into_call())
                .await?;
        }
    }
    if config.db != 0 {
        talk.call(Plan.select(i64::from(config.db)).into_call())
            .await?;
    }
    if !talk.has_spoken {
        // Whether anybody is there, and lets us in, is not left for the first command to find out.
        // Even a server that is loading answers this.
        talk.call(Plan.client_getname().into_call()).await?;
    }
    for (name, command) in session {
        talk.repeat(command)
            .await
            .map_err(|error| error.for_command(*name))?;
    }
    Ok(Link {
        io: talk.io,
        unread: talk.unread,
        breaker: None,
        protocol: if resp3 {
            Protocol::Resp3
        } else {
            Protocol::Resp2
        },
    })
}

/// Before Redis 6, HELLO is an unknown command; later, where RESP3 is refused, the answer is NOPROTO.
/// What a server says before any command is no answer: `ERR max number of clients reached`.
fn refuses_hello(error: &Error) -> bool {
    match error.code() {
        Some("NOPROTO") => true,
        Some("ERR") => error.message().to_ascii_lowercase().contains("command"),
        _ => false,
    }
}

struct Handshake {
    io: Pin<Box<dyn Transport>>,
    unread: BytesMut,
    has_spoken: bool,
}

impl Handshake {
    async fn hello(
        &mut self,
        config: &Config,
        credentials: Option<&(Option<String>, String)>,
    ) -> Result<()> {
        let mut hello = Plan.hello().protover(3);
        if let Some((username, password)) = credentials {
            hello = hello.auth(username.as_deref().unwrap_or("default"), password.as_str());
        }
        if let Some(name) = &config.client_name {
            hello = hello.setname(name.as_str());
        }
        self.call(hello.decode::<()>()).await
    }

    /// One command, and its reply.
    async fn call<R: ReplyKind<Utf8>>(&mut self, call: Call<'_, Plan, R>) -> Result<R::Value> {
        let command = call.into_command();
        let mut bytes = BytesMut::new();
        command.encode(&mut bytes);
        let frame = self
            .exchange(&bytes)
            .await
            .map_err(|error| error.for_command(command.name()))?;
        reply::decode::<Utf8, R>(Reply::Frame(frame), Utf8)
            .map_err(|error| error.for_command(command.name()))
    }

    /// A command that changes the connection's state, as on the connection before.
    async fn repeat(&mut self, command: &[u8]) -> Result<()> {
        let frame = self.exchange(command).await?;
        reply::decode::<Utf8, ()>(Reply::Frame(frame), Utf8)
    }

    async fn exchange(&mut self, bytes: &[u8]) -> Result<Frame> {
        self.has_spoken = true;
        let lost = |error: io::Error| {
            Error::connect(format!(
                "the connection was lost during the handshake: {error}; \
                 does the server speak TLS (rediss://), or want a client certificate?"
            ))
            .with_source(error)
        };
        self.io.write_all(bytes).await.map_err(lost)?;
        self.io.flush().await.map_err(lost)?;
        // What a server says here is short; anything else is not a Redis server.
        let mut scanner = Scanner::new(ReplyLimits {
            frame: 64 * 1024,
            depth: 8,
        });
        loop {
            let scanned = scanner.scan(&self.unread).map_err(|error| {
                Error::new(
                    ErrorKind::Protocol,
                    Outcome::Unknown,
                    format!("this is no Redis or Valkey server: {error}"),
                )
            })?;
            if let Some(end) = scanned {
                let is_push = scanner.top().is_some_and(|top| top.tag == b'>');
                scanner.reset();
                if is_push {
                    self.unread.advance(end);
                    continue;
                }
                return Ok(Frame::from(self.unread.split_to(end).freeze()));
            }
            let count = self.io.read_buf(&mut self.unread).await.map_err(lost)?;
            if count == 0 {
                return Err(Error::connect(
                    "the server closed the connection during the handshake",
                ));
            }
        }
    }
}

/// An executor that executes nothing: the handshake takes its commands from the generated methods.
struct Plan;

impl Executor for Plan {
    type Encoder = Utf8;
    type Output<T> = T;
    type Ticket = ();

    fn encoder(&self) -> Utf8 {
        Utf8
    }

    fn poll_call<R: ReplyKind<Utf8>>(
        &self,
        _: &mut Command<'_>,
        (): &mut (),
        _: &mut Context<'_>,
    ) -> Poll<Result<R::Value>> {
        Poll::Pending
    }

    fn cancel(&self, (): &mut ()) {}
}
