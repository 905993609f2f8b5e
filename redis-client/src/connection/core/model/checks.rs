//! What holds after every event.

use std::collections::BTreeSet;

use super::super::{Incoming, Link, Outgoing, Purpose, Slot, SlotId, State};
use super::caller::{Caller, Calling};
use super::server::MAX_ELEMENT;
use super::world::{MAX_READ, World};
use crate::command::Flags;

impl World {
    pub(super) fn check(&self) {
        self.check_slots();
        self.check_limits();
        self.check_wakers();
        self.check_turns();
        self.check_stream();
    }

    fn slot(&self, id: SlotId) -> &Slot {
        &self.core.slots[id.0 as usize]
    }

    /// Every slot is where its state says.
    fn check_slots(&self) {
        let core = &self.core;
        let free: BTreeSet<SlotId> = core.free.iter().copied().collect();
        assert_eq!(free.len(), core.free.len());
        let is_free = |slot: &Slot| matches!(slot.state, State::Free);
        assert!(free.iter().all(|id| is_free(self.slot(*id))));
        assert_eq!(
            core.slots.iter().filter(|slot| is_free(slot)).count(),
            free.len()
        );

        let ordered: BTreeSet<SlotId> = core.order.iter().copied().collect();
        assert_eq!(ordered.len(), core.order.len());
        let first_unsent = core.order.len() - core.unsent;
        let mut unsent_bytes = 0;
        for (place, id) in core.order.iter().enumerate() {
            let slot = self.slot(*id);
            if place < first_unsent {
                match &slot.state {
                    State::Sent | State::Abandoned => {}
                    State::Streaming(stream) => assert!(place == 0 && stream.end.is_none()),
                    other => panic!("a sent command is {other:?}"),
                }
            } else {
                assert!(matches!(
                    slot.state,
                    State::Queued | State::Abandoned | State::Detached
                ));
                unsent_bytes += slot.len;
            }
        }
        assert_eq!(unsent_bytes, core.outbox.len());
        let waits = |id: &SlotId| matches!(self.slot(*id).state, State::Waiting(false));
        assert!(core.waiting.iter().all(waits));

        let slots: BTreeSet<SlotId> = self.callers.iter().map(|caller| caller.slot).collect();
        assert_eq!(slots.len(), self.callers.len());
        let of = |test: fn(&State) -> bool| core.slots.iter().filter(move |slot| test(&slot.state));
        let waiting = of(|state| matches!(state, State::Waiting(false)));
        assert_eq!(waiting.count(), core.waiting.len());
        let granted = || of(|state| matches!(state, State::Waiting(true)));
        assert_eq!(granted().count(), core.granted);
        assert_eq!(
            granted().map(|slot| slot.len).sum::<usize>(),
            core.granted_bytes
        );
        let somebody =
            of(|state| !matches!(state, State::Free | State::Abandoned | State::Detached));
        assert_eq!(somebody.count(), self.callers.len());
    }

    fn check_limits(&self) {
        let core = &self.core;
        let slots = || core.order.iter().map(|id| self.slot(*id));
        let bytes: usize = slots().map(|slot| slot.len).sum();
        assert_eq!(bytes, core.bytes_in_flight);
        let blocking = slots().filter(|slot| slot.flags.contains(Flags::BLOCKING));
        assert_eq!(blocking.count(), core.blocking);
        let unsent = slots().skip(core.order.len() - core.unsent);
        let detached = unsent.filter(|slot| {
            matches!(slot.state, State::Detached) || slot.purpose == Purpose::Restoration
        });
        let unlimited = self.unlimited() + detached.count();
        assert!(core.order.len() + core.granted <= core.limits.commands.max(1) + unlimited);
        assert!(bytes <= core.limits.bytes || core.order.len() == 1 || unlimited > 0);
    }

    /// Nobody sleeps through what concerns it.
    fn check_wakers(&self) {
        for caller in &self.callers {
            let is_ready = match &self.slot(caller.slot).state {
                State::Waiting(granted) => *granted,
                State::Ready(_) | State::ReadyBatch(_) | State::Failed(_) => true,
                State::Streaming(stream) if caller.stream.is_none() => stream.head.is_some(),
                State::Streaming(stream) => stream.chunk.is_some() || stream.end.is_some(),
                State::Free | State::Queued | State::Sent | State::Detached | State::Abandoned => {
                    false
                }
            };
            let sleeps = caller.sleeper.sleeps();
            assert!(
                !is_ready || !sleeps,
                "caller {} was not woken",
                caller.token
            );
        }
        if self.running && self.has_work() {
            assert!(
                self.driver.is_awake(),
                "the connection's task was not woken"
            );
        }
        if let Some(closer) = &self.closer
            && self.core.in_flight() == 0
        {
            assert!(closer.is_awake(), "who waits for the end was not woken");
        }
    }

    /// First come, first served; and nobody waits without need.
    fn check_turns(&self) {
        let waits =
            |caller: &&Caller| matches!(self.slot(caller.slot).state, State::Waiting(false));
        let first = self
            .callers
            .iter()
            .filter(waits)
            .min_by_key(|caller| caller.token);
        let Some(first) = first else { return };
        for caller in self.callers.iter().filter(|caller| !waits(caller)) {
            let had_turn = caller.fate.is_none() || caller.sent.is_some();
            assert!(
                caller.token < first.token || !had_turn,
                "caller {} came after {}, which still waits",
                caller.token,
                first.token
            );
        }
        let size = Calling::new(first.token, &first.request).size_hint();
        assert!(
            !self.core.has_room(size),
            "there is room for {}",
            first.token
        );
    }

    /// A paused stream holds one piece and a buffer; a dropped one is skipped only so far; and a
    /// connection ends where it has to, and not without need.
    fn check_stream(&self) {
        let core = &self.core;
        let front = core.order.front().map(|id| self.slot(*id));
        let state = front.map(|slot| &slot.state);
        if let Some(State::Streaming(stream)) = state
            && let Some(chunk) = &stream.chunk
        {
            let held = chunk.len() + self.reading.len();
            assert!(held <= core.stream_from + 2 * MAX_READ + MAX_ELEMENT);
        }
        let is_up = matches!(core.link, Link::Up) && self.parting.is_none();
        if is_up && matches!(state, Some(State::Abandoned)) {
            if core.incoming != Incoming::Reply && core.skipped > usize::from(self.limits.skip) {
                assert!(
                    core.give_up.is_some(),
                    "too much of a dropped reply is skipped"
                );
            }
            let is_sent = core.order.len() > core.unsent;
            let is_blocking = front.is_some_and(|slot| slot.flags.contains(Flags::BLOCKING));
            if core.incoming == Incoming::Reply && is_sent && is_blocking {
                assert!(
                    core.give_up.is_some(),
                    "a blocking command goes on for nobody"
                );
            }
        }
        let is_excused = core.give_up.is_none() || self.excused;
        assert!(is_excused, "the connection ends without need");
    }

    /// Nothing is left of any call.
    pub(super) fn check_end(&self) {
        let core = &self.core;
        assert!(self.callers.is_empty());
        assert_eq!(core.in_flight(), 0);
        assert_eq!((core.unsent, core.granted, core.bytes_in_flight), (0, 0, 0));
        assert!(!core.in_blocking_call());
        assert!(core.outbox.is_empty());
        assert_eq!(
            core.free.len(),
            core.slots.len(),
            "slots were not given back"
        );
    }
}
