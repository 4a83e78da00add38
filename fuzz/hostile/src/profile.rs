//! A profile whose records were damaged under the lock: it loads or says what is wrong, and a
//! device that loads stands what follows.

use crate::{
    edit::edit,
    input::Input,
    world::{BEN, load, outputs, scenes},
};
use undertone_core::{
    Account,
    io::{Command, Input as Happens},
};

/// Up to four changed records of Ben's.
pub(crate) fn records(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let scene = &scenes()[1 + usize::from(input.u8()) % (scenes().len() - 1)];
    let mut disk = scene.disks[BEN].clone();
    for _ in 0..=input.u8() % 4 {
        let keys: Vec<_> = disk.keys().cloned().collect();
        let key = &keys[usize::from(input.u16()) % keys.len()];
        match input.u8() % 8 {
            0 => drop(disk.remove(key)),
            1 => {
                let (space, mut name) = key.clone();
                let bytes = disk.get(key).cloned().unwrap_or_default();
                edit(&mut name, &mut input);
                disk.insert((space, name), bytes);
            }
            _ => edit(disk.get_mut(key).expect("one of its keys"), &mut input),
        }
        if disk.is_empty() {
            return;
        }
    }
    if let Ok(mut account) = load(&disk, 7) {
        go_on(&mut account, scene.now_ms);
    }
}

fn go_on(account: &mut Account, now_ms: u64) {
    let chats = Happens::Command { ticket: 1, command: Command::Chats };
    let health = Happens::Command { ticket: 2, command: Command::Health };
    for input in [chats, health, Happens::Connected, Happens::Wake, Happens::Disconnected] {
        account.handle(now_ms, input);
        outputs(account);
    }
}
