-- name: InsertJob :exec
INSERT INTO job (id, kind, lane, company_id, identification_id, payload, tries, created_at, due_at, lease_node, lease_until)
VALUES (@id, @kind, @lane, @company_id, @identification_id, @payload, 0, @created_at, @due_at, '', 0);

-- name: ClaimJobs :many
UPDATE job SET lease_node = @node, lease_until = @until, tries = tries + 1
 WHERE id IN (
   SELECT j.id FROM job j
    WHERE j.due_at <= @now AND j.lease_until < @now
      AND NOT EXISTS (SELECT 1 FROM job e WHERE e.lane = j.lane AND e.id <> j.id AND e.lease_until >= @now)
      AND NOT EXISTS (SELECT 1 FROM job e WHERE e.lane = j.lane AND e.due_at <= @now AND (e.due_at, e.id) < (j.due_at, j.id))
    ORDER BY j.due_at LIMIT @most
      FOR UPDATE OF j SKIP LOCKED)
RETURNING id, kind, lane, company_id, identification_id, payload, tries, created_at, due_at;

-- name: NextJob :one
SELECT due_at FROM job WHERE due_at > @now ORDER BY due_at LIMIT 1;

-- name: ExtendJobs :exec
UPDATE job SET lease_until = @until WHERE lease_node = @node AND id IN (@id1, @id2, @id3, @id4, @id5, @id6, @id7, @id8, @id9, @id10, @id11, @id12, @id13, @id14, @id15, @id16);

-- name: FreeJobs :exec
UPDATE job SET lease_node = '', lease_until = 0 WHERE lease_until > 0;

-- name: FinishJob :execrows
DELETE FROM job WHERE id = @id AND lease_node = @node;

-- name: RetryJob :execrows
UPDATE job SET due_at = @due_at, lease_node = '', lease_until = 0 WHERE id = @id AND lease_node = @node;

-- name: DropJobs :exec
DELETE FROM job WHERE identification_id = @identification_id AND kind <> @keep AND kind NOT LIKE '%.forget';

-- name: Overdue :one
SELECT (SELECT COUNT(*) FROM job WHERE job.due_at < @before AND job.lease_until < @before)
     + (SELECT COUNT(*) FROM delivery WHERE delivery.state = 'PENDING' AND delivery.due_at < @before AND delivery.lease_until < @before);


-- name: InsertJobOnce :execrows
INSERT INTO job (id, kind, lane, company_id, identification_id, payload, tries, created_at, due_at, lease_node, lease_until)
VALUES (@id, @kind, @lane, @company_id, @identification_id, @payload, 0, @created_at, @due_at, '', 0)
ON CONFLICT DO NOTHING;
