-- One row that the system check writes, to see that the database can be written to; and
-- when what lay behind a tombstone, the key first of all, was destroyed (zero: not yet).

-- +goose Up
CREATE TABLE ping (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    at  BIGINT NOT NULL
);
INSERT INTO ping (one, at) VALUES (1, 0);
ALTER TABLE tombstone ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0;
