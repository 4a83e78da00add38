//! Whom the follower believes: the pinned server, its keys, and whether anything was breached.

use super::{Breach, Evidence, HeadMark, LogEvent, LogFollower, walker::Walker};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{
    Answer, Head, HeadRef, Info, KeyRing, KeySuccession, LogProof, PROTOCOL_HIGHEST,
    PROTOCOL_LOWEST, ServerId, ServerKey, SignedHead, encode,
};

/// PUTs in flight that are used at most, whatever a server allows: it bounds what is held twice.
const PUTS_IN_FLIGHT_MAX: usize = 256;

pub(super) struct Trust {
    server: ServerId,
    keys: Option<Keys>,
    limits: Limits,
    halted: bool,
    evidence: Option<Evidence>,
}

/// The keys as they came, for the record, and as they are used.
pub(super) struct Keys {
    pub(super) first: ServerKey,
    pub(super) succession: Vec<KeySuccession>,
    ring: KeyRing,
}

/// What the server says of itself, for this connection.
#[derive(Default)]
struct Limits {
    puts_in_flight: usize,
    retention_ms: u64,
    oldest_tick: u64,
}

impl Trust {
    pub(super) fn new(server: ServerId) -> Self {
        Self { server, keys: None, limits: Limits::default(), halted: false, evidence: None }
    }

    pub(super) fn server(&self) -> ServerId {
        self.server
    }

    pub(super) fn halted(&self) -> bool {
        self.halted || self.has_evidence()
    }

    pub(super) fn has_evidence(&self) -> bool {
        self.evidence.is_some()
    }

    pub(super) fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    pub(super) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    pub(super) fn halt(&mut self, breach: &Breach) {
        self.halted = true;
        // The first pair stays: what follows a breach proves less.
        self.evidence = self.evidence.take().or_else(|| Evidence::of(breach));
    }

    pub(super) fn resume(&mut self) {
        self.halted = false;
    }

    pub(super) fn puts_in_flight_max(&self) -> usize {
        self.limits.puts_in_flight.min(PUTS_IN_FLIGHT_MAX)
    }

    pub(super) fn oldest_tick(&self) -> u64 {
        self.limits.oldest_tick
    }

    pub(super) fn retention_ms(&self) -> u64 {
        self.limits.retention_ms
    }

    /// Takes what the server says of itself; `false` when it speaks no version of ours.
    fn learn(&mut self, info: Info) -> Result<bool, Breach> {
        if info.server != self.server && !is_off(Check::ServerPin) {
            return Err(Breach::WrongServer);
        }
        let known = self.keys.as_ref().map_or(&[][..], |keys| &keys.succession);
        if !info.succession.starts_with(known) {
            return Err(Breach::KeySuccession);
        }
        self.limits = Limits {
            puts_in_flight: usize::from(info.puts_in_flight_max),
            retention_ms: u64::from(info.retention_s) * 1_000,
            oldest_tick: info.oldest_tick,
        };
        self.set_keys(info.first_key, info.succession)?;
        Ok(info.version_lowest <= PROTOCOL_HIGHEST && info.version_highest >= PROTOCOL_LOWEST)
    }

    fn set_keys(&mut self, first: ServerKey, succession: Vec<KeySuccession>) -> Result<(), Breach> {
        if first.server_id() != self.server && !is_off(Check::ServerPin) {
            return Err(Breach::WrongServer);
        }
        let ring = KeyRing::new(&self.server, first, &succession);
        let ring = ring.map_err(|_| Breach::KeySuccession)?;
        self.keys = Some(Keys { first, succession, ring });
        Ok(())
    }

    pub(super) fn restore(
        &mut self,
        keys: Option<(ServerKey, Vec<KeySuccession>)>,
        evidence: Option<Evidence>,
    ) -> Result<(), Breach> {
        self.evidence = evidence;
        keys.map_or(Ok(()), |(first, succession)| self.set_keys(first, succession))
    }

    pub(super) fn ring(&self) -> Result<&KeyRing, Breach> {
        self.keys.as_ref().map(|keys| &keys.ring).ok_or(Breach::Signature)
    }

    /// The head, if the server signed it.
    pub(super) fn head<'a>(&self, signed: &'a SignedHead) -> Result<&'a Head, Breach> {
        self.ring()?.verify(signed).ok_or(Breach::Signature)
    }

    /// The head of a proof and a walk that stands there, if it continues the tree of `own`.
    pub(super) fn continuation<'a>(
        &self,
        proof: &'a LogProof,
        own: &HeadRef,
    ) -> Result<(&'a Head, Walker), Breach> {
        let head = self.head(&proof.head)?;
        let frontier = proof.verify(self.ring()?, own).map_err(|_| {
            let signed = Some(encode(&proof.head));
            Breach::Inconsistent(Evidence::pair(*own, head.to_ref(), signed))
        })?;
        Ok((head, Walker::at(proof.head.clone(), frontier)))
    }
}

/// The tree that every tree continues.
pub(super) fn empty_tree() -> HeadRef {
    HeadMark::beginning().head_ref()
}

impl LogFollower {
    pub(super) fn on_info(&mut self, answer: Answer) -> Result<(), Breach> {
        let Answer::Info(info) = answer else { return Err(Breach::Answer) };
        let (lowest, highest) = (info.version_lowest, info.version_highest);
        let before = self.trust.keys().map(|keys| keys.succession.len());
        if !self.trust.learn(info)? {
            self.out.tell(LogEvent::VersionUnsupported { lowest, highest });
            return Ok(());
        }
        if before != self.trust.keys().map(|keys| keys.succession.len()) {
            super::records::save_trust(&self.trust, &mut self.out.changes);
        }
        self.locate();
        Ok(())
    }
}
