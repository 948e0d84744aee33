-- name: InsertDelivery :exec
INSERT INTO delivery (id, way, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash,
       created_at, first_at, due_at, done_at, lease_node, lease_until)
VALUES (@id, @way, @company_id, @identification_id, @lane, @seq, @event, @result_seq, @key_id, @target, 'PENDING', 0, 0, 0, '', @hash,
       @created_at, 0, @due_at, 0, '', 0);

-- name: ClaimDeliveries :many
UPDATE delivery SET lease_node = @node, lease_until = @until
 WHERE id IN (
   SELECT d.id FROM delivery d
    WHERE d.state = 'PENDING' AND d.way = @way AND d.due_at <= @now AND d.lease_until < @now
      AND d.target NOT IN (@busy1, @busy2, @busy3, @busy4, @busy5, @busy6, @busy7, @busy8, @busy9, @busy10, @busy11, @busy12, @busy13, @busy14, @busy15, @busy16)
      AND d.company_id NOT IN (@full1, @full2, @full3, @full4)
      AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.state = 'PENDING' AND e.seq < d.seq)
    ORDER BY d.due_at LIMIT @most
      FOR UPDATE OF d SKIP LOCKED)
RETURNING id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash, created_at, first_at, due_at, done_at, way, bytes;

-- name: NextDelivery :one
SELECT due_at FROM delivery WHERE state = 'PENDING' AND way = @way AND due_at > @now ORDER BY due_at LIMIT 1;

-- name: ExtendDeliveries :exec
UPDATE delivery SET lease_until = @until WHERE lease_node = @node AND state = 'PENDING' AND id IN (@id1, @id2, @id3, @id4, @id5, @id6, @id7, @id8, @id9, @id10, @id11, @id12, @id13, @id14, @id15, @id16);

-- name: FreeDeliveries :exec
UPDATE delivery SET lease_node = '', lease_until = 0 WHERE lease_until > 0 AND state = 'PENDING';

-- name: EndDelivery :execrows
UPDATE delivery
   SET state = @state, tries = @tries, status = @status, problem = @problem, hash = @hash, bytes = @bytes, first_at = @first_at, done_at = @done_at,
       lease_node = '', lease_until = 0
 WHERE id = @id AND state = 'PENDING' AND lease_node = @node;

-- name: EndDroppedDelivery :execrows
UPDATE delivery
   SET state = @state, tries = @tries, status = @status, problem = @problem, hash = @hash, bytes = @bytes, done_at = @done_at
 WHERE id = @id AND state = 'SUPERSEDED' AND problem IN ('deleted', 'deleted while a try was under way')
   AND (tries = CAST(@tries AS BIGINT) OR tries = CAST(@tries AS BIGINT) - 1);

-- name: RetryDelivery :execrows
UPDATE delivery
   SET tries = @tries, status = @status, problem = @problem, first_at = @first_at, due_at = @due_at, lease_node = '', lease_until = 0
 WHERE id = @id AND state = 'PENDING' AND lease_node = @node;

-- name: SupersedeDeliveries :many
UPDATE delivery SET state = 'SUPERSEDED', done_at = @done_at
 WHERE identification_id = @identification_id AND state = 'PENDING' AND way = 'WEBHOOK' AND tries > 0 AND lease_until < @now
RETURNING id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash, created_at, first_at, due_at, done_at, way, bytes;

-- name: DropDeliveries :exec
UPDATE delivery SET state = 'SUPERSEDED', done_at = @done_at, lease_node = '', lease_until = 0,
       problem = CASE WHEN lease_until >= @now THEN 'deleted while a try was under way' ELSE 'deleted' END
 WHERE identification_id = @identification_id AND state = 'PENDING';

-- name: OpenDeliveries :one
SELECT COUNT(*) FROM delivery WHERE identification_id = @identification_id AND state = 'PENDING';

-- name: Delivery :one
SELECT id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash, created_at, first_at, due_at, done_at, way, bytes FROM delivery WHERE id = @id;

-- name: Deliveries :many
SELECT id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash, created_at, first_at, due_at, done_at, way, bytes
  FROM delivery
 WHERE company_id = @company_id AND (created_at, id) < (CAST(@before_at AS BIGINT), CAST(@before_id AS TEXT)) AND (CAST(@way AS TEXT) = '' OR way = @way)
 ORDER BY created_at DESC, id DESC LIMIT @most;

-- name: DeliveriesOf :many
SELECT id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries, replayed, status, problem, hash, created_at, first_at, due_at, done_at, way, bytes
  FROM delivery WHERE identification_id = @identification_id AND company_id = @company_id ORDER BY seq, created_at, id;

-- name: InsertTry :exec
INSERT INTO delivery_try (delivery_id, number, company_id, at, status, problem, took)
VALUES (@delivery_id, @number, @company_id, @at, @status, @problem, @took)
    ON CONFLICT (delivery_id, number) DO UPDATE SET at = excluded.at, status = excluded.status, problem = excluded.problem, took = excluded.took;

-- name: BeginTry :execrows
UPDATE delivery SET tries = @tries, status = 0, problem = @problem, first_at = @first_at
 WHERE id = @id AND state = 'PENDING' AND lease_node = @node;

-- name: DeleteTry :exec
DELETE FROM delivery_try WHERE delivery_id = @delivery_id AND number = @number;

-- name: Tries :many
SELECT number, at, status, problem, took FROM delivery_try WHERE delivery_id = @delivery_id ORDER BY number;

-- name: DeleteCompanyDeliveries :exec
DELETE FROM delivery WHERE company_id = @company_id AND created_at <= @until;

-- name: DeleteCompanyTries :exec
DELETE FROM delivery_try WHERE company_id = @company_id AND at <= @until;

-- name: ReplayDelivery :execrows
UPDATE delivery SET state = 'PENDING', replayed = tries, first_at = 0, done_at = 0, due_at = @due_at, lease_node = '', lease_until = 0
 WHERE id = @id AND company_id = @company_id AND state <> 'PENDING';

-- name: DoubtDeliveries :execrows
UPDATE delivery SET problem = @problem WHERE state = 'PENDING' AND created_at <= @until;
