//! The closed vocabulary of a table: words for argument types, and flags. Reply kinds are in
//! `kinds`.

use crate::names::{did_you_mean, listed};

/// A simple type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Key,
    String,
    Pattern,
    Text,
    Integer,
    Double,
    UnixTime,
    Bool,
    Timeout,
    TimeoutMs,
    Score,
    Lex,
}

/// Every simple type: its word in the table, and what a user reads about it.
pub(crate) const WORDS: &[(&str, Word, &str)] = &[
    ("key", Word::Key, "key"),
    ("string", Word::String, "value"),
    ("pattern", Word::Pattern, "glob-style pattern"),
    ("text", Word::Text, "text, whatever the encoder"),
    ("integer", Word::Integer, "integer"),
    ("double", Word::Double, "number"),
    ("unix-time", Word::UnixTime, "Unix time"),
    ("bool", Word::Bool, "boolean"),
    ("timeout", Word::Timeout, "number of seconds, or `Duration`"),
    (
        "timeout-ms",
        Word::TimeoutMs,
        "number of milliseconds, or `Duration`",
    ),
    ("score", Word::Score, "score boundary"),
    ("lex", Word::Lex, "lexicographic boundary"),
];

impl Word {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        WORDS
            .iter()
            .find(|(known, ..)| *known == word)
            .map(|(_, parsed, _)| *parsed)
    }

    pub(crate) fn name(self) -> &'static str {
        WORDS
            .iter()
            .find(|(_, word, _)| *word == self)
            .map_or("", |(name, ..)| name)
    }

    pub(crate) fn description(self) -> &'static str {
        WORDS
            .iter()
            .find(|(_, word, _)| *word == self)
            .map_or("", |(.., description)| description)
    }
}

/// A flag of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) &'static str);

/// The servers' own flags, then ours.
pub(crate) const FLAGS: &[&str] = &[
    "write",
    "readonly",
    "denyoom",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
    "stale",
    "fast",
    "noauth",
    "may_replicate",
    "no_multi",
    "no_async_loading",
    "no_mandatory_keys",
    "movablekeys",
    "allow_busy",
    "skip_monitor",
    "skip_slowlog",
    "sort_for_script",
    "random",
    "idempotent",
    "session",
    "ends_connection",
];

impl Flag {
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match FLAGS.iter().find(|flag| **flag == word) {
            Some(flag) => Ok(Self(flag)),
            None => {
                let near = did_you_mean(word, FLAGS.iter().copied());
                Err(format!(
                    "unknown flag `{word}`{near}; use {}",
                    listed(FLAGS.iter().copied())
                ))
            }
        }
    }
}
