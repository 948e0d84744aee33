package keys

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Sweep destroys keys that were drawn and never used: what a crash left of a batch, and what
// was handed out for work that came to nothing. It looks at batches drawn before olderThan
// that no earlier Sweep has settled, but never at one of the last two hours, which may still
// lie in the memory of a node. used is asked about all keys of a batch that are still there, at
// most 4096 at a time, and returns true for those that something is sealed under; it must
// read the one true database. When used fails, nothing of that batch is touched. Sweep
// returns how many keys it destroyed.
func (s *Store) Sweep(ctx context.Context, used func(context.Context, []ID) (map[ID]bool, error), olderThan time.Time) (int, error) {
	if limit := s.now().Add(-settleAfter); olderThan.After(limit) {
		olderThan = limit
	}
	total := 0
	for {
		batches, err := s.unsettled(ctx, olderThan)
		if err != nil {
			return total, fmt.Errorf("sweeping keys: %w", err)
		}
		for _, b := range batches {
			n, err := s.settle(ctx, b, used)
			total += n
			if err != nil {
				return total, fmt.Errorf("sweeping keys: %w", err)
			}
		}
		if len(batches) == 0 {
			break
		}
	}
	if total == 0 {
		return 0, nil
	}
	if err := s.emptyLog(); err != nil {
		return total, fmt.Errorf("sweeping keys: %w", err)
	}
	return total, nil
}

// unsettled is the oldest batches that wait for a Sweep, each with all its ids.
func (s *Store) unsettled(ctx context.Context, olderThan time.Time) ([][]ID, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT id, size
		  FROM key_batch
		 WHERE drawn_at < $1
		 ORDER BY drawn_at, id
		 LIMIT 64`, olderThan.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var batches [][]ID
	for rows.Next() {
		var id string
		var size int
		if err := rows.Scan(&id, &size); err != nil {
			return nil, err
		}
		if len(id) != batchDigits || size < 1 || size > maxBatch {
			return nil, fmt.Errorf("batch %s cannot have %d keys", id, size)
		}
		ids := make([]ID, size)
		for i := range ids {
			ids[i] = place(id, i)
		}
		batches = append(batches, ids)
	}
	return batches, rows.Err()
}

// settle destroys the unused keys of one batch and forgets the batch.
func (s *Store) settle(ctx context.Context, ids []ID, used func(context.Context, []ID) (map[ID]bool, error)) (int, error) {
	there, err := s.present(ctx, ids)
	if err != nil {
		return 0, err
	}
	inUse := map[ID]bool{}
	if len(there) > 0 {
		if inUse, err = used(ctx, there); err != nil {
			return 0, fmt.Errorf("asking which keys are in use: %w", err)
		}
	}
	var orphans []ID
	for _, id := range there {
		if !inUse[id] {
			orphans = append(orphans, id)
		}
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if err := s.removeKeys(ctx, tx, orphans); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM key_batch WHERE id = $1`, string(ids[0][:batchDigits]))
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(orphans), nil
}

// Missing returns those of ids that are not in the store: destroyed, or never drawn.
func (s *Store) Missing(ctx context.Context, ids []ID) (map[ID]bool, error) {
	there, err := s.present(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("looking for keys: %w", err)
	}
	missing := make(map[ID]bool)
	for _, id := range ids {
		missing[id] = true
	}
	for _, id := range there {
		delete(missing, id)
	}
	return missing, nil
}

// present returns those of ids that are in the store, in order.
func (s *Store) present(ctx context.Context, ids []ID) ([]ID, error) {
	var there []ID
	for part := range chunks(ids) {
		if err := s.presentChunk(ctx, part, &there); err != nil {
			return nil, err
		}
	}
	return there, nil
}

func (s *Store) presentChunk(ctx context.Context, ids []ID, there *[]ID) error {
	in, args := list(ids)
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM identification_key WHERE id IN `+in+` ORDER BY id`, args...) //nolint:gosec // placeholders only
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id ID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		*there = append(*there, id)
	}
	return rows.Err()
}
