//! The links made here: their offers, and who may still answer.
//!
//! Two more things are watched as links are, and no person sees them in a list: the *doors* that
//! contacts were given, and where the answer to a request at another's door will stand.

mod watch;

use super::letters::LetterRead;
use super::{Account, Records, damaged, refuse};
use crate::io::{LinkView, Refused, Reply};
use crate::link::{
    LetterKind, LinkKind, LinkUri, OFFER_DAYS, OFFER_SLOTS, Offer, Post, day_of, link_id,
};
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::{EnvelopeSecret, IdentityKey, Secret, envelope};
use undertone_wire::{Prefix, encode};

/// Ticks after which the place from which a link is watched is written down again.
const WATCH_SAVE_TICKS: u64 = 1_000;
/// A day in milliseconds.
const DAY_MS: u64 = 86_400_000;
/// Most links that are alive at once.
const LINKS_MAX: usize = 256;

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LinkState {
    Storing,
    Open,
    Used,
    Expired,
    Revoked,
}

/// What letters to it are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Aim {
    /// First contact: a person made it.
    #[default]
    Contact,
    /// A contact may ask here to begin anew.
    Door {
        /// Who.
        peer: IdentityKey,
        /// It was this person's old device that told of it: another one is told of now.
        old: bool,
    },
    /// The answer to this device's request to begin anew.
    Return {
        /// Whose.
        peer: IdentityKey,
    },
}

/// A link made here.
#[derive(Serialize, Deserialize)]
pub(super) struct MyLink {
    pub id: [u8; 16],
    pub kind: LinkKind,
    #[serde(default)]
    pub aim: Aim,
    pub secret: [u8; 32],
    pub expires_ms: u64,
    pub state: LinkState,
    /// X-Wing secret for the answers.
    pub envelope: Vec<u8>,
    pub envelope_public: Vec<u8>,
    address: String,
    /// KeyPackages of the offers, by day (0 for a one-time link), to be erased with it.
    packages: BTreeMap<u32, Vec<u8>>,
    /// Days whose offer is stored.
    stored_days: BTreeSet<u32>,
    /// Answers that were read.
    pub done: BTreeSet<Post>,
    /// Listings up to here hold no answer that was not read.
    watch_from: u64,
    /// The day of that tick: answers of that day may still come.
    watch_day: u32,
    #[serde(skip)]
    pub reading: BTreeMap<Post, (LetterRead, u64)>,
    #[serde(skip)]
    tickets: Vec<u64>,
    /// Slots that were found taken for what is written under it.
    #[serde(default)]
    pub taken: u16,
}

/// All links made here.
#[derive(Default)]
pub(super) struct Links {
    all: BTreeMap<[u8; 16], MyLink>,
    watched: BTreeMap<Prefix, ([u8; 16], Post)>,
    watched_day: u32,
    cursor: Option<u64>,
    /// How far requests at doors were looked for; known once there is a door.
    pub doors_seen: Option<watch::Seen>,
    /// When the parts of an answer are asked for again.
    pub retry_at_ms: Option<u64>,
    /// Answers that wait for the time of their tick.
    pub untimed: Vec<([u8; 16], Post, Vec<u8>, u64)>,
}

impl MyLink {
    pub(super) fn secret(&self) -> Secret {
        Secret::from_bytes(self.secret)
    }

    pub(super) fn is_watched(&self) -> bool {
        matches!(self.state, LinkState::Storing | LinkState::Open)
    }

    pub(super) fn is_door(&self) -> bool {
        matches!(self.aim, Aim::Door { .. })
    }

    /// Whether a person made it, and sees it in a list.
    fn is_shown(&self) -> bool {
        self.aim == Aim::Contact
    }

    /// What letters to it are.
    pub(super) fn letters(&self) -> LetterKind {
        if self.is_door() { LetterKind::Reentry } else { LetterKind::Answer }
    }

    /// Answers and requests of these days are not looked at any more.
    fn forget_days_before(&mut self, first: u32) {
        self.done.retain(|post| match post {
            Post::DayAnswer { day, .. } | Post::Reentry { day, .. } => *day >= first,
            _ => true,
        });
    }

    fn id_text(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Links {
    pub(super) fn needs_listings_from(&self) -> Option<u64> {
        let links = self.all.values().filter(|link| link.is_watched() && !link.is_door());
        let doors = self.doors_seen.map(|(tick, _)| tick);
        links.map(|link| link.watch_from).chain(doors).min()
    }

    pub(super) fn next_wake_ms(&self) -> Option<u64> {
        self.retry_at_ms
    }

    /// All of one aim.
    pub(super) fn aimed(&self, aim: impl Fn(&Aim) -> bool) -> Vec<[u8; 16]> {
        let links = self.all.values().filter(|link| aim(&link.aim));
        links.map(|link| link.id).collect()
    }

    /// A link made here.
    pub(super) fn link(&self, id: &[u8; 16]) -> Option<&MyLink> {
        self.all.get(id)
    }

    pub(super) fn link_mut(&mut self, id: &[u8; 16]) -> Option<&mut MyLink> {
        self.all.get_mut(id)
    }
}

impl Account {
    pub(super) fn load_links(&mut self, records: Records) -> Result<(), LoadError> {
        for (key, bytes) in records {
            match key.split_first() {
                Some((b'd', _)) => self.links.load_doors_seen(&bytes)?,
                Some((b'l', _)) => {
                    let link: MyLink = from_bytes(&bytes)?;
                    self.links.all.insert(link.id, link);
                }
                Some((b'a', _)) => self.load_accepting(&bytes)?,
                Some((b'j', _)) => self.load_join(&bytes)?,
                Some((b'r', _)) => self.requests.load(&bytes)?,
                _ => return Err(damaged("a link's record")),
            }
        }
        Ok(())
    }

    pub(super) fn save_link(&mut self, id: &[u8; 16]) {
        let link = self.links.all.get(id).map(to_bytes);
        self.news.record("link", [b"l", &id[..]].concat(), link);
    }

    /// Makes a link. The reply comes when its offer is stored.
    pub(super) fn create_link(
        &mut self,
        ticket: u64,
        expires_ms: u64,
        reusable: bool,
    ) -> Result<(), Refused> {
        if expires_ms <= self.clock.wall_ms() {
            return Err(refuse(
                "link_expired",
                "The link would end in the past.",
                "Choose a later time.",
            ));
        }
        let open = self.links.all.values().filter(|link| link.is_watched() && link.is_shown());
        if open.count() >= LINKS_MAX {
            return Err(refuse(
                "too_many",
                &format!("There are {LINKS_MAX} open links already."),
                "Revoke some: `undertone link --list`, `undertone link --revoke ID`.",
            ));
        }
        let kind = if reusable { LinkKind::Reusable } else { LinkKind::OneTime };
        let id = self.new_link(kind, Aim::Contact, expires_ms)?;
        let link = self.links.all.get_mut(&id).ok_or_else(|| internal("gone"))?;
        link.tickets.push(ticket);
        if reusable {
            self.offer_days(id)?;
        } else {
            self.offer(id, Post::Offer, 0)?;
        }
        self.save_link(&id);
        Ok(())
    }

    /// A secret and an envelope key, watched from now on; not saved yet.
    pub(super) fn new_link(
        &mut self,
        kind: LinkKind,
        aim: Aim,
        expires_ms: u64,
    ) -> Result<[u8; 16], Refused> {
        let (secret_key, public) = envelope::generate(&mut self.rng).map_err(internal)?;
        let secret = Secret::random(&mut self.rng);
        let id = link_id(secret.dangerous_bytes());
        let state = if aim == Aim::Contact { LinkState::Storing } else { LinkState::Open };
        let link = MyLink {
            id,
            kind,
            aim,
            secret: *secret.dangerous_bytes(),
            expires_ms,
            state,
            envelope: secret_key.dangerous_bytes().to_vec(),
            envelope_public: public.0,
            address: self.me.address.clone(),
            packages: BTreeMap::new(),
            stored_days: BTreeSet::new(),
            done: BTreeSet::new(),
            watch_from: self.log.walked(),
            watch_day: self.today(),
            reading: BTreeMap::new(),
            tickets: Vec::new(),
            taken: 0,
        };
        self.links.all.insert(id, link);
        self.links.watched.clear();
        Ok(id)
    }

    fn offer(&mut self, id: [u8; 16], post: Post, day: u32) -> Result<(), Refused> {
        self.check_not_copied()?;
        let Some((secret, offer)) = self.sign_offer(id, post, day)? else { return Ok(()) };
        let posted = self.post_letter(id, &secret, post, LetterKind::Offer, &encode(&offer));
        posted.map_err(internal)
    }

    /// What a link of this device offers at `post`, and the link's secret.
    pub(super) fn sign_offer(
        &mut self,
        id: [u8; 16],
        post: Post,
        day: u32,
    ) -> Result<Option<(Secret, Offer)>, Refused> {
        let (leaf_key, me) = (&self.me.leaf_key, &self.me);
        let Some(link) = self.links.all.get_mut(&id) else { return Ok(None) };
        let lasting = link.kind == LinkKind::Reusable;
        let package = match link.packages.get(&day) {
            Some(package) => package.clone(),
            None => {
                self.mls.key_package(leaf_key, me.identity, me.device, lasting).map_err(internal)?.0
            }
        };
        link.packages.insert(day, package.clone());
        let secret = link.secret();
        let offer = Offer {
            list: me.list.clone(),
            device: me.device,
            package: package.into(),
            envelope: link.envelope_public.clone().into(),
            expires_ms: link.expires_ms,
            signature: [0; 64],
        };
        let tag = post.keys(&secret, &me.server).tag;
        Ok(Some((secret, offer.sign(leaf_key, &tag))))
    }

    /// Stores a reusable address's offers of today and the next days in advance.
    fn offer_days(&mut self, id: [u8; 16]) -> Result<(), Refused> {
        let today = self.today();
        let Some(link) = self.links.all.get(&id) else { return Ok(()) };
        let last = day_of(link.expires_ms).min(today.saturating_add(OFFER_DAYS - 1));
        let missing: Vec<u32> =
            (today..=last).filter(|day| !link.packages.contains_key(day)).collect();
        for day in missing {
            self.offer(id, Post::DayOffer { day, slot: 0 }, day)?;
        }
        self.save_link(&id);
        Ok(())
    }

    /// Days since 1970 by the newest head; by one's own clock while the log is empty.
    pub(super) fn today(&self) -> u32 {
        let head_ms = self.log.time_ms();
        day_of(if head_ms == 0 { self.clock.wall_ms() } else { head_ms })
    }

    /// Once the newest head is known: days go by, links end.
    pub(super) fn tend_addresses(&mut self) {
        if self.copied {
            return;
        }
        let now = self.log.time_ms();
        for id in self.links.all.keys().copied().collect::<Vec<_>>() {
            let Some(link) = self.links.all.get_mut(&id) else { continue };
            if !link.is_watched() {
                continue;
            }
            // An answer whose parts never come does not keep a link for ever: by then they are gone.
            let late = now >= link.expires_ms.saturating_add(u64::from(OFFER_DAYS) * DAY_MS);
            let read = link.reading.is_empty() && !self.joins.comes_by(&id);
            if now >= link.expires_ms && (read || late) {
                self.close_link(id, LinkState::Expired);
            } else if link.kind == LinkKind::Reusable
                && link.is_shown()
                && let Err(refused) = self.offer_days(id)
            {
                self.alarm("offers", &refused.message);
            }
        }
    }

    /// A link is of no use any more: what belonged to it is erased.
    pub(super) fn close_link(&mut self, id: [u8; 16], state: LinkState) {
        let Some(link) = self.links.all.get_mut(&id) else { return };
        link.state = state;
        for package in std::mem::take(&mut link.packages).into_values() {
            if let Err(refused) = self.mls.forget_key_package(&package) {
                let text = format!("A KeyPackage could not be erased ({refused}).");
                self.news.event(crate::io::Event::Alarm { code: "erasure".to_owned(), text });
            }
        }
        link.envelope.clear();
        link.reading.clear();
        let tickets = std::mem::take(&mut link.tickets);
        self.cells.forget_link(&id);
        self.links.watched.clear();
        self.save_link(&id);
        for ticket in tickets {
            let refused = refuse(
                "link_closed",
                "The link was closed before it was stored.",
                "Make another one: `undertone link`.",
            );
            self.news.reply(ticket, Err(refused));
        }
    }

    /// Takes a door, or the way back of a request, out of sight and mind.
    pub(super) fn remove_link(&mut self, id: [u8; 16]) {
        self.close_link(id, LinkState::Revoked);
        self.links.all.remove(&id);
        self.save_link(&id);
    }

    pub(super) fn revoke_link(&mut self, id: &str) -> Result<Reply, Refused> {
        let shown = self.links.all.values().filter(|link| link.is_shown());
        let mut found = shown.filter(|link| link.id_text().starts_with(id));
        let (Some(link), None) = (found.next(), found.next()) else {
            return Err(refuse(
                "not_found",
                "No link, or more than one, has this id.",
                "`undertone link --list` shows them.",
            ));
        };
        let id = link.id;
        if link.is_watched() {
            self.close_link(id, LinkState::Revoked);
        }
        Ok(Reply::Done)
    }

    pub(super) fn link_view(&self, link: &MyLink) -> LinkView {
        let uri = LinkUri {
            kind: link.kind,
            address: link.address.as_bytes().to_vec().into(),
            server: self.me.server,
            secret: link.secret,
            identity: self.me.identity,
            expires_ms: link.expires_ms,
            admission: Vec::new().into(),
        };
        LinkView {
            id: link.id_text(),
            uri: link.is_watched().then(|| uri.to_text()),
            expires_ms: link.expires_ms,
            reusable: link.kind == LinkKind::Reusable,
            state: match link.state {
                LinkState::Storing => "storing",
                LinkState::Open => "open",
                LinkState::Used => "used",
                LinkState::Expired => "expired",
                LinkState::Revoked => "revoked",
            },
        }
    }

    pub(super) fn list_links(&self) -> Reply {
        let shown = self.links.all.values().filter(|link| link.is_shown());
        Reply::Links(shown.map(|link| self.link_view(link)).collect())
    }

    /// An offer is stored: the link may be handed out.
    pub(super) fn on_offer_stored(&mut self, id: [u8; 16], post: Post) {
        let Some(link) = self.links.all.get_mut(&id) else { return };
        let ready = match post {
            Post::DayOffer { day, .. } => {
                link.stored_days.insert(day);
                // The first day's offer makes the address usable.
                link.packages.keys().next().is_none_or(|first| link.stored_days.contains(first))
            }
            _ => true,
        };
        if ready && link.state == LinkState::Storing {
            link.state = LinkState::Open;
            let tickets = std::mem::take(&mut link.tickets);
            let view = self.links.all.get(&id).map(|link| self.link_view(link));
            for ticket in tickets {
                self.news
                    .reply(ticket, view.clone().map(Reply::Link).ok_or_else(|| internal("gone")));
            }
        }
        self.save_link(&id);
    }

    /// Somebody who holds the address squatted an offer slot: the next one of that day is tried.
    pub(super) fn on_offer_taken(&mut self, id: [u8; 16], post: Post) {
        if let Post::DayOffer { day, slot } = post
            && slot + 1 < OFFER_SLOTS
        {
            if let Err(refused) = self.offer(id, Post::DayOffer { day, slot: slot + 1 }, day) {
                self.alarm("offers", &refused.message);
            }
            return;
        }
        self.alarm("offer_taken", "Somebody wrote where only this device's link may: revoked.");
        self.close_link(id, LinkState::Revoked);
    }

    /// The key that opens answers to a link.
    pub(super) fn envelope_of(&self, id: &[u8; 16]) -> Option<EnvelopeSecret> {
        let link = self.links.all.get(id)?;
        Some(EnvelopeSecret::from_bytes(link.envelope.clone()))
    }
}

pub(super) fn internal(cause: impl std::fmt::Display) -> Refused {
    refuse("internal", &format!("Something failed that should not: {cause}."), "Please report it.")
}
