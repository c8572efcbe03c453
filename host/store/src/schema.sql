-- Format version 1. A change needs a new version, a migration and a kept fixture.

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
    duplicates INTEGER NOT NULL DEFAULT 0
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
    UNIQUE (destination, position)
);

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
