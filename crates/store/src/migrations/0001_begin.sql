-- Format 1. `records` is the engine's and opaque; `messages`, `events` and `settings` are the driver's.

CREATE TABLE records (
    space TEXT NOT NULL,
    key   BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    chat      BLOB NOT NULL,
    author    BLOB NOT NULL,
    message   BLOB NOT NULL,
    identity  BLOB NOT NULL,
    own       INTEGER NOT NULL,
    place     BLOB NOT NULL,
    text      TEXT NOT NULL,
    sent_ms   INTEGER NOT NULL,
    stored_ms INTEGER,
    state     TEXT NOT NULL,
    read      INTEGER NOT NULL,
    PRIMARY KEY (chat, identity, author, message)
) STRICT;

CREATE INDEX messages_in_order ON messages (chat, place);
CREATE INDEX messages_by_id ON messages (message);
CREATE INDEX messages_unread ON messages (chat) WHERE read = 0;

-- AUTOINCREMENT: a number is never given twice, even after the newest event was forgotten.
CREATE TABLE events (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    chat BLOB,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
