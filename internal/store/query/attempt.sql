-- name: InsertAttempt :exec
INSERT INTO attempt (identification_id, number, company_id, method, channel, requested_at, taken_at, ended_at, agent, outcome, reason)
VALUES (@identification_id, @number, @company_id, @method, @channel, @requested_at, @taken_at, @ended_at, @agent, @outcome, @reason);

-- name: Attempts :many
SELECT identification_id, number, company_id, method, channel, requested_at, taken_at, ended_at, agent, outcome, reason
  FROM attempt WHERE identification_id = @identification_id ORDER BY number;

-- name: TakeAttempt :execrows
UPDATE attempt SET taken_at = @taken_at, agent = @agent
 WHERE identification_id = @identification_id AND number = @number AND taken_at = 0 AND ended_at = 0;

-- name: EndAttempt :execrows
UPDATE attempt SET ended_at = @ended_at, outcome = @outcome, reason = @reason
 WHERE identification_id = @identification_id AND number = @number AND ended_at = 0;

-- name: WaitsSince :many
SELECT requested_at, taken_at FROM attempt a WHERE a.company_id = @company_id AND a.taken_at >= @since
   AND EXISTS (SELECT 1 FROM identification i WHERE i.id = a.identification_id AND i.created_at <= a.requested_at);

-- name: WaitingNow :many
SELECT requested_at FROM attempt WHERE company_id = @company_id AND taken_at = 0 AND ended_at = 0;

-- name: DeleteAttempts :exec
DELETE FROM attempt WHERE identification_id = @identification_id;

-- name: DueAttempts :many
SELECT identification_id, number FROM attempt
 WHERE company_id = @company_id AND outcome = 'ABORTED' AND erased_at = 0 AND ended_at <= @until AND ended_at > 0
 ORDER BY ended_at LIMIT @most;

-- name: CountDueAttempts :one
SELECT COUNT(*) FROM attempt
 WHERE company_id = @company_id AND outcome = 'ABORTED' AND erased_at = 0 AND ended_at <= @until AND ended_at > 0;

-- name: EraseAttempt :execrows
UPDATE attempt SET erased_at = @erased_at
 WHERE identification_id = @identification_id AND number = @number AND outcome = 'ABORTED' AND erased_at = 0 AND ended_at > 0;
