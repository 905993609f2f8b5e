//! An object of the table while it is read: typed access to its members, and what is wrong with
//! them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Parser;
use crate::errors::{Owner, Place};
use crate::json::{Data, Member, Value};
use crate::kinds::Kind;
use crate::names::{did_you_mean, listed};
use crate::table::{ArgumentType, DefaultValue, Deprecated, FlagChange, Since};
use crate::types::{Flag, WORDS, Word};

/// An object that is being read. It remembers what it was asked for, so that the rest is what
/// nobody knows.
pub(super) struct Object<'t> {
    pub(super) parser: &'t Parser<'t>,
    pub(super) place: Place,
    pub(super) line: usize,
    members: &'t [Member<'t>],
    asked: Vec<&'static str>,
}

impl<'t> Object<'t> {
    /// Anything but an object is reported.
    pub(super) fn new(parser: &'t Parser<'t>, value: &'t Value<'t>, place: &Place) -> Option<Self> {
        let line = value.at.line;
        let Some(members) = value.as_object() else {
            let message = format!("must be an object, not {}", value.kind());
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
        self.member(key).is_some()
    }

    fn member(&self, key: &str) -> Option<&'t Member<'t>> {
        self.members.iter().find(|member| member.key == key)
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'t Value<'t>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.member(key).map(|member| &member.value)
    }

    /// Reports something about a member that is there.
    pub(super) fn error(&self, key: &str, message: impl std::fmt::Display) {
        let line = self
            .member(key)
            .map_or(self.line, |member| member.value.at.line);
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
        for (index, Member { at, key, .. }) in self.members.iter().enumerate() {
            let earlier = &self.members[..index];
            if let Some(first) = earlier.iter().find(|member| member.key == *key) {
                let message = format!("`{key}` is there twice, first in line {}", first.at.line);
                self.parser.errors.push(at.line, &self.place, message);
            } else if !self.asked.contains(&&**key) {
                let near = did_you_mean(key, self.asked.iter().copied());
                let known = listed(self.asked.iter().copied());
                let message = format!("unknown key `{key}`{near}; use {known}");
                self.parser.errors.push(at.line, &self.place, message);
            }
        }
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        what: &str,
        read: impl FnOnce(&'t Value<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let typed = read(value);
        if typed.is_none() {
            let found = match value.data {
                Data::Number(digits) => digits,
                _ => value.kind(),
            };
            self.error(key, format!("`{key}` must be {what}, not {found}"));
        }
        typed
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        self.typed(key, "a string", string)
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> bool {
        self.typed(key, "true or false", Value::as_bool)
            .unwrap_or(false)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<usize> {
        self.typed(key, "a whole number from 0", Value::as_usize)
    }

    pub(super) fn list(&mut self, key: &'static str) -> Option<&'t [Value<'t>]> {
        self.typed(key, "a list", Value::as_list)
    }

    pub(super) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let strings = |value: &Value<'_>| value.as_list()?.iter().map(string).collect();
        self.typed(key, "a list of strings", strings)
    }

    pub(super) fn required_string(&mut self, key: &'static str, what: &str) -> String {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.string(key).unwrap_or_default()
    }

    pub(super) fn required_list(&mut self, key: &'static str, what: &str) -> &'t [Value<'t>] {
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
    ) -> Option<Vec<&'t Member<'t>>> {
        let value = self.get(key)?;
        let inside = self.place.then(format_args!("`{key}`"));
        let Some(inner) = self.parser.object(value, &inside) else {
            return Some(Vec::new());
        };
        let mut firsts: HashMap<&str, &Member<'_>> = HashMap::new();
        let mut members = Vec::new();
        for member in inner.members {
            match firsts.entry(&member.key) {
                Entry::Vacant(first) => {
                    first.insert(member);
                    members.push(member);
                }
                Entry::Occupied(first) => {
                    let first = first.get().at.line;
                    let message = format!("this is there twice, first in line {first}");
                    let place = place(&member.key);
                    self.parser.errors.push(member.at.line, &place, message);
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
        read: impl Fn(&'t Parser<'t>, String, &'t Value<'t>, &Place) -> Option<T>,
    ) -> Vec<T> {
        let place = |name: &str| Place::new(owner(name.to_owned()));
        let members = self.members(key, place).unwrap_or_default();
        let read = |Member { key, value, .. }: &'t Member<'t>| {
            read(self.parser, key.to_string(), value, &place(key))
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
        let since = match &value.data {
            Data::String(version) => Since {
                redis: Some(version.to_string()),
                valkey: Some(version.to_string()),
            },
            Data::Object(_) => {
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
            _ => {
                let shape = "a version, or {\"redis\": …, \"valkey\": …}";
                let found = value.kind();
                self.error(key, format!("`{key}` must be {shape}, not {found}"));
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
        let default = match &value.data {
            Data::Number(_) => (value.as_i64().map(DefaultValue::Integer))
                .or_else(|| value.as_f64().map(DefaultValue::Number)),
            Data::String(text) => Some(DefaultValue::Text(text.to_string())),
            Data::Bool(value) => Some(DefaultValue::Bool(*value)),
            Data::List(values) if values.is_empty() => Some(DefaultValue::Empty),
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

fn string(value: &Value<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}
