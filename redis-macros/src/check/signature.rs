//! The rules of what comes out of the arguments: parameters, chained methods, slots.

use std::collections::HashSet;

use super::arguments::Rules;
use super::flatten;
use crate::names::parameter;
use crate::plan::{self, Plan};

impl Rules<'_> {
    /// Either all parameters of the method have a position or none, and they are 0, 1, 2, …
    pub(super) fn positions(&self) {
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
    pub(super) fn slots_suffice(&self, line: usize, plan: &Plan<'_>) {
        if plan.slots > 250 {
            self.check.errors.push(
                line,
                self.place,
                format!("{} arguments are too many; 250 are possible", plan.slots),
            );
        }
    }

    /// The parameters of one call have different names.
    pub(super) fn parameters_differ(&self, plan: &Plan<'_>) {
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
    pub(super) fn chained_names_differ(&self, chained: &[plan::Chained<'_>]) {
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

    /// The constructors and chained methods of an "as" type have different names, and so have their
    /// parameters.
    pub(super) fn as_types(&self) {
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
