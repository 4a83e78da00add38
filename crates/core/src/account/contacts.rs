//! People known here: their names, device lists and KeyPackages.

use super::{Me, News, Task};
use crate::body::{Door, Packages};
use crate::ids::{ChatId, Name};
use crate::io::Event;
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use undertone_crypto::mls::{KeyPackageInfo, Member, inspect_key_package};
use undertone_crypto::{EnvelopePublic, IdentityKey, ListFault, SignedDeviceList};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{decode, encode};

/// Most single-use KeyPackages kept of one contact.
const PACKAGES_MAX: usize = 8;

/// Everybody who was ever met here, contacts or not.
pub(crate) struct Contacts {
    own: IdentityKey,
    people: BTreeMap<IdentityKey, Person>,
}

#[derive(Serialize, Deserialize)]
struct Person {
    identity: IdentityKey,
    /// The conversation with them; only contacts have one.
    chat: Option<ChatId>,
    /// The name that they give themselves.
    claimed: Name,
    /// The name that they have here.
    local: Option<Name>,
    verified: bool,
    list: Option<Vec<u8>>,
    packages: Vec<Vec<u8>>,
    last_resort: Option<Vec<u8>>,
    /// Where to ask them to begin the conversation anew.
    #[serde(default)]
    door: Option<Vec<u8>>,
}

impl Contacts {
    pub(super) fn new(me: &Me) -> Self {
        let mut contacts = Self { own: me.identity, people: BTreeMap::new() };
        let own = contacts.person(me.identity, &me.name);
        own.list = Some(encode(&me.list));
        contacts
    }

    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let person: Person = from_bytes(bytes)?;
        self.people.insert(person.identity, person);
        Ok(())
    }

    fn person(&mut self, identity: IdentityKey, claimed: &Name) -> &mut Person {
        self.people.entry(identity).or_insert_with(|| Person {
            identity,
            chat: None,
            claimed: claimed.clone(),
            local: None,
            verified: false,
            list: None,
            packages: Vec::new(),
            last_resort: None,
            door: None,
        })
    }

    fn save(&self, identity: &IdentityKey, news: &mut News) {
        let person = self.people.get(identity);
        let key = [b"p", &identity.0[..]].concat();
        news.record("account", key, person.map(to_bytes));
    }

    /// A person has become a contact, in this conversation.
    pub(super) fn add(
        &mut self,
        identity: IdentityKey,
        name: &Name,
        chat: ChatId,
        list: &SignedDeviceList,
        news: &mut News,
    ) {
        let person = self.person(identity, name);
        person.chat = Some(chat);
        person.claimed = name.clone();
        self.learn(true, name, list, news);
    }

    /// A contact's list that came with their request to begin anew.
    pub(super) fn follow_list(&mut self, list: &SignedDeviceList, news: &mut News) {
        let name = self.claimed_name(&list.identity).unwrap_or_else(|| Name::tamed(""));
        self.learn(false, &name, list, news);
    }

    /// One's own list is another one now.
    pub(super) fn set_own(&mut self, me: &Me) {
        if let Some(own) = self.people.get_mut(&self.own) {
            own.list = Some(encode(&me.list));
        }
    }

    /// Somebody whose conversation is about to be joined.
    pub(super) fn learn_before_joining(
        &mut self,
        identity: IdentityKey,
        name: &Name,
        list: &SignedDeviceList,
    ) {
        self.person(identity, name).list.get_or_insert_with(|| encode(list));
    }

    /// First contact in `chat` came to nothing; another one with the same person may live.
    pub(super) fn remove(
        &mut self,
        identity: &IdentityKey,
        chat: ChatId,
        other: Option<ChatId>,
        news: &mut News,
    ) {
        if let Some(person) = self.people.get_mut(identity)
            && person.chat == Some(chat)
        {
            person.chat = other;
            self.save(identity, news);
        }
    }

    /// Whether a device list may be followed: genuine, and no older one than is known.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn judge_list(&self, list: &SignedDeviceList) -> Result<(), ListFault> {
        judge_list(list, self.known_list(&list.identity).as_ref())
    }

    fn known_list(&self, identity: &IdentityKey) -> Option<SignedDeviceList> {
        let list = self.people.get(identity)?.list.as_ref()?;
        decode(list).ok()
    }

    /// What a person said of themselves. A later name never takes the place of one given here.
    pub(crate) fn learn(
        &mut self,
        contact: bool,
        name: &Name,
        list: &SignedDeviceList,
        news: &mut News,
    ) {
        let identity = list.identity;
        if identity == self.own {
            return;
        }
        let taken = self.is_taken(name, &identity);
        let person = self.person(identity, name);
        if contact && !taken {
            person.claimed = name.clone();
        }
        let known = person.list.as_ref().and_then(|bytes| decode::<SignedDeviceList>(bytes).ok());
        match judge_list(list, known.as_ref()) {
            Ok(()) if known.as_ref() != Some(list) => {
                person.list = Some(encode(list));
                news.task(Task::ListChanged);
            }
            Ok(()) => {}
            Err(ListFault::Older { .. }) => {}
            Err(fault) => {
                let text = format!("{name} shows a device list that is not right: {fault}.");
                news.event(Event::Alarm { code: "device_list".to_owned(), text });
            }
        }
        self.save(&identity, news);
    }

    /// Whether somebody else bears this name: nobody takes over another's by a later renaming.
    fn is_taken(&self, name: &Name, by_other_than: &IdentityKey) -> bool {
        let others = self.people.keys().filter(|identity| *identity != by_other_than);
        others.filter_map(|identity| self.known_name(identity)).any(|known| known == *name)
    }

    /// KeyPackages that a contact's device sent; they take the place of the ones before.
    pub(crate) fn take_packages(&mut self, author: &Member, packages: Packages, news: &mut News) {
        let Some(person) = self.people.get_mut(&author.identity) else { return };
        let fits = |bytes: &[u8]| {
            inspect_key_package(bytes).is_ok_and(|info| {
                (info.identity, info.device, info.mls_key)
                    == (author.identity, author.device, author.mls_key)
            })
        };
        let single = packages.single.iter().map(|package| package.as_slice().to_vec());
        person.packages = single.filter(|bytes| fits(bytes)).take(PACKAGES_MAX).collect();
        if fits(packages.last_resort.as_slice()) {
            person.last_resort = Some(packages.last_resort.as_slice().to_vec());
        }
        self.save(&author.identity, news);
    }

    /// Where a contact can be asked to begin the conversation anew.
    pub(crate) fn take_door(&mut self, identity: &IdentityKey, door: Door, news: &mut News) {
        // One that nobody can write to takes no better one's place.
        let usable = EnvelopePublic(door.envelope.as_slice().to_vec()).is_key();
        if let Some(person) = self.people.get_mut(identity).filter(|_| usable) {
            person.door = Some(encode(&door));
            self.save(identity, news);
        }
    }

    /// As it was told last.
    pub(super) fn door_of(&self, identity: &IdentityKey) -> Option<Door> {
        decode(self.people.get(identity)?.door.as_ref()?).ok()
    }

    /// A KeyPackage of a contact, with the number of the device list that names it. Single-use ones
    /// are gone afterwards.
    pub(crate) fn package_for(
        &mut self,
        identity: &IdentityKey,
        news: &mut News,
    ) -> Option<(KeyPackageInfo, u64, Vec<u8>)> {
        let person = self.people.get_mut(identity)?;
        let list: SignedDeviceList = decode(person.list.as_ref()?).ok()?;
        let listed = |bytes: &Vec<u8>| {
            let info = inspect_key_package(bytes).ok()?;
            list.names(info.device, &info.mls_key).then_some(info)
        };
        let single = std::iter::from_fn(|| person.packages.pop());
        let mut found = single.filter_map(|bytes| Some((listed(&bytes)?, bytes)));
        let found = found.next().or_else(|| {
            let bytes = person.last_resort.clone()?;
            Some((listed(&bytes)?, bytes))
        });
        self.save(identity, news);
        found.map(|(info, bytes)| (info, list.list.number, bytes))
    }

    /// Whether a KeyPackage of this person is at hand.
    pub(crate) fn has_package(&self, identity: &IdentityKey) -> bool {
        let person = self.people.get(identity);
        person.is_some_and(|it| !it.packages.is_empty() || it.last_resort.is_some())
    }

    /// Whether the newest list known of a member's owner names the member's device. Of whom no list
    /// is known, nothing can be said.
    pub(crate) fn lists(&self, member: &Member) -> bool {
        let list = self.known_list(&member.identity);
        let named = list.is_none_or(|list| list.names(member.device, &member.mls_key));
        named || is_off(Check::ListedLeaf)
    }

    /// The name of a contact, or of oneself.
    pub(crate) fn known_name(&self, identity: &IdentityKey) -> Option<Name> {
        let person = self.people.get(identity)?;
        let known = person.chat.is_some() || person.local.is_some();
        known.then(|| person.local.clone().unwrap_or_else(|| person.claimed.clone()))
    }

    /// As [`known_name`](Self::known_name), with a word where there is none.
    pub(crate) fn name_of(&self, identity: &IdentityKey) -> Name {
        self.known_name(identity).unwrap_or_else(|| Name::tamed(""))
    }

    /// The name that a contact gives themselves: what may be told to others.
    pub(crate) fn claimed_name(&self, identity: &IdentityKey) -> Option<Name> {
        self.people.get(identity).map(|person| person.claimed.clone())
    }

    /// Whether a name was given or confirmed here.
    pub(crate) fn is_named_here(&self, identity: &IdentityKey) -> bool {
        self.people.get(identity).is_some_and(|person| person.local.is_some())
    }

    /// Whether the safety number was compared.
    pub(crate) fn is_verified(&self, identity: &IdentityKey) -> bool {
        self.people.get(identity).is_some_and(|person| person.verified)
    }

    /// The conversation with a contact.
    pub(crate) fn chat_with(&self, identity: &IdentityKey) -> Option<ChatId> {
        self.people.get(identity)?.chat
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn forge_package_for_tests(
        &mut self,
        identity: IdentityKey,
        package: Vec<u8>,
    ) -> Vec<u8> {
        let info = inspect_key_package(&package).expect("a package");
        let person = self.people.get_mut(&identity).expect("somebody known");
        let known = person.list.clone().expect("a list");
        let mut list: SignedDeviceList = decode(&known).expect("a list");
        list.list.devices =
            vec![undertone_crypto::Device { id: info.device, mls_key: info.mls_key }];
        person.list = Some(encode(&list));
        person.packages = vec![package];
        known
    }

    /// Knows this list again, which was known before.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn put_list_back(&mut self, identity: &IdentityKey, list: Vec<u8>) {
        self.people.get_mut(identity).expect("somebody known").list = Some(list);
    }

    #[cfg(test)]
    pub(super) fn use_up_packages_for_tests(&mut self, identity: &IdentityKey) {
        self.people.get_mut(identity).expect("somebody known").packages.clear();
    }

    /// As if a later list of this person were known.
    #[cfg(test)]
    pub(super) fn renumber_list_for_tests(&mut self, identity: &IdentityKey, number: u64) {
        let person = self.people.get_mut(identity).expect("somebody known");
        let list = person.list.as_ref().expect("a list");
        let mut list: SignedDeviceList = decode(list).expect("a list");
        list.list.number = number;
        person.list = Some(encode(&list));
    }

    pub(super) fn rename(&mut self, identity: &IdentityKey, name: Name, news: &mut News) {
        if let Some(person) = self.people.get_mut(identity) {
            person.local = Some(name);
            self.save(identity, news);
        }
    }

    pub(super) fn confirm(&mut self, identity: &IdentityKey, news: &mut News) {
        if let Some(person) = self.people.get_mut(identity) {
            person.verified = true;
            person.local.get_or_insert_with(|| person.claimed.clone());
            self.save(identity, news);
        }
    }
}

fn judge_list(list: &SignedDeviceList, known: Option<&SignedDeviceList>) -> Result<(), ListFault> {
    list.verify()?;
    known.map_or(Ok(()), |known| list.follows(known))
}
