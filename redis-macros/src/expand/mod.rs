//! A checked table -> Rust. This cannot fail any more.
//!
//! What comes out is thin: a method erases the types of its arguments at once and hands a
//! command to the runtime. See `tests/expand` for what it looks like.

mod args;
mod docs;
mod examples;
mod method;
mod options;
mod replies;
mod spec;
mod values;

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

pub(crate) use examples::examples;

use crate::kinds::{Kind, KindName};
use crate::names::pascal;
use crate::plan::{self, Plan};
use crate::table::{Command, Form, Table};

/// What the output depends on beside the table.
pub(crate) struct Context<'t> {
    /// The path of the runtime crate, `$crate`.
    pub(crate) krate: TokenStream,
    /// Whether the macro is called in the runtime crate itself, whose documentation is tested.
    pub(crate) is_runtime_crate: bool,
    pub(crate) table: &'t Table,
}

pub(crate) fn commands(context: &Context<'_>) -> TokenStream {
    let methods: Vec<Method<'_>> = context.table.commands.iter().flat_map(methods_of).collect();
    let generated = methods.iter().filter(|method| !method.command.is_runtime);
    let mut groups: BTreeMap<&str, Vec<&Method<'_>>> = BTreeMap::new();
    for method in generated.clone() {
        groups
            .entry(&method.command.group)
            .or_default()
            .push(method);
    }

    let krate = &context.krate;
    let traits = groups
        .iter()
        .map(|(group, methods)| method::group(context, group, methods));
    let names: Vec<Ident> = groups.keys().map(|group| group_trait(group)).collect();
    let options = generated.filter_map(|method| options::of_method(context, method));
    let args = args::types(context);
    let (replies, kinds) = replies::structs(context.table);
    let specs = methods.iter().map(spec::of_method);
    let driven = methods
        .iter()
        .filter(|method| method.command.is_runtime)
        .map(Method::spec);
    // Lints are for people who write code.
    let lenient = quote!(#[allow(clippy::all, clippy::pedantic, missing_debug_implementations, unused_imports)]);
    let imports = quote!(use #krate::__private as redis;);
    quote! {
        #lenient
        mod traits {
            use super::{args, options, replies, spec};
            #imports

            #(#traits)*

            /// All groups of commands in one bound.
            pub trait Commands: redis::Executor #(+ #names)* {}

            impl<X: redis::Executor #(+ #names)*> Commands for X {}
        }

        pub use traits::{Commands #(, #names)*};

        /// What the methods of commands with options return: chained calls, then `.await`.
        #lenient
        pub mod options {
            use super::{args, replies};
            #imports

            #(#options)*
        }

        /// Types of arguments: closed sets of tokens, and arguments of several parts.
        #lenient
        pub mod args {
            #imports

            #args
        }

        /// Structs for replies.
        #lenient
        pub mod replies {
            use ::std::collections::{HashMap, HashSet};
            use #krate::__private::{Bytes, StatusReply, Value};

            #replies

            /// The kinds of these structs, as a command's reply.
            pub mod kind {
                use super::super::replies;
                #imports

                #kinds
            }
        }

        #[doc(hidden)]
        #lenient
        pub mod spec {
            #imports

            #(#specs)*

            /// Commands without a method: the runtime drives them.
            pub static DRIVEN: &[&redis::Spec] = &[#(&#driven),*];
        }
    }
}

/// One method, or the facts about a command that has none.
struct Method<'t> {
    command: &'t Command,
    form: &'t Form,
    plan: Plan<'t>,
}

fn methods_of(command: &Command) -> impl Iterator<Item = Method<'_>> {
    command.forms.iter().map(move |form| {
        let plan = if command.is_runtime {
            Plan::default()
        } else {
            plan::of_arguments(&form.arguments)
        };
        Method {
            command,
            form,
            plan,
        }
    })
}

impl Method<'_> {
    /// The name of its facts in `spec`.
    fn spec(&self) -> Ident {
        ident(&self.form.method.to_ascii_uppercase())
    }

    /// The type that has its options, if it has any.
    fn options(&self) -> Option<Ident> {
        (!self.plan.chained.is_empty()).then(|| ident(&pascal(&self.form.method)))
    }
}

/// `sorted-set` -> `SortedSetCommands`
fn group_trait(group: &str) -> Ident {
    ident(&format!("{}Commands", pascal(group)))
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// A slot, as a number without a type.
fn number(slot: usize) -> Literal {
    Literal::usize_unsuffixed(slot)
}

/// The type of a reply kind. `replies` is the path of the module with the table's structs.
fn kind_type(kind: &Kind, replies: &TokenStream) -> TokenStream {
    let parameters: Vec<_> = kind
        .parameters
        .iter()
        .map(|parameter| kind_type(parameter, replies))
        .collect();
    let bare = match &kind.name {
        KindName::Builtin(builtin) => builtin_kind(builtin.name, &parameters),
        KindName::Struct(name) => {
            let name = ident(name);
            quote!(#replies::kind::#name)
        }
    };
    if kind.nullable {
        quote!(redis::kind::Nullable<#bare>)
    } else {
        bare
    }
}

fn builtin_kind(name: &str, parameters: &[TokenStream]) -> TokenStream {
    let name = ident(name);
    if parameters.is_empty() {
        quote!(redis::kind::#name)
    } else {
        quote!(redis::kind::#name<#(#parameters),*>)
    }
}
