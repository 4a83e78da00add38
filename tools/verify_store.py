#!/usr/bin/env python3
"""Verifies an Undertone store folder, from docs/store-format.md alone (standard library only).

    python3 tools/verify_store.py FOLDER [SERVER_ID]

Prints what it verified and exits 0, or says what is wrong and where and exits 1. With SERVER_ID
(the 64 digits behind # in the server's address) the folder must be that server's.
"""
import hashlib, os, struct, sys

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Q = 2**252 + 27742317777372353535851937790883648493
LEVELS = {1: 10_000, 2: 60_000, 3: 3_600_000, 4: 86_400_000}
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
u64 = lambda data, at: struct.unpack_from(">Q", data, at)[0]


class Wrong(Exception):
    pass


def need(holds, place, what):
    if not holds:
        raise Wrong(f"{place}: {what}")


# Ed25519 verification (RFC 8032), extended coordinates.
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(n, p):
    r = (0, 1, 1, 0)
    while n:
        r, p, n = (add(r, p) if n & 1 else r), add(p, p), n >> 1
    return r


def point(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if x * x % P == x2 else x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != x2 or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = point(bytes([0x58] + [0x66] * 31))


def signed(key, label, message, signature):
    message = bytes([len(label)]) + label + message
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    left, right = mul(s, BASE), add(r, mul(k, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


# Merkle trees (RFC 6962): the roots of the perfect subtrees, largest first, as (size, root).
def push(peaks, size, node):
    while peaks and peaks[-1][0] == size:
        node, size = sha(b"\1", peaks.pop()[1], node), size * 2
    peaks.append((size, node))


def root(peaks):
    if not peaks:
        return sha()
    node = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        node = sha(b"\1", left, node)
    return node


def root_of(leaves):
    peaks = []
    for leaf in leaves:
        push(peaks, 1, sha(b"\0", leaf))
    return root(peaks)


def vector(data, at):
    """A variable-size vector (RFC 9420 section 2.1.2): its bytes, and where it ends."""
    size = 1 << (data[at] >> 6)
    length = int.from_bytes(data[at : at + size], "big") & (1 << 8 * size - 2) - 1
    end = at + size + length
    need(size < 8 and end <= len(data), "a vector", "is cut short")
    return data[at + size : end], end


def front(folder, name, magic):
    with open(os.path.join(folder, name), "rb") as file:
        data = file.read()
    need(data[:16] == magic, name, "is not a file of this store")
    need(data[16:24] == b"\0\1" + bytes(6), name, "has another format version")
    return data


class Store:
    def __init__(self, folder, server):
        self.folder, self.wanted = folder, server
        self.peaks, self.size, self.tick, self.time = [], 0, 0, 0
        self.entries, self.firsts = [], {level: None for level in LEVELS}
        self.tags, self.cells, self.hours = set(), 0, 0

    def keys(self):
        data = front(self.folder, "log.keys", b"undertone keys 1")
        need(len(data) >= 56 and (len(data) - 56) % 104 == 0, "log.keys", "is cut short")
        key = data[24:56]
        self.server = sha(b"undertone server 1", key)
        need(self.wanted in (None, self.server.hex()), "log.keys", "is another server's")
        self.ring = [(0, key)]
        for at in range(56, len(data), 104):
            step, by = data[at : at + 40], self.ring[-1]
            label = b"undertone key succession 1"
            named = signed(by[1], label, self.server + step, data[at + 40 : at + 104])
            need(named and u64(step, 32) > by[0], "log.keys", "a key was not named by the one before")
            self.ring.append((u64(step, 32), step[:32]))

    def spine(self):
        if not os.path.exists(os.path.join(self.folder, "log.spine")):
            return
        data, at = front(self.folder, "log.spine", b"undertone spine\n"), 24
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            body, end = data[at + 4 : at + 4 + length], at + 4 + length
            place = f"log.spine at byte {at}"
            need(sha(data[at:end]) == data[end : end + 32], place, "checksum")
            _, first, last, start, stop = struct.unpack_from(">5Q", body)
            need(first > self.tick and start == self.size, place, "does not follow")
            nodes, _ = vector(body, 40)
            while start < stop:
                step = min(start & -start or 1 << 63, 1 << (stop - start).bit_length() - 1)
                push(self.peaks, step, nodes[:32])
                nodes, start = nodes[32:], start + step
            need(not nodes, place, "has too many nodes")
            self.tick, self.size, at = last, stop, end + 32

    def segment(self, name, newest):
        data = front(self.folder, name, b"undertone ticks\n")
        need(len(data) >= 160 and sha(data[:128]) == data[128:160], name, "header checksum")
        hour, first, leaf = struct.unpack_from(">3Q", data, 72)
        need(data[40:72] == self.server and f"{hour:010}.seg" == name, name, "header")
        need(first > self.tick and leaf == self.size, name, "does not follow the hour before")
        salt, at, self.hour = data[96:128], 160, hour
        while at < len(data):
            place = f"{name} at byte {at}"
            meta, cells = struct.unpack_from(">4xII", data.ljust(at + 40, b"\0"), at)
            sums, end = at + 40 + meta + 64 * cells, at + 72 + meta + (64 + 2048) * cells
            whole = data[at : at + 4] == b"tick" and end <= len(data)
            whole = whole and sha(salt, data[at : at + 24])[:16] == data[at + 24 : at + 40]
            if not (whole and sha(salt, data[at:sums]) == data[sums : sums + 32]):
                need(newest, place, "is not a whole tick")
                print(f"note: {place}: an unfinished tick, or damage (admin check tells them apart)")
                break
            leaves = [data[i : i + 64] for i in range(at + 40 + meta, sums, 64)]
            self.record(place, data[at + 40 : at + 40 + meta], leaves)
            for index, entry in enumerate(leaves):
                cell = data[sums + 32 + 2048 * index :][:2048]
                need(sha(cell) == entry[32:], place, f"cell {index} is not the one that was stored")
            at = end
        self.hours += 1

    def record(self, place, meta, leaves):
        tags = [leaf[:32] for leaf in leaves]
        need(all(a < b for a, b in zip(tags, tags[1:])), place, "cells are not in order")
        need(self.tags.isdisjoint(tags), place, "a tag is filled twice")
        self.tags.update(tags)
        closed, at = vector(meta, 0)
        leaf, head, signature = meta[at : at + 84], meta[at + 84 : -64], meta[-64:]
        tick, time = struct.unpack_from(">QQ", leaf)
        need(time >= self.time and time // 3_600_000 == self.hour, place, "time")
        expected = struct.pack(">QQI", tick, time, len(leaves)) + sha(*(t[:8] for t in tags))
        need(leaf == expected + root_of(leaves), place, "the leaf is not that of its cells")
        # A log restored from a backup goes on at the number of the time (ADR 0010).
        restored = head[-9:] == b"\1" + struct.pack(">Q", self.tick)
        need(tick in (self.tick + 1, restored and max(time, self.tick + 1)), place, "is another tick")
        anew = restored
        self.time = 0 if anew else self.time
        need(not (anew and closed), place, "a segment spans a recovery")
        self.closed(place, closed, time)
        push(self.peaks, 1, sha(b"\0\1", leaf))
        self.size += 1
        named = struct.pack(">QQQ", tick, time, self.size) + root(self.peaks)
        need(head[:32] == self.server and head[32:88] == named, place, "the head is not the log's")
        key = [key for start, key in self.ring if start <= tick][-1]
        need(signed(key, b"undertone head 1", head, signature), place, "signature of the head")
        for level, length in LEVELS.items():
            if tick == 1 or anew or self.time and self.time // length != time // length:
                self.firsts[level] = tick
        if self.time // LEVELS[4] != time // LEVELS[4]:
            self.entries = []
        self.entries += [t[:8] + struct.pack(">Q", tick) for t in tags]
        self.tick, self.time, self.cells = tick, time, self.cells + len(leaves)

    def closed(self, place, closed, time):
        ended = [level for level, length in LEVELS.items() if self.time and self.time // length != time // length]
        # What was closed by the first tick that is held ended before it, and is taken.
        ended = ended if self.time else [closed[i] for i in range(0, len(closed), 57)]
        need(len(closed) == 57 * len(ended), place, "closed segments")
        for number, level in enumerate(ended):
            leaf = closed[57 * number : 57 * number + 57]
            first = self.firsts[level]
            if first is not None:
                entries = sorted(e for e in self.entries if u64(e, 8) >= first)
                index = self.time // LEVELS[level]
                expected = struct.pack(">B3Q", level, index, first, self.tick) + sha(*entries)
                need(leaf == expected, place, "a closed segment is not that of its ticks")
            push(self.peaks, 1, sha(b"\0\2", leaf))
            self.size += 1


def main(folder, server=None):
    store = Store(folder, server)
    store.keys()
    store.spine()
    expired = store.tick
    names = sorted(name for name in os.listdir(folder) if name.endswith(".seg"))
    for name in names:
        store.segment(name, name == names[-1])
    need(not expired or store.tick > expired, "log.spine", "no tick is held after the expired hours")
    print(f"sound: server {store.server.hex()}")
    print(f"{store.hours} hours, {store.tick} ticks to date, {store.cells} cells held, log of {store.size} leaves")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Wrong, OSError, IndexError, struct.error) as error:
        sys.exit(f"NOT SOUND: {error}")
