//! A command on its way: what the table says about it, and the arguments of this call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use crate::arg::{Arg, Timeout};
use crate::commands::spec;
use crate::error::Error;

/// The facts of the table that a command needs at run time. Generated.
#[derive(Debug)]
pub struct Spec {
    /// The name, as in the servers' documentation: `CONFIG GET`.
    pub name: &'static str,
    /// The words of the name as bulk strings.
    pub wire: &'static [u8],
    /// How many words the name has.
    pub words: u8,
    /// What the command does, before options change it.
    pub flags: Flags,
    /// The first versions that have it.
    pub since: Since,
    /// Options that make sense only with another one.
    pub needs: &'static [Need],
}

/// The first version of each fork that has a command; `None` where the fork does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The first Redis version.
    pub redis: Option<&'static str>,
    /// The first Valkey version.
    pub valkey: Option<&'static str>,
}

/// An option that makes sense only with another one.
#[derive(Debug)]
pub struct Need {
    /// The slot of the option.
    pub slot: u8,
    /// Its method.
    pub name: &'static str,
    /// The slot of the option that it needs.
    pub of: u8,
    /// The method of that one.
    pub of_name: &'static str,
}

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        /// What the table says about a command (with these options): the servers' flags, and ours.
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct Flags(u32);

        impl Flags {
            /// No flag.
            pub const NONE: Self = Self(0);
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            const NAMES: &[(Self, &str)] = &[$((Self::$name, stringify!($name)),)*];
        }
    };
}

flags! {
    /// It writes.
    WRITE = 0;
    /// It only reads.
    READONLY = 1;
    /// It is refused when the server is out of memory.
    DENYOOM = 2;
    /// It is for administrators.
    ADMIN = 3;
    /// It belongs to publish/subscribe.
    PUBSUB = 4;
    /// Scripts cannot call it.
    NOSCRIPT = 5;
    /// It may wait on the server for something to happen.
    BLOCKING = 6;
    /// It is allowed while the server loads its data.
    LOADING = 7;
    /// It is allowed on a replica with stale data.
    STALE = 8;
    /// It takes constant or logarithmic time.
    FAST = 9;
    /// It is allowed before authentication.
    NOAUTH = 10;
    /// It may write to replicas.
    MAY_REPLICATE = 11;
    /// It is not allowed in a transaction.
    NO_MULTI = 12;
    /// It is refused while the server loads its data asynchronously.
    NO_ASYNC_LOADING = 13;
    /// Its keys may be left out.
    NO_MANDATORY_KEYS = 14;
    /// Its keys have no fixed place.
    MOVABLEKEYS = 15;
    /// It is allowed while a script blocks the server.
    ALLOW_BUSY = 16;
    /// MONITOR does not show it.
    SKIP_MONITOR = 17;
    /// The slow log does not show it.
    SKIP_SLOWLOG = 18;
    /// Its reply is sorted for scripts.
    SORT_FOR_SCRIPT = 19;
    /// Its reply is random.
    RANDOM = 20;
    /// A write whose repetition changes neither the data nor the reply.
    IDEMPOTENT = 24;
    /// It changes the state of the connection it runs on.
    SESSION = 25;
    /// The server closes the connection instead of an answer.
    ENDS_CONNECTION = 26;
}

impl Flags {
    /// The flags of both.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of the flags of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

#[derive(Clone)]
struct Item<'a> {
    slot: u8,
    key: bool,
    arg: Arg<'a>,
}

/// A command with its arguments, in the order of the wire. Only the generated methods and
/// [`Executor::command`](crate::Executor::command) make one.
#[derive(Clone)]
pub struct Command<'a> {
    spec: &'static Spec,
    flags: Flags,
    block: Option<Timeout>,
    /// A deadline for this call instead of the connection's.
    reply_timeout: Option<Duration>,
    /// Sorted by slot.
    items: SmallVec<[Item<'a>; 4]>,
}

impl<'a> Command<'a> {
    /// A command without arguments so far.
    #[inline]
    pub fn new(spec: &'static Spec) -> Self {
        Self {
            spec,
            flags: spec.flags,
            block: None,
            reply_timeout: None,
            items: SmallVec::new(),
        }
    }

    /// Adds an argument to a slot.
    #[inline]
    pub fn push(&mut self, slot: u8, arg: Arg<'a>) {
        self.insert(Item {
            slot,
            key: false,
            arg,
        });
    }

    /// Adds a key to a slot.
    #[inline]
    pub fn push_key(&mut self, slot: u8, arg: Arg<'a>) {
        self.insert(Item {
            slot,
            key: true,
            arg,
        });
    }

    fn insert(&mut self, item: Item<'a>) {
        // Nearly always the slots come in order.
        let mut at = self.items.len();
        while at > 0
            && self
                .items
                .get(at - 1)
                .is_some_and(|before| before.slot > item.slot)
        {
            at -= 1;
        }
        if at == self.items.len() {
            self.items.push(item);
        } else {
            self.items.insert(at, item);
        }
    }

    /// Makes room for a list of `additional` arguments.
    pub fn reserve(&mut self, additional: usize) {
        self.items.reserve(additional);
    }

    /// Adds a token to a slot.
    pub fn token(&mut self, slot: u8, token: &'static str) {
        self.push(slot, Arg::from_text(token));
    }

    /// Adds a number of elements to a slot.
    pub fn count(&mut self, slot: u8, count: usize) {
        self.push(slot, Arg::from_u64(count as u64));
    }

    /// Adds the arguments of a fragment to a slot.
    pub fn push_fragment<'b: 'a>(&mut self, slot: u8, fragment: Fragment<'b>) {
        for (key, arg) in fragment.items {
            self.insert(Item { slot, key, arg });
        }
    }

    /// Removes the arguments in the slots from `low` to `high`.
    pub fn clear(&mut self, low: u8, high: u8) {
        self.items
            .retain(|item| item.slot < low || item.slot > high);
    }

    /// Adds to the flags of this call.
    pub fn add_flags(&mut self, flags: Flags) {
        self.flags.0 |= flags.0;
    }

    /// Takes from the flags of this call.
    pub fn remove_flags(&mut self, flags: Flags) {
        self.flags.0 &= !flags.0;
    }

    /// The server holds its answer back for as long as this.
    pub fn block_for(&mut self, timeout: Timeout) {
        self.block = Some(timeout);
    }

    pub(crate) fn set_reply_timeout(&mut self, timeout: Duration) {
        self.reply_timeout = Some(timeout);
    }

    /// The name: `CONFIG GET`. Of a command that is in no table, its first word.
    pub fn name(&self) -> Cow<'static, str> {
        match (self.spec.name, self.items.first()) {
            ("", Some(item)) => Cow::Owned(
                item.arg
                    .with_bytes(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            ),
            (name, _) => Cow::Borrowed(name),
        }
    }

    /// The facts of the table.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The table's flags, changed by the options of this call.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Whether the server executes it twice without harm: it only reads, or it is idempotent.
    pub fn is_repeatable(&self) -> bool {
        self.flags
            .intersects(Flags::READONLY.union(Flags::IDEMPOTENT))
    }

    /// How long the server may hold its answer back.
    pub fn blocks_for(&self) -> Option<Duration> {
        if !self.flags.contains(Flags::BLOCKING) {
            return None;
        }
        Some(self.block.and_then(|timeout| timeout.0).unwrap_or_default())
    }

    pub(crate) fn reply_timeout(&self) -> Option<Duration> {
        self.reply_timeout
    }

    /// Calls `f` with each key.
    pub fn for_each_key(&self, mut f: impl FnMut(&[u8])) {
        for item in self.items.iter().filter(|item| item.key) {
            item.arg.with_bytes(&mut f);
        }
    }

    /// Whether the options of this call go together.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.block == Some(Timeout(None)) {
            let message = "its timeout is negative or no number; 0 waits for ever";
            return Err(Error::argument(message).for_command(self.name()));
        }
        if self.items.is_empty() && self.spec.words == 0 {
            // To an empty array a server has no answer: the next command's would be taken for it.
            return Err(Error::argument("the command has no name"));
        }
        if self.spec.words == 0 {
            self.check_custom()?;
        }
        let used = |slot| self.items.iter().any(|item| item.slot == slot);
        for need in self.spec.needs {
            if used(need.slot) && !used(need.of) {
                let message = format!(
                    "`{}` needs `{}`: call `.{}(…)` too",
                    need.name, need.of_name, need.of_name
                );
                return Err(Error::argument(message).for_command(self.name()));
            }
        }
        Ok(())
    }

    /// Commands whose answers are no replies, or which change what later replies are, would get the
    /// replies of others.
    fn check_custom(&self) -> Result<(), Error> {
        let is_this = |spec: &&Spec| {
            let mut words = self.items.iter();
            spec.name.split(' ').all(|word| {
                let given = words.next();
                given.is_some_and(|given| {
                    given
                        .arg
                        .with_bytes(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
                })
            })
        };
        let driven = spec::DRIVEN
            .iter()
            .find(|spec| spec.flags.contains(Flags::SESSION) && is_this(spec));
        match driven {
            None => Ok(()),
            Some(spec) => {
                let message = "the client sends it itself, where it belongs: see `multi`, `watch`, `start_subscribe`, `close`";
                Err(Error::argument(message).for_command(spec.name))
            }
        }
    }

    /// At least as many bytes as [`encode`](Self::encode) writes.
    pub(crate) fn size_hint(&self) -> usize {
        let arguments: usize = self
            .items
            .iter()
            .map(|item| item.arg.size_hint() + 16)
            .sum();
        self.spec.wire.len() + 16 + arguments
    }

    /// Writes the command as RESP.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(self.size_hint());
        header(out, b'*', self.items.len() + usize::from(self.spec.words));
        out.put_slice(self.spec.wire);
        for item in &self.items {
            item.arg.with_bytes(|bytes| {
                header(out, b'$', bytes.len());
                out.put_slice(bytes);
                out.put_slice(b"\r\n");
            });
        }
    }
}

#[inline]
fn header(out: &mut BytesMut, tag: u8, count: usize) {
    out.put_u8(tag);
    out.put_slice(itoa::Buffer::new().format(count).as_bytes());
    out.put_slice(b"\r\n");
}

impl fmt::Debug for Command<'_> {
    /// Without the arguments: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("name", &self.name())
            .field("arguments", &self.items.len())
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

/// A group of arguments that belong together (`BYRADIUS 10 km`), on their way into a command.
#[derive(Debug, Clone, Default)]
pub struct Fragment<'a> {
    items: SmallVec<[(bool, Arg<'a>); 4]>,
}

impl<'a> Fragment<'a> {
    /// No argument so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument.
    pub fn push(&mut self, arg: Arg<'a>) {
        self.items.push((false, arg));
    }

    /// Adds a key.
    pub fn push_key(&mut self, arg: Arg<'a>) {
        self.items.push((true, arg));
    }

    /// Adds a token.
    pub fn token(&mut self, token: &'static str) {
        self.push(Arg::from_text(token));
    }
}
