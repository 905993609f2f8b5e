//! The facts about a command that the runtime needs: one static for each method.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{Method, ident, number};
use crate::plan::Need;
use crate::table::Since;
use crate::types::Flag;

pub(super) fn of_method(method: &Method<'_>) -> TokenStream {
    let Method {
        command,
        form,
        plan,
    } = method;
    let ident = method.spec();
    let name = &command.name;
    let words: Vec<&str> = name.split(' ').collect();
    let wire: String = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()))
        .collect();
    let wire = Literal::byte_string(wire.as_bytes());
    let words = number(words.len());
    let flags = flags(form.flags.iter());
    let since = since(&form.since);
    let needs = plan.needs.iter().map(need);
    quote! {
        pub static #ident: redis::Spec = redis::Spec {
            name: #name,
            wire: #wire,
            words: #words,
            flags: #flags,
            since: redis::#since,
            needs: &[#(#needs),*],
        };
    }
}

fn need(need: &Need) -> TokenStream {
    let Need {
        slot,
        name,
        of,
        of_name,
    } = need;
    let (slot, of) = (number(*slot), number(*of));
    quote!(redis::Need { slot: #slot, name: #name, of: #of, of_name: #of_name })
}

/// `Flags::WRITE.union(Flags::DENYOOM)`
pub(super) fn flags<'f>(flags: impl Iterator<Item = &'f Flag>) -> TokenStream {
    let mut names = flags.map(|Flag(flag)| ident(&flag.to_ascii_uppercase()));
    let Some(first) = names.next() else {
        return quote!(redis::Flags::NONE);
    };
    quote!(redis::Flags::#first #(.union(redis::Flags::#names))*)
}

/// `Since { … }`, without its path.
pub(super) fn since(since: &Since) -> TokenStream {
    let version = |version: &Option<String>| match version {
        Some(version) => quote!(Some(#version)),
        None => quote!(None),
    };
    let (redis, valkey) = (version(&since.redis), version(&since.valkey));
    quote!(Since { redis: #redis, valkey: #valkey })
}
