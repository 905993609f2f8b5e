//! The rules of a method's arguments.

use super::{Check, argument_place};
use crate::errors::Place;
use crate::names::{did_you_mean, is_dashed, is_snake, listed};
use crate::plan;
use crate::table::{Argument, ArgumentType, DefaultValue, Form};
use crate::types::{Flag, Word};

pub(super) fn form(check: &Check<'_>, form: &Form, place: &Place, is_runtime: bool) {
    let rules = Rules { check, form, place };
    rules.siblings_differ(&form.arguments);
    for argument in &form.arguments {
        rules.argument(argument, Role::TOP);
    }
    rules.positions();
    // What follows needs a plan, and a plan needs sound arguments.
    if !is_runtime && !check.errors.concerns(&place.owner) {
        let plan = plan::of_arguments(&form.arguments);
        rules.slots_suffice(form.line, &plan);
        rules.parameters_differ(&plan);
        rules.chained_names_differ(&plan.chained);
        rules.as_types();
    }
}

pub(super) struct Rules<'c> {
    pub(super) check: &'c Check<'c>,
    pub(super) form: &'c Form,
    pub(super) place: &'c Place,
}

/// Where an argument stands.
#[derive(Clone, Copy)]
pub(super) struct Role {
    /// Directly in the command or in required blocks, where a value is a parameter of the method.
    pub(super) is_top: bool,
    /// Inside of something that is only on the wire if it is chosen.
    pub(super) is_inside_option: bool,
    /// An alternative, and whether it is the default one.
    pub(super) alternative: Option<bool>,
    pub(super) is_inside_as: bool,
    pub(super) is_inside_pair: bool,
    /// Something around it adds the flag "blocking".
    pub(super) blocks: bool,
}

impl Role {
    const TOP: Self = Self {
        is_top: true,
        is_inside_option: false,
        alternative: None,
        is_inside_as: false,
        is_inside_pair: false,
        blocks: false,
    };
}

impl Rules<'_> {
    pub(super) fn error(&self, argument: &Argument, message: impl std::fmt::Display) {
        self.check.errors.push(
            argument.line,
            &argument_place(self.place, argument),
            message,
        );
    }

    fn argument(&self, argument: &Argument, role: Role) {
        self.name(argument);
        self.token(argument);
        self.only_token(argument);
        self.multiple(argument);
        self.pair(argument);
        self.as_type(argument, role);
        self.structure(argument);
        self.choice(argument, role);
        self.optional_or_default(argument, role);
        self.default_fits(argument);
        self.method(argument, role);
        self.changes(argument, role);
        self.enum_exists(argument);
        self.timeout(argument, role);
        self.position(argument, role);
        self.inside(argument, role);
    }

    /// What is inside of an argument obeys the same rules, in another role.
    fn inside(&self, argument: &Argument, role: Role) {
        self.siblings_differ(&argument.arguments);
        let is_choice = argument.of == ArgumentType::OneOf;
        let is_value = argument.is_value();
        for part in &argument.arguments {
            let is_default =
                matches!(&argument.default, Some(DefaultValue::Text(name)) if *name == part.name);
            let is_chosen = role.is_inside_option
                || argument.optional
                || role.alternative.is_some()
                || is_choice;
            let inner = Role {
                is_top: role.is_top && !is_value && !is_chosen,
                is_inside_option: is_chosen,
                alternative: is_choice.then_some(is_default),
                is_inside_as: role.is_inside_as || argument.as_type.is_some(),
                is_inside_pair: argument.is_pair(),
                blocks: role.blocks || adds_blocking(argument),
            };
            self.argument(part, inner);
        }
    }

    /// A name is lower-case words with dashes.
    fn name(&self, argument: &Argument) {
        if !argument.name.is_empty() && !is_dashed(&argument.name) {
            self.error(
                argument,
                "the name must be lower-case words with dashes, like `min-idle-time`",
            );
        }
    }

    /// Arguments side by side have different names.
    fn siblings_differ(&self, arguments: &[Argument]) {
        for (index, argument) in arguments.iter().enumerate() {
            let first = arguments[..index]
                .iter()
                .find(|other| other.name == argument.name);
            if let Some(first) = first.filter(|_| !argument.name.is_empty()) {
                self.error(
                    argument,
                    format!("this name is there twice, first in line {}", first.line),
                );
            }
        }
    }

    /// An argument is optional, has a default, or is required. Inside of an option there are no
    /// defaults: they would depend on the order of the calls.
    fn optional_or_default(&self, argument: &Argument, role: Role) {
        if argument.default.is_none() {
            return;
        }
        if argument.optional {
            self.error(
                argument,
                "`optional` and `default` exclude each other: a default is always sent",
            );
        } else if role.is_inside_as {
            self.error(argument, "`default` makes no sense inside of `as`");
        } else if role.alternative == Some(false) {
            self.error(
                argument,
                "`default` makes sense only on the default alternative",
            );
        } else if role.is_inside_option && role.alternative.is_none() {
            self.error(argument, "`default` makes no sense inside of something optional; make it optional or required");
        }
    }

    /// A default has the type of its argument.
    fn default_fits(&self, argument: &Argument) {
        let Some(default) = &argument.default else {
            return;
        };
        if argument.of == ArgumentType::PureToken {
            return;
        }
        if argument.multiple {
            if *default != DefaultValue::Empty || argument.count.is_none() {
                self.error(
                    argument,
                    "the default of a multiple argument is [], and it needs `count`",
                );
            }
            return;
        }
        use DefaultValue::{Bool, Integer, Number, Text};
        let wanted = match &argument.of {
            ArgumentType::Word(word) => match (word, default) {
                (Word::Key | Word::String | Word::Pattern | Word::Text, Text(_))
                | (Word::Integer | Word::UnixTime, Integer(_))
                | (Word::Double | Word::Timeout | Word::TimeoutMs, Integer(_) | Number(_))
                | (Word::Score, Integer(_) | Number(_))
                | (Word::Bool, Bool(_)) => return,
                (Word::Score, Text(bound)) if bound == "-inf" || bound == "+inf" => return,
                (Word::Lex, Text(bound)) if bound == "-" || bound == "+" => return,
                (Word::Key | Word::String | Word::Pattern | Word::Text, _) => "a string",
                (Word::Integer | Word::UnixTime, _) => "a whole number",
                (Word::Double | Word::Timeout | Word::TimeoutMs, _) => "a number",
                (Word::Score, _) => "a number, \"-inf\" or \"+inf\"",
                (Word::Lex, _) => "\"-\" or \"+\"",
                (Word::Bool, _) => "true or false",
            },
            ArgumentType::Enum(name) => {
                let Some(known) = self
                    .check
                    .table
                    .enums
                    .iter()
                    .find(|known| known.name == *name)
                else {
                    return;
                };
                let values = || known.values.iter().map(|value| value.name.as_str());
                match default {
                    Text(value) if values().any(|name| name == value) => return,
                    _ => &format!("one of {}", listed(values())),
                }
            }
            ArgumentType::OneOf if argument.as_type.is_none() => match default {
                Text(_) => return,
                _ => "the name of an alternative",
            },
            ArgumentType::PureToken | ArgumentType::Block | ArgumentType::OneOf => {
                self.error(argument, "a block or a type of its own has no default");
                return;
            }
        };
        self.error(
            argument,
            format!("`default` does not fit the type: it must be {wanted}"),
        );
    }

    /// Whether a method of its own is generated for an argument.
    fn is_method(argument: &Argument, role: Role) -> bool {
        let is_choice = argument.of == ArgumentType::OneOf && argument.as_type.is_none();
        !is_choice
            && (argument.optional || argument.default.is_some() || role.alternative.is_some())
    }

    /// "method" names a chained method or a constructor.
    fn method(&self, argument: &Argument, role: Role) {
        let Some(method) = &argument.method else {
            return;
        };
        if !Self::is_method(argument, role) {
            self.error(
                argument,
                "`method` makes no sense here: there is no chained method for it",
            );
        } else if !is_snake(method) {
            self.error(
                argument,
                format!("method `{method}` must be a Rust name, like `only_if_exists`"),
            );
        }
    }

    /// An option may change reply and flags, to something else than they are.
    fn changes(&self, argument: &Argument, role: Role) {
        let is_option = Self::is_method(argument, role) && !role.is_inside_as;
        if argument.reply.is_some() && !is_option {
            self.error(
                argument,
                "`reply` makes no sense here: only an option can change the reply",
            );
        }
        if !argument.flags.is_empty() && !is_option {
            self.error(
                argument,
                "`flags` make no sense here: only an option can change them",
            );
        }
        if let Some(reply) = &argument.reply {
            self.check
                .kind_parts(argument.line, &argument_place(self.place, argument), reply);
        }
        for change in &argument.flags {
            let Flag(flag) = change.flag;
            match (change.adds, self.form.flags.contains(&change.flag)) {
                (true, true) => self.error(
                    argument,
                    format!("adds the flag `{flag}`, which the command has already"),
                ),
                (false, false) => self.error(
                    argument,
                    format!("removes the flag `{flag}`, which the command has not"),
                ),
                _ => {}
            }
        }
    }

    /// The enum of an argument is declared.
    fn enum_exists(&self, argument: &Argument) {
        let ArgumentType::Enum(name) = &argument.of else {
            return;
        };
        let enums = || self.check.table.enums.iter().map(|this| this.name.as_str());
        if !enums().any(|known| known == name) {
            let near = did_you_mean(name, enums());
            self.error(
                argument,
                format!("unknown enum `{name}`{near}; declare it in \"enums\""),
            );
        }
    }

    /// A timeout is the deadline of a blocking command.
    fn timeout(&self, argument: &Argument, role: Role) {
        if !matches!(
            argument.of,
            ArgumentType::Word(Word::Timeout | Word::TimeoutMs)
        ) {
            return;
        }
        if argument.multiple || role.is_inside_as || role.is_inside_pair {
            self.error(
                argument,
                "there is only one timeout for a command: use `integer` or `double`",
            );
        }
        let blocks =
            role.blocks || adds_blocking(argument) || self.form.flags.contains(&Flag("blocking"));
        if !blocks {
            let message = "a timeout needs the flag `blocking`, on the command or on the option; or use `integer`";
            self.error(argument, message);
        }
    }

    /// "position" is for the parameters of the method.
    fn position(&self, argument: &Argument, role: Role) {
        let is_parameter =
            role.is_top && argument.is_value() && !argument.optional && argument.default.is_none();
        if argument.position.is_some() && !is_parameter {
            self.error(
                argument,
                "`position` makes no sense here: this is no parameter of the method",
            );
        }
    }
}

fn adds_blocking(argument: &Argument) -> bool {
    argument
        .flags
        .iter()
        .any(|change| change.adds && change.flag == Flag("blocking"))
}
