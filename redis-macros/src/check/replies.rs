//! The rules of reply structs and reply kinds.

use std::collections::HashSet;

use super::Check;
use crate::errors::{Owner, Place};
use crate::kinds::{KINDS, Kind, KindName, Rank};
use crate::names::{did_you_mean, is_snake, listed};
use crate::table::{Layout, ReplyStruct};

impl Check<'_> {
    /// A reply struct has fields with different names, kinds that can stand in it, and does not
    /// contain itself.
    pub(super) fn reply_structs(&self) {
        for this in &self.table.replies {
            let place = Place::new(Owner::Reply(this.name.clone()));
            self.type_name(this.line, &place, &this.name);
            if KINDS.iter().any(|kind| kind.name == this.name) {
                self.errors.push(
                    this.line,
                    &place,
                    "this is the name of a reply kind; choose another one",
                );
            }
            if this.fields.is_empty() {
                self.errors
                    .push(this.line, &place, "a reply struct needs at least one field");
            }
            for (index, field) in this.fields.iter().enumerate() {
                let place = place.then(format_args!("field `{}`", field.name));
                let error = |message: String| self.errors.push(field.line, &place, message);
                if !field.name.is_empty() && !is_snake(&field.name) {
                    error("the name must be a Rust field, like `last_id`; put the wire name into `key`".to_owned());
                }
                if this.fields[..index]
                    .iter()
                    .any(|other| other.name == field.name)
                {
                    error("this name is there twice".to_owned());
                } else if this.layout == Layout::Map
                    && this.fields[..index]
                        .iter()
                        .any(|other| other.key == field.key)
                {
                    error(format!("key `{}` is there twice", field.key));
                }
                if this.layout == Layout::Map && field.name == "other" {
                    error("`other` holds the unknown fields; choose another name, with `key` as it is".to_owned());
                }
                self.kind_parts(field.line, &place, &field.reply);
                self.kind_fits_struct(field.line, &place, &field.reply);
            }
            if self.contains(this, &this.name, &mut HashSet::new()) {
                self.errors.push(
                    this.line,
                    &place,
                    "the struct contains itself; put it into a `List`",
                );
            }
        }
    }

    /// Whether a struct has `wanted` as a part of fixed size.
    fn contains<'s>(
        &'s self,
        this: &'s ReplyStruct,
        wanted: &str,
        seen: &mut HashSet<&'s str>,
    ) -> bool {
        fn inline<'k>(kind: &'k Kind, into: &mut Vec<&'k str>) {
            match &kind.name {
                KindName::Struct(name) => into.push(name),
                KindName::Builtin(builtin) if builtin.name == "Pair" => {
                    kind.parameters
                        .iter()
                        .for_each(|parameter| inline(parameter, into));
                }
                KindName::Builtin(_) => {}
            }
        }
        let mut parts = Vec::new();
        this.fields
            .iter()
            .for_each(|field| inline(&field.reply, &mut parts));
        parts.into_iter().any(|part| {
            part == wanted
                || seen.insert(part)
                    && self
                        .table
                        .replies
                        .iter()
                        .any(|other| other.name == part && self.contains(other, wanted, seen))
        })
    }

    /// Structs exist; only parts stand inside of other kinds; elements of a `Set` and keys of a
    /// `Dict` can be hashed; a stream is never null.
    pub(super) fn kind_parts(&self, line: usize, place: &Place, kind: &Kind) {
        if kind.nullable && kind.collected().is_some() {
            let name = kind_name(kind);
            let message = format!(
                "a streaming `{name}` cannot be null; use a collected kind, like `List<Native>?`"
            );
            self.errors.push(line, place, message);
        }
        if let KindName::Struct(name) = &kind.name
            && !self.table.replies.iter().any(|this| this.name == *name)
        {
            let known = || {
                self.table
                    .replies
                    .iter()
                    .map(|this| this.name.as_str())
                    .chain(KINDS.iter().map(|k| k.name))
            };
            let near = did_you_mean(name, known());
            let builtin = listed(KINDS.iter().map(|kind| kind.name));
            let message = format!(
                "unknown reply kind `{name}`{near}; use {builtin} or declare it in \"replies\""
            );
            self.errors.push(line, place, message);
        }
        for (index, parameter) in kind.parameters.iter().enumerate() {
            let name = kind_name(parameter);
            let outer = kind_name(kind);
            if !is_part(parameter) {
                let message =
                    format!("`{name}` can only be the whole reply, not stand inside of `{outer}`");
                self.errors.push(line, place, message);
            }
            let is_hashed =
                index == 0 && matches!(outer, "Set" | "SetReply" | "Dict" | "DictReply");
            if is_hashed && !is_hashable(parameter) {
                let instead = if outer.starts_with("Set") {
                    "List"
                } else {
                    "Pairs"
                };
                let message = format!("`{name}` cannot be hashed in a `{outer}`; use `{instead}`");
                self.errors.push(line, place, message);
            }
            self.kind_parts(line, place, parameter);
        }
    }

    /// A field is no stream and no whole reply, and hashes nothing of the encoder's type, which may
    /// have no hash.
    fn kind_fits_struct(&self, line: usize, place: &Place, kind: &Kind) {
        if !is_part(kind) {
            let message = format!(
                "`{}` can only be a whole reply, not a field",
                kind_name(kind)
            );
            self.errors.push(line, place, message);
        }
        fn hashes_native(kind: &Kind) -> bool {
            let is_hashing = matches!(kind_name(kind), "Set" | "Dict");
            is_hashing
                && kind
                    .parameters
                    .first()
                    .is_some_and(|first| kind_name(first) == "Native")
                || kind.parameters.iter().any(hashes_native)
        }
        if hashes_native(kind) {
            let message = "`Native` cannot be hashed in a reply struct; use `List` or `Pairs`, or `Text` as the key";
            self.errors.push(line, place, message);
        }
    }
}

fn kind_name(kind: &Kind) -> &str {
    match &kind.name {
        KindName::Builtin(builtin) => builtin.name,
        KindName::Struct(name) => name,
    }
}

fn is_part(kind: &Kind) -> bool {
    match &kind.name {
        KindName::Builtin(builtin) => matches!(builtin.rank, Rank::Part | Rank::Hashable),
        KindName::Struct(_) => true,
    }
}

fn is_hashable(kind: &Kind) -> bool {
    matches!(&kind.name, KindName::Builtin(builtin) if builtin.rank == Rank::Hashable)
}
