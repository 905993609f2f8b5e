//! The rules of a method's arguments.

use std::collections::HashSet;

use super::{Check, argument_place, flatten};
use crate::errors::Place;
use crate::names::{did_you_mean, is_dashed, is_snake, listed, parameter};
use crate::plan::{self, Plan};
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

struct Rules<'c> {
    check: &'c Check<'c>,
    form: &'c Form,
    place: &'c Place,
}

/// Where an argument stands.
#[derive(Clone, Copy)]
struct Role {
    /// Directly in the command or in required blocks, where a value is a parameter of the method.
    is_top: bool,
    /// Inside of something that is only on the wire if it is chosen.
    is_inside_option: bool,
    /// An alternative, and whether it is the default one.
    alternative: Option<bool>,
    is_inside_as: bool,
    is_inside_pair: bool,
    /// Something around it adds the flag "blocking".
    blocks: bool,
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
    fn error(&self, argument: &Argument, message: impl std::fmt::Display) {
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

    /// A token is one word; a pure token has one and is nothing else; a token for every element needs elements.
    fn token(&self, argument: &Argument) {
        match &argument.token {
            Some(token) if token.is_empty() || token.contains(char::is_whitespace) => {
                self.error(
                    argument,
                    format!("token `{token}` must be one word without spaces"),
                );
            }
            None if argument.of == ArgumentType::PureToken => {
                self.error(argument, "a pure-token needs a `token`");
            }
            _ => {}
        }
        if argument.of == ArgumentType::PureToken {
            let has = [
                ("multiple", argument.multiple),
                ("default", argument.default.is_some()),
                ("count", argument.count.is_some()),
            ];
            for (key, _) in has.into_iter().filter(|(_, is_there)| *is_there) {
                self.error(
                    argument,
                    format!("`{key}` makes no sense on a pure-token: it has no value"),
                );
            }
        }
        if argument.multiple_token && !(argument.multiple && argument.token.is_some()) {
            self.error(argument, "`multiple_token` needs `multiple` and a `token`, which it sends before every element");
        }
    }

    /// "only_token" is a boolean whose token is sent if it is true.
    fn only_token(&self, argument: &Argument) {
        let is_bool = argument.of == ArgumentType::Word(Word::Bool);
        if argument.only_token && (!is_bool || argument.token.is_none() || argument.multiple) {
            self.error(
                argument,
                "`only_token` needs the type `bool` and a `token`, which is sent if it is true",
            );
        }
    }

    /// A count counts elements.
    fn multiple(&self, argument: &Argument) {
        let Some(count) = &argument.count else { return };
        if !argument.multiple && argument.of != ArgumentType::PureToken {
            self.error(
                argument,
                "`count` needs `multiple`: it is the number of elements",
            );
        }
        if !is_dashed(count) {
            self.error(
                argument,
                format!("count `{count}` must be lower-case words with dashes, like `numkeys`"),
            );
        }
    }

    /// A multiple block is a pair, or a type of its own. The first of a pair goes through an encoder, and so may the
    /// second. "order" and "split" are about pairs.
    fn pair(&self, argument: &Argument) {
        let is_pair = argument.is_pair();
        if argument.of == ArgumentType::Block
            && argument.multiple
            && argument.as_type.is_none()
            && !is_pair
        {
            let message = "a multiple block that is no pair of two simple values needs `as`: the name of its Rust type";
            self.error(argument, message);
        }
        if argument.split && !is_pair {
            self.error(
                argument,
                "`split` needs a multiple block of two simple values",
            );
        }
        if let Some(order) = &argument.order {
            let names: Vec<_> = argument
                .arguments
                .iter()
                .map(|part| part.name.as_str())
                .collect();
            let is_permutation = order.len() == names.len()
                && names
                    .iter()
                    .all(|name| order.iter().any(|other| other == name));
            if !is_pair {
                self.error(
                    argument,
                    "`order` needs a multiple block of two simple values",
                );
            } else if !is_permutation {
                self.error(
                    argument,
                    format!("`order` must hold the names of the two: {}", listed(names)),
                );
            }
        }
        if is_pair {
            let (first, second) = argument.pair_words();
            let encoded = [Word::Key, Word::String, Word::Pattern];
            let numbers = [Word::Double, Word::Integer, Word::UnixTime];
            let is_sound = match (first, second) {
                (Word::Text, second) => second == Word::Text || numbers.contains(&second),
                (first, Word::Text) => encoded.contains(&first),
                (first, second) => {
                    encoded.contains(&first)
                        && (encoded.contains(&second) || numbers.contains(&second))
                }
            };
            if !is_sound {
                let (first, second) = (first.name(), second.name());
                let message = format!(
                    "a pair of `{first}` and `{second}` does not work: use `key`, `string` or `text` first, \
                     and one of these, `double` or `integer` second; otherwise give it a type of its own with `as`"
                );
                self.error(argument, message);
            }
        }
    }

    /// "as" names the type of a block or of a oneof. There is none inside of another, and deadlines and reply kinds
    /// belong to commands.
    fn as_type(&self, argument: &Argument, role: Role) {
        if argument.as_type.is_some() {
            if !matches!(argument.of, ArgumentType::Block | ArgumentType::OneOf) {
                self.error(argument, "`as` needs the type `block` or `oneof`");
            }
            if role.is_inside_as {
                self.error(argument, "`as` cannot stand inside of another `as`");
            }
        }
    }

    /// A block or a oneof has arguments, and nothing else does.
    fn structure(&self, argument: &Argument) {
        let is_structure = matches!(argument.of, ArgumentType::Block | ArgumentType::OneOf);
        if is_structure && argument.arguments.is_empty() {
            self.error(argument, "a block or oneof needs `arguments`");
        }
        if !is_structure && !argument.arguments.is_empty() {
            self.error(argument, "`arguments` needs the type `block` or `oneof`");
        }
        let is_optional_block =
            argument.of == ArgumentType::Block && argument.optional && !argument.is_value();
        let is_never_sent = |part: &Argument| {
            part.optional || part.of == ArgumentType::OneOf && part.as_type.is_none()
        };
        if is_optional_block
            && argument.token.is_none()
            && argument.arguments.iter().all(is_never_sent)
        {
            self.error(
                argument,
                "an optional block needs a token or a required argument",
            );
        }
    }

    /// A oneof has alternatives. Optional ones and those with a default are chained methods. Others are a type.
    fn choice(&self, argument: &Argument, role: Role) {
        if argument.of != ArgumentType::OneOf {
            return;
        }
        if argument.arguments.len() == 1 {
            self.error(argument, "a oneof needs at least two alternatives");
        }
        if argument.as_type.is_none() {
            let is_required = !argument.optional && argument.default.is_none();
            let only_tokens = argument
                .arguments
                .iter()
                .all(|part| part.of == ArgumentType::PureToken);
            if role.alternative.is_some() {
                self.error(
                    argument,
                    "a oneof cannot be an alternative; put its alternatives beside the others",
                );
            } else if argument.multiple {
                self.error(
                    argument,
                    "a multiple oneof needs `as`: the name of its Rust type",
                );
            } else if is_required && only_tokens {
                let message = "a required oneof of tokens only is an enum: declare it in \"enums\" and use it as `type`";
                self.error(argument, message);
            } else if is_required {
                let message = "a required oneof with values needs `as`: the name of its Rust type";
                self.error(argument, message);
            }
        }
        for part in &argument.arguments {
            if part.optional {
                self.error(part, "an alternative is never `optional`: the oneof is");
            }
        }
        let Some(DefaultValue::Text(name)) = argument
            .default
            .as_ref()
            .filter(|_| argument.as_type.is_none())
        else {
            return;
        };
        let alternatives = || argument.arguments.iter().map(|part| part.name.as_str());
        match argument.arguments.iter().find(|part| part.name == *name) {
            None => {
                let near = did_you_mean(name, alternatives());
                let known = listed(alternatives());
                self.error(
                    argument,
                    format!("the default `{name}` is no alternative{near}; use {known}"),
                );
            }
            Some(part) => {
                let needs_value =
                    |part: &Argument| part.of != ArgumentType::PureToken && part.default.is_none();
                let is_block = part.of == ArgumentType::Block && !part.multiple;
                let misses_value = if is_block {
                    part.arguments.iter().any(needs_value)
                } else {
                    needs_value(part)
                };
                if misses_value {
                    self.error(
                        part,
                        "the default alternative needs a `default` for its value",
                    );
                }
            }
        }
    }

    /// An argument is optional, has a default, or is required. Inside of an option there are no defaults: they would
    /// depend on the order of the calls.
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

    /// Either all parameters of the method have a position or none, and they are 0, 1, 2, …
    fn positions(&self) {
        let mut all = Vec::new();
        flatten(&self.form.arguments, &mut all);
        let mut given: Vec<_> = all
            .iter()
            .filter_map(|argument| argument.position)
            .collect();
        if given.is_empty() || self.check.errors.concerns(&self.place.owner) {
            return;
        }
        given.sort_unstable();
        let parameters = plan::of_arguments(&self.form.arguments).parameters.len();
        if given != (0..parameters).collect::<Vec<_>>() {
            let message = format!(
                "`position` must be on all {parameters} required arguments, each of 0 to {} once",
                parameters - 1
            );
            self.check.errors.push(self.form.line, self.place, message);
        }
    }

    /// Slots are numbered in a byte.
    fn slots_suffice(&self, line: usize, plan: &Plan<'_>) {
        if plan.slots > 250 {
            self.check.errors.push(
                line,
                self.place,
                format!("{} arguments are too many; 250 are possible", plan.slots),
            );
        }
    }

    /// The parameters of one call have different names.
    fn parameters_differ(&self, plan: &Plan<'_>) {
        let chained = plan.chained.iter().map(|chained| &chained.parameters);
        for parameters in std::iter::once(&plan.parameters).chain(chained) {
            let mut seen = HashSet::new();
            for value in parameters {
                let name = parameter(&value.argument.name);
                if !seen.insert(name.clone()) {
                    let message =
                        format!("two parameters of one method are called `{name}`; rename one");
                    self.error(value.argument, message);
                }
            }
        }
    }

    /// The chained methods of a command have different names.
    fn chained_names_differ(&self, chained: &[plan::Chained<'_>]) {
        for (index, this) in chained.iter().enumerate() {
            if let Some(first) = chained[..index]
                .iter()
                .find(|other| other.name == this.name)
            {
                let line = first.argument.line;
                let message = format!(
                    "chained method `{}` is there twice, first in line {line}; rename one with `method`",
                    this.name
                );
                self.error(this.argument, message);
            }
        }
    }

    /// The constructors and chained methods of an "as" type have different names, and so have their parameters.
    fn as_types(&self) {
        let mut all = Vec::new();
        flatten(&self.form.arguments, &mut all);
        for argument in all
            .into_iter()
            .filter(|argument| argument.as_type.is_some())
        {
            let mut names = HashSet::new();
            for (constructor, plan) in plan::of_constructors(argument) {
                self.parameters_differ(&plan);
                for name in std::iter::once(constructor)
                    .chain(plan.chained.into_iter().map(|chained| chained.name))
                {
                    if !names.insert(name.clone()) {
                        self.error(
                            argument,
                            format!("two functions of its type are called `{name}`; rename one with `method`"),
                        );
                    }
                }
            }
        }
    }
}

fn adds_blocking(argument: &Argument) -> bool {
    argument
        .flags
        .iter()
        .any(|change| change.adds && change.flag == Flag("blocking"))
}
