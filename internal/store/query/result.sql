-- name: InsertResult :exec
INSERT INTO result (identification_id, seq, event, json, xml, signature, hash, archive, created_at)
VALUES (@identification_id, @seq, @event, @json, @xml, @signature, @hash, @archive, @created_at);

-- name: Result :one
SELECT identification_id, seq, event, json, xml, signature, hash, archive, created_at
  FROM result WHERE identification_id = @identification_id AND seq = @seq;

-- name: DeleteResults :exec
DELETE FROM result WHERE identification_id = @identification_id;

-- name: DeleteResultsUpTo :exec
DELETE FROM result WHERE identification_id = @identification_id AND seq <= @seq;
