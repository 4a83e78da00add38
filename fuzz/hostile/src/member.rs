//! A device with a malicious member in its group, who has all the keys that membership gives.
//!
//! Mal writes cells that pass the outer seal and bear Mal's true signature, into lanes and the
//! control lane, in and out of turn, with anything in them. Ada's device reads them all.

use crate::{
    engine::restored,
    input::Input,
    world::{ADA, MAL, Scene, World, load, scenes},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use undertone_core::{
    ChatId,
    fuzzing::{self, Carried, Insider, Said},
    io::Command,
};
use undertone_crypto::{SlotKeys, evidence_keys};
use undertone_server_core::{MemFiles, Put, Ticket};

const STEPS_MAX: usize = 8;

struct Plot {
    /// The server's folder before anything was written.
    backup: MemFiles,
    world: World,
    chat: ChatId,
    mal_chat: ChatId,
    insider: Insider,
    rng: ChaCha20Rng,
    lane_ahead: u8,
    control_ahead: u8,
}

/// Cells by Mal, read by Ada; Ada's device comes to rest and starts again from its disk.
pub(crate) fn member(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let scenes = &scenes()[2..];
    let scene = &scenes[usize::from(input.u8()) % scenes.len()];
    let Some(mut plot) = Plot::new(scene) else { panic!("Mal is a member in every such scene") };
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        plot.step(&mut input);
    }
    plot.world.pass(60_000);
    let ada = &plot.world.devices[ADA];
    load(&ada.disk, 9).expect("nobody can spoil another's disk");
}

impl Plot {
    fn new(scene: &Scene) -> Option<Self> {
        let mut world = scene.world();
        world.connect(MAL);
        world.rest();
        let mal_chat = world.chat(MAL)?;
        let server = world.server.info().server;
        let insider = Insider::of(&world.devices[MAL].account, mal_chat, server)?;
        world.disconnect(MAL);
        world.connect(ADA);
        world.rest();
        let chat = world.chat(ADA)?;
        let rng = ChaCha20Rng::from_seed([5; 32]);
        let backup = scene.files.copy();
        Some(Self { backup, world, chat, mal_chat, insider, rng, lane_ahead: 0, control_ahead: 0 })
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.u8() % 11 {
            0 => self.raw(input),
            1 => self.signed_lane(input),
            2 => self.message(input),
            3 => self.content(input),
            4 => self.signed_control(input),
            5 => self.commit(input),
            6 => self.parcel(input),
            7 => self.world.pass(u64::from(input.u16()) * 1_000),
            8 => self.say("we go on"),
            9 => self.restore(),
            _ => self.message_by_parcel(input),
        }
        self.world.rest();
    }

    /// Anything under a true seal, in a slot or where the evidence of its first listing belongs.
    fn raw(&mut self, input: &mut Input<'_>) {
        let mut keys = self.place(input);
        if input.u8().is_multiple_of(4) {
            keys = evidence_keys(&keys.write, &self.world.server.info().server);
        }
        self.put(&keys, input.bytes());
    }

    /// Mal's lane or another's, or the control lane; the next slot or a later one.
    fn place(&mut self, input: &mut Input<'_>) -> SlotKeys {
        let ahead = self.lane_ahead.wrapping_add(input.u8() % 3);
        match input.u8() % 8 {
            0 => self.insider.control(self.control_ahead),
            1 => self.insider.control(self.control_ahead.wrapping_add(ahead % 3)),
            other => self.insider.lane(u32::from(other), ahead % 40),
        }
    }

    fn said(&self, body: &[u8], input: &mut Input<'_>) -> Said {
        let honest = self.insider.honest(body);
        let place = honest.place + u64::from(self.lane_ahead);
        let honest = Said { place, ..honest };
        match input.u8() % 8 {
            0 => Said { leaf: input.number() as u32, ..honest },
            1 => Said { place: input.number(), ..honest },
            2 => Said { change: input.array(), ..honest },
            3 => Said { body: input.array(), ..honest },
            _ => honest,
        }
    }

    fn put(&mut self, keys: &SlotKeys, content: &[u8]) {
        if let Some(cell) = fuzzing::seal(keys, content, &mut self.rng) {
            let put = Put { tag: keys.tag, write: keys.write, cell, token: Vec::new().into() };
            self.world.server.submit(Ticket(0), put).expect("a key that fits");
        }
    }

    /// In Mal's own lane, in turn.
    fn put_own(&mut self, said: Said, carried: &Carried<'_>) {
        let keys = self.insider.lane(self.insider.own_index(), self.lane_ahead);
        let content = self.insider.sign(&keys, said, carried);
        self.put(&keys, &content);
        self.lane_ahead = self.lane_ahead.wrapping_add(1) % 40;
    }

    fn signed_lane(&mut self, input: &mut Input<'_>) {
        let bytes = input.bytes();
        let said = self.said(bytes, input);
        self.put_own(said, &Carried::Inline(bytes));
    }

    /// Anything as a decrypted message.
    fn message(&mut self, input: &mut Input<'_>) {
        let body = input.bytes();
        self.encrypted(body, input);
    }

    /// A body that is one, with anything as its content.
    fn content(&mut self, input: &mut Input<'_>) {
        let (kind, content) = (u16::from(input.u8() % 7), input.bytes());
        let account = &self.world.devices[MAL].account;
        let Some(body) = fuzzing::body_of(account, self.mal_chat, kind, content) else { return };
        self.encrypted(&body, input);
    }

    fn encrypt(&mut self, body: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        fuzzing::encrypt(&mut self.world.devices[MAL].account, self.mal_chat, aad, body)
    }

    fn encrypted(&mut self, body: &[u8], input: &mut Input<'_>) {
        let said = self.said(body, input);
        let Some(mls) = self.encrypt(body, input.bytes()) else { return };
        self.put_own(said, &Carried::Inline(&mls));
    }

    fn message_by_parcel(&mut self, input: &mut Input<'_>) {
        let (body, said) =
            (input.bytes(), Said { body: input.array(), ..self.insider.honest(&[]) });
        let Some(mls) = self.encrypt(body, &[]) else { return };
        let Some(parts) = self.insider.parcel(&mls.repeat(3), &mut self.rng) else { return };
        self.store(&parts);
        self.put_own(said, &Carried::Parcel(&parts));
    }

    fn signed_control(&mut self, input: &mut Input<'_>) {
        let bytes = input.bytes();
        let said = self.said(bytes, input);
        let keys = self.insider.control(self.control_ahead);
        let content = self.insider.sign(&keys, said, &Carried::Inline(bytes));
        self.put(&keys, &content);
        self.control_ahead = self.control_ahead.wrapping_add(1) % 40;
    }

    /// A commit with any declared change and any MLS bytes.
    fn commit(&mut self, input: &mut Input<'_>) {
        let (payload, change) = self.insider.commit(input.bytes(), input.bytes());
        let Some(parts) = self.insider.parcel(&payload, &mut self.rng) else { return };
        self.store(&parts);
        let said = Said { place: 0, change, body: [0; 32], ..self.insider.honest(&[]) };
        let keys = self.insider.control(self.control_ahead);
        let content = self.insider.sign(&keys, said, &Carried::Parcel(&parts));
        self.put(&keys, &content);
        self.control_ahead = self.control_ahead.wrapping_add(1) % 40;
    }

    /// Anything as a parcel in Mal's lane; perhaps with a part that is missing.
    fn parcel(&mut self, input: &mut Input<'_>) {
        let payload = input.bytes().repeat(1 + usize::from(input.u8() % 9));
        let Some(mut parts) = self.insider.parcel(&payload, &mut self.rng) else { return };
        if input.u8().is_multiple_of(4) {
            parts.cells.pop();
        }
        self.store(&parts);
        let said = self.said(&payload, input);
        self.put_own(said, &Carried::Parcel(&parts));
    }

    /// Parts come before the head that names them.
    fn store(&mut self, parts: &fuzzing::Parts) {
        for (keys, cell) in &parts.cells {
            let (tag, write, cell) = (keys.tag, keys.write, cell.clone());
            let put = Put { tag, write, cell, token: Vec::new().into() };
            self.world.server.submit(Ticket(0), put).expect("a key that fits");
        }
        self.world.rest();
    }

    /// The server is restored from its backup and says so.
    fn restore(&mut self) {
        self.world.disconnect(ADA);
        self.world.now_ms += 60_000;
        let server = restored(self.backup.copy(), self.world.now_ms);
        self.world.server = server.expect("a folder of this server");
        self.world.connect(ADA);
    }

    fn say(&mut self, text: &str) {
        let (chat, text) = (self.chat, text.to_owned());
        self.world.command(ADA, Command::Send { chat, text, key: None, anyway: true });
    }
}
