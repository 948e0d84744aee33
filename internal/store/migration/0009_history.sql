-- Aborted attempts lose their evidence before their identification goes: when (zero: not
-- yet), and which still have it. And copies to other companies, as part of the ledger.

-- +goose Up
ALTER TABLE attempt ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX attempt_aborted ON attempt (company_id, ended_at) WHERE outcome = 'ABORTED' AND erased_at = 0;

CREATE TABLE copied (
    id                TEXT PRIMARY KEY,
    company_id        TEXT NOT NULL,
    identification_id TEXT NOT NULL,
    target            TEXT NOT NULL,
    hash              BYTEA NOT NULL,
    at                BIGINT NOT NULL
);
CREATE INDEX copied_company ON copied (company_id, at, id);
CREATE INDEX copied_identification ON copied (identification_id, at, id);
