use std::fmt;
use std::io;

/// Why there is no server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// None on this machine, and none could be fetched.
    Missing {
        /// What was looked for.
        wanted: String,
        /// Every place that was tried, with what it said.
        tried: Vec<String>,
        /// What to install or set.
        advice: String,
    },
    /// The server (or this build of the harness) cannot do TLS.
    NoTls {
        /// Who cannot.
        reason: String,
    },
    /// It was started and did not answer.
    Start {
        /// What happened.
        reason: String,
        /// What it wrote.
        log: String,
    },
    /// The operating system refused something.
    Io {
        /// What was being done.
        doing: String,
        /// Its answer.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Io {
            doing,
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing {
                wanted,
                tried,
                advice,
            } => {
                write!(
                    f,
                    "no {wanted}: {}. {advice}",
                    tried.join("; ").trim_end_matches('.')
                )
            }
            Self::NoTls { reason } => write!(f, "no TLS: {reason}"),
            Self::Start { reason, log } => write!(f, "the server did not start: {reason}\n{log}"),
            Self::Io { doing, reason } => write!(f, "{doing}: {reason}"),
        }
    }
}

impl std::error::Error for Error {}
