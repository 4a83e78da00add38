//! Mal, a member like the others, and all that Mal's device knows.

use crate::body::{Body, Content};
use crate::conversation::tests_kit::{CommitParcel, Secrets};
use crate::head::{Claims, Payload, SignedHead};
use crate::ids::ChatId;
use crate::io::{ChatState, Command};
use crate::parcel::{PARTS_MAX, Packed, pack};
use crate::policy::Change;
use crate::world::World;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use undertone_crypto::cell::seal;
use undertone_crypto::{LeafKey, SlotKeys};
use undertone_wire::{Cell, encode};

/// Ada's group of three, and what Mal knows of it.
pub(super) struct Evil {
    pub(super) world: World,
    pub(super) ada: ChatId,
    pub(super) mal: ChatId,
    rng: ChaCha20Rng,
}

impl Evil {
    pub(super) fn new(seed: u64) -> Self {
        Self::prepared(seed, |_| {})
    }

    /// Mal prepares something before meeting anybody.
    pub(super) fn prepared(seed: u64, prepare: impl FnOnce(&mut World)) -> Self {
        let mut world = World::new(seed, &["Ada", "Ben", "Mal"]);
        prepare(&mut world);
        world.meet("Ada", "Ben");
        world.meet("Ada", "Mal");
        world.group("Ada", "Desk", &["Ben", "Mal"]);
        let (ada, mal) = (world.chat("Ada", "Desk"), world.chat("Mal", "Desk"));
        Self { world, ada, mal, rng: ChaCha20Rng::seed_from_u64(seed) }
    }

    pub(super) fn secrets(&mut self) -> Secrets {
        let account = &mut self.world.person("Mal").account;
        account.conversation_for_tests(self.mal).secrets()
    }

    pub(super) fn mal_key(&mut self) -> LeafKey {
        self.world.person("Mal").account.leaf_key_for_tests()
    }

    pub(super) fn leaf_of(&mut self, name: &'static str) -> u32 {
        let identity = self.world.identity(name);
        self.secrets().leaf_of(&identity)
    }

    pub(super) fn control(&mut self) -> SlotKeys {
        let server = self.world.server.info().server;
        self.secrets().control().keys(&server)
    }

    /// The next slot of somebody's lane that nobody has written to.
    pub(super) fn lane(&mut self, name: &'static str) -> SlotKeys {
        let (server, leaf) = (self.world.server.info().server, self.leaf_of(name));
        self.secrets().lane(leaf).keys(&server)
    }

    pub(super) fn cell(&mut self, keys: &SlotKeys, content: &[u8]) -> Cell {
        seal(keys, content, &mut self.rng).expect("it fits")
    }

    pub(super) fn put(&mut self, keys: &SlotKeys, content: &[u8]) {
        let cell = self.cell(keys, content);
        self.world.put_raw(keys, cell);
        self.world.rest();
    }

    pub(super) fn pack(&mut self, payload: &[u8]) -> Packed {
        let server = self.world.server.info().server;
        pack(payload, PARTS_MAX, &server, &mut self.rng).expect("it fits")
    }

    pub(super) fn store_parts(&mut self, packed: &Packed) {
        for (keys, cell) in &packed.parts {
            self.world.put_raw(keys, cell.clone());
        }
        self.world.rest();
    }

    /// A control cell in Mal's name with this parcel.
    pub(super) fn commit(&mut self, payload: &CommitParcel, claims: impl FnOnce(&mut Claims)) {
        let packed = self.pack(&encode(payload));
        self.store_parts(&packed);
        let mut said = Claims {
            leaf: self.leaf_of("Mal"),
            place: 0,
            change: payload.change.hash(),
            body: [0; 32],
        };
        claims(&mut said);
        let (keys, key) = (self.control(), self.mal_key());
        let head = SignedHead::sign(&key, &keys.tag, said, Payload::Parcel(packed.reference));
        self.put(&keys, &encode(&head));
    }

    pub(super) fn skipped(&mut self, name: &str, check: &str) -> u64 {
        let chat = self.ada;
        let account = &mut self.world.person(name).account;
        account.conversation_for_tests(chat).skipped().get(check).copied().unwrap_or(0)
    }

    /// Whatever Mal did was skipped by Ada for this reason, and the group goes on.
    pub(super) fn assert_void(&mut self, check: &str) {
        assert_eq!(self.skipped("Ada", check), 1, "skipped for {check}");
        let (ada, ben) = (self.ada, self.world.chat("Ben", "Desk"));
        self.world.say("Ada", ada, "we go on");
        self.world.say("Ben", ben, "so we do");
        self.world.rest();
        let transcript = self.world.transcript("Ada", ada);
        assert_eq!(self.world.transcript("Ben", ben), transcript);
        assert!(transcript.contains(&"Ada: we go on".to_owned()), "{transcript:?}");
        assert!(transcript.contains(&"Ben: so we do".to_owned()), "{transcript:?}");
        let name = crate::ids::Name::parse("Newsroom").expect("a name");
        self.world.command("Ada", Command::Rename { chat: ada, name }).expect("renamed");
        self.world.pass(1_000);
        assert_eq!(self.world.chat("Ben", "Newsroom"), ben, "commits go on too");
        for name in ["Ada", "Ben"] {
            assert!(self.world.gaps(name).is_empty() && self.world.alarms(name).is_empty());
        }
    }

    pub(super) fn assert_stuck(&mut self) {
        for name in ["Ada", "Ben"] {
            let chat = self.world.chats(name).into_iter().find(|c| c.name.as_str() == "Desk");
            assert_eq!(chat.map(|chat| chat.state), Some(ChatState::Stuck), "{name}");
        }
    }
}

pub(super) fn nothing() -> CommitParcel {
    CommitParcel { change: Change::default(), commit: b"junk".to_vec().into() }
}

/// A lane cell in Mal's own next slot.
pub(super) fn lane_cell(evil: &mut Evil, claims: Claims, payload: Payload) {
    let (keys, key) = (evil.lane("Mal"), evil.mal_key());
    let head = SignedHead::sign(&key, &keys.tag, claims, payload);
    evil.put(&keys, &encode(&head));
}

pub(super) fn claims(evil: &mut Evil) -> Claims {
    let (leaf, place) = (evil.leaf_of("Mal"), evil.secrets().place_of_own());
    Claims { leaf, place, change: [0; 32], body: [0; 32] }
}

pub(super) fn bytes(text: &[u8]) -> Payload {
    Payload::Inline(text.to_vec().into())
}

/// A message of Mal's that counts, whatever its body says.
pub(super) fn say(evil: &mut Evil, body: &Body) {
    let (mal, body) = (evil.mal, encode(body));
    let sealed = evil.world.person("Mal").account.encrypt_for_tests(mal, &[], &body);
    // Mal's own device stops at the first cell that it did not write: Ada knows how far the lane is.
    let (server, leaf, ada) = (evil.world.server.info().server, evil.leaf_of("Mal"), evil.ada);
    let known = evil.world.person("Ada").account.conversation_for_tests(ada).secrets();
    let (keys, key) = (known.lane(leaf).keys(&server), evil.mal_key());
    let (place, body) = (known.place_of(leaf), Body::commitment(&body));
    let said = Claims { leaf, place, change: [0; 32], body };
    let head = SignedHead::sign(&key, &keys.tag, said, Payload::Inline(sealed.into()));
    evil.put(&keys, &encode(&head));
}

/// A text of Mal's to the group.
pub(super) fn text(evil: &mut Evil, text: &str) -> Body {
    let mal = evil.mal;
    let account = &mut evil.world.person("Mal").account;
    let conversation = account.conversation_for_tests(mal).conversation;
    body_of(conversation, &Content::Text(text.as_bytes().to_vec().into()))
}

pub(super) fn body_of(conversation: [u8; 32], content: &Content) -> Body {
    let (kind, content) = content.to_parts();
    Body {
        conversation,
        device_list: 1,
        salt: [2; 16],
        number: 9,
        sent_ms: 0,
        kind,
        content: content.into(),
        blinding: [3; 32],
    }
}
