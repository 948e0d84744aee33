-- The ledger of hand-overs: what was sent to a company lies in delivery, what a company
-- fetched itself in handover. Both outlive the identification and hold nothing of a person.

-- +goose Up
ALTER TABLE delivery ADD COLUMN way TEXT NOT NULL DEFAULT 'WEBHOOK' CHECK (way IN ('WEBHOOK', 'MAIL'));
ALTER TABLE delivery ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;

-- A row is there before the first byte leaves. One that stays BEGUN was under way when a
-- node died: how it ended is not known.
CREATE TABLE handover (
    id                TEXT PRIMARY KEY,
    company_id        TEXT NOT NULL,
    identification_id TEXT NOT NULL,
    way               TEXT NOT NULL CHECK (way IN ('REST_JSON', 'REST_ZIP', 'REST_LIST', 'SFTP', 'FORM')),
    client            TEXT NOT NULL,
    hash              BYTEA NOT NULL,
    bytes             BIGINT NOT NULL,
    entries           BIGINT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('BEGUN', 'DONE', 'BROKEN')),
    at                BIGINT NOT NULL,
    done_at           BIGINT NOT NULL
);
CREATE INDEX handover_company ON handover (company_id, at, id);
CREATE INDEX handover_identification ON handover (identification_id, at, id);

-- Deleted identifications are looked up by their number too.
CREATE INDEX tombstone_number ON tombstone (company_id, lower(number));
