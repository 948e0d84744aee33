-- name: LastAudit :one
SELECT seq, hash FROM audit WHERE chain = @chain ORDER BY seq DESC LIMIT 1;

-- name: InsertAudit :exec
INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash)
VALUES (@chain, @seq, @company_id, @at, @actor, @act, @detail, @hash);

-- name: InsertFirstAudit :execrows
INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash)
SELECT @chain, 1, @company_id, @at, @actor, @act, @detail, @hash
 WHERE EXISTS (SELECT 1 FROM identification WHERE id = @chain AND key_id = @key_id);

-- name: Audit :many
SELECT chain, seq, company_id, at, actor, act, detail, hash FROM audit WHERE chain = @chain ORDER BY seq;
