-- name: InsertServerKey :execrows
INSERT INTO server_key (name, sealed, public, created_at) VALUES (@name, @sealed, @public, @created_at)
ON CONFLICT DO NOTHING;

-- name: ServerKey :one
SELECT sealed, public FROM server_key WHERE name = @name;

-- name: SetServerKeyPublic :exec
UPDATE server_key SET public = @public WHERE name = @name;
