//! What is known about a whole command, in words: its reply, versions, links, example.

use super::words::call;
use super::{Context, Method};
use crate::kinds::{Kind, KindName};
use crate::table::{Form, Since};
use crate::types::Flag;

/// The Rust type of a kind's value.
pub(super) fn value(context: &Context<'_>, kind: &Kind) -> String {
    kind.value(&|name| context.table.is_native(name))
}

pub(super) fn reply(context: &Context<'_>, method: &Method<'_>) -> String {
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

pub(super) fn uncapital(text: &str) -> String {
    let mut chars = text.chars();
    let second_is_lower = text.chars().nth(1).is_some_and(|c| !c.is_uppercase());
    match chars.next() {
        Some(first) if second_is_lower => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// Versions, complexity, and what is worth knowing of the flags.
pub(super) fn notes(form: &Form) -> Vec<String> {
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
pub(super) fn since_text(since: &Since) -> String {
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

pub(super) fn links(command: &str, since: &Since) -> String {
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

/// In the runtime crate the documentation is compiled; elsewhere nobody knows what the table's
/// names are called.
pub(super) fn example(context: &Context<'_>, form: &Form) -> String {
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
