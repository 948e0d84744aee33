-- name: InsertHandOver :execrows
INSERT INTO handover (id, company_id, identification_id, way, client, hash, bytes, entries, state, at, done_at)
SELECT @id, @company_id, @identification_id, @way, @client, @hash, 0, 0, 'BEGUN', @at, 0
 WHERE EXISTS (SELECT 1 FROM company WHERE company.id = @company_id);

-- name: EndHandOver :exec
UPDATE handover SET state = @state, hash = @hash, bytes = @bytes, entries = @entries, done_at = @done_at
 WHERE id = @id AND state = 'BEGUN';

-- name: HandOvers :many
SELECT id, company_id, identification_id, way, client, hash, bytes, entries, state, at, done_at
  FROM handover WHERE company_id = @company_id AND (at, id) < (CAST(@before_at AS BIGINT), CAST(@before_id AS TEXT))
 ORDER BY at DESC, id DESC LIMIT @most;

-- name: HandOversOf :many
SELECT id, company_id, identification_id, way, client, hash, bytes, entries, state, at, done_at
  FROM handover
 WHERE identification_id = @identification_id AND company_id = @company_id AND (at, id) > (CAST(@after_at AS BIGINT), CAST(@after_id AS TEXT))
 ORDER BY at, id LIMIT @most;

-- name: DeleteCompanyHandOvers :exec
DELETE FROM handover WHERE company_id = @company_id AND at <= @until;

-- name: InsertCopied :exec
INSERT INTO copied (id, company_id, identification_id, target, hash, at)
VALUES (@id, @company_id, @identification_id, @target, @hash, @at);

-- name: Copied :many
SELECT id, company_id, identification_id, target, hash, at
  FROM copied WHERE company_id = @company_id AND (at, id) < (CAST(@before_at AS BIGINT), CAST(@before_id AS TEXT))
 ORDER BY at DESC, id DESC LIMIT @most;

-- name: CopiedOf :many
SELECT id, company_id, identification_id, target, hash, at
  FROM copied
 WHERE identification_id = @identification_id AND company_id = @company_id AND (at, id) > (CAST(@after_at AS BIGINT), CAST(@after_id AS TEXT))
 ORDER BY at, id LIMIT @most;

-- name: DeleteCompanyCopied :exec
DELETE FROM copied WHERE company_id = @company_id AND at <= @until;
