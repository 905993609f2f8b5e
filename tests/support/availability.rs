use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// Whether a test has the server it needs.
///
/// ```ignore
/// if !ServerKind::Redis8.availability().or_skip("vector sets") {
///     return;
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a test whose server is missing has to say so"]
pub enum Availability {
    /// It can be started.
    Available,
    /// It cannot, and this is why.
    Missing(String),
}

impl Availability {
    pub(crate) fn of<T>(found: &Result<T, Error>) -> Self {
        match found {
            Ok(_) => Self::Available,
            Err(error) => Self::Missing(error.to_string()),
        }
    }

    /// True if the test can go on. If not, it says `skipped: what: reason` on standard error, also
    /// where the test runner captures what tests print, and counts it ([`skipped`]).
    ///
    /// # Panics
    ///
    /// If it is missing and the environment says `CI=true`: a test must not pass there by not
    /// running.
    pub fn or_skip(self, what: &str) -> bool {
        let Self::Missing(reason) = self else {
            return true;
        };
        if env::var_os("CI").is_some_and(|ci| ci == "true") {
            panic!("CI must not skip {what}: {reason}");
        }
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let is_known = !TOLD
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(reason.clone());
        let reason = if is_known { "as above" } else { &reason };
        // One write, so that lines of parallel tests do not mix. There is nobody to tell if it
        // fails.
        let line = format!("skipped: {what}: {reason} ({count} skipped in this process)\n");
        let _ = io::stderr().write_all(line.as_bytes());
        false
    }
}

/// How often [`Availability::or_skip`] said no in this process.
pub fn skipped() -> usize {
    SKIPPED.load(Ordering::Relaxed)
}

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Reasons that need not be repeated, as they are long.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
