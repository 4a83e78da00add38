//! A profile that was copied or put back, and the new device that it becomes (ADR 0011).
//!
//! Two devices with one set of keys would use one slot, and one generation of a ratchet, twice. So the
//! one that notices stops everywhere and at once, says so, and goes on only as a new device: with a
//! list that the identity signs, a key of its own, and none of the old secrets. What was stuck by that
//! comes back by re-entry like everything that a device has lost.

use super::links::{Aim, LinkState, MyLink};
use super::{Account, refuse};
use crate::conversation::{Conversation, Ctx};
use crate::io::{Refused, Reply};
use rand::RngCore;
use undertone_crypto::{Device, DeviceId, DeviceList, Identity, LeafKey, Secret, SignedDeviceList};

/// The record that says that this profile was copied.
pub(super) const COPIED: &[u8] = b"c";

impl Account {
    /// Somebody else writes in this device's name: nothing more is sent.
    pub(super) fn on_copied(&mut self) {
        if self.copied {
            return;
        }
        self.copied = true;
        self.news.record("account", COPIED.to_vec(), Some(Vec::new()));
        let why = "this profile was copied or put back, and another device writes with its keys";
        self.fail_accepting(&copied());
        self.with_each(|chat, ctx| chat.stop(why, ctx));
        self.cells.forget_all();
        self.alarm(
            "copied_profile",
            "This profile was copied, or put back from an older copy: another device writes with the \
             same keys. Nothing is sent any more. If the other copy is not yours, tell your contacts. \
             To go on here as a new device: `undertone doctor --new-device`. Do not use the other \
             copy again.",
        );
    }

    /// Refuses what a copied profile must not do.
    pub(super) fn check_not_copied(&self) -> Result<(), Refused> {
        if self.copied { Err(copied()) } else { Ok(()) }
    }

    /// Becomes a new device of the same person: `seed` is their identity's secret.
    pub(super) fn become_new_device(&mut self, seed: &Secret) -> Result<Reply, Refused> {
        let identity = Identity::from_bytes(seed.dangerous_bytes());
        if identity.key() != self.me.identity {
            return Err(refuse(
                "not_allowed",
                "This is the secret of another identity.",
                "Use the profile's own.",
            ));
        }
        self.end_old_device();
        self.sign_new_device(&identity);
        self.copied = false;
        self.news.record("account", COPIED.to_vec(), None);
        self.log_moved = true;
        Ok(Reply::Done)
    }

    fn sign_new_device(&mut self, identity: &Identity) {
        let me = &mut self.me;
        let old = me.device;
        self.rng.fill_bytes(&mut me.device.0);
        me.leaf_key = LeafKey::random(&mut self.rng);
        let new = Device { id: me.device, mls_key: me.leaf_key.key() };
        let before = &me.list.list;
        let others = before.devices.iter().filter(|device| device.id != old);
        let mut devices: Vec<_> = others.copied().chain([new]).collect();
        devices.sort_by_key(|device: &Device| -> DeviceId { device.id });
        // An older copy of this profile may sign a list, too: of two, the later one has the higher
        // number, and no contact sees two of one number.
        let number = (before.number + 1).max(self.clock.wall_ms() / 1_000);
        let list =
            DeviceList { number, previous: me.list.hash(), devices, time_ms: self.clock.wall_ms() };
        me.list = SignedDeviceList::sign(identity, list);
        self.contacts.set_own(&self.me);
        self.save_me();
    }

    /// Ends everything that the old device's keys were for. What had not gone out is shown as failed:
    /// the other copy may have sent it.
    fn end_old_device(&mut self) {
        let ended = refuse(
            "link_closed",
            "This device became a new one before it was done.",
            "Do it again.",
        );
        self.fail_accepting(&ended);
        self.drop_joins("this device is a new one");
        self.with_each(|chat, ctx| {
            chat.stop("this device is a new one and has to come back", ctx);
            chat.disown(ctx);
        });
        let links = self.links.aimed(|aim| matches!(aim, Aim::Contact));
        for id in links {
            if self.links.link(&id).is_some_and(MyLink::is_watched) {
                self.close_link(id, LinkState::Revoked);
                self.alarm(
                    "link_revoked",
                    "A link of yours is worth nothing any more: make a new one.",
                );
            }
        }
        let requests = self.links.aimed(|aim| matches!(aim, Aim::Return { .. }));
        requests.into_iter().for_each(|id| self.remove_link(id));
        self.leave_doors();
        self.forget_requests();
        self.forget_given();
    }

    /// The KeyPackages that contacts were given are of no use any more.
    fn forget_given(&mut self) {
        for (chat, sets) in std::mem::take(&mut self.given) {
            self.news.record("account", [b"g", &chat.0[..]].concat(), None);
            for package in sets.into_iter().flatten() {
                if let Err(refused) = self.mls.forget_key_package(&package) {
                    self.alarm(
                        "erasure",
                        &format!("A KeyPackage could not be erased ({refused})."),
                    );
                }
            }
        }
    }
}

impl Conversation {
    /// What a new device does not take along from the old one.
    fn disown(&mut self, ctx: &mut Ctx<'_>) {
        self.fail_queue(ctx);
        self.told_door = false;
        self.forget_asked();
    }
}

fn copied() -> Refused {
    refuse(
        "copied_profile",
        "This profile was copied or put back; nothing is sent with its keys any more.",
        "To go on as a new device: `undertone doctor --new-device`.",
    )
}
