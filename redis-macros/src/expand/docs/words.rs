//! Arguments in words: on the wire, as a bullet, as a sentence.

use super::Context;
use super::facts::since_text;
use crate::names::parameter;
use crate::plan::{Chained, Value};
use crate::table::{Argument, ArgumentType, DefaultValue};

/// The form on the wire, as the servers' own documentation writes it.
pub(super) fn wire(context: &Context<'_>, command: &str, arguments: &[Argument]) -> String {
    let arguments = arguments
        .iter()
        .map(|argument| match wire_of(context, argument) {
            wire if argument.optional => format!("[{wire}]"),
            wire => wire,
        });
    std::iter::once(command.to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// An argument without the brackets that say it is optional.
pub(super) fn wire_of(context: &Context<'_>, argument: &Argument) -> String {
    let inner = |separator: &str| {
        let parts = argument
            .arguments
            .iter()
            .map(|part| match wire_of(context, part) {
                wire if part.optional => format!("[{wire}]"),
                wire => wire,
            });
        parts.collect::<Vec<_>>().join(separator)
    };
    let bare = match &argument.of {
        ArgumentType::PureToken => return argument.token.clone().unwrap_or_default(),
        ArgumentType::Word(_) if argument.only_token => {
            return format!("[{}]", argument.token.as_deref().unwrap_or_default());
        }
        ArgumentType::Word(_) => argument.name.clone(),
        ArgumentType::Enum(name) => {
            let this = context.table.enums.iter().find(|this| this.name == *name);
            let tokens: Vec<_> = this
                .iter()
                .flat_map(|this| &this.values)
                .map(|value| value.token.as_str())
                .collect();
            if tokens.len() > 1 && !argument.optional {
                format!("<{}>", tokens.join(" | "))
            } else {
                tokens.join(" | ")
            }
        }
        ArgumentType::Block => inner(" "),
        ArgumentType::OneOf
            if argument.optional && !argument.multiple && argument.token.is_none() =>
        {
            inner(" | ")
        }
        ArgumentType::OneOf => format!("<{}>", inner(" | ")),
    };
    let token = argument
        .token
        .as_ref()
        .map(|token| format!("{token} "))
        .unwrap_or_default();
    let count = argument
        .count
        .as_ref()
        .map(|count| format!("{count} "))
        .unwrap_or_default();
    match (argument.multiple, argument.multiple_token) {
        (false, _) => format!("{token}{bare}"),
        (true, false) if argument.split => {
            let names: Vec<_> = argument
                .arguments
                .iter()
                .map(|part| format!("{0} [{0} ...]", part.name))
                .collect();
            format!("{token}{count}{}", names.join(" "))
        }
        (true, false) => format!("{token}{count}{bare} [{bare} ...]"),
        (true, true) => format!("{count}{token}{bare} [{token}{bare} ...]"),
    }
}

/// The tokens that call an option.
pub(super) fn tokens(argument: &Argument) -> Vec<&str> {
    let inner = match argument.of {
        ArgumentType::Block if !argument.is_value() => argument
            .arguments
            .iter()
            .filter(|part| !part.optional)
            .collect(),
        _ => Vec::new(),
    };
    argument
        .token
        .as_deref()
        .into_iter()
        .chain(inner.into_iter().filter_map(|part| part.token.as_deref()))
        .collect()
}

/// "(integer): time to live, in seconds", without the brackets.
pub(super) fn description(argument: &Argument) -> String {
    let of = type_words(argument);
    let since = argument
        .since
        .as_ref()
        .map(|since| format!(" {}.", since_text(since)))
        .unwrap_or_default();
    match &argument.doc {
        Some(doc) => format!("({of}): {doc}.{since}"),
        None if since.is_empty() => format!("({of})"),
        None => format!("({of}).{since}"),
    }
}

pub(super) fn type_words(argument: &Argument) -> String {
    let of = match &argument.of {
        ArgumentType::Word(word) => word.description().to_owned(),
        ArgumentType::Enum(name) => format!("`{name}`"),
        ArgumentType::PureToken => "no value".to_owned(),
        ArgumentType::Block if argument.is_pair() => {
            let names: Vec<_> = argument
                .arguments
                .iter()
                .map(|part| part.name.as_str())
                .collect();
            let (first, second) = match names.as_slice() {
                [first, second] if argument.is_swapped() => (*second, *first),
                [first, second] => (*first, *second),
                _ => ("", ""),
            };
            return format!("pairs of {first} and {second}");
        }
        ArgumentType::Block | ArgumentType::OneOf => match &argument.as_type {
            Some(name) => format!("`{name}`"),
            None => "several values".to_owned(),
        },
    };
    if argument.multiple {
        format!("list: {of}")
    } else {
        of
    }
}

pub(super) fn parameter_bullet(argument: &Argument) -> String {
    format!(
        "- `{}` {}",
        parameter(&argument.name),
        description(argument)
    )
}

/// The parameters of a chained method, if they say more than its own documentation.
pub(super) fn parts(parameters: &[Value<'_>], argument: &Argument) -> Option<String> {
    let bullets: Vec<_> = parameters
        .iter()
        .map(|value| parameter_bullet(value.argument))
        .collect();
    let is_itself = argument.is_value() || bullets.is_empty();
    (!is_itself).then(|| bullets.join("\n"))
}

pub(super) fn chained_bullet(context: &Context<'_>, chained: &Chained<'_>) -> String {
    let argument = chained.argument;
    let parameters: Vec<_> = chained
        .parameters
        .iter()
        .map(|value| parameter(&value.argument.name))
        .collect();
    let mut text = format!("- `.{}({})` (", chained.name, parameters.join(", "));
    match argument.default.as_ref().filter(|_| argument.is_value()) {
        Some(default) => text += &format!("chained, {} without it", default_text(default)),
        None => text += "optional, chained",
    }
    if argument.is_value() {
        text += &format!("; {}", type_words(argument));
    }
    text += ")";
    if let Some(doc) = &argument.doc {
        text += &format!(": {doc}");
    }
    text += ".";
    text += &sends(context, argument).map_or_else(String::new, |sends| format!(" {sends}"));
    if let Some(since) = &argument.since {
        text += &format!(" {}.", since_text(since));
    }
    text
}

/// What an option looks like on the wire, unless that is its name only.
pub(super) fn sends(context: &Context<'_>, argument: &Argument) -> Option<String> {
    let wire = wire_of(context, argument);
    (wire != argument.name).then(|| format!("Sends `{wire}`."))
}

/// How a chained method is called: `.get()`, `.expire(…)`.
pub(super) fn call(chained: &Chained<'_>) -> String {
    let inside = if chained.parameters.is_empty() {
        ""
    } else {
        "…"
    };
    format!("`.{}({inside})`", chained.name)
}

pub(super) fn default_text(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Integer(value) => format!("`{value}`"),
        DefaultValue::Number(value) => format!("`{value}`"),
        DefaultValue::Text(value) => format!("`{value}`"),
        DefaultValue::Bool(value) => format!("`{value}`"),
        DefaultValue::Empty => "empty".to_owned(),
    }
}

/// The documentation of an argument as a sentence.
pub(super) fn sentence(argument: &Argument) -> String {
    let doc = argument
        .doc
        .clone()
        .unwrap_or_else(|| match &argument.token {
            Some(token) => format!("`{token}`"),
            None => argument.name.replace('-', " "),
        });
    format!("{}.", capital(&doc))
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
