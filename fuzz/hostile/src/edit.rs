//! Changes to bytes that are known to be good, as an input says.

use crate::input::Input;

/// Makes up to four changes.
pub(crate) fn edit(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    for _ in 0..=input.u8() % 4 {
        change(bytes, input);
    }
}

fn change(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    let kind = input.u8();
    let at = usize::from(input.u16()) % (bytes.len() + 1);
    match kind % 6 {
        0 => overwrite(bytes, at, &[input.u8()]),
        1 => bytes.truncate(at),
        2 => drop(bytes.splice(at..at, input.bytes().iter().copied())),
        3 => drop(bytes.drain(at..(at + usize::from(input.u8())).min(bytes.len()))),
        4 => overwrite(bytes, at, &input.number().to_be_bytes()),
        _ => overwrite(bytes, at, input.bytes()),
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes[at..].iter_mut().zip(with) {
        *byte = *new;
    }
}
