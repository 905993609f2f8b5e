//! An object of the table while it is read: typed access to its members, and what is wrong with
//! them.

use serde_json::value::RawValue;

use super::Parser;
use crate::errors::{Owner, Place};
use crate::json::{Members, found, kind_of, read};
use crate::kinds::Kind;
use crate::names::{did_you_mean, listed};
use crate::table::{ArgumentType, DefaultValue, Deprecated, FlagChange, Since};
use crate::types::{Flag, WORDS, Word};

/// An object that is being read. It remembers what it was asked for, so that the rest is what
/// nobody knows.
pub(super) struct Object<'p, 't> {
    pub(super) parser: &'p Parser<'p, 't>,
    pub(super) place: Place,
    pub(super) line: usize,
    members: Vec<(String, &'t RawValue)>,
    asked: Vec<&'static str>,
}

impl<'p, 't> Object<'p, 't> {
    /// Anything but an object is reported.
    pub(super) fn new(
        parser: &'p Parser<'p, 't>,
        value: &'t RawValue,
        place: &Place,
    ) -> Option<Self> {
        let line = parser.source.line(value);
        let Some(Members(members)) = read(value) else {
            let message = format!("must be an object, not {}", kind_of(value));
            parser.errors.push(line, place, message);
            return None;
        };
        Some(Self {
            parser,
            place: place.clone(),
            line,
            members,
            asked: Vec::new(),
        })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'t RawValue> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// Reports something about a member that is there.
    pub(super) fn error(&self, key: &str, message: impl std::fmt::Display) {
        let value = self.members.iter().find(|(name, _)| name == key);
        let line = value.map_or(self.line, |(_, value)| self.parser.source.line(value));
        self.parser.errors.push(line, &self.place, message);
    }

    pub(super) fn missing(&self, key: &str, what: &str) {
        self.parser.errors.push(
            self.line,
            &self.place,
            format!("`{key}` is missing: {what}"),
        );
    }

    /// Reports doubled members, and those nobody asked for.
    pub(super) fn finish(&self) {
        for (index, (name, value)) in self.members.iter().enumerate() {
            let line = self.parser.source.line(value);
            if let Some((_, first)) = self
                .members
                .iter()
                .take(index)
                .find(|(earlier, _)| earlier == name)
            {
                let first = self.parser.source.line(first);
                self.parser.errors.push(
                    line,
                    &self.place,
                    format!("`{name}` is there twice, first in line {first}"),
                );
            } else if !self.asked.contains(&name.as_str()) {
                let near = did_you_mean(name, self.asked.iter().copied());
                let known = listed(self.asked.iter().copied());
                self.parser.errors.push(
                    line,
                    &self.place,
                    format!("unknown key `{name}`{near}; use {known}"),
                );
            }
        }
    }

    pub(super) fn typed<T: serde_core::de::Deserialize<'t>>(
        &mut self,
        key: &'static str,
        what: &str,
    ) -> Option<T> {
        let value = self.get(key)?;
        let typed = read(value);
        if typed.is_none() {
            self.error(key, format!("`{key}` must be {what}, not {}", found(value)));
        }
        typed
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        self.typed(key, "a string")
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> bool {
        self.typed(key, "true or false").unwrap_or(false)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<usize> {
        self.typed(key, "a whole number from 0")
    }

    pub(super) fn list(&mut self, key: &'static str) -> Option<Vec<&'t RawValue>> {
        self.typed(key, "a list")
    }

    pub(super) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.typed(key, "a list of strings")
    }

    pub(super) fn required_string(&mut self, key: &'static str, what: &str) -> String {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.string(key).unwrap_or_default()
    }

    pub(super) fn required_list(&mut self, key: &'static str, what: &str) -> Vec<&'t RawValue> {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.list(key).unwrap_or_default()
    }

    /// The members of an object inside of this one; those with a name that was there already are
    /// reported and left out.
    pub(super) fn members(
        &mut self,
        key: &'static str,
        place: impl Fn(&str) -> Place,
    ) -> Option<Vec<(String, &'t RawValue)>> {
        let value = self.get(key)?;
        let inside = self.place.then(format_args!("`{key}`"));
        let Some(inner) = self.parser.object(value, &inside) else {
            return Some(Vec::new());
        };
        let mut members: Vec<(String, &RawValue)> = Vec::new();
        for (name, value) in inner.members {
            let line = |value| self.parser.source.line(value);
            match members.iter().find(|(earlier, _)| *earlier == name) {
                None => members.push((name, value)),
                Some((_, first)) => {
                    let message = format!("this is there twice, first in line {}", line(first));
                    self.parser.errors.push(line(value), &place(&name), message);
                }
            }
        }
        Some(members)
    }

    /// Reads one of the three great sections. Every entry is read and reported on its own.
    pub(super) fn entries<T>(
        &mut self,
        key: &'static str,
        owner: impl Fn(String) -> Owner,
        read: impl Fn(&'p Parser<'p, 't>, String, &'t RawValue, &Place) -> Option<T>,
    ) -> Vec<T> {
        let place = |name: &str| Place::new(owner(name.to_owned()));
        let members = self.members(key, place).unwrap_or_default();
        let read = |(name, value): (String, _)| {
            let place = place(&name);
            read(self.parser, name, value, &place)
        };
        members.into_iter().filter_map(read).collect()
    }

    pub(super) fn kind(&mut self, key: &'static str) -> Option<Kind> {
        let text = self.string(key)?;
        match Kind::parse(&text) {
            Ok(kind) => Some(kind),
            Err(problem) => {
                self.error(key, problem);
                None
            }
        }
    }

    pub(super) fn required_kind(&mut self, key: &'static str) -> Kind {
        if !self.has(key) {
            self.missing(key, "a kind, such as \"Integer\" or \"Native?\"");
        }
        self.kind(key).unwrap_or_else(Kind::native)
    }

    pub(super) fn since(&mut self, key: &'static str) -> Option<Since> {
        let value = self.get(key)?;
        let since = match kind_of(value) {
            "a string" => {
                let version = read::<String>(value);
                Since {
                    redis: version.clone(),
                    valkey: version,
                }
            }
            "an object" => {
                let mut forks = self
                    .parser
                    .object(value, &self.place.then(format_args!("`{key}`")))?;
                let since = Since {
                    redis: forks.string("redis"),
                    valkey: forks.string("valkey"),
                };
                forks.finish();
                since
            }
            other => {
                let shape = "a version, or {\"redis\": …, \"valkey\": …}";
                self.error(key, format!("`{key}` must be {shape}, not {other}"));
                return None;
            }
        };
        if since.redis.is_none() && since.valkey.is_none() {
            self.error(
                key,
                format!("`{key}` names no fork; use `redis`, `valkey` or both"),
            );
        }
        for version in since.redis.iter().chain(&since.valkey) {
            self.check_version(key, version);
        }
        Some(since)
    }

    pub(super) fn check_version(&self, key: &str, version: &str) {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if version.split('.').count() != 3 || !version.split('.').all(is_number) {
            self.error(
                key,
                format!("`{key}`: `{version}` is not a version; write it like `7.4.0`"),
            );
        }
    }

    pub(super) fn flags(&mut self) -> Option<Vec<Flag>> {
        let words = self.strings("flags")?;
        let mut flags = Vec::new();
        for word in words {
            match Flag::parse(&word) {
                Ok(flag) if flags.contains(&flag) => {
                    self.error("flags", format!("flag `{word}` is there twice"))
                }
                Ok(flag) => flags.push(flag),
                Err(problem) => self.error("flags", problem),
            }
        }
        Some(flags)
    }

    pub(super) fn flag_changes(&mut self) -> Vec<FlagChange> {
        let words = self.strings("flags").unwrap_or_default();
        let mut changes = Vec::new();
        for word in words {
            let bare = word.strip_prefix('-').unwrap_or(&word);
            match Flag::parse(bare) {
                Ok(flag) => changes.push(FlagChange {
                    adds: bare == word,
                    flag,
                }),
                Err(problem) => self.error("flags", problem),
            }
        }
        changes
    }

    pub(super) fn deprecated(&mut self) -> Option<Deprecated> {
        let value = self.get("deprecated")?;
        let mut object = self
            .parser
            .object(value, &self.place.then("`deprecated`"))?;
        let since = object.required_string("since", "the version that deprecated it");
        let instead = object.required_string("use", "what to use instead");
        object.finish();
        object.check_version("since", &since);
        Some(Deprecated { since, instead })
    }

    /// The type of an argument, and whether it was known.
    pub(super) fn argument_type(&mut self) -> (ArgumentType, bool) {
        if !self.has("type") {
            self.missing(
                "type",
                "such as \"key\", \"string\", \"integer\", \"block\" or \"oneof\"",
            );
        }
        let unknown = (ArgumentType::Word(Word::String), false);
        let Some(word) = self.string("type") else {
            return unknown;
        };
        let of = match word.as_str() {
            "pure-token" => ArgumentType::PureToken,
            "block" => ArgumentType::Block,
            "oneof" => ArgumentType::OneOf,
            name if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                ArgumentType::Enum(name.to_owned())
            }
            word => match Word::parse(word) {
                Some(word) => ArgumentType::Word(word),
                None => {
                    let structures = ["pure-token", "block", "oneof"];
                    let words = || WORDS.iter().map(|(word, ..)| *word).chain(structures);
                    let near = did_you_mean(word, words());
                    let known = listed(words());
                    self.error(
                        "type",
                        format!("unknown type `{word}`{near}; use {known} or the name of an enum"),
                    );
                    return unknown;
                }
            },
        };
        (of, true)
    }

    pub(super) fn default_value(&mut self) -> Option<DefaultValue> {
        let value = self.get("default")?;
        let default = match kind_of(value) {
            "a number" => read(value)
                .map(DefaultValue::Integer)
                .or_else(|| read(value).map(DefaultValue::Number)),
            "a string" => read(value).map(DefaultValue::Text),
            "a boolean" => read(value).map(DefaultValue::Bool),
            "a list" => read::<Vec<&RawValue>>(value)
                .filter(Vec::is_empty)
                .map(|_| DefaultValue::Empty),
            _ => None,
        };
        if default.is_none() {
            self.error(
                "default",
                "`default` must be a number, a string, a boolean or []",
            );
        }
        default
    }
}
