-- From when on an identification counts as kept: while it is unfinished from its creation
-- (or from when it was opened again), afterwards from the end of its review (or from when
-- the copy was made). How long is the account's matter, and may change.

-- +goose Up
ALTER TABLE identification RENAME COLUMN expires_at TO kept_from;
UPDATE identification SET kept_from = created_at WHERE list IN ('pending', 'aborted');
UPDATE identification
   SET kept_from = COALESCE((SELECT MAX(r.created_at) FROM result r WHERE r.identification_id = identification.id), changed_at)
 WHERE list IN ('finished', 'canceled', 'archived');

-- Those that are pending stand in identification_list by their creation, which is as good:
-- so a creation writes no further index.
CREATE INDEX identification_kept ON identification (company_id, list, kept_from) WHERE list <> 'pending';
CREATE INDEX tombstone_company ON tombstone (company_id, deleted_at);
