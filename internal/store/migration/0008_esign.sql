-- Documents to sign. A definition is the company's and not personal; its default file lies
-- among the files. A document is an instance of one in an identification: all of it is
-- sealed. key_id is the key it is sealed under, so that nothing of a canceled identification
-- is mistaken for what came after it was opened again.

-- +goose Up
CREATE TABLE document_definition (
    company_id  TEXT NOT NULL,
    identifier  TEXT NOT NULL,
    sort_order  BIGINT NOT NULL,
    settings    TEXT NOT NULL,
    blob        TEXT NOT NULL,
    size        BIGINT NOT NULL,
    hash        BYTEA NOT NULL,
    crc32       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (company_id, identifier)
);

-- Grows with every change of a company's definitions. Whoever changes them holds its row; a
-- new identification is refused when its documents were made of an earlier state. It stays
-- when the company goes, so that no number ever comes again.
CREATE TABLE definition_change (
    company_id  TEXT PRIMARY KEY,
    number      BIGINT NOT NULL
);

CREATE TABLE document (
    identification_id TEXT NOT NULL,
    key_id            TEXT NOT NULL,
    identifier        TEXT NOT NULL,
    company_id        TEXT NOT NULL,
    sort_order        BIGINT NOT NULL,
    revision          BIGINT NOT NULL,
    sealed            BYTEA NOT NULL,
    changed_at        BIGINT NOT NULL,
    PRIMARY KEY (identification_id, key_id, identifier)
);
