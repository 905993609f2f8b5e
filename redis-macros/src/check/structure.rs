//! The rules of what an argument is made of: its token, its elements, its parts.

use super::arguments::{Role, Rules};
use crate::names::{did_you_mean, is_dashed, listed};
use crate::table::{Argument, ArgumentType, DefaultValue};
use crate::types::Word;

impl Rules<'_> {
    /// A token is one word; a pure token has one and is nothing else; a token for every element
    /// needs elements.
    pub(super) fn token(&self, argument: &Argument) {
        match &argument.token {
            Some(token) if token.is_empty() || token.contains(char::is_whitespace) => {
                self.error(
                    argument,
                    format!("token `{token}` must be one word without spaces"),
                );
            }
            None if argument.of == ArgumentType::PureToken => {
                self.error(argument, "a pure-token needs a `token`");
            }
            _ => {}
        }
        if argument.of == ArgumentType::PureToken {
            let has = [
                ("multiple", argument.multiple),
                ("default", argument.default.is_some()),
                ("count", argument.count.is_some()),
            ];
            for (key, _) in has.into_iter().filter(|(_, is_there)| *is_there) {
                self.error(
                    argument,
                    format!("`{key}` makes no sense on a pure-token: it has no value"),
                );
            }
        }
        if argument.multiple_token && !(argument.multiple && argument.token.is_some()) {
            self.error(argument, "`multiple_token` needs `multiple` and a `token`, which it sends before every element");
        }
    }

    /// "only_token" is a boolean whose token is sent if it is true.
    pub(super) fn only_token(&self, argument: &Argument) {
        let is_bool = argument.of == ArgumentType::Word(Word::Bool);
        if argument.only_token && (!is_bool || argument.token.is_none() || argument.multiple) {
            self.error(
                argument,
                "`only_token` needs the type `bool` and a `token`, which is sent if it is true",
            );
        }
    }

    /// A count counts elements.
    pub(super) fn multiple(&self, argument: &Argument) {
        let Some(count) = &argument.count else { return };
        if !argument.multiple && argument.of != ArgumentType::PureToken {
            self.error(
                argument,
                "`count` needs `multiple`: it is the number of elements",
            );
        }
        if !is_dashed(count) {
            self.error(
                argument,
                format!("count `{count}` must be lower-case words with dashes, like `numkeys`"),
            );
        }
    }

    /// A multiple block is a pair, or a type of its own. The first of a pair goes through an
    /// encoder, and so may the second. "order" and "split" are about pairs.
    pub(super) fn pair(&self, argument: &Argument) {
        let is_pair = argument.is_pair();
        if argument.of == ArgumentType::Block
            && argument.multiple
            && argument.as_type.is_none()
            && !is_pair
        {
            let message = "a multiple block that is no pair of two simple values needs `as`: the name of its Rust type";
            self.error(argument, message);
        }
        if argument.split && !is_pair {
            self.error(
                argument,
                "`split` needs a multiple block of two simple values",
            );
        }
        if let Some(order) = &argument.order {
            let names: Vec<_> = argument
                .arguments
                .iter()
                .map(|part| part.name.as_str())
                .collect();
            let is_permutation = order.len() == names.len()
                && names
                    .iter()
                    .all(|name| order.iter().any(|other| other == name));
            if !is_pair {
                self.error(
                    argument,
                    "`order` needs a multiple block of two simple values",
                );
            } else if !is_permutation {
                self.error(
                    argument,
                    format!("`order` must hold the names of the two: {}", listed(names)),
                );
            }
        }
        if is_pair {
            let (first, second) = argument.pair_words();
            let encoded = [Word::Key, Word::String, Word::Pattern];
            let numbers = [Word::Double, Word::Integer, Word::UnixTime];
            let is_sound = match (first, second) {
                (Word::Text, second) => second == Word::Text || numbers.contains(&second),
                (first, Word::Text) => encoded.contains(&first),
                (first, second) => {
                    encoded.contains(&first)
                        && (encoded.contains(&second) || numbers.contains(&second))
                }
            };
            if !is_sound {
                let (first, second) = (first.name(), second.name());
                let message = format!(
                    "a pair of `{first}` and `{second}` does not work: use `key`, `string` or `text` first, \
                     and one of these, `double` or `integer` second; otherwise give it a type of its own with `as`"
                );
                self.error(argument, message);
            }
        }
    }

    /// A block or a oneof has arguments, and nothing else does.
    pub(super) fn structure(&self, argument: &Argument) {
        let is_structure = matches!(argument.of, ArgumentType::Block | ArgumentType::OneOf);
        if is_structure && argument.arguments.is_empty() {
            self.error(argument, "a block or oneof needs `arguments`");
        }
        if !is_structure && !argument.arguments.is_empty() {
            self.error(argument, "`arguments` needs the type `block` or `oneof`");
        }
        let is_optional_block =
            argument.of == ArgumentType::Block && argument.optional && !argument.is_value();
        let is_never_sent = |part: &Argument| {
            part.optional || part.of == ArgumentType::OneOf && part.as_type.is_none()
        };
        if is_optional_block
            && argument.token.is_none()
            && argument.arguments.iter().all(is_never_sent)
        {
            self.error(
                argument,
                "an optional block needs a token or a required argument",
            );
        }
    }

    /// A oneof has alternatives. Optional ones and those with a default are chained methods. Others
    /// are a type.
    pub(super) fn choice(&self, argument: &Argument, role: Role) {
        if argument.of != ArgumentType::OneOf {
            return;
        }
        if argument.arguments.len() == 1 {
            self.error(argument, "a oneof needs at least two alternatives");
        }
        if argument.as_type.is_none() {
            let is_required = !argument.optional && argument.default.is_none();
            let only_tokens = argument
                .arguments
                .iter()
                .all(|part| part.of == ArgumentType::PureToken);
            if role.alternative.is_some() {
                self.error(
                    argument,
                    "a oneof cannot be an alternative; put its alternatives beside the others",
                );
            } else if argument.multiple {
                self.error(
                    argument,
                    "a multiple oneof needs `as`: the name of its Rust type",
                );
            } else if is_required && only_tokens {
                let message = "a required oneof of tokens only is an enum: declare it in \"enums\" and use it as `type`";
                self.error(argument, message);
            } else if is_required {
                let message = "a required oneof with values needs `as`: the name of its Rust type";
                self.error(argument, message);
            }
        }
        for part in &argument.arguments {
            if part.optional {
                self.error(part, "an alternative is never `optional`: the oneof is");
            }
        }
        let Some(DefaultValue::Text(name)) = argument
            .default
            .as_ref()
            .filter(|_| argument.as_type.is_none())
        else {
            return;
        };
        let alternatives = || argument.arguments.iter().map(|part| part.name.as_str());
        match argument.arguments.iter().find(|part| part.name == *name) {
            None => {
                let near = did_you_mean(name, alternatives());
                let known = listed(alternatives());
                self.error(
                    argument,
                    format!("the default `{name}` is no alternative{near}; use {known}"),
                );
            }
            Some(part) => {
                let needs_value =
                    |part: &Argument| part.of != ArgumentType::PureToken && part.default.is_none();
                let is_block = part.of == ArgumentType::Block && !part.multiple;
                let misses_value = if is_block {
                    part.arguments.iter().any(needs_value)
                } else {
                    needs_value(part)
                };
                if misses_value {
                    self.error(
                        part,
                        "the default alternative needs a `default` for its value",
                    );
                }
            }
        }
    }

    /// "as" names the type of a block or of a oneof. There is none inside of another, and deadlines
    /// and reply kinds belong to commands.
    pub(super) fn as_type(&self, argument: &Argument, role: Role) {
        if argument.as_type.is_some() {
            if !matches!(argument.of, ArgumentType::Block | ArgumentType::OneOf) {
                self.error(argument, "`as` needs the type `block` or `oneof`");
            }
            if role.is_inside_as {
                self.error(argument, "`as` cannot stand inside of another `as`");
            }
        }
    }
}
