#!/usr/bin/env python3
"""Makes vectors.json: the key schedule, cells, identities and device lists of docs/protocol.md.

Written from the document alone, with Python's standard library and the algorithms' RFCs, so that the
Rust code is compared with something that shares no line with it. Run it in this folder; the output
never changes.
"""

import hashlib
import hmac
import json
import struct

# --- primitives -----------------------------------------------------------------------------------


def expand(secret, label, *args):
    info = b"".join(struct.pack(">H", len(part)) + part for part in (label.encode(), *args))
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()


def rotate(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF


def quarter(s, a, b, c, d):
    for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] = rotate(s[z] ^ s[x], bits)


def rounds(state):
    s = list(state)
    for _ in range(10):
        for group in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(s, *group)
        for group in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, *group)
    return s


CONSTANT = struct.unpack("<4I", b"expand 32-byte k")


def chacha_block(key, counter, nonce):
    state = (*CONSTANT, *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce))
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(rounds(state), state)))


def hchacha(key, nonce):
    s = rounds((*CONSTANT, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)))
    return struct.pack("<8I", *s[:4], *s[12:])


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        block = int.from_bytes(message[at : at + 16] + b"\x01", "little")
        total = (total + block) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def pad16(data):
    return data + bytes(-len(data) % 16)


def xchacha_seal(key, nonce, aad, plaintext):
    key, nonce = hchacha(key, nonce[:16]), bytes(4) + nonce[16:]
    stream = b"".join(chacha_block(key, n, nonce) for n in range(1, 2 + len(plaintext) // 64))
    sealed = bytes(a ^ b for a, b in zip(plaintext, stream))
    lengths = struct.pack("<QQ", len(aad), len(sealed))
    tag = poly1305(chacha_block(key, 0, nonce)[:32], pad16(aad) + pad16(sealed) + lengths)
    return sealed + tag


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P


BASE_Y = 4 * pow(5, P - 2, P) % P
_X2 = (BASE_Y * BASE_Y - 1) * pow(D * BASE_Y * BASE_Y + 1, P - 2, P) % P
_X = pow(_X2, (P + 3) // 8, P)
if (_X * _X - _X2) % P:
    _X = _X * pow(2, (P - 1) // 4, P) % P
BASE = (P - _X if _X & 1 else _X, BASE_Y)


def times(n, p):
    q = (0, 1)
    while n:
        if n & 1:
            q = add(q, p)
        p, n = add(p, p), n >> 1
    return q


def compress(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def ed25519_parts(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, h[32:], compress(times(a, BASE))


def ed25519_public(seed):
    return ed25519_parts(seed)[2]


def ed25519_sign(seed, message):
    a, prefix, public = ed25519_parts(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    commitment = compress(times(r, BASE))
    k = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % L
    return commitment + ((r + k * a) % L).to_bytes(32, "little")


# --- Undertone ------------------------------------------------------------------------------------


def vector(data):
    """opaque<V> of RFC 9420 section 2.1.2."""
    assert len(data) < 1 << 14
    prefix = bytes([len(data)]) if len(data) < 64 else struct.pack(">H", len(data) | 0x4000)
    return prefix + data


def slot_keys(slot, server):
    write = expand(slot, "write")
    tag = hashlib.sha256(b"undertone tag 1" + server + hashlib.sha256(write).digest()).digest()
    return {"write": write, "tag": tag, "cell_key": expand(slot, "cell")}


def labelled(label, message):
    return bytes([len(label)]) + label.encode() + message


def sealed_cell(keys, nonce, content):
    padded = struct.pack(">H", len(content)) + content
    padded += bytes(1976 - len(padded))
    commitment = expand(keys["cell_key"], "commit", nonce)
    return commitment + nonce + xchacha_seal(keys["cell_key"], nonce, keys["tag"], padded)


def safety_number(a, b):
    def half(key):
        state = b"undertone safety number 1" + key
        for _ in range(5200):
            state = hashlib.sha512(state + key).digest()
        return [int.from_bytes(state[at : at + 5], "big") % 100000 for at in range(0, 30, 5)]

    return " ".join(f"{group:05}" for key in sorted((a, b)) for group in half(key))


def device_list(number, previous, devices, time_ms):
    entries = b"".join(device + key for device, key in devices)
    return struct.pack(">Q", number) + previous + vector(entries) + struct.pack(">Q", time_ms)


def hexed(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: hexed(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [hexed(entry) for entry in value]
    return value


def main():
    server, root, exported = bytes([0x51] * 32), bytes(range(32)), bytes([0xE5] * 32)
    epoch_log = expand(exported, "epoch log", server, struct.pack(">Q", 42), root)
    control = expand(expand(epoch_log, "control"), "slot 0")
    lane = expand(expand(epoch_log, "lane", struct.pack(">I", 3)), "slot 0")
    lane_1 = expand(lane, "next")
    seed = bytes([0x5E] * 32)
    part = expand(seed, "part", struct.pack(">I", 2))
    offer = expand(seed, "offer", b"day", b"7")

    keys, nonce = slot_keys(lane_1, server), bytes(range(0x40, 0x58))
    cells = [
        {"content": content, "nonce": nonce, "cell": sealed_cell(keys, nonce, content)}
        for content in (b"", b"Hello Ben", bytes([0xAB] * 1974))
    ]

    ada_seed = expand(bytes(32), "undertone identity 1")
    ben_seed = expand(bytes([0xFF] * 32), "undertone identity 1")
    ada, ben = ed25519_public(ada_seed), ed25519_public(ben_seed)
    leaf_seed = bytes([0x1E] * 32)
    header = vector(b"MLS 1.0 undertone header 1") + vector(b"a header")

    devices = [(bytes([1] * 16), bytes([2] * 32)), (bytes([3] * 16), bytes([4] * 32))]
    first = device_list(1, bytes(32), devices[:1], 1_700_000_000_000)
    first_hash = hashlib.sha256(ada + first).digest()
    second = device_list(2, first_hash, devices, 1_700_000_100_000)
    lists = [
        {
            "signed": ada + body + ed25519_sign(ada_seed, labelled("undertone device list 1", body)),
            "hash": hashlib.sha256(ada + body).digest(),
        }
        for body in (first, second)
    ]

    vectors = {
        "about": "made by vectors.py beside it; byte strings are hexadecimal",
        "schedule": {
            "exported": exported,
            "server": server,
            "closing_tick": 42,
            "closing_root": root,
            "control_0": {"slot": control, **slot_keys(control, server)},
            "lane_3_0": {"slot": lane, **slot_keys(lane, server)},
            "lane_3_1": {"slot": lane_1, **keys},
            "seed": seed,
            "part_2": slot_keys(part, server),
            "offer_day_7": slot_keys(offer, server),
        },
        "cells": cells,
        "identities": {
            "phrase_of_zeros": " ".join(["abandon"] * 23 + ["art"]),
            "key_of_zeros": ada,
            "phrase_of_ones": " ".join(["zoo"] * 23 + ["vote"]),
            "key_of_ones": ben,
            "label": "undertone test 1",
            "message": b"a message",
            "signature_of_zeros": ed25519_sign(ada_seed, labelled("undertone test 1", b"a message")),
            "safety_number": safety_number(ada, ben),
        },
        "header": {
            "seed": leaf_seed,
            "key": ed25519_public(leaf_seed),
            "message": b"a header",
            "signature": ed25519_sign(leaf_seed, header),
        },
        "device_lists": lists,
    }
    with open("vectors.json", "w", encoding="utf-8") as file:
        json.dump(hexed(vectors), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
