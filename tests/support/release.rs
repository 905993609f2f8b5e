use std::fmt;

/// Redis, or the fork of it that the Linux Foundation keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fork {
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
}

impl Fork {
    /// `redis` or `valkey`, as in the names of the executables and packages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Valkey => "Valkey",
        })
    }
}

/// A server's version; compares by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The 8 of 8.6.3.
    pub major: u32,
    /// The 6 of 8.6.3.
    pub minor: u32,
    /// The 3 of 8.6.3.
    pub patch: u32,
}

impl Version {
    /// `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads `8.6.3`, also `8.6`, `8` and `9.0.0-rc1` (whose patch is then 0).
    pub fn parse(text: &str) -> Option<Self> {
        let (numbers, _) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        let mut next = || numbers.next().unwrap_or(Some(0));
        Some(Self::new(major, next()?, next()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a server says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) fork: Fork,
    pub(crate) version: Version,
}

impl Release {
    /// From the output of `--version`: `Redis server v=7.0.15 sha=…`, `Valkey server v=9.1.2
    /// sha=…`.
    pub(crate) fn from_banner(banner: &str) -> Option<Self> {
        let fork = match banner.split_whitespace().next()? {
            "Redis" => Fork::Redis,
            "Valkey" => Fork::Valkey,
            _ => return None,
        };
        let version = banner
            .split_whitespace()
            .find_map(|word| word.strip_prefix("v="))?;
        Some(Self {
            fork,
            version: Version::parse(version)?,
        })
    }

    /// From the reply to `INFO server`. Valkey has a `redis_version` too, the one it is compatible
    /// with.
    pub(crate) fn from_info(info: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Version::parse(line.trim())
        };
        match field("valkey_version") {
            Some(version) => Some(Self {
                fork: Fork::Valkey,
                version,
            }),
            None => Some(Self {
                fork: Fork::Redis,
                version: field("redis_version")?,
            }),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fork, self.version)
    }
}
