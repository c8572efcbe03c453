-- From format 1 to 2: dead letters can be marked for replay, and their bytes are limited for each destination.
ALTER TABLE destinations ADD COLUMN dead_letter_limit_bytes INTEGER NOT NULL DEFAULT 1073741824;
ALTER TABLE destinations ADD COLUMN expire_dead_letters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE dead_letters SET updated_ms = created_ms, bytes = length(event) + length(attempts) + 512;
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
INSERT INTO dead_letter_totals
    SELECT destination, count(*), sum(bytes), 0 FROM dead_letters GROUP BY destination;
