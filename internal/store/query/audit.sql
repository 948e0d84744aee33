-- name: LastAudit :one
SELECT seq, hash FROM audit WHERE chain = @chain ORDER BY seq DESC LIMIT 1;

-- name: InsertAudit :execrows
INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash)
VALUES (@chain, @seq, @company_id, @at, @actor, @act, @detail, @hash);

-- name: InsertFirstAudit :execrows
INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash)
SELECT @chain, 1, @company_id, @at, @actor, @act, @detail, @hash
 WHERE EXISTS (SELECT 1 FROM identification WHERE id = @chain AND key_id = @key_id);

-- name: Audit :many
SELECT chain, seq, company_id, at, actor, act, detail, hash FROM audit WHERE chain = @chain ORDER BY seq;

-- name: OneUnsealed :many
SELECT chain FROM audit WHERE checkpoint = 0 LIMIT 1;

-- The plus keeps the outer statement off the index of unsealed entries: it would go through all
-- of them for each batch. What it says counts where another node has just sealed the same.
-- name: SealAudit :many
UPDATE audit SET checkpoint = @checkpoint
 WHERE +checkpoint = 0 AND (chain, seq) IN (SELECT a.chain, a.seq FROM audit a WHERE a.checkpoint = 0 LIMIT @most)
RETURNING chain, seq, hash;

-- name: InsertCheckpoint :exec
INSERT INTO checkpoint (number, at, entries, root, previous, hash, signature, key_id)
VALUES (@number, @at, @entries, @root, @previous, @hash, @signature, @key_id);

-- name: LastCheckpoint :one
SELECT number, at, entries, root, previous, hash, signature, key_id FROM checkpoint ORDER BY number DESC LIMIT 1;

-- name: Checkpoint :one
SELECT number, at, entries, root, previous, hash, signature, key_id FROM checkpoint WHERE number = @number;

-- name: Checkpoints :many
SELECT number, at, entries, root, previous, hash, signature, key_id FROM checkpoint WHERE number > @after ORDER BY number LIMIT @most;

-- name: UnsealedSince :one
SELECT COUNT(*) AS entries, CAST(COALESCE(MIN(at), 0) AS BIGINT) AS oldest FROM audit WHERE checkpoint = 0;

-- name: WithoutChain :many
SELECT i.id FROM identification i WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.chain = i.id AND a.seq = 1) ORDER BY i.id LIMIT @most;

-- name: DeletedButThere :many
SELECT i.id FROM identification i WHERE EXISTS (SELECT 1 FROM audit a WHERE a.chain = i.id AND a.act = 'identification.deleted') ORDER BY i.id LIMIT @most;

-- name: BuriedWithoutDeletion :many
SELECT t.id FROM tombstone t
 WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.chain = t.id AND a.act = 'identification.deleted') ORDER BY t.id LIMIT @most;

-- name: GoneWithoutDeletion :many
SELECT a.chain FROM audit a
 WHERE a.seq = 1 AND a.act IN ('identification.created', 'identification.received')
   AND NOT EXISTS (SELECT 1 FROM identification i WHERE i.id = a.chain)
   AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.id = a.chain) ORDER BY a.chain LIMIT @most;
