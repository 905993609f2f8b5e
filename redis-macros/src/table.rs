//! A table as plain types. Everything that can be wrong on its own has its line.

use crate::kinds::Kind;
use crate::names::snake;
use crate::types::{Flag, Word};

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) enums: Vec<Enum>,
    pub(crate) replies: Vec<ReplyStruct>,
    pub(crate) commands: Vec<Command>,
}

/// A closed set of tokens that users pass as an argument.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) values: Vec<EnumValue>,
}

#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) doc: Option<String>,
    pub(crate) since: Option<Since>,
}

#[derive(Debug)]
pub(crate) struct ReplyStruct {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) layout: Layout,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// By position.
    Array,
    /// By name: flat pairs in RESP2, a map in RESP3.
    Map,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) line: usize,
    pub(crate) name: String,
    /// The name on the wire, in a map.
    pub(crate) key: String,
    pub(crate) reply: Kind,
    pub(crate) doc: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) group: String,
    /// One for each Rust method.
    pub(crate) forms: Vec<Form>,
    /// Whether the runtime drives it: no method is generated, only the facts.
    pub(crate) is_runtime: bool,
}

#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) line: usize,
    pub(crate) method: String,
    /// Whether it is one of several, and so must be named in messages.
    pub(crate) is_named: bool,
    pub(crate) summary: String,
    pub(crate) details: Vec<String>,
    pub(crate) since: Since,
    pub(crate) complexity: Option<String>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) deprecated: Option<Deprecated>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) reply: Kind,
    pub(crate) example: Example,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) redis: Option<String>,
    pub(crate) valkey: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Deprecated {
    pub(crate) since: String,
    pub(crate) instead: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Example {
    pub(crate) line: usize,
    pub(crate) lines: Vec<String>,
    pub(crate) own_server: bool,
    /// Where it needs a newer server than the command itself.
    pub(crate) since: Option<Since>,
}

#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) of: ArgumentType,
    pub(crate) token: Option<String>,
    pub(crate) only_token: bool,
    pub(crate) optional: bool,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) multiple: bool,
    pub(crate) multiple_token: bool,
    /// What the number of elements before them is called.
    pub(crate) count: Option<String>,
    pub(crate) arguments: Vec<Argument>,
    /// The name of the generated argument type.
    pub(crate) as_type: Option<String>,
    pub(crate) order: Option<Vec<String>>,
    pub(crate) split: bool,
    pub(crate) position: Option<usize>,
    pub(crate) method: Option<String>,
    pub(crate) doc: Option<String>,
    pub(crate) since: Option<Since>,
    pub(crate) reply: Option<Kind>,
    pub(crate) flags: Vec<FlagChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArgumentType {
    Word(Word),
    PureToken,
    Block,
    OneOf,
    Enum(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DefaultValue {
    Integer(i64),
    Number(f64),
    Text(String),
    Bool(bool),
    /// `[]`
    Empty,
}

/// `"blocking"` or `"-idempotent"` on an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlagChange {
    pub(crate) adds: bool,
    pub(crate) flag: Flag,
}

impl Argument {
    /// How a value is held by the generated code, if the argument is one value and not a structure
    /// around others.
    pub(crate) fn is_value(&self) -> bool {
        match self.of {
            ArgumentType::Word(_) | ArgumentType::Enum(_) => true,
            ArgumentType::PureToken => false,
            ArgumentType::Block => self.as_type.is_some() || self.multiple,
            ArgumentType::OneOf => self.as_type.is_some(),
        }
    }

    /// Whether it is a multiple block of exactly two simple values.
    pub(crate) fn is_pair(&self) -> bool {
        let is_simple = |part: &Self| {
            matches!(part.of, ArgumentType::Word(_))
                && part.token.is_none()
                && !part.optional
                && !part.multiple
                && part.default.is_none()
        };
        self.of == ArgumentType::Block
            && self.multiple
            && self.as_type.is_none()
            && self.arguments.len() == 2
            && self.arguments.iter().all(is_simple)
    }

    /// Whether the second of a pair comes first in Rust.
    pub(crate) fn is_swapped(&self) -> bool {
        let first = self.order.as_ref().and_then(|order| order.first());
        first.is_some() && first == self.arguments.get(1).map(|part| &part.name)
    }

    /// The types of a pair in the order of Rust.
    pub(crate) fn pair_words(&self) -> (Word, Word) {
        let word = |index: usize| match self.arguments.get(index).map(|part| &part.of) {
            Some(ArgumentType::Word(word)) => *word,
            _ => Word::String,
        };
        if self.is_swapped() {
            (word(1), word(0))
        } else {
            (word(0), word(1))
        }
    }

    /// The name of its chained method, or of its constructor in an "as" type.
    pub(crate) fn chained_name(&self) -> String {
        self.method.clone().unwrap_or_else(|| snake(&self.name))
    }

    /// Whether two arguments mean the same on the wire and in Rust; documentation aside.
    pub(crate) fn is_same_shape(&self, other: &Self) -> bool {
        let facts = |a: &Self| {
            (
                (
                    a.name.clone(),
                    a.of.clone(),
                    a.token.clone(),
                    a.only_token,
                    a.optional,
                    a.default.clone(),
                ),
                (
                    a.multiple,
                    a.multiple_token,
                    a.count.clone(),
                    a.order.clone(),
                    a.split,
                    a.method.clone(),
                ),
            )
        };
        facts(self) == facts(other) && same_shapes(&self.arguments, &other.arguments)
    }
}

pub(crate) fn same_shapes(left: &[Argument], right: &[Argument]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| left.is_same_shape(right))
}

impl Table {
    /// Whether a reply struct holds the encoder's type, itself or in one of its parts.
    pub(crate) fn is_native(&self, name: &str) -> bool {
        self.is_native_beside(name, &mut Vec::new())
    }

    /// `seen` are the structs that are looked at already: through lists, structs can contain
    /// themselves.
    fn is_native_beside<'t>(&'t self, name: &str, seen: &mut Vec<&'t str>) -> bool {
        let Some(this) = self.replies.iter().find(|this| this.name == name) else {
            return false;
        };
        if seen.contains(&this.name.as_str()) {
            return false;
        }
        seen.push(&this.name);
        this.fields.iter().any(|field| {
            let mut structs = Vec::new();
            field.reply.structs(&mut structs);
            field.reply.is_native(&|_| false)
                || structs
                    .into_iter()
                    .any(|part| self.is_native_beside(part, seen))
        })
    }

    /// What is sent for a value of an enum.
    pub(crate) fn token(&self, name: &str, value: &str) -> &str {
        let this = self.enums.iter().find(|this| this.name == name);
        let value = this.and_then(|this| this.values.iter().find(|known| known.name == value));
        value.map_or("", |value| &value.token)
    }
}
