//! A member who writes as often as they like, anywhere.

use crate::stage::Stage;
use undertone_core::{
    ChatId,
    fuzzing::{self, Carried, Insider, Parts, Said},
};
use undertone_crypto::SlotKeys;
use undertone_wire::{Cell, Tag, encode};

/// The number of everybody's next message in the group: the hello and the good morning were before.
pub(crate) const NEXT_NUMBER: u64 = 3;

/// What a device knows at one moment: it can write more than once to one slot.
pub(crate) struct Twice {
    pub(crate) insider: Insider,
    who: usize,
    chat: ChatId,
}

impl Twice {
    /// What somebody knows now.
    pub(crate) fn of(stage: &mut Stage, who: usize) -> Self {
        let chat = stage.desk(who);
        Self { insider: stage.insider(who), who, chat }
    }

    /// The next slot of the own lane.
    pub(crate) fn own_slot(&self) -> SlotKeys {
        self.insider.lane(self.insider.own_index(), 0)
    }

    pub(crate) fn tag(&self) -> Tag {
        self.own_slot().tag
    }

    /// A text in the own slot, in the own name.
    pub(crate) fn say(&mut self, stage: &mut Stage, text: &str) {
        self.say_as(stage, NEXT_NUMBER, text);
    }

    /// The same with a number of one's own choice.
    pub(crate) fn say_as(&mut self, stage: &mut Stage, number: u64, text: &str) {
        let account = &stage.world.devices[self.who].account;
        let body = fuzzing::text_of(account, self.chat, number, text).expect("a live group");
        let (said, head) = (self.insider.honest(&body), self.head(stage));
        self.send(stage, &body, &head, said);
    }

    /// A body in the own slot, with this beside it and these claims.
    pub(crate) fn send(&mut self, stage: &mut Stage, body: &[u8], aad: &[u8], said: Said) {
        let mls = self.encrypt(stage, body, aad);
        self.put_signed(stage, &self.own_slot(), said, &Carried::Inline(&mls));
    }

    pub(crate) fn encrypt(&self, stage: &mut Stage, body: &[u8], aad: &[u8]) -> Vec<u8> {
        let account = &mut stage.world.devices[self.who].account;
        fuzzing::encrypt(account, self.chat, aad, body).expect("a live group")
    }

    /// A cell at `keys`, signed by this member.
    pub(crate) fn put_signed(
        &self,
        stage: &mut Stage,
        keys: &SlotKeys,
        said: Said,
        carried: &Carried<'_>,
    ) {
        let content = self.insider.sign(keys, said, carried);
        self.put(stage, keys, &content);
    }

    /// A sealed cell at `keys`, with anything in it.
    pub(crate) fn put(&self, stage: &mut Stage, keys: &SlotKeys, content: &[u8]) {
        let cell = self.seal(stage, keys, content);
        stage.put(keys, cell);
    }

    pub(crate) fn seal(&self, stage: &mut Stage, keys: &SlotKeys, content: &[u8]) -> Cell {
        fuzzing::seal(keys, content, &mut stage.rng).expect("it fits a cell")
    }

    pub(crate) fn parcel(&self, stage: &mut Stage, payload: &[u8]) -> Parts {
        self.insider.parcel(payload, &mut stage.rng).expect("it fits a parcel")
    }

    /// Stores a parcel's parts.
    pub(crate) fn store(&self, stage: &mut Stage, parts: &Parts) {
        for (keys, cell) in &parts.cells {
            stage.put_at(keys.tag, keys.write, cell.clone());
        }
        stage.world.rest();
    }

    /// A commit in the next control slot: this declared change on these MLS bytes.
    pub(crate) fn commit(
        &self,
        stage: &mut Stage,
        change: &[u8],
        mls: &[u8],
        claims: impl FnOnce(&mut Said),
    ) {
        let (payload, hash) = self.insider.commit(change, mls);
        let parts = self.parcel(stage, &payload);
        self.store(stage, &parts);
        let mut said = Said { place: 0, change: hash, body: [0; 32], ..self.insider.honest(&[]) };
        claims(&mut said);
        self.put_signed(stage, &self.insider.control(0), said, &Carried::Parcel(&parts));
    }

    /// A true MLS commit that changes nothing but keys.
    pub(crate) fn mls_commit(&self, stage: &mut Stage) -> Vec<u8> {
        self.mls_removal(stage, Vec::new())
    }

    /// A true MLS commit that removes these leaves.
    pub(crate) fn mls_removal(&self, stage: &mut Stage, leaves: Vec<u32>) -> Vec<u8> {
        let account = &mut stage.world.devices[self.who].account;
        fuzzing::mls_commit(account, self.chat, leaves).expect("a live group")
    }

    /// The head that an honest device would show beside a message.
    pub(crate) fn head(&self, stage: &Stage) -> Vec<u8> {
        let head = fuzzing::signed_head(&stage.world.devices[self.who].account);
        encode(&head.expect("it was online"))
    }
}
