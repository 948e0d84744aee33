-- The certificates that the built-in authority has issued: serial numbers and times, nothing
-- about whom they name. A revocation is never taken back.

-- +goose Up
CREATE TABLE certificate (
    serial      TEXT PRIMARY KEY,
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL,
    reason      BIGINT NOT NULL
);
CREATE INDEX certificate_revoked ON certificate (revoked_at, serial) WHERE revoked_at > 0;
