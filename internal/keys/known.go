package keys

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Known says whether the store, as it was when it was opened, may ever have held that key:
// its batch is not newer than the newest that the store knew. A missing key that it may have
// held was destroyed; a missing one that it has never known was drawn after the backup that
// this store was restored from, and lies in a newer one.
func (s *Store) Known(id ID) bool {
	return id.check() == nil && string(id[:batchDigits]) <= s.newest
}

// AcceptMissing has every key that was drawn until now count as known from the next Open on:
// no newer copy of this store will be found any more.
func (s *Store) AcceptMissing(ctx context.Context) error {
	last := hex.EncodeToString(batchTime(s.now())) + strings.Repeat("f", batchDigits-12)
	err := s.inTx(ctx, func(tx *sql.Tx) error { return noteNewest(ctx, tx, last) })
	if err != nil {
		return fmt.Errorf("accepting missing keys: %w", err)
	}
	return nil
}

// noteNewest remembers a batch, unless a newer one is.
func noteNewest(ctx context.Context, tx *sql.Tx, batch string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO newest (one, batch) VALUES (1, $1)
		ON CONFLICT (one) DO UPDATE SET batch = excluded.batch
		 WHERE newest.batch < excluded.batch`, batch)
	return err
}

// knownBatch is the newest batch that the store knows of; empty: none. A store that was made
// by an older program knows what it has.
func knownBatch(ctx context.Context, tx *sql.Tx) (string, error) {
	var newest string
	for _, q := range []string{
		`SELECT COALESCE(MAX(batch), '') FROM newest`,
		`SELECT COALESCE(MAX(id), '') FROM key_batch`,
		`SELECT COALESCE(MAX(id), '') FROM identification_key WHERE NOT (` + isFree + `)`,
	} {
		var id string
		if err := tx.QueryRowContext(ctx, q).Scan(&id); err != nil {
			return "", err
		}
		newest = max(newest, id[:min(len(id), batchDigits)])
	}
	return newest, nil
}

// batchTime is how the id of a batch begins: the milliseconds in six bytes.
func batchTime(t time.Time) []byte {
	b := make([]byte, 6)
	for i, ms := 5, t.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		b[i] = byte(ms)
	}
	return b
}
