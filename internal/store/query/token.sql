-- name: InsertToken :execrows
INSERT INTO token (hash, company_id, used_at)
SELECT @hash, @company_id, @used_at WHERE EXISTS (SELECT 1 FROM company WHERE company.id = @company_id);

-- name: Token :one
SELECT company_id, used_at FROM token WHERE hash = @hash;

-- name: TouchToken :exec
UPDATE token SET used_at = @used_at WHERE hash = @hash AND used_at < @used_at;

-- name: DeleteTokens :exec
DELETE FROM token WHERE company_id = @company_id;

-- name: DeleteOldTokens :exec
DELETE FROM token WHERE used_at < @before;
