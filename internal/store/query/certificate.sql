-- name: InsertCertificate :exec
INSERT INTO certificate (serial, issued_at, expires_at, revoked_at, reason)
VALUES (@serial, @issued_at, @expires_at, 0, 0)
ON CONFLICT DO NOTHING;

-- name: CertificateStatus :one
SELECT revoked_at, reason FROM certificate WHERE serial = @serial;

-- name: RevokeCertificate :execrows
UPDATE certificate SET revoked_at = @revoked_at, reason = @reason WHERE serial = @serial AND revoked_at = 0;

-- name: RevokedCertificates :many
SELECT serial, revoked_at, reason FROM certificate WHERE revoked_at > 0 ORDER BY revoked_at, serial LIMIT @most;

-- name: Certificates :many
SELECT serial, issued_at, expires_at, revoked_at, reason FROM certificate WHERE revoked_at >= @revoked_since ORDER BY issued_at DESC, serial LIMIT @most;
