-- Format version 2, as a new store gets it. A change needs a new version, a step in src/migrate and a kept fixture.

-- One row: where the log ends, and what it holds. The totals are kept by the triggers below.
CREATE TABLE log (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 0),
    next_position INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    kept_bytes INTEGER NOT NULL -- of blocks that nobody waits for
);
INSERT INTO log VALUES (0, 1, 0, 0, 0, 0);

CREATE TABLE organizations (
    name TEXT PRIMARY KEY,
    accepted INTEGER NOT NULL,      -- events ever
    awaited_bytes INTEGER NOT NULL  -- of blocks that some destination waits for
) WITHOUT ROWID;

CREATE TABLE blocks (
    first INTEGER PRIMARY KEY,      -- position of the first event
    count INTEGER NOT NULL,
    organization TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    awaited_by INTEGER NOT NULL,    -- active destinations that have not settled all of it
    size INTEGER NOT NULL,          -- of the compressed data and its row
    raw_bytes INTEGER NOT NULL,
    highest_severity INTEGER NOT NULL,
    event_types TEXT,               -- JSON array of [type, count]; NULL when there are too many
    checksum INTEGER NOT NULL
);
-- Apart from `blocks`: SQLite writes a row anew when one column changes, and `awaited_by` changes with each settling.
CREATE TABLE block_data (
    first INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE INDEX blocks_by_organization ON blocks (organization, first, count, stored_ms);
CREATE INDEX blocks_nobody_awaits ON blocks (first) WHERE awaited_by = 0;

CREATE TRIGGER block_added AFTER INSERT ON blocks BEGIN
    UPDATE log SET blocks = blocks + 1, events = events + new.count, bytes = bytes + new.size,
        kept_bytes = kept_bytes + iif(new.awaited_by = 0, new.size, 0);
    UPDATE organizations SET accepted = accepted + new.count,
        awaited_bytes = awaited_bytes + iif(new.awaited_by = 0, 0, new.size) WHERE name = new.organization;
END;
CREATE TRIGGER block_awaited_or_not AFTER UPDATE OF awaited_by ON blocks
WHEN (old.awaited_by = 0) <> (new.awaited_by = 0) BEGIN
    UPDATE log SET kept_bytes = kept_bytes + iif(new.awaited_by = 0, new.size, -new.size);
    UPDATE organizations SET awaited_bytes = awaited_bytes + iif(new.awaited_by = 0, -new.size, new.size)
        WHERE name = new.organization;
END;
CREATE TRIGGER block_deleted AFTER DELETE ON blocks BEGIN
    DELETE FROM block_data WHERE first = old.first;
    UPDATE log SET blocks = blocks - 1, events = events - old.count, bytes = bytes - old.size,
        kept_bytes = kept_bytes - iif(old.awaited_by = 0, old.size, 0);
    UPDATE organizations SET awaited_bytes = awaited_bytes - iif(old.awaited_by = 0, 0, old.size)
        WHERE name = old.organization;
END;

CREATE TABLE destinations (
    name TEXT PRIMARY KEY,
    organization TEXT NOT NULL,
    active INTEGER NOT NULL,
    age_limit_ms INTEGER NOT NULL,
    accepted_before INTEGER NOT NULL, -- events of the organisation that came before the start
    settled_below INTEGER NOT NULL,   -- the cursor
    settled_runs BLOB NOT NULL,       -- above the cursor
    delivered INTEGER NOT NULL DEFAULT 0,
    filtered INTEGER NOT NULL DEFAULT 0,
    dead_lettered INTEGER NOT NULL DEFAULT 0,
    discarded INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    damaged INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    dead_letter_limit_bytes INTEGER NOT NULL DEFAULT 1073741824,
    expire_dead_letters INTEGER NOT NULL DEFAULT 0 -- 1: beyond the limit the oldest go; 0: no more are taken
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_key BLOB NOT NULL,
    event_type TEXT NOT NULL,
    cause TEXT NOT NULL,
    hint TEXT NOT NULL,
    attempt_count INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    plugin_version TEXT NOT NULL,
    plugin_digest TEXT NOT NULL,
    attempts TEXT NOT NULL,           -- JSON array, the latest ones
    checksum INTEGER NOT NULL,
    event BLOB NOT NULL,
    updated_ms INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0, -- what counts towards the destination's limit
    UNIQUE (destination, position)
);
CREATE INDEX dead_letters_by_destination ON dead_letters (destination, id);

-- Letters that are to be sent again. Apart from `dead_letters`: marking must not write the events anew.
CREATE TABLE replays (
    destination TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (destination, id)
) WITHOUT ROWID;

-- What each destination's dead letters come to, kept by the triggers below.
CREATE TABLE dead_letter_totals (
    destination TEXT PRIMARY KEY,
    letters INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    replays INTEGER NOT NULL          -- letters that are marked
) WITHOUT ROWID;

CREATE TRIGGER dead_letter_added AFTER INSERT ON dead_letters BEGIN
    INSERT INTO dead_letter_totals VALUES (new.destination, 1, new.bytes, 0)
        ON CONFLICT (destination) DO UPDATE SET letters = letters + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER dead_letter_resized AFTER UPDATE OF bytes ON dead_letters BEGIN
    UPDATE dead_letter_totals SET bytes = bytes + new.bytes - old.bytes WHERE destination = new.destination;
END;
CREATE TRIGGER dead_letter_deleted AFTER DELETE ON dead_letters BEGIN
    DELETE FROM replays WHERE destination = old.destination AND id = old.id;
    UPDATE dead_letter_totals SET letters = letters - 1, bytes = bytes - old.bytes
        WHERE destination = old.destination;
END;
CREATE TRIGGER replay_requested AFTER INSERT ON replays BEGIN
    UPDATE dead_letter_totals SET replays = replays + 1 WHERE destination = new.destination;
END;
CREATE TRIGGER replay_ended AFTER DELETE ON replays BEGIN
    UPDATE dead_letter_totals SET replays = replays - 1 WHERE destination = old.destination;
END;

CREATE TABLE idempotency_keys (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    answer TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (stored_ms);

CREATE TABLE grants (
    destination TEXT PRIMARY KEY,
    plugin_digest TEXT NOT NULL,
    profile TEXT NOT NULL             -- JSON
) WITHOUT ROWID;

-- Blocks that failed their checksum, set aside for export.
CREATE TABLE damaged_blocks (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    organization TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    found_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    data BLOB                         -- NULL when it could not be read
);
