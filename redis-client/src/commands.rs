//! The commands, generated from `commands.json`: a trait for each group, with a method for each
//! command; see the traits' own lists.

crate::commands!("commands.json");
