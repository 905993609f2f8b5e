//! Documentation. The page must stand alone: "source" leads to the macro call.

mod facts;
mod words;

use facts::{example, links, notes, reply, since_text, value};
use proc_macro2::TokenStream;
use quote::quote;
use words::{
    call, capital, chained_bullet, default_text, parameter_bullet, parts, sends, sentence, tokens,
    wire,
};

use super::{Context, Method, group_trait};
use crate::names::listed;
use crate::plan::Chained;
use crate::table::{Argument, ArgumentType, EnumValue, Field};

/// One attribute for the whole text: one for each line takes the compiler twice as long.
pub(super) fn text(text: &str) -> TokenStream {
    quote!(#[doc = #text])
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
    for need in needs {
        let all = &method.plan.chained;
        let needed = all.iter().find(|other| other.name == need.of_name);
        page.extend(needed.map(|needed| format!("Needs {} as well.", call(needed))));
    }
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
