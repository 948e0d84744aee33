-- name: InsertEvidence :exec
INSERT INTO evidence (identification_id, attempt, seq, kind, sealed, blob, hash, taken_at)
VALUES (@identification_id, @attempt, @seq, @kind, @sealed, @blob, @hash, @taken_at);

-- name: Evidence :many
SELECT identification_id, attempt, seq, kind, sealed, blob, hash, taken_at
  FROM evidence WHERE identification_id = @identification_id AND attempt = @attempt ORDER BY seq;

-- name: DeleteEvidence :exec
DELETE FROM evidence WHERE identification_id = @identification_id;

-- name: InsertDecision :exec
INSERT INTO decision (identification_id, attempt, kind, person, sealed, made_at)
VALUES (@identification_id, @attempt, @kind, @person, @sealed, @made_at);

-- name: Decisions :many
SELECT identification_id, attempt, kind, person, sealed, made_at
  FROM decision WHERE identification_id = @identification_id AND attempt = @attempt ORDER BY made_at, kind DESC;

-- name: DeleteDecisions :exec
DELETE FROM decision WHERE identification_id = @identification_id;

-- name: DeleteEvidenceUpTo :exec
DELETE FROM evidence WHERE identification_id = @identification_id AND attempt <= @attempt;

-- name: DeleteDecisionsUpTo :exec
DELETE FROM decision WHERE identification_id = @identification_id AND attempt <= @attempt;

-- name: DeleteEvidenceOf :exec
DELETE FROM evidence WHERE identification_id = @identification_id AND attempt = @attempt;

-- name: DeleteDecisionsOf :exec
DELETE FROM decision WHERE identification_id = @identification_id AND attempt = @attempt;
