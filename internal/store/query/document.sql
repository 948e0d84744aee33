-- name: ChangeDefinitions :exec
INSERT INTO definition_change (company_id, number) VALUES (@company_id, 1)
ON CONFLICT (company_id) DO UPDATE SET number = definition_change.number + 1;

-- name: DefinitionChange :one
SELECT number FROM definition_change WHERE company_id = @company_id;

-- name: Definitions :many
SELECT identifier, sort_order, settings, blob, size, hash, crc32, created_at
  FROM document_definition WHERE company_id = @company_id ORDER BY sort_order, identifier;

-- name: Definition :one
SELECT identifier, sort_order, settings, blob, size, hash, crc32, created_at
  FROM document_definition WHERE company_id = @company_id AND identifier = @identifier;

-- name: InsertDefinition :execrows
INSERT INTO document_definition (company_id, identifier, sort_order, settings, blob, size, hash, crc32, created_at, changed_at)
VALUES (@company_id, @identifier, @sort_order, @settings, @blob, @size, @hash, @crc32, @created_at, @created_at)
ON CONFLICT DO NOTHING;

-- name: UpdateDefinition :execrows
UPDATE document_definition
   SET sort_order = @sort_order, settings = @settings, blob = @blob, size = @size, hash = @hash, crc32 = @crc32, changed_at = @changed_at
 WHERE company_id = @company_id AND identifier = @identifier;

-- name: MoveDefinition :exec
UPDATE document_definition SET sort_order = @sort_order WHERE company_id = @company_id AND identifier = @identifier;

-- name: DeleteDefinition :execrows
DELETE FROM document_definition WHERE company_id = @company_id AND identifier = @identifier;

-- name: InsertDocument :exec
INSERT INTO document (identification_id, key_id, identifier, company_id, sort_order, revision, sealed, changed_at)
VALUES (@identification_id, @key_id, @identifier, @company_id, @sort_order, @revision, @sealed, @changed_at);

-- name: Documents :many
SELECT identification_id, key_id, identifier, company_id, sort_order, revision, sealed, changed_at
  FROM document WHERE identification_id = @identification_id AND key_id = @key_id AND company_id = @company_id ORDER BY sort_order, identifier;

-- name: UpdateDocument :execrows
UPDATE document SET sealed = @sealed, changed_at = @changed_at, revision = revision + 1
 WHERE identification_id = @identification_id AND key_id = @key_id AND identifier = @identifier AND company_id = @company_id AND revision = @revision;

-- name: DeleteDocuments :exec
DELETE FROM document WHERE identification_id = @identification_id;

-- name: DeleteDocumentsOfKey :exec
DELETE FROM document WHERE identification_id = @identification_id AND key_id = @key_id;

-- name: HoldIdentification :one
SELECT state, reason, key_id, attempts FROM identification i WHERE i.company_id = @company_id AND i.id = @id FOR UPDATE OF i;
