//! People with one device each, and a disk that keeps what they persist.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use undertone_crypto::{
    CommitSpec, DeviceId, Group, Identity, KeyPackageBytes, LeafKey, Mls, PendingCommit, Plain,
};

pub(crate) const GROUP: [u8; 32] = [7; 32];
pub(crate) const POLICY: &[u8] = b"everybody may add";

pub(crate) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

pub(crate) struct Person {
    pub(crate) mls: Mls,
    pub(crate) key: LeafKey,
    pub(crate) identity: Identity,
    pub(crate) device: DeviceId,
    pub(crate) disk: Records,
}

impl Person {
    pub(crate) fn new(name: &str) -> Self {
        let mut seed = [0; 32];
        seed[..name.len()].copy_from_slice(name.as_bytes());
        let mut rng = ChaCha20Rng::from_seed(seed);
        let (key, identity) = (LeafKey::random(&mut rng), Identity::random(&mut rng));
        let device = DeviceId(*b"the first device");
        let mls = Mls::load([]).expect("an empty store");
        Self { mls, key, identity, device, disk: Records::new() }
    }

    /// A person whose MLS keys come from `rng`.
    pub(crate) fn seeded(name: &str, rng: &mut ChaCha20Rng) -> Self {
        let mut person = Self::new(name);
        person.mls.reseed(rng);
        person
    }

    pub(crate) fn key_package(&mut self) -> KeyPackageBytes {
        let identity = self.identity.key();
        self.mls.key_package(&self.key, identity, self.device, false).expect("a key package")
    }

    pub(crate) fn create(&mut self) -> Group {
        let (identity, device) = (self.identity.key(), self.device);
        Group::create(&mut self.mls, &self.key, identity, device, &GROUP, POLICY).expect("a group")
    }

    pub(crate) fn commit(&mut self, group: &mut Group, spec: CommitSpec) -> PendingCommit {
        group.commit(&mut self.mls, &self.key, spec).expect("a commit")
    }

    /// Commits and merges at once, as if nobody else were there.
    pub(crate) fn push(&mut self, group: &mut Group, spec: CommitSpec) -> PendingCommit {
        let pending = self.commit(group, spec);
        group.merge_pending(&mut self.mls).expect("the merge");
        pending
    }

    pub(crate) fn join(&mut self, welcome: &PendingCommit, tree: &[u8]) -> Group {
        let welcome = welcome.welcome.as_ref().expect("somebody was added");
        Group::join(&mut self.mls, &self.key, welcome, tree).expect("joining")
    }

    pub(crate) fn say(&mut self, group: &mut Group, text: &str) -> Vec<u8> {
        group.encrypt(&mut self.mls, &self.key, b"head", text.as_bytes()).expect("encrypting")
    }

    pub(crate) fn hear(&mut self, group: &mut Group, bytes: &[u8]) -> Plain {
        group.decrypt(&mut self.mls, bytes).expect("decrypting")
    }

    /// Writes the changes to disk.
    pub(crate) fn persist(&mut self) {
        for (key, value) in self.mls.take_changes() {
            match value {
                Some(value) => self.disk.insert(key, value),
                None => self.disk.remove(&key),
            };
        }
    }

    /// Starts again from what lies on disk.
    pub(crate) fn restart(&mut self) -> Group {
        self.mls = Mls::load(self.disk.clone()).expect("what was written loads");
        Group::load(&self.mls, &GROUP).expect("the group was written")
    }
}

pub(crate) fn adding(packages: impl IntoIterator<Item = KeyPackageBytes>) -> CommitSpec {
    CommitSpec { add: packages.into_iter().collect(), ..CommitSpec::default() }
}

pub(crate) fn healing() -> CommitSpec {
    CommitSpec::default()
}

pub(crate) fn removing(leaf: u32) -> CommitSpec {
    CommitSpec { remove: vec![leaf], ..CommitSpec::default() }
}

/// Ada makes the group and adds Ben.
pub(crate) fn two() -> ((Person, Group), (Person, Group)) {
    let (mut ada, mut ben) = (Person::new("Ada"), Person::new("Ben"));
    let mut adas = ada.create();
    let pending = ada.push(&mut adas, adding([ben.key_package()]));
    let bens = ben.join(&pending, &adas.tree());
    ((ada, adas), (ben, bens))
}

/// Ada makes the group and adds Ben and Chloe.
pub(crate) fn three() -> [(Person, Group); 3] {
    meet(["Ada", "Ben", "Chloe"].map(Person::new))
}

/// The same, and the same keys each time for the same `rng`.
pub(crate) fn three_seeded(rng: &mut ChaCha20Rng) -> [(Person, Group); 3] {
    meet(["Ada", "Ben", "Chloe"].map(|name| Person::seeded(name, rng)))
}

fn meet([mut ada, mut ben, mut chloe]: [Person; 3]) -> [(Person, Group); 3] {
    let mut adas = ada.create();
    let pending = ada.push(&mut adas, adding([ben.key_package(), chloe.key_package()]));
    let bens = ben.join(&pending, &adas.tree());
    let chloes = chloe.join(&pending, &adas.tree());
    [(ada, adas), (ben, bens), (chloe, chloes)]
}
