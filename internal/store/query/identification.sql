-- name: InsertIdentification :execrows
INSERT INTO identification (id, company_id, number, number_fold, state, list, revision, company_revision, key_id, sealed, attempts,
       result, previous, reason, agent, channel, file_key, result_seq, next_delivery, created_at, changed_at, finished_at, kept_from)
SELECT @id, @company_id, @number, @number_fold, @state, @list, @revision, @company_revision, @key_id, @sealed, @attempts,
       @result, @previous, @reason, @agent, @channel, sqlc.narg(file_key), @result_seq, @next_delivery, @created_at, @changed_at, @finished_at, @kept_from
 WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.id = @id)
   AND (CAST(@definitions AS BIGINT) < 0
        OR CAST(@definitions AS BIGINT) = COALESCE((SELECT c.number FROM definition_change c WHERE c.company_id = CAST(@of_company AS TEXT)), 0))
ON CONFLICT DO NOTHING;

-- name: IdentificationByNumber :one
SELECT id, company_id, number, state, revision, company_revision, key_id, sealed, attempts, result, previous, reason, agent, channel, file_key, result_seq, next_delivery, created_at, changed_at, finished_at, kept_from
  FROM identification WHERE company_id = @company_id AND number_fold = @number_fold;

-- name: IdentificationByID :one
SELECT id, company_id, number, state, revision, company_revision, key_id, sealed, attempts, result, previous, reason, agent, channel, file_key, result_seq, next_delivery, created_at, changed_at, finished_at, kept_from
  FROM identification WHERE company_id = @company_id AND id = @id;

-- name: IdentificationByFile :one
SELECT id, company_id, number, state, revision, company_revision, key_id, sealed, attempts, result, previous, reason, agent, channel, file_key, result_seq, next_delivery, created_at, changed_at, finished_at, kept_from
  FROM identification WHERE company_id = @company_id AND file_key = @file_key;

-- name: MoveIdentification :execrows
UPDATE identification
   SET state = @state, list = @list, revision = revision + 1, company_revision = @company_revision, key_id = @key_id, sealed = @sealed,
       attempts = @attempts, result = @result, previous = @previous, reason = @reason, agent = @agent, channel = @channel,
       file_key = sqlc.narg(file_key), result_seq = @result_seq, next_delivery = @next_delivery, changed_at = @changed_at, finished_at = @finished_at, kept_from = @kept_from
 WHERE id = @id AND company_id = @company_id AND state = @old_state AND revision = @revision;

-- name: DeleteIdentification :execrows
DELETE FROM identification WHERE id = @id AND company_id = @company_id AND revision = @revision;

-- name: ListIdentifications :many
SELECT i.id, i.company_id, i.number, i.state, i.revision, i.company_revision, i.key_id, i.sealed, i.attempts, i.result, i.previous, i.reason, i.agent, i.channel, i.file_key, i.result_seq, i.next_delivery, i.created_at, i.changed_at, i.finished_at, i.kept_from, r.json
  FROM identification i LEFT JOIN result r ON r.identification_id = i.id AND r.seq = i.result_seq
 WHERE i.company_id = @company_id AND i.list = @list AND (i.created_at, i.id) < (CAST(@before_at AS BIGINT), CAST(@before_id AS TEXT))
 ORDER BY i.created_at DESC, i.id DESC
 LIMIT @most;

-- name: CompanyIdentifications :many
SELECT id, revision, key_id, created_at FROM identification WHERE company_id = @company_id ORDER BY created_at, id LIMIT @most;

-- name: UsedKeys :many
SELECT key_id FROM identification WHERE key_id >= @first AND key_id <= @last;

-- name: FileKeyTaken :one
SELECT COUNT(*) FROM identification WHERE company_id = @company_id AND file_key = @file_key AND id <> @id;

-- name: InsertTombstone :exec
INSERT INTO tombstone (id, company_id, number, created_at, deleted_at, deleted_by)
VALUES (@id, @company_id, @number, @created_at, @deleted_at, @deleted_by);

-- name: EraseTombstone :execrows
UPDATE tombstone SET erased_at = @erased_at WHERE id = @id AND company_id = @company_id AND erased_at = 0;

-- name: LastEvent :one
SELECT number, next_delivery FROM identification i WHERE i.company_id = @company_id AND i.id = @id FOR UPDATE OF i;

-- name: TombstoneByID :one
SELECT id FROM tombstone WHERE company_id = @company_id AND id = @id;

-- name: TombstoneByNumber :one
SELECT id FROM tombstone WHERE company_id = @company_id AND lower(number) = CAST(@number_fold AS TEXT)
 ORDER BY deleted_at DESC, id DESC LIMIT 1;

-- name: DuePending :many
SELECT id FROM identification
 WHERE company_id = @company_id AND list = 'pending' AND state NOT IN ('WAITING', 'IN_PROCESS') AND created_at <= @until AND kept_from <= @until
 ORDER BY created_at, id LIMIT @most;

-- name: DueOthers :many
SELECT id FROM identification
 WHERE company_id = @company_id AND list = @list AND list <> 'pending' AND kept_from <= @until
 ORDER BY kept_from LIMIT @most;

-- name: CountDuePending :one
SELECT COUNT(*) FROM identification
 WHERE company_id = @company_id AND list = 'pending' AND state NOT IN ('WAITING', 'IN_PROCESS') AND created_at <= @until AND kept_from <= @until;

-- name: CountDueOthers :one
SELECT COUNT(*) FROM identification WHERE company_id = @company_id AND list = @list AND list <> 'pending' AND kept_from <= @until;

-- name: KeysInUse :many
SELECT id, company_id, key_id FROM identification WHERE id > @after AND list <> 'canceled' ORDER BY id LIMIT @most;

-- name: DeletedSince :many
SELECT company_id, deleted_by, COUNT(*) AS number, CAST(MIN(deleted_at) AS BIGINT) AS first, CAST(MAX(deleted_at) AS BIGINT) AS last,
       CAST(COALESCE(SUM(CASE WHEN erased_at = 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS erasing,
       CAST(COALESCE(MIN(CASE WHEN erased_at = 0 THEN deleted_at END), 0) AS BIGINT) AS erasing_since
  FROM tombstone WHERE deleted_at >= @since AND deleted_at < @until GROUP BY company_id, deleted_by ORDER BY company_id, deleted_by;

-- name: Tombstones :many
SELECT id, created_at, deleted_at, deleted_by, erased_at FROM tombstone
 WHERE company_id = @company_id AND deleted_at >= @since AND deleted_at < @until ORDER BY deleted_at, id LIMIT @most;
