package keys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// condemned is one call of Destroy that waits for its end.
type condemned struct {
	ids  []ID
	done chan error
}

// Destroy removes those keys for good. When it returns nil the removal is durable, no query
// gives the keys any more, and on SQLite none of their bytes is left in the file or its log.
// Missing keys are no error. Calls that come at the same time share one commit. After an
// error, also a cancelled context, the keys may or may not be gone: call again. On SQLite a
// reader of another program that holds on to an old state of the database makes Destroy fail
// after ten seconds, for the log cannot be emptied under it.
func (s *Store) Destroy(ctx context.Context, ids ...ID) error {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		if err := id.check(); err != nil {
			return fmt.Errorf("destroying keys: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("destroying keys: %w", err)
	}
	c := &condemned{ids: ids, done: make(chan error, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.condemned = append(s.condemned, c)
	if !s.executing {
		s.executing = true
		s.work.Go(s.execute)
	}
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return fmt.Errorf("destroying keys: %w", context.Cause(ctx))
	case err := <-c.done:
		return err
	}
}

// execute destroys what waits, all of it in one go, until nothing does.
func (s *Store) execute() {
	for {
		s.mu.Lock()
		group := s.condemned
		s.condemned = nil
		s.executing = len(group) > 0
		s.mu.Unlock()
		if len(group) == 0 {
			return
		}
		var ids []ID
		for _, c := range group {
			ids = append(ids, c.ids...)
		}
		err := s.destroy(ids)
		for _, c := range group {
			c.done <- err
		}
	}
}

func (s *Store) destroy(ids []ID) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	err := s.inTx(ctx, func(tx *sql.Tx) error { return s.removeKeys(ctx, tx, ids) })
	if err != nil {
		return fmt.Errorf("destroying %d keys: %w", len(ids), err)
	}
	// Also when no row was there: an earlier try may have got no further than the commit.
	if err := s.emptyLog(); err != nil {
		return fmt.Errorf("destroying %d keys: %w", len(ids), err)
	}
	return nil
}

// emptyLog moves SQLite's log into the file, over what was removed, and cuts the log to nothing. It tries again while a reader or a writer is in the
// way, up to the patience of the store.
func (s *Store) emptyLog() error {
	if s.truncate == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	for {
		var blocked, frames, moved int
		err := s.truncate.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&blocked, &frames, &moved)
		if err == nil && blocked == 0 {
			return nil
		}
		if err != nil && !busy(err) && ctx.Err() == nil {
			return fmt.Errorf("emptying the log: %w", err)
		}
		select {
		case <-ctx.Done():
			return errors.New("emptying the log: somebody reads an old state of the key store and does not stop; its bytes may still hold destroyed keys")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
