//! Values: the type of a parameter, and the statements that put it into a command or into a part of
//! one.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::args::Generics;
use super::{ident, number};
use crate::names::parameter;
use crate::plan::{Value, Write};
use crate::table::{Argument, ArgumentType, DefaultValue, Table};
use crate::types::Word;

/// Where a function stands: names and types differ between traits, options and argument types.
pub(super) struct Scope<'t> {
    pub(super) table: &'t Table,
    pub(super) target: Target,
    /// The type of the encoder: `Self::Encoder`, `X::Encoder` or `E`.
    pub(super) encoder: TokenStream,
    /// The path of the module with the argument types, with `::` behind it.
    pub(super) args: TokenStream,
}

/// What is written to.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// `command`, by slot.
    Command,
    /// `fragment`, in order.
    Fragment,
    /// `parts`, one fragment for each slot.
    Parts,
}

impl Scope<'_> {
    /// `name: type` of each parameter.
    pub(super) fn parameters(&self, values: &[Value<'_>]) -> Vec<TokenStream> {
        let parameter = |value: &Value<'_>| {
            let (name, of) = (name(value), self.parameter_type(value.argument));
            quote!(#name: #of)
        };
        values.iter().map(parameter).collect()
    }

    fn parameter_type(&self, argument: &Argument) -> TokenStream {
        let element = self.element_type(argument);
        if argument.multiple {
            quote!(impl IntoIterator<Item = #element>)
        } else {
            element
        }
    }

    fn element_type(&self, argument: &Argument) -> TokenStream {
        let Self { encoder, args, .. } = self;
        if argument.is_pair() {
            let (encoder, second) = self.pair_types(argument);
            return quote!(impl redis::ToPair<'a, #encoder, #second>);
        }
        let word = match &argument.of {
            ArgumentType::Word(word) => word,
            ArgumentType::Enum(name) => {
                let name = ident(name);
                return quote!(#args #name);
            }
            _ => {
                let name = ident(argument.as_type.as_deref().unwrap_or_default());
                let generics = Generics::of(argument).arguments(encoder);
                return quote!(#args #name #generics);
            }
        };
        match word {
            Word::Key | Word::String | Word::Pattern => quote!(impl redis::ToArg<'a, #encoder>),
            Word::Text => quote!(impl redis::ToArg<'a, redis::Utf8>),
            Word::Integer | Word::UnixTime if argument.multiple => quote!(impl redis::ToInteger),
            Word::Integer | Word::UnixTime => quote!(i64),
            Word::Double => quote!(impl redis::ToDouble),
            Word::Bool => quote!(bool),
            Word::Timeout | Word::TimeoutMs => quote!(impl redis::ToTimeout),
            Word::Score => quote!(impl Into<redis::ZScoreBoundary>),
            Word::Lex => quote!(impl Into<redis::ZLexBoundary<'a, #encoder>>),
        }
    }

    /// The encoder of a pair, and the kind of its second value.
    fn pair_types(&self, argument: &Argument) -> (TokenStream, TokenStream) {
        let (first, second) = argument.pair_words();
        let is_text = first == Word::Text;
        let encoder = if is_text {
            quote!(redis::Utf8)
        } else {
            self.encoder.clone()
        };
        let second = match second {
            Word::Double => quote!(redis::kind::Float),
            Word::Integer | Word::UnixTime => quote!(redis::kind::Integer),
            Word::Text if !is_text => quote!(redis::kind::Text),
            _ => quote!(redis::kind::Native),
        };
        (encoder, second)
    }

    /// The statements of a function: each write in the order of the wire.
    pub(super) fn statements(&self, writes: &[Write<'_>]) -> TokenStream {
        let statement = |write: &Write<'_>| match write {
            Write::Token { slot, token } => self.put(*slot, "token", &quote!(#token)),
            Write::Value(value) => self.value(value),
            Write::Default(value, default) => self.default(value, default),
        };
        writes.iter().map(statement).collect()
    }

    fn put(&self, slot: usize, method: &str, what: &TokenStream) -> TokenStream {
        let (method, slot) = (ident(method), number(slot));
        match self.target {
            Target::Command => quote!(command.#method(#slot, #what);),
            Target::Fragment => quote!(fragment.#method(#what);),
            Target::Parts => quote!(parts[#slot].#method(#what);),
        }
    }

    fn put_count(&self, slot: usize, count: &TokenStream) -> TokenStream {
        match self.target {
            Target::Command => self.put(slot, "count", count),
            Target::Fragment | Target::Parts => {
                self.put(slot, "push", &quote!(redis::Arg::from_i64(#count as i64)))
            }
        }
    }

    fn put_token(&self, value: &Value<'_>) -> TokenStream {
        let (Some(slot), Some(token)) = (value.token, &value.argument.token) else {
            return TokenStream::new();
        };
        self.put(slot, "token", &quote!(#token))
    }

    fn value(&self, value: &Value<'_>) -> TokenStream {
        let Value { argument, slot, .. } = value;
        let name = name(value);
        let token = self.put_token(value);
        if !argument.multiple {
            let put = self.element(argument, *slot, &name);
            return quote!(#token #put);
        }
        let (item, element) = if argument.is_pair() {
            (ident("pair"), self.pair(argument, *slot))
        } else {
            let item = ident("item");
            let element = self.element(argument, *slot, &item);
            (item, element)
        };
        let every_token = match &argument.token {
            Some(token) if argument.multiple_token => self.put(*slot, "token", &quote!(#token)),
            _ => TokenStream::new(),
        };
        match value.count {
            None => quote! {
                #token
                for #item in #name {
                    #every_token
                    #element
                }
            },
            Some(count) => {
                let put_count = self.put_count(count, &quote!(n));
                quote! {
                    #token
                    let mut n = 0;
                    for #item in #name {
                        #every_token
                        #element
                        n += 1;
                    }
                    #put_count
                }
            }
        }
    }

    /// Puts one value.
    fn element(&self, argument: &Argument, slot: usize, name: &Ident) -> TokenStream {
        let encoder = &self.encoder;
        let push = |what: TokenStream| self.put(slot, "push", &what);
        let word = match &argument.of {
            ArgumentType::Word(word) => word,
            ArgumentType::Enum(_) => return self.put(slot, "token", &quote!(#name.token())),
            _ if Generics::of(argument).is_parts => {
                let slot = number(slot);
                return quote! {
                    for part in #name.0 {
                        command.push_fragment(#slot, part);
                    }
                };
            }
            _ => return self.put(slot, "push_fragment", &quote!(#name.0)),
        };
        match word {
            Word::Key => self.put(
                slot,
                "push_key",
                &quote!(redis::ToArg::to_arg(#name, encoder)),
            ),
            Word::String | Word::Pattern => push(quote!(redis::ToArg::to_arg(#name, encoder))),
            Word::Text => push(quote!(redis::ToArg::to_arg(#name, redis::Utf8))),
            Word::Integer | Word::UnixTime if argument.multiple => {
                push(quote!(redis::ToInteger::to_integer(#name)))
            }
            Word::Integer | Word::UnixTime => push(quote!(redis::Arg::from_i64(#name))),
            Word::Double => push(quote!(redis::ToDouble::to_double(#name))),
            Word::Bool if argument.only_token => {
                let token = &argument.token;
                let put = self.put(slot, "token", &quote!(#token));
                quote!(if #name { #put })
            }
            Word::Bool => push(quote!(redis::Arg::from_bool(#name))),
            Word::Timeout => self.timeout(slot, &quote!(to_timeout(#name)), "seconds_arg"),
            Word::TimeoutMs => {
                self.timeout(slot, &quote!(to_timeout_ms(#name)), "milliseconds_arg")
            }
            Word::Score => push(quote!(redis::ZScoreBoundary::to_arg(#name.into()))),
            Word::Lex => push(quote!(redis::ZLexBoundary::<'a, #encoder>::to_arg(#name.into()))),
        }
    }

    /// A timeout is sent, and it is how long the runtime waits.
    fn timeout(&self, slot: usize, convert: &TokenStream, unit: &str) -> TokenStream {
        let unit = ident(unit);
        let put = self.put(slot, "push", &quote!(timeout.#unit()));
        quote! {
            let timeout = redis::ToTimeout::#convert;
            command.block_for(timeout);
            #put
        }
    }

    /// Puts a pair, which comes in the order of Rust.
    fn pair(&self, argument: &Argument, slot: usize) -> TokenStream {
        let (encoder, second) = self.pair_types(argument);
        let encode = if argument.pair_words().0 == Word::Text {
            quote!(redis::Utf8)
        } else {
            quote!(encoder)
        };
        let method = |index: usize| match argument.arguments.get(index).map(|part| &part.of) {
            Some(ArgumentType::Word(Word::Key)) => "push_key",
            _ => "push",
        };
        let second_slot = slot + usize::from(argument.split);
        let names = if argument.is_swapped() {
            quote!((second, first))
        } else {
            quote!((first, second))
        };
        let first = self.put(slot, method(0), &quote!(first));
        let last = self.put(second_slot, method(1), &quote!(second));
        quote! {
            let #names = <_ as redis::ToPair<'a, #encoder, #second>>::to_pair(pair, #encode);
            #first
            #last
        }
    }

    fn default(&self, value: &Value<'_>, default: &DefaultValue) -> TokenStream {
        let Value { argument, slot, .. } = value;
        let token = self.put_token(value);
        let push = |what: TokenStream| self.put(*slot, "push", &what);
        let put = match (&argument.of, default) {
            (_, DefaultValue::Empty) => match value.count {
                Some(count) => self.put_count(count, &quote!(0)),
                None => TokenStream::new(),
            },
            (ArgumentType::Word(Word::Timeout | Word::TimeoutMs), number) => {
                let number = match number {
                    DefaultValue::Number(number) => Literal::f64_suffixed(*number),
                    DefaultValue::Integer(number) => Literal::i64_suffixed(*number),
                    _ => Literal::i64_suffixed(0),
                };
                match argument.of {
                    ArgumentType::Word(Word::Timeout) => {
                        self.timeout(*slot, &quote!(to_timeout(#number)), "seconds_arg")
                    }
                    _ => self.timeout(*slot, &quote!(to_timeout_ms(#number)), "milliseconds_arg"),
                }
            }
            (ArgumentType::Word(Word::Bool), DefaultValue::Bool(value)) if argument.only_token => {
                let token = &argument.token;
                if *value {
                    self.put(*slot, "token", &quote!(#token))
                } else {
                    TokenStream::new()
                }
            }
            (_, DefaultValue::Bool(value)) => push(quote!(redis::Arg::from_bool(#value))),
            (_, DefaultValue::Integer(value)) => {
                let value = Literal::i64_unsuffixed(*value);
                push(quote!(redis::Arg::from_i64(#value)))
            }
            (_, DefaultValue::Number(value)) => {
                let value = Literal::f64_unsuffixed(*value);
                push(quote!(redis::Arg::from_f64(#value)))
            }
            (ArgumentType::Enum(name), DefaultValue::Text(value)) => {
                let token = self.table.token(name, value);
                self.put(*slot, "token", &quote!(#token))
            }
            (ArgumentType::Word(Word::Key), DefaultValue::Text(text)) => {
                self.put(*slot, "push_key", &quote!(redis::Arg::from_text(#text)))
            }
            (_, DefaultValue::Text(text)) => self.put(*slot, "token", &quote!(#text)),
        };
        quote!(#token #put)
    }
}

fn name(value: &Value<'_>) -> Ident {
    ident(&parameter(&value.argument.name))
}

/// Whether one of the values goes through the encoder.
pub(super) fn need_encoder(writes: &[Write<'_>]) -> bool {
    writes.iter().any(|write| match write {
        Write::Value(value) if value.argument.is_pair() => {
            value.argument.pair_words().0 != Word::Text
        }
        Write::Value(value) => {
            matches!(
                value.argument.of,
                ArgumentType::Word(Word::Key | Word::String | Word::Pattern)
            )
        }
        Write::Token { .. } | Write::Default(..) => false,
    })
}
