//! JSON text -> [`Table`]. What is wrong with one value on its own is found here; rules between values are in `check`.
//!
//! A value that cannot be read is reported and replaced by a placeholder, so that reading goes on. The entry it stands
//! in counts as broken from then on, and nothing is generated for it.

use serde_json::value::RawValue;

use crate::errors::{Errors, Owner, Place};
use crate::json::{Members, Source, kind_of, read};
use crate::names::{did_you_mean, listed, snake};
use crate::table::{
    Argument, ArgumentType, Command, DefaultValue, Deprecated, Enum, EnumValue, Example, Field,
    FlagChange, Form, Layout, ReplyStruct, Since, Table,
};
use crate::types::{Flag, Kind, WORDS, Word};

pub(crate) fn table(text: &str, errors: &Errors) -> Table {
    let source = Source::new(text);
    let place = Place::new(Owner::Table);
    let root = match source.root() {
        Ok(root) => root,
        Err((line, problem)) => {
            errors.push(line, &place, problem);
            return Table::default();
        }
    };
    let parser = Parser {
        source: &source,
        errors,
    };
    let Some(mut top) = parser.object(root, &place) else {
        return Table::default();
    };
    let table = Table {
        enums: top.entries("enums", Owner::Enum, Parser::read_enum),
        replies: top.entries("replies", Owner::Reply, Parser::read_reply),
        commands: top.entries("commands", Owner::Command, Parser::read_command),
    };
    if !top.has("commands") {
        top.missing("commands", "an object with an entry for each command");
    }
    top.finish();
    table
}

struct Parser<'p, 't> {
    source: &'p Source<'t>,
    errors: &'p Errors,
}

impl<'p, 't> Parser<'p, 't> {
    fn object(&'p self, value: &'t RawValue, place: &Place) -> Option<Object<'p, 't>> {
        let line = self.source.line(value);
        let Some(Members(members)) = read(value) else {
            self.errors.push(
                line,
                place,
                format!("must be an object, not {}", kind_of(value)),
            );
            return None;
        };
        Some(Object {
            parser: self,
            place: place.clone(),
            line,
            members,
            asked: Vec::new(),
        })
    }

    fn read_enum(&'p self, name: String, value: &'t RawValue, place: &Place) -> Option<Enum> {
        let mut object = self.object(value, place)?;
        let doc = object.required_string("doc", "what the values are about");
        let values = object.required_list("values", "a list of {\"name\", \"token\", \"doc\"}");
        object.finish();
        let values = values
            .into_iter()
            .filter_map(|value| self.read_enum_value(value, place))
            .collect();
        Some(Enum {
            line: object.line,
            name,
            doc,
            values,
        })
    }

    fn read_enum_value(&'p self, value: &'t RawValue, place: &Place) -> Option<EnumValue> {
        let mut object = self.object(value, &place.then("value"))?;
        let name = object.required_string("name", "the name of the Rust variant");
        object.place = place.then(format_args!("value `{name}`"));
        let token = object.required_string("token", "what is sent for it");
        let doc = object.string("doc");
        let since = object.since("since");
        object.finish();
        Some(EnumValue {
            line: object.line,
            name,
            token,
            doc,
            since,
        })
    }

    fn read_reply(
        &'p self,
        name: String,
        value: &'t RawValue,
        place: &Place,
    ) -> Option<ReplyStruct> {
        let mut object = self.object(value, place)?;
        let doc = object.required_string("doc", "what the reply is about");
        let layout =
            object.required_string("layout", "\"array\" (by position) or \"map\" (by name)");
        let layout = match layout.as_str() {
            "map" => Layout::Map,
            "array" | "" => Layout::Array,
            other => {
                object.error(
                    "layout",
                    format!("unknown layout `{other}`; use `array` or `map`"),
                );
                Layout::Array
            }
        };
        let fields = object.required_list("fields", "a list of {\"name\", \"reply\", \"doc\"}");
        object.finish();
        let fields = fields
            .into_iter()
            .filter_map(|field| self.read_field(field, layout, place))
            .collect();
        Some(ReplyStruct {
            line: object.line,
            name,
            doc,
            layout,
            fields,
        })
    }

    fn read_field(&'p self, value: &'t RawValue, layout: Layout, place: &Place) -> Option<Field> {
        let mut object = self.object(value, &place.then("field"))?;
        let name = object.required_string("name", "the name of the Rust field");
        object.place = place.then(format_args!("field `{name}`"));
        let reply = object.required_kind("reply");
        let doc = object.string("doc");
        let key = object.string("key");
        if key.is_some() && layout == Layout::Array {
            object.error("key", "`key` needs the layout `map`; an array has no names");
        }
        object.finish();
        Some(Field {
            line: object.line,
            key: key.unwrap_or_else(|| name.clone()),
            name: snake(&name),
            reply,
            doc,
        })
    }

    fn read_command(&'p self, name: String, value: &'t RawValue, place: &Place) -> Option<Command> {
        let mut object = self.object(value, place)?;
        let group = object.required_string(
            "group",
            "such as \"string\": its trait is then `StringCommands`",
        );
        let own = object.facts();
        let method = object.string("method");
        let is_runtime = object.string("runtime").is_some();
        let forms = object.has("forms").then(|| object.named_members("forms"));
        let line = object.line;
        object.finish();

        let method_of_entry = method.clone().unwrap_or_else(|| snake(&name));
        let forms = match forms {
            None => vec![own.into_form(method_of_entry, &object, is_runtime, false)],
            Some(_) if is_runtime => {
                object.error(
                    "forms",
                    "an entry has either `forms` or `runtime`, not both",
                );
                Vec::new()
            }
            Some(forms) => {
                if method.is_some() {
                    object.error(
                        "method",
                        "`method` and `forms` exclude each other: the forms' names are the methods",
                    );
                }
                if own.example.is_some() {
                    object.error(
                        "example",
                        "an example belongs into each form, not beside `forms`",
                    );
                }
                if forms.is_empty() {
                    object.error("forms", "`forms` has no form");
                }
                let read = |(method, value)| self.read_form(method, value, &own, place);
                forms.into_iter().filter_map(read).collect()
            }
        };
        Some(Command {
            line,
            name,
            group,
            forms,
            is_runtime,
        })
    }

    fn read_form(
        &'p self,
        method: String,
        value: &'t RawValue,
        inherited: &Facts,
        place: &Place,
    ) -> Option<Form> {
        let mut object = self.object(value, &place.then(format_args!("form `{method}`")))?;
        let facts = object.facts().or(inherited);
        object.finish();
        Some(facts.into_form(method, &object, false, true))
    }

    fn read_argument(&'p self, value: &'t RawValue, place: &Place) -> Option<Argument> {
        let mut object = self.object(value, &place.then("argument"))?;
        let name =
            object.required_string("name", "what it is called in the documentation and in Rust");
        object.place = place.then(format_args!("argument `{name}`"));
        let (of, is_known) = object.argument_type();
        let default = object.default_value().filter(|_| is_known);
        let position = object.number("position");
        let arguments = object.list("arguments").unwrap_or_default();
        let argument = Argument {
            line: object.line,
            name,
            of,
            token: object.string("token"),
            only_token: object.boolean("only_token"),
            optional: object.boolean("optional"),
            default,
            multiple: object.boolean("multiple"),
            multiple_token: object.boolean("multiple_token"),
            count: object.string("count"),
            arguments: arguments
                .into_iter()
                .filter_map(|part| self.read_argument(part, place))
                .collect(),
            as_type: object.string("as"),
            order: object.strings("order"),
            split: object.boolean("split"),
            position,
            method: object.string("method"),
            doc: object.string("doc"),
            since: object.since("since"),
            reply: object.kind("reply"),
            flags: object.flag_changes(),
        };
        object.finish();
        Some(argument)
    }
}

/// What an entry with forms can say for all of them, and a form for itself.
struct Facts {
    summary: Option<String>,
    details: Option<Vec<String>>,
    since: Option<Since>,
    complexity: Option<String>,
    flags: Option<Vec<Flag>>,
    deprecated: Option<Deprecated>,
    arguments: Option<Vec<Argument>>,
    reply: Option<Kind>,
    example: Option<Vec<String>>,
    example_line: usize,
    own_server: Option<bool>,
    example_since: Option<Since>,
}

impl Facts {
    fn or(self, inherited: &Self) -> Self {
        Self {
            summary: self.summary.or_else(|| inherited.summary.clone()),
            details: self.details.or_else(|| inherited.details.clone()),
            since: self.since.or_else(|| inherited.since.clone()),
            complexity: self.complexity.or_else(|| inherited.complexity.clone()),
            flags: self.flags.or_else(|| inherited.flags.clone()),
            deprecated: self.deprecated.or_else(|| inherited.deprecated.clone()),
            arguments: self.arguments.or_else(|| inherited.arguments.clone()),
            reply: self.reply.or_else(|| inherited.reply.clone()),
            example: self.example,
            example_line: self.example_line,
            own_server: self.own_server.or(inherited.own_server),
            example_since: self
                .example_since
                .or_else(|| inherited.example_since.clone()),
        }
    }

    /// `object` knows what was there but could not be read: that is reported already.
    fn into_form(
        self,
        method: String,
        object: &Object<'_, '_>,
        is_runtime: bool,
        is_named: bool,
    ) -> Form {
        let need = |key, is_there: bool, what| {
            if !is_there && !object.has(key) {
                object.missing(key, what);
            }
        };
        need(
            "summary",
            self.summary.is_some(),
            "one sentence on what it does",
        );
        need(
            "since",
            self.since.is_some(),
            "a version, or one for each fork: {\"redis\": …, \"valkey\": …}",
        );
        need(
            "flags",
            self.flags.is_some(),
            "a list, such as [\"readonly\", \"fast\"]",
        );
        if is_runtime {
            for (key, is_there) in [
                ("reply", self.reply.is_some()),
                ("example", self.example.is_some()),
            ] {
                if is_there {
                    object.error(
                        key,
                        format!("`{key}` makes no sense in a `runtime` entry: it has no method"),
                    );
                }
            }
        } else {
            need(
                "arguments",
                self.arguments.is_some(),
                "a list, [] if it takes none",
            );
            need(
                "reply",
                self.reply.is_some(),
                "a kind, such as \"StatusReply\" or \"Native?\"",
            );
            need(
                "example",
                self.example.is_some(),
                "a list of Rust lines that call it and check the reply",
            );
        }
        Form {
            line: object.line,
            method,
            is_named,
            summary: self.summary.unwrap_or_default(),
            details: self.details.unwrap_or_default(),
            since: self.since.unwrap_or(Since {
                redis: None,
                valkey: None,
            }),
            complexity: self.complexity,
            flags: self.flags.unwrap_or_default(),
            deprecated: self.deprecated,
            arguments: self.arguments.unwrap_or_default(),
            reply: self.reply.unwrap_or_else(Kind::native),
            example: Example {
                line: self.example_line,
                lines: self.example.unwrap_or_default(),
                own_server: self.own_server.unwrap_or(false),
                since: self.example_since,
            },
        }
    }
}

/// An object that is being read. It remembers what it was asked for, so that the rest is what nobody knows.
struct Object<'p, 't> {
    parser: &'p Parser<'p, 't>,
    place: Place,
    line: usize,
    members: Vec<(String, &'t RawValue)>,
    asked: Vec<&'static str>,
}

impl<'p, 't> Object<'p, 't> {
    fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    fn get(&mut self, key: &'static str) -> Option<&'t RawValue> {
        self.asked.push(key);
        self.members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// Reports something about a member that is there.
    fn error(&self, key: &str, message: impl std::fmt::Display) {
        let value = self.members.iter().find(|(name, _)| name == key);
        let line = value.map_or(self.line, |(_, value)| self.parser.source.line(value));
        self.parser.errors.push(line, &self.place, message);
    }

    fn missing(&self, key: &str, what: &str) {
        self.parser.errors.push(
            self.line,
            &self.place,
            format!("`{key}` is missing: {what}"),
        );
    }

    /// Reports doubled members, and those nobody asked for.
    fn finish(&self) {
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

    fn typed<T: serde_core::de::Deserialize<'t>>(
        &mut self,
        key: &'static str,
        what: &str,
    ) -> Option<T> {
        let value = self.get(key)?;
        let typed = read(value);
        if typed.is_none() {
            self.error(
                key,
                format!("`{key}` must be {what}, not {}", kind_of(value)),
            );
        }
        typed
    }

    fn string(&mut self, key: &'static str) -> Option<String> {
        self.typed(key, "a string")
    }

    fn boolean(&mut self, key: &'static str) -> bool {
        self.typed(key, "true or false").unwrap_or(false)
    }

    fn number(&mut self, key: &'static str) -> Option<usize> {
        self.typed(key, "a whole number from 0")
    }

    fn list(&mut self, key: &'static str) -> Option<Vec<&'t RawValue>> {
        self.typed(key, "a list")
    }

    fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.typed(key, "a list of strings")
    }

    fn required_string(&mut self, key: &'static str, what: &str) -> String {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.string(key).unwrap_or_default()
    }

    fn required_list(&mut self, key: &'static str, what: &str) -> Vec<&'t RawValue> {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.list(key).unwrap_or_default()
    }

    /// The members of an object inside of this one; doubled ones are reported and left out.
    fn named_members(&mut self, key: &'static str) -> Vec<(String, &'t RawValue)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(mut inner) = self
            .parser
            .object(value, &self.place.then(format_args!("`{key}`")))
        else {
            return Vec::new();
        };
        let names: Vec<_> = inner.members.iter().map(|(name, _)| name.clone()).collect();
        let mut index = 0;
        inner.members.retain(|(name, value)| {
            let first = names.iter().position(|earlier| earlier == name) == Some(index);
            index += 1;
            if !first {
                let line = self.parser.source.line(value);
                self.parser
                    .errors
                    .push(line, &self.place, format!("form `{name}` is there twice"));
            }
            first
        });
        inner.members
    }

    /// Reads one of the three great sections. Every entry is read and reported on its own.
    fn entries<T>(
        &mut self,
        key: &'static str,
        owner: impl Fn(String) -> Owner,
        read_entry: impl Fn(&'p Parser<'p, 't>, String, &'t RawValue, &Place) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(section) = self
            .parser
            .object(value, &self.place.then(format_args!("`{key}`")))
        else {
            return Vec::new();
        };
        let mut lines: Vec<(&str, usize)> = Vec::new();
        let mut entries = Vec::new();
        for (name, value) in &section.members {
            let line = self.parser.source.line(value);
            let place = Place::new(owner(name.clone()));
            if let Some((_, first)) = lines.iter().find(|(earlier, _)| earlier == name) {
                let message = format!("this entry is there twice, first in line {first}");
                self.parser.errors.push(line, &place, message);
                continue;
            }
            lines.push((name, line));
            entries.extend(read_entry(self.parser, name.clone(), value, &place));
        }
        entries
    }

    fn kind(&mut self, key: &'static str) -> Option<Kind> {
        let text = self.string(key)?;
        match Kind::parse(&text) {
            Ok(kind) => Some(kind),
            Err(problem) => {
                self.error(key, problem);
                None
            }
        }
    }

    fn required_kind(&mut self, key: &'static str) -> Kind {
        if !self.has(key) {
            self.missing(key, "a kind, such as \"Integer\" or \"Native?\"");
        }
        self.kind(key).unwrap_or_else(Kind::native)
    }

    fn since(&mut self, key: &'static str) -> Option<Since> {
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

    fn check_version(&self, key: &str, version: &str) {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if version.split('.').count() != 3 || !version.split('.').all(is_number) {
            self.error(
                key,
                format!("`{key}`: `{version}` is not a version; write it like `7.4.0`"),
            );
        }
    }

    fn flags(&mut self) -> Option<Vec<Flag>> {
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

    fn flag_changes(&mut self) -> Vec<FlagChange> {
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

    fn deprecated(&mut self) -> Option<Deprecated> {
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
    fn argument_type(&mut self) -> (ArgumentType, bool) {
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

    fn default_value(&mut self) -> Option<DefaultValue> {
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

    fn facts(&mut self) -> Facts {
        let arguments = self.list("arguments");
        let read = |part| self.parser.read_argument(part, &self.place);
        let arguments = arguments.map(|arguments| arguments.into_iter().filter_map(read).collect());
        let example_line = self
            .get("example")
            .map_or(self.line, |value| self.parser.source.line(value));
        let own_server = self.string("example_server").map(|server| {
            if server != "own" {
                self.error(
                    "example_server",
                    format!("unknown server `{server}`; use `own` or leave it out"),
                );
            }
            true
        });
        Facts {
            summary: self.string("summary"),
            details: self.strings("details"),
            since: self.since("since"),
            complexity: self.string("complexity"),
            flags: self.flags(),
            deprecated: self.deprecated(),
            arguments,
            reply: self.kind("reply"),
            example: self.strings("example"),
            example_line,
            own_server,
            example_since: self.since("example_since"),
        }
    }
}
