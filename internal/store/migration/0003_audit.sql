-- Every entry of the audit trail gets the number of the checkpoint that sealed it; zero
-- until then. The index holds what is still to be sealed: a second's worth.

-- +goose Up
ALTER TABLE audit ADD COLUMN checkpoint BIGINT NOT NULL DEFAULT 0;
CREATE INDEX audit_unsealed ON audit (checkpoint) WHERE checkpoint = 0;

-- The chain of checkpoints, each signed.
CREATE TABLE checkpoint (
    number      BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    entries     BIGINT NOT NULL,
    root        BYTEA NOT NULL,
    previous    BYTEA NOT NULL,
    hash        BYTEA NOT NULL,
    signature   BYTEA NOT NULL,
    key_id      TEXT NOT NULL
);
