//! What can go wrong, and what it means for the command.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::resp::DecodeError;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error, which knows its [kind](Error::kind), the [command](Error::command) it belongs to and,
/// above all, its [outcome](Error::outcome): whether the server may have executed the command.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    command: Option<Cow<'static, str>>,
    message: String,
    /// The server's error code (`WRONGTYPE`), a prefix of `message`.
    code_len: usize,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What happened to the command that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Not a byte of it was sent. Repeating it is safe.
    NotSent,
    /// The server answered with an error: nothing was executed.
    Rejected,
    /// It was sent, at least in part, and no answer came: it may or may not have been executed.
    Unknown,
    /// The server executed it; only its reply is of no use (it does not decode, or it says that a
    /// blocking command found nothing in time).
    Executed,
}

/// The kinds of [`Error`], with the exceptions of asyncio_redis among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server answered with an error; see [`Error::code`].
    Server,
    /// A transaction was aborted (`TransactionError`).
    Transaction,
    /// There is no connection to the server (`NotConnectedError`).
    NotConnected,
    /// The connection was lost while the command was under way (`ConnectionLostError`).
    ConnectionLost,
    /// No reply in time, or a blocking command that found nothing in time (`TimeoutError`).
    Timeout,
    /// Every connection of the pool is in use (`NoAvailableConnectionsInPoolError`).
    NoAvailableConnectionsInPool,
    /// The script was killed while it ran (`ScriptKilledError`).
    ScriptKilled,
    /// There is no script to kill (`NoRunningScriptError`).
    NoRunningScript,
    /// The server refused the name or the password.
    Authentication,
    /// A reply that does not fit the type that was asked for.
    Decode,
    /// Bytes that are not RESP, or a reply beyond the limits. The connection is closed.
    Protocol,
    /// The URL or the configuration is wrong.
    Config,
    /// The arguments of a call contradict each other.
    Argument,
    /// The server could not be reached, or the handshake failed.
    Connect,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome,
            command: None,
            message: message.into(),
            code_len: 0,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Outcome::NotSent, message)
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument, Outcome::NotSent, message)
    }

    pub(crate) fn connect(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connect, Outcome::NotSent, message)
    }

    /// An error reply: `WRONGTYPE Operation against a key holding the wrong kind of value`.
    pub(crate) fn server(text: &[u8]) -> Self {
        let message = String::from_utf8_lossy(text).into_owned();
        let word = message.split(' ').next().unwrap_or_default();
        let is_code = !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
        let code_len = if is_code { word.len() } else { 0 };
        let kind = match word {
            "NOTBUSY" => ErrorKind::NoRunningScript,
            "EXECABORT" => ErrorKind::Transaction,
            "NOAUTH" | "WRONGPASS" => ErrorKind::Authentication,
            // Redis has no code for it: "ERR Error running script …: Script killed by user with SCRIPT KILL…".
            _ if message.contains("Script killed by user") => ErrorKind::ScriptKilled,
            _ => ErrorKind::Server,
        };
        // A script that was killed has written nothing (a script that wrote cannot be killed).
        let mut error = Self::new(kind, Outcome::Rejected, message);
        error.0.code_len = code_len;
        error
    }

    pub(crate) fn decode(error: DecodeError) -> Self {
        match error {
            DecodeError::Server(text) => Self::server(&text),
            DecodeError::TimedOut => Self::new(
                ErrorKind::Timeout,
                Outcome::Executed,
                "nothing came within the timeout of the command",
            ),
            error => {
                let mut this = Self::new(ErrorKind::Decode, Outcome::Executed, error.to_string());
                if let DecodeError::Encoder(source) = error {
                    this.0.source = Some(Arc::from(source));
                }
                this
            }
        }
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    #[cold]
    pub(crate) fn for_command(mut self, command: impl Into<Cow<'static, str>>) -> Self {
        let command = command.into();
        if !command.is_empty() {
            self.0.command.get_or_insert(command);
        }
        self
    }

    /// A copy for another caller that the same event concerns.
    pub(crate) fn duplicate(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            outcome: self.0.outcome,
            command: self.0.command.clone(),
            message: self.0.message.clone(),
            code_len: self.0.code_len,
            source: self.0.source.clone(),
        }))
    }

    /// Which kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the server may have executed the command.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The command that failed, as on the wire (`CONFIG GET`), where there is one.
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The code of an error that the server sent: `WRONGTYPE`, `NOAUTH`, `MOVED`, `ERR`, …
    pub fn code(&self) -> Option<&str> {
        match self.0.code_len {
            0 => None,
            len => self.0.message.get(..len),
        }
    }

    /// The text, without the command. For an error that the server sent: its own words, code included.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// No reply in time, or a blocking command that found nothing in time.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// The connection is gone, or there was none.
    pub fn is_disconnected(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::NotConnected | ErrorKind::ConnectionLost | ErrorKind::Connect
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(command) = &self.0.command {
            write!(f, "{command}: ")?;
        }
        f.write_str(&self.0.message)?;
        match (self.0.kind, self.0.outcome) {
            (ErrorKind::Config | ErrorKind::Argument | ErrorKind::Connect, _) => Ok(()),
            (_, Outcome::NotSent) => f.write_str(" (the command was not sent)"),
            (_, Outcome::Unknown) => f.write_str(" (the command may have been executed)"),
            (_, Outcome::Rejected | Outcome::Executed) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome)
            .field("command", &self.0.command)
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
