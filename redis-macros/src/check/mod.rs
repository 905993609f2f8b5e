//! The rules of a table that hold between values. Each rule is a function headed by the rule in
//! prose.

mod arguments;
mod replies;
mod signature;
mod structure;

use std::collections::{HashMap, HashSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::errors::{Errors, Owner, Place};
use crate::kinds::Kind;
use crate::names::{is_dashed, is_pascal, is_snake};
use crate::table::{Argument, ArgumentType, Command, Form, Table, same_shapes};

pub(crate) fn table(table: &Table, errors: &Errors) {
    let check = Check { table, errors };
    check.enums();
    check.reply_structs();
    check.commands();
    check.methods_differ();
    check.as_types_agree();
    check.type_names_differ();
    // Something broken may be what uses it.
    if errors.is_empty() {
        check.everything_is_used();
    }
}

/// Takes out what has mistakes, and what refers to it, so that the rest can be generated.
pub(crate) fn retain_sound(table: &mut Table, errors: &Errors) {
    let is_sound = |owner: Owner| !errors.concerns(&owner);
    table
        .enums
        .retain(|this| is_sound(Owner::Enum(this.name.clone())));
    table
        .replies
        .retain(|this| is_sound(Owner::Reply(this.name.clone())));
    table
        .commands
        .retain(|this| is_sound(Owner::Command(this.name.clone())));
    loop {
        let known: HashSet<String> = table.replies.iter().map(|this| this.name.clone()).collect();
        let before = table.replies.len();
        let is_known = |kind: &Kind| {
            let mut names = Vec::new();
            kind.structs(&mut names);
            names.iter().all(|name| known.contains(*name))
        };
        table
            .replies
            .retain(|this| this.fields.iter().all(|field| is_known(&field.reply)));
        if table.replies.len() < before {
            continue;
        }
        let enums: HashSet<&str> = table.enums.iter().map(|this| this.name.as_str()).collect();
        table.commands.retain(|command| {
            command.forms.iter().all(|form| {
                let mut arguments = Vec::new();
                flatten(&form.arguments, &mut arguments);
                let has_enum = |argument: &&Argument| match &argument.of {
                    ArgumentType::Enum(name) => enums.contains(name.as_str()),
                    _ => true,
                };
                is_known(&form.reply)
                    && arguments.iter().all(has_enum)
                    && arguments
                        .iter()
                        .filter_map(|argument| argument.reply.as_ref())
                        .all(is_known)
            })
        });
        return;
    }
}

/// All arguments at any depth.
pub(crate) fn flatten<'t>(arguments: &'t [Argument], into: &mut Vec<&'t Argument>) {
    for argument in arguments {
        into.push(argument);
        flatten(&argument.arguments, into);
    }
}

struct Check<'c> {
    table: &'c Table,
    errors: &'c Errors,
}

impl Check<'_> {
    /// An enum has values; names are Rust variants; neither a name nor a token is there twice.
    fn enums(&self) {
        for this in &self.table.enums {
            let place = Place::new(Owner::Enum(this.name.clone()));
            self.type_name(this.line, &place, &this.name);
            if this.values.is_empty() {
                self.errors
                    .push(this.line, &place, "an enum needs at least one value");
            }
            for (index, value) in this.values.iter().enumerate() {
                let earlier = &this.values[..index];
                let place = place.then(format_args!("value `{}`", value.name));
                if !value.name.is_empty() && !is_pascal(&value.name) {
                    self.errors.push(
                        value.line,
                        &place,
                        "the name must be a Rust variant, like `Sum`",
                    );
                }
                if !value.token.is_empty() && value.token.contains(char::is_whitespace) {
                    let message =
                        format!("token `{}` must be one word without spaces", value.token);
                    self.errors.push(value.line, &place, message);
                }
                if earlier.iter().any(|other| other.name == value.name) {
                    self.errors
                        .push(value.line, &place, "this name is there twice");
                }
                if earlier.iter().any(|other| other.token == value.token) {
                    self.errors.push(
                        value.line,
                        &place,
                        format!("token `{}` is there twice", value.token),
                    );
                }
            }
        }
    }

    fn type_name(&self, line: usize, place: &Place, name: &str) {
        const TAKEN: &[&str] = &[
            "Box",
            "Clone",
            "Copy",
            "Debug",
            "Default",
            "Drop",
            "Eq",
            "Err",
            "Fn",
            "From",
            "Hash",
            "Into",
            "IntoIterator",
            "Iterator",
            "None",
            "Ok",
            "Option",
            "PartialEq",
            "Result",
            "Self",
            "Send",
            "Some",
            "String",
            "Sync",
            "Vec",
        ];
        if !is_pascal(name) {
            self.errors.push(
                line,
                place,
                format!("`{name}` must be a Rust type name, like `StreamEntry`"),
            );
        } else if TAKEN.contains(&name) {
            self.errors.push(
                line,
                place,
                format!("`{name}` means something else in Rust; choose another name"),
            );
        }
    }

    fn commands(&self) {
        for command in &self.table.commands {
            let place = Place::new(Owner::Command(command.name.clone()));
            self.command_name(command, &place);
            self.group(command, &place);
            for form in &command.forms {
                let place = form_place(command, form);
                self.method_name(form, &place);
                self.summary(form, &place);
                arguments::form(self, form, &place, command.is_runtime);
                if !command.is_runtime {
                    self.reply(form, &place);
                    self.example(form, &place);
                }
            }
        }
    }

    /// A command's name is what is sent: upper-case words with single spaces.
    fn command_name(&self, command: &Command, place: &Place) {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_graphic() && !c.is_lowercase())
        };
        if !command.name.split(' ').all(is_word) {
            let message = "the name must be the command's words in upper case, like `CONFIG GET`";
            self.errors.push(command.line, place, message);
        }
    }

    /// A group is lower-case words with dashes.
    fn group(&self, command: &Command, place: &Place) {
        if !command.group.is_empty() && (!is_dashed(&command.group) || command.group.contains('_'))
        {
            let message = format!(
                "group `{}` must be lower-case words with dashes, like `sorted-set`",
                command.group
            );
            self.errors.push(command.line, place, message);
        }
    }

    /// A method is a Rust name.
    fn method_name(&self, form: &Form, place: &Place) {
        if !is_snake(&form.method) {
            let message = format!(
                "method `{}` must be a Rust name, like `client_no_evict`",
                form.method
            );
            self.errors.push(form.line, place, message);
        }
    }

    /// A summary is one line.
    fn summary(&self, form: &Form, place: &Place) {
        if form.summary.contains('\n') {
            self.errors.push(
                form.line,
                place,
                "`summary` must be one line; the rest belongs into `details`",
            );
        }
    }

    /// The reply's structs exist, and its kinds can stand where they are.
    fn reply(&self, form: &Form, place: &Place) {
        self.kind_parts(form.line, place, &form.reply);
    }

    /// There is an example, it is Rust, and it calls the method.
    fn example(&self, form: &Form, place: &Place) {
        let example = &form.example;
        if example.lines.is_empty() {
            return;
        }
        let code = example.lines.join("\n");
        if let Err(problem) = rust_problem(&code) {
            self.errors.push(
                example.line,
                place,
                format!("the example is not Rust: {problem}"),
            );
            return;
        }
        let variant = form
            .reply
            .collected()
            .map(|(suffix, ..)| format!(".{}{suffix}(", form.method));
        let is_called = |call: &str| code.contains(call);
        if !is_called(&format!(".{}(", form.method))
            && !variant.is_some_and(|call| is_called(&call))
        {
            self.errors.push(
                example.line,
                place,
                format!("the example never calls `.{}(…)`", form.method),
            );
        }
    }

    /// Methods differ over all groups, the generated variants included: one import brings all of
    /// them.
    fn methods_differ(&self) {
        let mut methods: HashMap<String, (&str, usize)> = HashMap::new();
        for command in &self.table.commands {
            for form in &command.forms {
                let variant = form
                    .reply
                    .collected()
                    .map(|(suffix, ..)| format!("{}{suffix}", form.method));
                for method in std::iter::once(form.method.clone()).chain(variant) {
                    if let Some((other, line)) = methods.get(&method) {
                        let place = form_place(command, form);
                        let message = format!(
                            "method `{method}` is that of {other} in line {line} already; rename one with `method`"
                        );
                        self.errors.push(form.line, &place, message);
                    } else {
                        methods.insert(method, (&command.name, form.line));
                    }
                }
            }
        }
    }

    /// Arguments with the same "as" are the same type, so they must look the same.
    fn as_types_agree(&self) {
        let mut first: HashMap<&str, &Argument> = HashMap::new();
        self.for_each_argument(|argument, place| {
            let Some(name) = &argument.as_type else {
                return;
            };
            match first.get(name.as_str()) {
                Some(other)
                    if !(other.of == argument.of
                        && same_shapes(&other.arguments, &argument.arguments)) =>
                {
                    let message = format!(
                        "`{name}` differs from the one in line {}; choose another name",
                        other.line
                    );
                    self.errors.push(argument.line, &place, message);
                }
                Some(_) => {}
                None => {
                    first.insert(name, argument);
                }
            }
        });
    }

    /// "as" types and enums are in one module.
    fn type_names_differ(&self) {
        self.for_each_argument(|argument, place| {
            let Some(name) = &argument.as_type else {
                return;
            };
            self.type_name(argument.line, &place, name);
            if let Some(other) = self.table.enums.iter().find(|this| this.name == *name) {
                let message = format!(
                    "`{name}` is the enum in line {} already; choose another name",
                    other.line
                );
                self.errors.push(argument.line, &place, message);
            }
        });
    }

    /// Every enum and every reply struct is used somewhere.
    fn everything_is_used(&self) {
        let mut enums = HashSet::new();
        let mut replies = Vec::new();
        for command in &self.table.commands {
            for form in &command.forms {
                let mut arguments = Vec::new();
                flatten(&form.arguments, &mut arguments);
                form.reply.structs(&mut replies);
                for argument in arguments {
                    if let ArgumentType::Enum(name) = &argument.of {
                        enums.insert(name.as_str());
                    }
                    if let Some(reply) = &argument.reply {
                        reply.structs(&mut replies);
                    }
                }
            }
        }
        for this in &self.table.replies {
            this.fields
                .iter()
                .for_each(|field| field.reply.structs(&mut replies));
        }
        for this in &self.table.enums {
            if !enums.contains(this.name.as_str()) {
                let place = Place::new(Owner::Enum(this.name.clone()));
                self.errors
                    .push(this.line, &place, "no argument has this type; remove it");
            }
        }
        for this in &self.table.replies {
            if !replies.contains(&this.name.as_str()) {
                let place = Place::new(Owner::Reply(this.name.clone()));
                self.errors
                    .push(this.line, &place, "no reply has this kind; remove it");
            }
        }
    }

    fn for_each_argument<'s>(&'s self, mut visit: impl FnMut(&'s Argument, Place)) {
        for command in &self.table.commands {
            for form in &command.forms {
                let mut arguments = Vec::new();
                flatten(&form.arguments, &mut arguments);
                for argument in arguments {
                    visit(
                        argument,
                        argument_place(&form_place(command, form), argument),
                    );
                }
            }
        }
    }
}

fn form_place(command: &Command, form: &Form) -> Place {
    let place = Place::new(Owner::Command(command.name.clone()));
    if form.is_named {
        place.then(format_args!("form `{}`", form.method))
    } else {
        place
    }
}

fn argument_place(place: &Place, argument: &Argument) -> Place {
    place.then(format_args!("argument `{}`", argument.name))
}

/// Whether lines are statements of Rust, as far as quotes, brackets and the end go: the compiler
/// sees the rest where the examples are run.
fn rust_problem(code: &str) -> Result<(), String> {
    let Ok(tokens) = code.parse::<TokenStream>() else {
        return Err("check its quotes and brackets".to_owned());
    };
    match tokens.into_iter().last() {
        Some(TokenTree::Punct(end)) if end.as_char() == ';' => syntax_problem(code),
        Some(TokenTree::Group(end)) if end.delimiter() == Delimiter::Brace => syntax_problem(code),
        _ => Err("its lines are statements, so it must end with `;`".to_owned()),
    }
}

#[cfg(not(test))]
fn syntax_problem(_: &str) -> Result<(), String> {
    Ok(())
}

/// With the whole of syn at hand, the statements are parsed: table authors have no compiler to ask.
#[cfg(test)]
fn syntax_problem(code: &str) -> Result<(), String> {
    let block = syn::parse_str::<syn::Block>(&format!("{{{code}\n}}"));
    block.map(drop).map_err(|error| error.to_string())
}
