package keys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Mark notes the number and the hash of the newest checkpoint of the audit trail: this is
// another database than the trail's, so that whoever cuts the end of the trail, or takes
// its database back to an earlier state, is found out. A number that is not higher than the
// one that is noted changes nothing.
func (s *Store) Mark(ctx context.Context, number int64, hash []byte) error {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO mark (one, number, hash) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET number = excluded.number, hash = excluded.hash
		 WHERE mark.number < excluded.number`, number, hash)
	if err != nil {
		return fmt.Errorf("marking a checkpoint: %w", err)
	}
	return nil
}

// Marked returns the number and the hash that were noted last; zero when none was.
func (s *Store) Marked(ctx context.Context) (number int64, hash []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT number, hash FROM mark WHERE one = 1`).Scan(&number, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, nil, fmt.Errorf("reading the mark of the audit trail: %w", err)
	}
	return number, hash, nil
}
