//! Collects the mistakes of a table, so that all of them are reported in one go.

use std::cell::RefCell;
use std::fmt;

use crate::json::SyntaxError;

/// One mistake, with the finished message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    pub(crate) owner: Owner,
    pub(crate) message: String,
}

/// The entry of the table that a mistake makes unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Table,
    Enum(String),
    Reply(String),
    Command(String),
}

/// Where in the table something stands, in words: "ZADD: argument `score`".
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) owner: Owner,
    inside: String,
}

impl Place {
    pub(crate) fn new(owner: Owner) -> Self {
        Self {
            owner,
            inside: String::new(),
        }
    }

    /// One level deeper.
    pub(crate) fn then(&self, inside: impl fmt::Display) -> Self {
        Self {
            owner: self.owner.clone(),
            inside: format!("{}{inside}: ", self.inside),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Owner::Table => {}
            Owner::Enum(name) => write!(f, "enum `{name}`: ")?,
            Owner::Reply(name) => write!(f, "reply `{name}`: ")?,
            Owner::Command(name) => write!(f, "{name}: ")?,
        }
        f.write_str(&self.inside)
    }
}

/// The collector. Dropping it without [`Errors::finish`] panics, so that no mistake is forgotten.
#[derive(Debug)]
pub(crate) struct Errors {
    file: String,
    mistakes: RefCell<Option<Vec<Mistake>>>,
}

impl Errors {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            mistakes: RefCell::new(Some(Vec::new())),
        }
    }

    pub(crate) fn push(&self, line: usize, place: &Place, message: impl fmt::Display) {
        self.add(Mistake {
            line,
            owner: place.owner.clone(),
            message: format!("{}:{line}: {place}{message}", self.file),
        });
    }

    /// Nothing is known about the rest of the file, so this is the only mistake.
    pub(crate) fn push_syntax(&self, error: &SyntaxError) {
        let SyntaxError { at, message } = error;
        self.add(Mistake {
            line: at.line,
            owner: Owner::Table,
            message: format!("{}:{at}: {message}", self.file),
        });
    }

    fn add(&self, mistake: Mistake) {
        if let Some(mistakes) = self.mistakes.borrow_mut().as_mut()
            && !mistakes.contains(&mistake)
        {
            mistakes.push(mistake);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.borrow().iter().flatten().next().is_none()
    }

    /// Whether an entry has a mistake, so that nothing can be generated for it.
    pub(crate) fn concerns(&self, owner: &Owner) -> bool {
        let mistakes = self.mistakes.borrow();
        mistakes
            .iter()
            .flatten()
            .any(|mistake| mistake.owner == *owner)
    }

    /// All mistakes in the order of the file.
    pub(crate) fn finish(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.borrow_mut().take().unwrap_or_default();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if self.mistakes.get_mut().is_some() && !std::thread::panicking() {
            panic!("forgot to look at the mistakes of {}", self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_come_in_the_order_of_the_file() {
        let errors = Errors::new("t.json");
        let set = Place::new(Owner::Command("SET".to_owned()));
        errors.push(9, &set.then("argument `key`"), "late");
        errors.push(2, &set, "early");
        errors.push(2, &set, "early");
        assert!(errors.concerns(&Owner::Command("SET".to_owned())));
        assert!(!errors.concerns(&Owner::Table));
        let messages: Vec<_> = errors
            .finish()
            .into_iter()
            .map(|mistake| mistake.message)
            .collect();
        assert_eq!(
            messages,
            [
                "t.json:2: SET: early",
                "t.json:9: SET: argument `key`: late"
            ]
        );
    }

    #[test]
    #[should_panic(expected = "forgot to look at the mistakes of t.json")]
    fn forgetting_mistakes_panics() {
        drop(Errors::new("t.json"));
    }
}
