//! Documentation. The page must stand alone: "source" leads to the macro call.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Context, Method, group_trait};
use crate::names::{listed, parameter};
use crate::plan::{Chained, Value};
use crate::table::{Argument, ArgumentType, DefaultValue, EnumValue, Field, Form, Since};
use crate::types::{Flag, Kind, KindName};

/// One attribute for each line.
pub(super) fn text(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        }
    });
    quote!(#(#[doc = #lines])*)
}

/// `#[doc(alias)]` for each name, except where rustdoc refuses it.
fn aliases<'n>(names: impl IntoIterator<Item = &'n str>, item: &str) -> TokenStream {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        let is_word = name.chars().any(char::is_alphanumeric) && !name.contains(['"', '\'']);
        if is_word && name != item && !seen.contains(&name) {
            seen.push(name);
        }
    }
    quote!(#(#[doc(alias = #seen)])*)
}

pub(super) fn of_group(group: &str, methods: &[&Method<'_>]) -> TokenStream {
    let name = group_trait(group);
    let mut page = format!("Commands of the group “{}”.\n\n", group.replace('-', " "));
    for Method { form, .. } in methods {
        page += &format!("- [`{0}`]({name}::{0}): {1}\n", form.method, form.summary);
    }
    text(&page)
}

pub(super) fn of_method(context: &Context<'_>, method: &Method<'_>) -> TokenStream {
    let Method {
        command,
        form,
        plan,
    } = method;
    let mut page = vec![form.summary.clone()];
    page.extend(form.details.iter().cloned());
    page.push(format!(
        "```text\n{}\n```",
        wire(context, &command.name, &form.arguments)
    ));
    if !form.arguments.is_empty() {
        let bullets: Vec<_> = plan
            .parameters
            .iter()
            .map(|value| parameter_bullet(value.argument))
            .chain(
                plan.chained
                    .iter()
                    .map(|chained| chained_bullet(context, chained)),
            )
            .collect();
        if !bullets.is_empty() {
            page.push(format!("# Arguments\n\n{}", bullets.join("\n")));
        }
    }
    page.push(format!("# Reply\n\n{}", reply(context, method)));
    page.extend(notes(form));
    page.push(links(&command.name, &form.since));
    page.push(format!("# Example\n\n{}", example(context, form)));
    let tokens = plan.writes.iter().filter_map(|write| match write {
        crate::plan::Write::Token { token, .. } => Some(*token),
        crate::plan::Write::Value(value) | crate::plan::Write::Default(value, _) => {
            value.argument.token.as_deref()
        }
    });
    let aliases = aliases(
        std::iter::once(command.name.as_str()).chain(tokens),
        &form.method,
    );
    let page = text(&page.join("\n\n"));
    quote!(#page #aliases)
}

pub(super) fn of_variant(method: &Method<'_>, suffix: &str) -> TokenStream {
    let Method { command, form, .. } = method;
    let collected = match suffix {
        "_asset" => "a `HashSet`",
        "_asdict" => "a `HashMap`",
        _ => "a `Vec`",
    };
    let name = group_trait(&command.group);
    text(&format!(
        "[`{0}`]({name}::{0}), with its reply collected into {collected}.",
        form.method
    ))
}

pub(super) fn of_options(method: &Method<'_>) -> TokenStream {
    let name = group_trait(&method.command.group);
    let method = &method.form.method;
    text(&format!(
        "What [`{method}`](super::{name}::{method}) returns: call its options, then `.await` it."
    ))
}

pub(super) fn of_chained(
    context: &Context<'_>,
    method: &Method<'_>,
    chained: &Chained<'_>,
) -> TokenStream {
    let argument = chained.argument;
    let mut page = vec![sentence(argument)];
    page.extend(sends(context, argument));
    let needs = method
        .plan
        .needs
        .iter()
        .filter(|need| need.name == chained.name);
    page.extend(needs.map(|need| format!("Needs `.{}(…)` as well.", need.of_name)));
    page.extend(
        argument
            .default
            .as_ref()
            .filter(|_| argument.is_value())
            .map(|default| format!("Without this call it is {}.", default_text(default))),
    );
    page.extend(
        argument
            .reply
            .as_ref()
            .map(|kind| format!("Changes the reply to `{}`.", value(context, kind))),
    );
    page.extend(
        argument
            .since
            .as_ref()
            .map(|since| format!("{}.", since_text(since))),
    );
    page.extend(parts(&chained.parameters, argument));
    let page = text(&page.join("\n\n"));
    let aliases = aliases(tokens(argument), &chained.name);
    quote!(#page #aliases)
}

pub(super) fn of_enum_value(value: &EnumValue) -> TokenStream {
    let mut page = vec![
        value
            .doc
            .clone()
            .unwrap_or_else(|| format!("`{}`", value.token)),
    ];
    page.extend(
        value
            .since
            .as_ref()
            .map(|since| format!("{}.", since_text(since))),
    );
    let page = text(&page.join("\n\n"));
    let aliases = aliases([value.token.as_str()], &value.name);
    quote!(#page #aliases)
}

pub(super) fn of_as(argument: &Argument, users: &[&str]) -> TokenStream {
    let doc = argument
        .doc
        .clone()
        .unwrap_or_else(|| argument.name.replace('-', " "));
    text(&format!(
        "{}: an argument of {}.",
        capital(&doc),
        listed(users.iter().copied())
    ))
}

pub(super) fn of_constructor(argument: &Argument, name: &str) -> TokenStream {
    let part = match argument.of {
        ArgumentType::OneOf => argument
            .arguments
            .iter()
            .find(|part| part.chained_name() == name),
        _ => None,
    };
    let part = part.unwrap_or(argument);
    let mut page = vec![sentence(part)];
    page.extend(
        part.since
            .as_ref()
            .map(|since| format!("{}.", since_text(since))),
    );
    let bullets: Vec<_> = part
        .arguments
        .iter()
        .filter(|inner| inner.is_value() && !inner.optional)
        .map(parameter_bullet)
        .collect();
    if !bullets.is_empty() {
        page.push(bullets.join("\n"));
    }
    let page = text(&page.join("\n\n"));
    let aliases = aliases(part.token.as_deref(), name);
    quote!(#page #aliases)
}

pub(super) fn of_part(chained: &Chained<'_>) -> TokenStream {
    let argument = chained.argument;
    let page = text(&format!("Optional: {}", sentence(argument)));
    let aliases = aliases(tokens(argument), &chained.name);
    quote!(#page #aliases)
}

pub(super) fn of_field(field: &Field) -> TokenStream {
    text(
        &field
            .doc
            .clone()
            .unwrap_or_else(|| format!("`{}`", field.key)),
    )
}

/// The form on the wire, as the servers' own documentation writes it.
fn wire(context: &Context<'_>, command: &str, arguments: &[Argument]) -> String {
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
fn wire_of(context: &Context<'_>, argument: &Argument) -> String {
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
fn tokens(argument: &Argument) -> Vec<&str> {
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
fn description(argument: &Argument) -> String {
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

fn type_words(argument: &Argument) -> String {
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

fn parameter_bullet(argument: &Argument) -> String {
    format!(
        "- `{}` {}",
        parameter(&argument.name),
        description(argument)
    )
}

/// The parameters of a chained method, if they say more than its own documentation.
fn parts(parameters: &[Value<'_>], argument: &Argument) -> Option<String> {
    let bullets: Vec<_> = parameters
        .iter()
        .map(|value| parameter_bullet(value.argument))
        .collect();
    let is_itself = argument.is_value() || bullets.is_empty();
    (!is_itself).then(|| bullets.join("\n"))
}

fn chained_bullet(context: &Context<'_>, chained: &Chained<'_>) -> String {
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
fn sends(context: &Context<'_>, argument: &Argument) -> Option<String> {
    let wire = wire_of(context, argument);
    (wire != argument.name).then(|| format!("Sends `{wire}`."))
}

/// How a chained method is called: `.get()`, `.expire(…)`.
fn call(chained: &Chained<'_>) -> String {
    let inside = if chained.parameters.is_empty() {
        ""
    } else {
        "…"
    };
    format!("`.{}({inside})`", chained.name)
}

fn default_text(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Integer(value) => format!("`{value}`"),
        DefaultValue::Number(value) => format!("`{value}`"),
        DefaultValue::Text(value) => format!("`{value}`"),
        DefaultValue::Bool(value) => format!("`{value}`"),
        DefaultValue::Empty => "empty".to_owned(),
    }
}

/// The documentation of an argument as a sentence.
fn sentence(argument: &Argument) -> String {
    let doc = argument
        .doc
        .clone()
        .unwrap_or_else(|| match &argument.token {
            Some(token) => format!("`{token}`"),
            None => argument.name.replace('-', " "),
        });
    format!("{}.", capital(&doc))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The Rust type of a kind's value.
fn value(context: &Context<'_>, kind: &Kind) -> String {
    kind.value(&|name| context.table.is_native(name))
}

fn reply(context: &Context<'_>, method: &Method<'_>) -> String {
    let kind = &method.form.reply;
    let words = match &kind.name {
        KindName::Builtin(builtin) => builtin.words.to_owned(),
        KindName::Struct(name) => {
            let this = context.table.replies.iter().find(|this| this.name == *name);
            this.map(|this| uncapital(this.doc.trim_end_matches('.')))
                .unwrap_or_default()
        }
    };
    let or_none = if kind.nullable { ", or `None`" } else { "" };
    let mut text = format!("`{}`: {words}{or_none}.", value(context, kind));
    for chained in &method.plan.chained {
        if let Some(kind) = &chained.argument.reply {
            text += &format!(" With {}: `{}`.", call(chained), value(context, kind));
        }
    }
    let options = method
        .plan
        .chained
        .iter()
        .filter_map(|chained| chained.argument.reply.as_ref());
    let is_native = |kind: &Kind| kind.is_native(&|name| context.table.is_native(name));
    if std::iter::once(kind).chain(options).any(is_native) {
        text += " `N` is the encoder's type: `String` by default.";
    }
    text
}

fn uncapital(text: &str) -> String {
    let mut chars = text.chars();
    let second_is_lower = text.chars().nth(1).is_some_and(|c| !c.is_uppercase());
    match chars.next() {
        Some(first) if second_is_lower => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// Versions, complexity, and what is worth knowing of the flags.
fn notes(form: &Form) -> Vec<String> {
    let mut facts = vec![format!("{}.", since_text(&form.since))];
    facts.extend(
        form.complexity
            .as_ref()
            .map(|complexity| format!("Complexity: {}.", complexity.trim_end_matches('.'))),
    );
    const WORTH_KNOWING: &[(&str, &str)] = &[
        ("readonly", "Only reads."),
        ("idempotent", "Can be repeated without harm."),
        (
            "blocking",
            "Blocks until there is an answer, on a connection of its own.",
        ),
        ("admin", "For administrators."),
        ("session", "Changes the state of its connection."),
        ("no_multi", "Not allowed in a transaction."),
        ("ends_connection", "The server closes the connection."),
    ];
    let worth_knowing = WORTH_KNOWING
        .iter()
        .filter(|(flag, _)| form.flags.iter().any(|Flag(has)| has == flag));
    facts.extend(worth_knowing.map(|(_, text)| (*text).to_owned()));
    let mut notes = Vec::new();
    if let Some(deprecated) = &form.deprecated {
        notes.push(format!(
            "**Deprecated** since {}: use {}.",
            deprecated.since,
            deprecated.instead.trim_end_matches('.')
        ));
    }
    notes.push(facts.join(" "));
    notes
}

/// Valkey began as a copy of Redis 7.2.4: what that has, every version has.
fn since_text(since: &Since) -> String {
    let redis = since
        .redis
        .as_ref()
        .map(|version| format!("Redis {version}"));
    let valkey = since.valkey.as_ref().map(|version| {
        let numbers: Vec<u64> = version
            .split('.')
            .filter_map(|part| part.parse().ok())
            .collect();
        if numbers.as_slice() <= [7, 2, 5].as_slice() {
            "every Valkey".to_owned()
        } else {
            format!("Valkey {version}")
        }
    });
    match (redis, valkey) {
        (Some(redis), Some(valkey)) => {
            format!("Since {redis}, in {valkey}").replace("in Valkey", "Valkey")
        }
        (Some(redis), None) => format!("Since {redis}, not in Valkey"),
        (None, Some(valkey)) => {
            format!("Since {valkey}, not in Redis").replace("Since every", "In every")
        }
        (None, None) => String::new(),
    }
}

fn links(command: &str, since: &Since) -> String {
    let page = command.to_lowercase().replace(' ', "-");
    let redis = format!("[redis.io](https://redis.io/docs/latest/commands/{page}/)");
    let valkey = format!("[valkey.io](https://valkey.io/commands/{page}/)");
    let links = [
        (redis, since.redis.is_some()),
        (valkey, since.valkey.is_some()),
    ];
    let links: Vec<_> = links
        .into_iter()
        .filter(|(_, has)| *has)
        .map(|(link, _)| link)
        .collect();
    format!("Documentation of the server: {}.", links.join(", "))
}

/// In the runtime crate the documentation is compiled; elsewhere nobody knows what the table's names are called.
fn example(context: &Context<'_>, form: &Form) -> String {
    let lines = form.example.lines.join("\n");
    if !context.is_runtime_crate {
        return format!("```ignore\n{lines}\n```");
    }
    let before = "\
# use redis_client::prelude::*;
# use redis_client::bytes::Bytes;
# use std::collections::{HashMap, HashSet};
# async fn example(client: &redis_client::Connection, other: &redis_client::Connection) -> redis_client::Result<()> {";
    format!("```no_run\n{before}\n{lines}\n# Ok(()) }}\n```")
}
