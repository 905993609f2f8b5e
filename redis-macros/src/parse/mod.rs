//! JSON text -> [`Table`]. What is wrong with one value on its own is found here; rules between
//! values are in `check`.
//!
//! A value that cannot be read is reported and replaced by a placeholder, so that reading goes on.
//! The entry it stands in counts as broken from then on, and nothing is generated for it.

mod object;

use crate::errors::{Errors, Owner, Place};
use crate::json::{self, Member, Value};
use crate::kinds::Kind;
use crate::names::snake;
use crate::table::{
    Argument, Command, Deprecated, Enum, EnumValue, Example, Field, Form, Layout, ReplyStruct,
    Since, Table,
};
use crate::types::Flag;
use object::Object;

pub(crate) fn table(text: &str, errors: &Errors) -> Table {
    let place = Place::new(Owner::Table);
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(error) => {
            errors.push_syntax(&error);
            return Table::default();
        }
    };
    let parser = Parser { errors };
    let Some(mut top) = parser.object(&root, &place) else {
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

struct Parser<'t> {
    errors: &'t Errors,
}

impl<'t> Parser<'t> {
    fn object(&'t self, value: &'t Value<'t>, place: &Place) -> Option<Object<'t>> {
        Object::new(self, value, place)
    }

    fn read_enum(&'t self, name: String, value: &'t Value<'t>, place: &Place) -> Option<Enum> {
        let mut object = self.object(value, place)?;
        let doc = object.required_string("doc", "what the values are about");
        let values = object.required_list("values", "a list of {\"name\", \"token\", \"doc\"}");
        object.finish();
        let values = values
            .iter()
            .filter_map(|value| self.read_enum_value(value, place))
            .collect();
        Some(Enum {
            line: object.line,
            name,
            doc,
            values,
        })
    }

    fn read_enum_value(&'t self, value: &'t Value<'t>, place: &Place) -> Option<EnumValue> {
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
        &'t self,
        name: String,
        value: &'t Value<'t>,
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
            .iter()
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

    fn read_field(&'t self, value: &'t Value<'t>, layout: Layout, place: &Place) -> Option<Field> {
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

    fn read_command(
        &'t self,
        name: String,
        value: &'t Value<'t>,
        place: &Place,
    ) -> Option<Command> {
        let mut object = self.object(value, place)?;
        let group = object.required_string(
            "group",
            "such as \"string\": its trait is then `StringCommands`",
        );
        let own = object.facts();
        let method = object.string("method");
        let is_runtime = object.string("runtime").is_some();
        let form_place = |form: &str| place.then(format_args!("form `{form}`"));
        let forms = object.members("forms", form_place);
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
                let read = |Member { key, value, .. }: &'t Member<'t>| {
                    self.read_form(key.to_string(), value, &own, place)
                };
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
        &'t self,
        method: String,
        value: &'t Value<'t>,
        inherited: &Facts,
        place: &Place,
    ) -> Option<Form> {
        let mut object = self.object(value, &place.then(format_args!("form `{method}`")))?;
        let facts = object.facts().or(inherited);
        object.finish();
        Some(facts.into_form(method, &object, false, true))
    }

    fn read_argument(&'t self, value: &'t Value<'t>, place: &Place) -> Option<Argument> {
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
                .iter()
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
        object: &Object<'_>,
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

impl Object<'_> {
    fn facts(&mut self) -> Facts {
        let arguments = self.list("arguments");
        let read = |part| self.parser.read_argument(part, &self.place);
        let arguments = arguments.map(|arguments| arguments.iter().filter_map(read).collect());
        let example_line = self.get("example").map_or(self.line, |value| value.at.line);
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
