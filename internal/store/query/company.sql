-- name: Companies :many
SELECT id, revision, shortcode, settings, key_hashes, secrets, created_at, changed_at FROM company ORDER BY id;

-- name: Company :one
SELECT id, revision, shortcode, settings, key_hashes, secrets, created_at, changed_at FROM company WHERE id = @id;

-- name: InsertCompany :execrows
INSERT INTO company (id, revision, shortcode, settings, key_hashes, secrets, created_at, changed_at)
VALUES (@id, @revision, @shortcode, @settings, @key_hashes, @secrets, @created_at, @changed_at)
ON CONFLICT DO NOTHING;

-- name: UpdateCompany :execrows
UPDATE company
   SET revision = revision + 1, shortcode = @shortcode, settings = @settings, key_hashes = @key_hashes, secrets = @secrets, changed_at = @changed_at
 WHERE id = @id AND revision = @revision;

-- name: ShortcodeTaken :one
SELECT COUNT(*) FROM company WHERE shortcode = @shortcode AND id <> @id;

-- name: DeleteCompany :execrows
DELETE FROM company WHERE id = @id;

-- name: InsertCompanyRevision :exec
INSERT INTO company_revision (company_id, revision, settings) VALUES (@company_id, @revision, @settings);

-- name: LastCompanyRevision :one
SELECT CAST(COALESCE(MAX(revision), 0) AS BIGINT) FROM company_revision WHERE company_id = @company_id;

-- name: CompanyRevision :one
SELECT settings FROM company_revision WHERE company_id = @company_id AND revision = @revision;

-- name: BlankCompanyRevisions :exec
UPDATE company_revision SET settings = '' WHERE company_id = @company_id;

-- name: CompanyChange :one
SELECT number FROM company_change WHERE one = 1;

-- name: Ping :exec
UPDATE ping SET at = @at WHERE one = 1;

-- name: BumpCompanyChange :exec
UPDATE company_change SET number = number + 1 WHERE one = 1;
