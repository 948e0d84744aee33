-- name: Folder :many
SELECT i.id, i.number, i.state, i.key_id, i.created_at, r.seq, r.json, r.archive, r.created_at AS made_at
  FROM identification i JOIN result r ON r.identification_id = i.id AND r.seq = i.result_seq
 WHERE i.company_id = @company_id AND i.list = @list
 ORDER BY i.created_at, i.id
 LIMIT @most;

-- name: FolderPreliminary :many
SELECT i.id, i.number, i.state, i.key_id, i.created_at, r.seq, r.json, r.archive, r.created_at AS made_at
  FROM identification i JOIN result r ON r.identification_id = i.id AND r.seq = i.result_seq
 WHERE i.company_id = @company_id AND i.state IN ('REVIEW_PENDING', 'FRAUD_SUSPICION_PENDING')
 ORDER BY i.created_at, i.id
 LIMIT @most;
