//! Arguments -> what a method does with them: parameters by position, chained methods, and a slot
//! for everything that can be on the wire.
//!
//! Slots are numbered in wire order, depth first. The runtime sorts by slot, so chained methods may
//! be called in any order, and "alternatives exclude each other" is "clear the slots of all of
//! them". Planning never fails: what makes no sense has been reported by `check` and is not
//! planned.

use std::ops::Range;

use crate::table::{Argument, ArgumentType, DefaultValue};

/// What the arguments of one method, or of one constructor of an "as" type, come to.
#[derive(Debug, Default)]
pub(crate) struct Plan<'t> {
    /// In the order of Rust.
    pub(crate) parameters: Vec<Value<'t>>,
    /// What is written from the start, in the order of the wire.
    pub(crate) writes: Vec<Write<'t>>,
    pub(crate) chained: Vec<Chained<'t>>,
    pub(crate) needs: Vec<Need>,
    pub(crate) slots: usize,
}

/// Something put into a slot.
#[derive(Debug, Clone)]
pub(crate) enum Write<'t> {
    Token {
        slot: usize,
        token: &'t str,
    },
    /// From the parameter with the argument's name.
    Value(Value<'t>),
    Default(Value<'t>, &'t DefaultValue),
}

/// A value and its slots: token, count and value have one each, where they exist.
#[derive(Debug, Clone)]
pub(crate) struct Value<'t> {
    pub(crate) argument: &'t Argument,
    pub(crate) token: Option<usize>,
    pub(crate) count: Option<usize>,
    pub(crate) slot: usize,
}

/// A method on what the command's method returns.
#[derive(Debug)]
pub(crate) struct Chained<'t> {
    pub(crate) name: String,
    pub(crate) argument: &'t Argument,
    /// Where something may be that this call replaces.
    pub(crate) clears: Vec<Range<usize>>,
    pub(crate) parameters: Vec<Value<'t>>,
    pub(crate) writes: Vec<Write<'t>>,
}

/// An option inside of another one: if `slot` is used, `of` must be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) slot: usize,
    pub(crate) name: String,
    pub(crate) of: usize,
    pub(crate) of_name: String,
}

/// Plans a method.
pub(crate) fn of_arguments(arguments: &[Argument]) -> Plan<'_> {
    let mut planner = Planner::default();
    let mut scope = Scope::default();
    planner.walk(arguments, &mut scope);
    if scope
        .parameters
        .iter()
        .any(|value| value.argument.position.is_some())
    {
        scope
            .parameters
            .sort_by_key(|value| value.argument.position);
    }
    planner.into_plan(scope)
}

/// Plans an "as" type: one plan for each constructor. All of them share the numbering of the slots.
pub(crate) fn of_constructors(argument: &Argument) -> Vec<(String, Plan<'_>)> {
    let mut planner = Planner::default();
    let mut plans = Vec::new();
    let constructors = match argument.of {
        ArgumentType::OneOf => argument
            .arguments
            .iter()
            .map(|part| (part.chained_name(), part))
            .collect(),
        _ => vec![("new".to_owned(), argument)],
    };
    for (name, part) in constructors {
        let mut scope = Scope::default();
        match part.of {
            ArgumentType::Block if !part.is_value() || part.as_type == argument.as_type => {
                // The token of an "as" block stands before all of its elements, so it is the
                // command's.
                if part.as_type.is_none() {
                    planner.token(part.token.as_deref(), &mut scope);
                }
                planner.walk(&part.arguments, &mut scope);
            }
            _ => planner.always(part, &mut scope),
        }
        let slots = planner.slots;
        let planned = std::mem::replace(
            &mut planner,
            Planner {
                slots,
                ..Planner::default()
            },
        );
        plans.push((name, planned.into_plan(scope)));
    }
    let slots = planner.slots;
    for (_, plan) in &mut plans {
        plan.slots = slots;
    }
    plans
}

impl Write<'_> {
    fn slots(&self) -> Range<usize> {
        match self {
            Self::Token { slot, .. } => *slot..slot + 1,
            Self::Value(value) | Self::Default(value, _) => value.slots(),
        }
    }
}

impl Value<'_> {
    pub(crate) fn slots(&self) -> Range<usize> {
        let first = self.token.or(self.count).unwrap_or(self.slot);
        first..self.slot + 1 + usize::from(self.argument.split)
    }
}

#[derive(Default)]
struct Planner<'t> {
    slots: usize,
    chained: Vec<Chained<'t>>,
    needs: Vec<Need>,
}

/// What one call (the method, or a chained one) takes and writes.
#[derive(Default)]
struct Scope<'t> {
    parameters: Vec<Value<'t>>,
    writes: Vec<Write<'t>>,
    /// Slot and name of the options directly inside, which make sense only with this call.
    options: Vec<(usize, String)>,
}

impl<'t> Planner<'t> {
    fn into_plan(mut self, scope: Scope<'t>) -> Plan<'t> {
        // In the order of the wire, an option before those inside of it.
        self.chained
            .sort_by_key(|chained| chained.writes.first().map(|write| write.slots().start));
        Plan {
            parameters: scope.parameters,
            writes: scope.writes,
            chained: self.chained,
            needs: self.needs,
            slots: self.slots,
        }
    }

    fn walk(&mut self, arguments: &'t [Argument], scope: &mut Scope<'t>) {
        for argument in arguments {
            let is_choice = argument.of == ArgumentType::OneOf && !argument.is_value();
            if is_choice {
                self.choice(argument, scope);
            } else if let Some(default) = &argument.default {
                let value = self.value(argument);
                scope.writes.push(Write::Default(value.clone(), default));
                let mut chosen = Scope::default();
                chosen.take(value);
                self.option(argument, chosen, None, scope);
            } else if argument.optional {
                let mut chosen = Scope::default();
                self.always(argument, &mut chosen);
                self.option(argument, chosen, None, scope);
            } else {
                self.always(argument, scope);
            }
        }
    }

    /// An argument that is sent whenever its scope is.
    fn always(&mut self, argument: &'t Argument, scope: &mut Scope<'t>) {
        if argument.is_value() {
            let value = self.value(argument);
            scope.take(value);
        } else {
            self.token(argument.token.as_deref(), scope);
            self.walk(&argument.arguments, scope);
        }
    }

    /// Alternatives that exclude each other: choosing one clears the slots of all.
    fn choice(&mut self, argument: &'t Argument, scope: &mut Scope<'t>) {
        let start = self.slots;
        let mut before = Scope::default();
        self.token(argument.token.as_deref(), &mut before);
        let mut alternatives = Vec::new();
        for alternative in &argument.arguments {
            let first = self.slots;
            let mut chosen = Scope {
                writes: before.writes.clone(),
                ..Scope::default()
            };
            self.always(alternative, &mut chosen);
            if let Some(DefaultValue::Text(default)) = &argument.default
                && *default == alternative.name
            {
                scope
                    .writes
                    .extend(chosen.writes.iter().map(Write::as_default));
            }
            alternatives.push((alternative, chosen, first..self.slots));
        }
        let end = self.slots;
        for (alternative, chosen, own) in alternatives {
            // The options of an alternative stay, whether they are called before or after it.
            let mut clears = vec![start..own.start, own.end..end];
            if chosen.options.is_empty() {
                clears.push(own);
            }
            self.option(alternative, chosen, Some(clears), scope);
        }
    }

    /// Makes a chained method of what was chosen.
    fn option(
        &mut self,
        argument: &'t Argument,
        chosen: Scope<'t>,
        clears: Option<Vec<Range<usize>>>,
        scope: &mut Scope<'t>,
    ) {
        let name = argument.chained_name();
        let mut ranges = clears.unwrap_or_default();
        ranges.extend(chosen.writes.iter().map(Write::slots));
        // The last write of a choice is its own: the token before a choice may be shared.
        let anchor = match (&argument.of, chosen.writes.last()) {
            (_, Some(last)) => last.slots().start,
            (_, None) => self.slots,
        };
        for (slot, option) in chosen.options {
            self.needs.push(Need {
                slot,
                name: option,
                of: anchor,
                of_name: name.clone(),
            });
        }
        scope.options.push((anchor, name.clone()));
        self.chained.push(Chained {
            name,
            argument,
            clears: merged(ranges),
            parameters: chosen.parameters,
            writes: chosen.writes,
        });
    }

    fn token(&mut self, token: Option<&'t str>, scope: &mut Scope<'t>) {
        if let Some(token) = token {
            let slot = self.next();
            scope.writes.push(Write::Token { slot, token });
        }
    }

    fn value(&mut self, argument: &'t Argument) -> Value<'t> {
        let has_own_slot =
            argument.token.is_some() && !argument.multiple_token && !argument.only_token;
        let token = has_own_slot.then(|| self.next());
        let count = argument.count.is_some().then(|| self.next());
        let slot = self.next();
        if argument.split {
            self.next();
        }
        Value {
            argument,
            token,
            count,
            slot,
        }
    }

    fn next(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }
}

impl<'t> Scope<'t> {
    fn take(&mut self, value: Value<'t>) {
        self.parameters.push(value.clone());
        self.writes.push(Write::Value(value));
    }
}

impl<'t> Write<'t> {
    /// The same write without a caller: its value is the argument's default.
    fn as_default(&self) -> Self {
        match self {
            Self::Value(value) => match &value.argument.default {
                Some(default) => Self::Default(value.clone(), default),
                None => self.clone(),
            },
            _ => self.clone(),
        }
    }
}

/// The fewest ranges that cover the same slots.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    fn table(arguments: &str) -> Table {
        let text = format!(
            r#"{{"commands": {{"X": {{
                "summary": "s", "since": "1.0.0", "group": "g", "flags": [], "reply": "Integer",
                "example": ["client.x();"], "arguments": [{arguments}]
            }}}}}}"#
        );
        let (table, mistakes) = crate::read(&text, "t.json");
        assert_eq!(mistakes, []);
        table
    }

    /// What is written, as `slot token` and `slots name`.
    fn writes(writes: &[Write<'_>]) -> Vec<String> {
        let write = |write: &Write<'_>| match write {
            Write::Token { slot, token } => format!("{slot} {token}"),
            Write::Value(value) => format!("{:?} {}", value.slots(), value.argument.name),
            Write::Default(value, _) => format!("{:?} ={}", value.slots(), value.argument.name),
        };
        writes.iter().map(write).collect()
    }

    #[test]
    fn every_value_has_a_slot_for_token_count_and_itself() {
        let table = table(
            r#"{"name": "a", "type": "key"},
            {"name": "b", "token": "B", "type": "key", "multiple": true, "count": "num"},
            {"name": "c", "token": "C", "type": "integer", "default": 1},
            {"name": "d", "token": "D", "type": "pattern", "multiple": true, "multiple_token": true},
            {"name": "e", "token": "E", "type": "pure-token"}"#,
        );
        let plan = of_arguments(&table.commands[0].forms[0].arguments);
        let expected = ["0..1 a", "1..4 b", "4..6 =c", "6..7 d", "7 E"];
        assert_eq!(writes(&plan.writes), expected);
        assert_eq!(plan.slots, 8);
        let parameters: Vec<_> = plan
            .parameters
            .iter()
            .map(|value| &value.argument.name)
            .collect();
        assert_eq!(parameters, ["a", "b", "d"]);
        let Chained { name, clears, .. } = &plan.chained[0];
        assert_eq!(format!("{name} clears {clears:?}"), "c clears [4..6]");
    }

    #[test]
    fn parameters_follow_their_positions() {
        let table = table(
            r#"{"name": "a", "type": "key", "position": 1},
            {"name": "b", "type": "string", "position": 0}"#,
        );
        let plan = of_arguments(&table.commands[0].forms[0].arguments);
        let parameters: Vec<_> = plan
            .parameters
            .iter()
            .map(|value| &value.argument.name)
            .collect();
        assert_eq!(parameters, ["b", "a"]);
        assert_eq!(writes(&plan.writes), ["0..1 a", "1..2 b"]);
    }

    /// An alternative clears the others, but not its own options, which may be called first.
    #[test]
    fn alternatives_clear_each_other() {
        let table = table(
            r#"{"name": "mode", "token": "MODE", "type": "oneof", "default": "auto", "arguments": [
                {"name": "auto", "token": "AUTO", "type": "pure-token"},
                {"name": "limit", "token": "LIMIT", "type": "block", "arguments": [
                    {"name": "max", "type": "integer"},
                    {"name": "soft", "token": "SOFT", "type": "pure-token", "optional": true}
                ]}
            ]}"#,
        );
        let plan = of_arguments(&table.commands[0].forms[0].arguments);
        assert_eq!(writes(&plan.writes), ["0 MODE", "1 AUTO"]);
        let describe = |this: &Chained<'_>| {
            let (clears, writes) = (&this.clears, writes(&this.writes).join(", "));
            format!("{} clears {clears:?}, writes {writes}", this.name)
        };
        let chained: Vec<_> = plan.chained.iter().map(describe).collect();
        let expected = [
            "auto clears [0..5], writes 0 MODE, 1 AUTO",
            "limit clears [0..4], writes 0 MODE, 2 LIMIT, 3..4 max",
            "soft clears [4..5], writes 4 SOFT",
        ];
        assert_eq!(chained, expected);
        let need = Need {
            slot: 4,
            name: "soft".to_owned(),
            of: 3,
            of_name: "limit".to_owned(),
        };
        assert_eq!(plan.needs, [need]);
    }

    #[test]
    fn constructors_share_the_slots() {
        let table = table(
            r#"{"name": "by", "type": "oneof", "as": "By", "arguments": [
                {"name": "radius", "token": "R", "type": "double"},
                {"name": "box", "token": "BOX", "type": "block", "arguments": [
                    {"name": "width", "type": "double"},
                    {"name": "height", "type": "double"}
                ]}
            ]}"#,
        );
        let plans = of_constructors(&table.commands[0].forms[0].arguments[0]);
        let plans: Vec<_> = plans
            .iter()
            .map(|(name, plan)| (name.as_str(), writes(&plan.writes).join(", "), plan.slots))
            .collect();
        let expected = [
            ("radius", "0..2 radius".to_owned(), 5),
            ("box_", "2 BOX, 3..4 width, 4..5 height".to_owned(), 5),
        ];
        assert_eq!(plans, expected);
    }
}
