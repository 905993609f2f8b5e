//! Where to connect to, and how.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::Connection;
use crate::encoder::{Encoder, Utf8};
use crate::error::{Error, Result};
use crate::resp::{ReplyLimits, Value};
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Where to connect to and how, with names as in asyncio_redis. It is a builder
/// (`Connection::builder().host("db1").db(3).connect().await`), and what a URL is parsed into:
///
/// `redis://[username[:password]@]host[:port][/db][?option=value&…]`, `rediss://…` for TLS,
/// `unix:///path/to/socket[?db=…&…]`. Options of a URL:
///
/// | option | meaning |
/// |---|---|
/// | `db` | the database, like the path |
/// | `username`, `password` | for unix sockets |
/// | `protocol` | `2` or `3`; without it RESP3 with a fall-back to RESP2 |
/// | `client_name` | what CLIENT LIST shows |
/// | `connect_timeout`, `reply_timeout` | seconds, with a fraction; `0` for none |
/// | `auto_reconnect` | `true` or `false` |
///
/// Anything else is an error, so that a typing mistake is not a silent default.
#[derive(Clone)]
pub struct Config<E = Utf8> {
    pub(crate) address: Address,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) db: u32,
    pub(crate) client_name: Option<String>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) reply_timeout: Option<Duration>,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) auto_reconnect: bool,
    pub(crate) reconnect: ReconnectPolicy,
    pub(crate) max_in_flight: usize,
    pub(crate) max_in_flight_bytes: usize,
    pub(crate) max_skip: usize,
    pub(crate) reply_limits: ReplyLimits,
    pub(crate) on_orphan: Option<Arc<OrphanHook>>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
    encoder: E,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16, tls: bool },
    Unix(PathBuf),
}

/// Which version of RESP a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RESP2, which every server speaks.
    Resp2,
    /// RESP3, since Redis 6.
    Resp3,
}

#[derive(Clone)]
pub(crate) enum Credentials {
    Fixed {
        username: Option<String>,
        password: String,
    },
    Provider(Arc<CredentialProvider>),
}

pub(crate) type OrphanHook = dyn Fn(Value) + Send + Sync;

type CredentialFuture = Pin<Box<dyn Future<Output = Result<(Option<String>, String)>> + Send>>;
pub(crate) type CredentialProvider = dyn Fn() -> CredentialFuture + Send + Sync;

/// How a lost connection is made anew: after how long, how often, and how often a single command is
/// repeated for that.
///
/// When a server hangs up before it has said anything after the handshake, several times in a row, the
/// pauses grow as after failed attempts.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ReconnectPolicy {
    /// The pause before the second attempt; the first comes at once. Default: 10 ms.
    pub first_pause: Duration,
    /// By how much each pause is longer than the one before. Default: 2.
    pub factor: f64,
    /// The longest pause. Default: 5 s.
    pub longest_pause: Duration,
    /// The connection is closed for good after this many failures in a row. Default: never.
    pub attempts: Option<u32>,
    /// How often one call is sent anew, where that is safe. Default: 3.
    pub retries: u8,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(10),
            factor: 2.0,
            longest_pause: Duration::from_secs(5),
            attempts: None,
            retries: 3,
        }
    }
}

impl ReconnectPolicy {
    /// Half of the pause is fixed, half is random, so that clients do not come back all at once.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        if attempt == 0 {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(attempt - 1).unwrap_or(i32::MAX);
        let seconds = self.first_pause.as_secs_f64() * self.factor.powi(exponent);
        let longest = self.longest_pause.as_secs_f64();
        let seconds = if seconds.is_finite() {
            seconds.clamp(0.0, longest)
        } else {
            longest
        };
        Duration::from_secs_f64(seconds * (0.5 + 0.5 * random_fraction()))
    }

    pub(crate) fn gives_up_after(&self, attempt: u32) -> bool {
        self.attempts.is_some_and(|attempts| attempt >= attempts)
    }
}

/// A number from 0 to 1, good enough to spread clients: the hasher's keys are random.
pub(crate) fn random_fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(0) >> 32;
    bits as f64 / f64::from(u32::MAX)
}

impl Config {
    /// `localhost:6379`, database 0, no password, RESP3 where the server speaks it, text.
    pub fn new() -> Self {
        Self {
            address: Address::Tcp {
                host: "localhost".to_owned(),
                port: 6379,
                tls: false,
            },
            credentials: None,
            db: 0,
            client_name: None,
            protocol: None,
            connect_timeout: Some(Duration::from_secs(5)),
            reply_timeout: Some(Duration::from_secs(30)),
            keep_alive: Some(Duration::from_secs(30)),
            auto_reconnect: true,
            reconnect: ReconnectPolicy::default(),
            max_in_flight: 65_536,
            max_in_flight_bytes: 64 * 1024 * 1024,
            max_skip: 8 * 1024 * 1024,
            reply_limits: ReplyLimits::default(),
            on_orphan: None,
            #[cfg(feature = "tls")]
            tls: None,
            encoder: Utf8,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Encoder> Config<E> {
    /// The server's name or address. Default: `localhost`.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        let (port, tls) = self.port_and_tls();
        self.address = Address::Tcp {
            host: name.into(),
            port,
            tls,
        };
        self
    }

    /// The server's TCP port. Default: 6379.
    #[must_use]
    pub fn port(mut self, number: u16) -> Self {
        if let Address::Tcp { port, .. } = &mut self.address {
            *port = number;
        }
        self
    }

    /// A unix domain socket, instead of host and port.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.address = Address::Unix(path.into());
        self
    }

    /// TLS, with these certificates and checks. `rediss://` has the defaults of [`Tls`].
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, settings: Tls) -> Self {
        if let Address::Tcp { tls, .. } = &mut self.address {
            *tls = true;
        }
        self.tls = Some(settings);
        self
    }

    /// The password, of the default user where no [`username`](Self::username) is given.
    #[must_use]
    pub fn password(mut self, text: impl Into<String>) -> Self {
        let username = self.fixed_credentials().0;
        self.credentials = Some(Credentials::Fixed {
            username,
            password: text.into(),
        });
        self
    }

    /// The user to log in as.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        let password = self.fixed_credentials().1;
        self.credentials = Some(Credentials::Fixed {
            username: Some(name.into()),
            password,
        });
        self
    }

    /// Asks for user name (or `None` for the default user) and password whenever a connection is
    /// made: for passwords that change and tokens that expire.
    ///
    /// ```
    /// # use redis_client::Config;
    /// let config = Config::new().credential_provider(|| async {
    ///     let token = "read from a file, asked from a service, …".to_owned();
    ///     Ok((Some("app".to_owned()), token))
    /// });
    /// ```
    #[must_use]
    pub fn credential_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(Option<String>, String)>> + Send + 'static,
    {
        self.credentials = Some(Credentials::Provider(Arc::new(
            move || Box::pin(provider()),
        )));
        self
    }

    /// The database. Default: 0.
    #[must_use]
    pub fn db(mut self, number: u32) -> Self {
        self.db = number;
        self
    }

    /// The name that CLIENT LIST shows for the connection.
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// The encoder, which decides the type of keys and values. Default: [`Utf8`].
    #[must_use]
    pub fn encoder<F: Encoder>(self, encoder: F) -> Config<F> {
        let (_, config) = self.split();
        config.with(encoder)
    }

    /// The protocol version. Default: RESP3, or RESP2 where the server does not know RESP3.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// How long connecting may take, handshake included. Default: 5 s. `None`: as long as it takes.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = timeout.into();
        self
    }

    /// How long a call waits for its reply; a blocking command's own timeout comes on top. Precise to
    /// a sixteenth (at most 250 ms). Default: 30 s. `None`: as long as it takes.
    #[must_use]
    pub fn reply_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.reply_timeout = timeout.into();
        self
    }

    /// After how long of silence TCP asks whether the server is still there; data that is not acknowledged
    /// for twice as long ends the connection (on Linux). Default: 30 s.
    #[must_use]
    pub fn keep_alive(mut self, idle: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = idle.into();
        self
    }

    /// Whether a lost connection is made anew. Default: true.
    #[must_use]
    pub fn auto_reconnect(mut self, on: bool) -> Self {
        self.auto_reconnect = on;
        self
    }

    /// How a lost connection is made anew.
    #[must_use]
    pub fn reconnect_policy(mut self, policy: ReconnectPolicy) -> Self {
        self.reconnect = policy;
        self
    }

    /// How many commands may be under way on a connection; further callers wait. Default: 65,536.
    #[must_use]
    pub fn max_in_flight(mut self, commands: usize) -> Self {
        self.max_in_flight = commands;
        self
    }

    /// How many bytes of commands may be under way on a connection; further callers wait (a single
    /// larger command goes alone). Default: 64 MiB.
    #[must_use]
    pub fn max_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.max_in_flight_bytes = bytes;
        self
    }

    /// How many bytes of a dropped, half-read reply are read and thrown away before the connection
    /// is closed instead. Default: 8 MiB.
    #[must_use]
    pub fn max_skip(mut self, bytes: usize) -> Self {
        self.max_skip = bytes;
        self
    }

    /// Called with the reply of a blocking command whose caller had gone when it came: the element that a
    /// dropped [`blpop`](crate::ListCommands::blpop) took all the same.
    ///
    /// Dropping a blocking call closes its connection, so that the server takes nothing for it any more.
    /// What it took a moment before is on its way already; where that must not be lost, push it back
    /// here, or use a command that keeps a copy ([`blmove`](crate::ListCommands::blmove)). A reply that
    /// has not reached this machine when the connection is closed is beyond this hook too.
    #[must_use]
    pub fn on_orphan(mut self, hook: impl Fn(Value) + Send + Sync + 'static) -> Self {
        self.on_orphan = Some(Arc::new(hook));
        self
    }

    /// How large and how deep a reply may be.
    #[must_use]
    pub fn reply_limits(mut self, limits: ReplyLimits) -> Self {
        self.reply_limits = limits;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`Connection::connect`].
    pub async fn connect(self) -> Result<Connection<E>> {
        let (encoder, config) = self.split();
        Connection::open(config, encoder).await
    }

    /// Speaks over a stream that is connected already: an SSH tunnel, a pipe to a fake server in a
    /// test. Address and TLS settings do not apply, and a lost connection is not made anew.
    pub async fn connect_over<S>(self, stream: S) -> Result<Connection<E>>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (encoder, config) = self.split();
        Connection::over(config, encoder, Box::pin(stream)).await
    }

    fn port_and_tls(&self) -> (u16, bool) {
        match &self.address {
            Address::Tcp { port, tls, .. } => (*port, *tls),
            Address::Unix(_) => (6379, false),
        }
    }

    fn fixed_credentials(&self) -> (Option<String>, String) {
        match &self.credentials {
            Some(Credentials::Fixed { username, password }) => (username.clone(), password.clone()),
            _ => (None, String::new()),
        }
    }

    pub(crate) fn split(self) -> (E, Config) {
        let encoder = self.encoder;
        (encoder, self.with(Utf8))
    }

    fn with<F>(self, encoder: F) -> Config<F> {
        Config {
            address: self.address,
            credentials: self.credentials,
            db: self.db,
            client_name: self.client_name,
            protocol: self.protocol,
            connect_timeout: self.connect_timeout,
            reply_timeout: self.reply_timeout,
            keep_alive: self.keep_alive,
            auto_reconnect: self.auto_reconnect,
            reconnect: self.reconnect,
            max_in_flight: self.max_in_flight,
            max_in_flight_bytes: self.max_in_flight_bytes,
            max_skip: self.max_skip,
            reply_limits: self.reply_limits,
            on_orphan: self.on_orphan,
            #[cfg(feature = "tls")]
            tls: self.tls,
            encoder,
        }
    }
}

impl FromStr for Config {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        // The URL may hold a password: no message repeats it.
        let (scheme, rest) = url.split_once("://").ok_or_else(|| {
            Error::config(
                "the URL has no scheme; write redis://host:port/db, rediss://… or unix:///path",
            )
        })?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut config = match scheme {
            "redis" | "valkey" => Self::from_authority(rest, false)?,
            "rediss" | "valkeys" => Self::from_authority(rest, true)?,
            "unix" | "redis+unix" => Self::new().unix_socket(decoded("path", rest)?),
            other => {
                return Err(Error::config(format!(
                    "the URL's scheme is `{other}`; write redis://, rediss:// (TLS) or unix://"
                )));
            }
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            config = config.option(name, decoded(name, value)?)?;
        }
        Ok(config)
    }
}

impl Config {
    fn from_authority(rest: &str, tls: bool) -> Result<Self> {
        if tls && !cfg!(feature = "tls") {
            return Err(Error::config(
                "rediss:// needs TLS; switch it on with redis-client = { features = [\"tls\"] }",
            ));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let (name, port) = match host.strip_prefix('[') {
            // An IPv6 address.
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or_else(|| {
                    Error::config("the URL's IPv6 address has no closing bracket")
                })?;
                (address, port.strip_prefix(':'))
            }
            None => host
                .split_once(':')
                .map_or((host, None), |(name, port)| (name, Some(port))),
        };
        let port = match port {
            None | Some("") => 6379,
            Some(text) => text.parse().map_err(|_| {
                Error::config(format!(
                    "the URL's port `{text}` is not a number from 0 to 65535"
                ))
            })?,
        };
        let mut config = Self::new();
        config.address = Address::Tcp {
            host: if name.is_empty() {
                "localhost".to_owned()
            } else {
                decoded("host", name)?
            },
            port,
            tls,
        };
        if let Some(user) = user {
            let (username, password) = user
                .split_once(':')
                .map_or((user, None), |(name, word)| (name, Some(word)));
            // `redis://secret@host`, as some write it, would log in as the user `secret`.
            let password = password.ok_or_else(|| {
                Error::config("the URL has a user without a password; write user:password@host, or :password@host")
            })?;
            if !username.is_empty() {
                config = config.username(decoded("username", username)?);
            }
            config = config.password(decoded("password", password)?);
        }
        if !path.is_empty() {
            config = config.option("db", path.to_owned())?;
        }
        Ok(config)
    }

    fn option(self, name: &str, value: String) -> Result<Self> {
        let number = |unit: &str| {
            value
                .parse::<f64>()
                .ok()
                .filter(|number| *number >= 0.0 && number.is_finite())
                .ok_or_else(|| {
                    Error::config(format!(
                        "the URL's {name} `{value}` is not a number of {unit}"
                    ))
                })
        };
        let duration = || {
            let seconds = number("seconds")?;
            let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            Ok::<_, Error>(Some(duration).filter(|duration| !duration.is_zero()))
        };
        Ok(match name {
            "db" => {
                let db = value.parse().map_err(|_| {
                    Error::config(format!("the URL's database `{value}` is not a number"))
                })?;
                self.db(db)
            }
            "username" => self.username(value),
            "password" => self.password(value),
            "client_name" => self.client_name(value),
            "protocol" => match value.as_str() {
                "2" => self.protocol(Protocol::Resp2),
                "3" => self.protocol(Protocol::Resp3),
                _ => {
                    return Err(Error::config(format!(
                        "the URL's protocol is `{value}`; write 2 or 3"
                    )));
                }
            },
            "connect_timeout" => {
                let timeout = duration()?;
                self.connect_timeout(timeout)
            }
            "reply_timeout" => {
                let timeout = duration()?;
                self.reply_timeout(timeout)
            }
            "auto_reconnect" => match value.as_str() {
                "true" => self.auto_reconnect(true),
                "false" => self.auto_reconnect(false),
                _ => {
                    return Err(Error::config(format!(
                        "the URL's auto_reconnect is `{value}`; write true or false"
                    )));
                }
            },
            other => {
                return Err(Error::config(format!(
                    "the URL has an unknown option `{other}`; there are db, username, password, client_name, protocol, \
                     connect_timeout, reply_timeout, auto_reconnect"
                )));
            }
        })
    }
}

fn decoded(what: &str, text: &str) -> Result<String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| {
            Error::config(format!(
                "the URL's {what} is not UTF-8 after percent-decoding"
            ))
        })
}

impl<E> fmt::Debug for Config<E> {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("address", &self.address)
            .field("db", &self.db)
            .field("client_name", &self.client_name)
            .field("protocol", &self.protocol)
            .field("has_credentials", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Config {
        url.parse().expect(url)
    }

    #[test]
    fn urls() {
        let config = parse(
            "redis://app:p%40ss@db.example:7000/3?protocol=2&client_name=web&reply_timeout=1.5&connect_timeout=0",
        );
        assert_eq!(
            config.address,
            Address::Tcp {
                host: "db.example".into(),
                port: 7000,
                tls: false
            }
        );
        assert_eq!(
            config.fixed_credentials(),
            (Some("app".into()), "p@ss".into())
        );
        assert_eq!((config.db, config.protocol), (3, Some(Protocol::Resp2)));
        assert_eq!(config.client_name.as_deref(), Some("web"));
        assert_eq!(config.reply_timeout, Some(Duration::from_millis(1500)));
        assert_eq!(config.connect_timeout, None);

        let config = parse("redis://");
        assert_eq!(config.address, Config::new().address);
        let config = parse("redis://[::1]:7");
        assert!(matches!(&config.address, Address::Tcp { host, port: 7, .. } if host == "::1"));
        let config = parse("unix:///run/redis%20x.sock?db=2&password=x");
        assert_eq!(config.address, Address::Unix("/run/redis x.sock".into()));
        assert_eq!(
            (config.db, config.fixed_credentials()),
            (2, (None, "x".into()))
        );
    }

    #[test]
    fn mistakes_in_urls() {
        for (url, message) in [
            (
                "localhost:6379",
                "the URL has no scheme; write redis://host:port/db, rediss://… or unix:///path",
            ),
            (
                "http://x",
                "the URL's scheme is `http`; write redis://, rediss:// (TLS) or unix://",
            ),
            (
                "redis://x:port",
                "the URL's port `port` is not a number from 0 to 65535",
            ),
            (
                "redis://x:99999",
                "the URL's port `99999` is not a number from 0 to 65535",
            ),
            (
                "redis://x/first",
                "the URL's database `first` is not a number",
            ),
            (
                "redis://[::1",
                "the URL's IPv6 address has no closing bracket",
            ),
            (
                "redis://secret@x",
                "the URL has a user without a password; write user:password@host, or :password@host",
            ),
            (
                "redis://x?protocol=4",
                "the URL's protocol is `4`; write 2 or 3",
            ),
            (
                "redis://x?reply_timeout=-1",
                "the URL's reply_timeout `-1` is not a number of seconds",
            ),
            (
                "redis://x?auto_reconnect=maybe",
                "the URL's auto_reconnect is `maybe`; write true or false",
            ),
            (
                "redis://x?timeout=3",
                "the URL has an unknown option `timeout`; there are db, username, password, client_name, protocol, \
                 connect_timeout, reply_timeout, auto_reconnect",
            ),
        ] {
            let error = url.parse::<Config>().map(drop).expect_err(url);
            assert_eq!(error.to_string(), message, "{url}");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let config = parse("redis://user:hunter2@host");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let policy = ReconnectPolicy::default();
        assert_eq!(policy.pause(0), Duration::ZERO);
        for attempt in 1..2000 {
            let pause = policy.pause(attempt);
            assert!(
                pause <= policy.longest_pause && pause >= policy.first_pause / 2,
                "{attempt}: {pause:?}"
            );
        }
        assert!(policy.pause(50) >= policy.longest_pause / 2);
    }
}
