//! Argument types of the table: enums, and the "as" types with a constructor for each alternative.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::values::{Scope, Target, need_encoder};
use super::{Context, docs, ident, number};
use crate::check::flatten;
use crate::names::pascal;
use crate::plan::{self, Chained, Plan};
use crate::table::{Argument, ArgumentType, Enum};
use crate::types::Word;

pub(super) fn types(context: &Context<'_>) -> TokenStream {
    let mut as_types: BTreeMap<&str, (&Argument, Vec<&str>)> = BTreeMap::new();
    for command in &context.table.commands {
        for form in &command.forms {
            let mut arguments = Vec::new();
            flatten(&form.arguments, &mut arguments);
            for argument in arguments {
                if let Some(name) = &argument.as_type {
                    let (_, users) = as_types
                        .entry(name)
                        .or_insert_with(|| (argument, Vec::new()));
                    if !users.contains(&command.name.as_str()) {
                        users.push(&command.name);
                    }
                }
            }
        }
    }
    let enums = context.table.enums.iter().map(of_enum);
    let as_types = as_types
        .into_iter()
        .map(|(name, (argument, users))| of_as(context, name, argument, &users));
    quote! {
        #(#enums)*
        #(#as_types)*
    }
}

fn of_enum(this: &Enum) -> TokenStream {
    let docs = docs::text(&this.doc);
    let name = ident(&this.name);
    let variants = this.values.iter().map(|value| {
        let docs = docs::of_enum_value(value);
        let name = ident(&value.name);
        quote!(#docs #name)
    });
    let arms = this.values.iter().map(|value| {
        let (name, token) = (ident(&value.name), &value.token);
        quote!(Self::#name => #token)
    });
    quote! {
        #docs
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum #name {
            #(#variants,)*
        }

        impl #name {
            /// What is sent for it.
            pub const fn token(self) -> &'static str {
                match self {
                    #(#arms,)*
                }
            }
        }
    }
}

/// Which generic parameters an "as" type has, and how it holds its arguments.
pub(super) struct Generics {
    has_encoder: bool,
    has_lifetime: bool,
    /// Whether there is a fragment for each slot: options and counts are not written in the order
    /// of the wire.
    pub(super) is_parts: bool,
}

impl Generics {
    pub(super) fn of(argument: &Argument) -> Self {
        let mut all = Vec::new();
        flatten(&argument.arguments, &mut all);
        let has = |words: &[Word]| {
            all.iter()
                .any(|part| matches!(part.of, ArgumentType::Word(word) if words.contains(&word)))
        };
        let has_encoder = has(&[Word::Key, Word::String, Word::Pattern, Word::Lex]);
        let is_optional = |part: &&Argument| part.optional || part.count.is_some();
        let is_parts = all.iter().any(is_optional);
        Self {
            has_encoder,
            has_lifetime: has_encoder || has(&[Word::Text]),
            is_parts,
        }
    }

    /// `<'a, Self::Encoder>`
    pub(super) fn arguments(&self, encoder: &TokenStream) -> TokenStream {
        match (self.has_encoder, self.has_lifetime) {
            (true, _) => quote!(<'a, #encoder>),
            (false, true) => quote!(<'a>),
            (false, false) => TokenStream::new(),
        }
    }
}

fn of_as(context: &Context<'_>, name: &str, argument: &Argument, users: &[&str]) -> TokenStream {
    let generics = Generics::of(argument);
    let plans = plan::of_constructors(argument);
    let slots = plans.first().map_or(0, |(_, plan)| plan.slots);
    let docs = docs::of_as(argument, users);
    let name = ident(&pascal(name));
    let parameters = generics.arguments(&quote!(E));
    let bounds = generics
        .has_encoder
        .then(|| quote!(<'a, E: redis::Encoder + ::core::default::Default>));
    let bounds = bounds.unwrap_or_else(|| parameters.clone());
    let life = if generics.has_lifetime {
        quote!('a)
    } else {
        quote!('static)
    };
    let held = if generics.is_parts {
        let slots = number(slots);
        quote!([redis::Fragment<#life>; #slots])
    } else {
        quote!(redis::Fragment<#life>)
    };
    let marker = generics
        .has_encoder
        .then(|| quote!(, ::core::marker::PhantomData<fn() -> E>));
    let scope = Scope {
        table: context.table,
        target: if generics.is_parts {
            Target::Parts
        } else {
            Target::Fragment
        },
        encoder: quote!(E),
        args: TokenStream::new(),
    };
    let constructors = plans
        .iter()
        .map(|(name, plan)| constructor(&scope, argument, name, plan, &generics));
    let chained = plans
        .iter()
        .flat_map(|(_, plan)| &plan.chained)
        .map(|chained| self::chained(&scope, chained));
    quote! {
        #docs
        #[derive(Debug, Clone)]
        pub struct #name #parameters(pub(super) #held #marker);

        impl #bounds #name #parameters {
            #(#constructors)*
            #(#chained)*
        }
    }
}

fn constructor(
    scope: &Scope<'_>,
    argument: &Argument,
    name: &str,
    plan: &Plan<'_>,
    generics: &Generics,
) -> TokenStream {
    let docs = docs::of_constructor(argument, name);
    let name = ident(name);
    let parameters = scope.parameters(&plan.parameters);
    let statements = scope.statements(&plan.writes);
    let encoder = need_encoder(&plan.writes).then(|| quote!(let encoder = E::default();));
    let marker = generics
        .has_encoder
        .then(|| quote!(, ::core::marker::PhantomData));
    let (start, held) = if generics.is_parts {
        (
            quote!(let mut parts = ::core::array::from_fn(|_| redis::Fragment::new());),
            quote!(parts),
        )
    } else {
        (
            quote!(let mut fragment = redis::Fragment::new();),
            quote!(fragment),
        )
    };
    quote! {
        #docs
        pub fn #name(#(#parameters),*) -> Self {
            #encoder
            #start
            #statements
            Self(#held #marker)
        }
    }
}

fn chained(scope: &Scope<'_>, chained: &Chained<'_>) -> TokenStream {
    let docs = docs::of_part(chained);
    let name = ident(&chained.name);
    let parameters = scope.parameters(&chained.parameters);
    let statements = scope.statements(&chained.writes);
    let encoder = need_encoder(&chained.writes).then(|| quote!(let encoder = E::default();));
    let clears = chained.clears.iter().cloned().flatten().map(|slot| {
        let slot = number(slot);
        quote!(parts[#slot] = redis::Fragment::new();)
    });
    quote! {
        #docs
        #[must_use]
        pub fn #name(mut self #(, #parameters)*) -> Self {
            #encoder
            let parts = &mut self.0;
            #(#clears)*
            #statements
            self
        }
    }
}
