package keys

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"vidimus/internal/keys/seal"
)

const (
	// freshFor is how long after a batch was drawn its keys may be handed out. A node that
	// stood still for long draws anew, so that Sweep can tell from its age alone that a
	// batch lies in nobody's memory.
	freshFor = time.Hour

	// settleAfter is how old a batch must be for Sweep: freshFor, and an hour for the
	// transaction that writes down the use of the last key, or for clocks that differ.
	settleAfter = 2 * freshFor
)

// batch is what one commit drew and what of it is left. Its first keys are handed out first.
type batch struct {
	id    string
	drawn time.Time
	keys  []*Key
	next  int
}

func (b *batch) left() int { return len(b.keys) - b.next }

// refill is one background draw. err may be read once done is closed.
type refill struct {
	done chan struct{}
	err  error
}

// Draw hands out a key that nobody else has or gets. It is durable already, and costs no
// access to the database as long as batches are drawn faster than used; otherwise Draw waits
// for one. A key whose id is not written down within the hour may be swept.
func (s *Store) Draw(ctx context.Context) (ID, *Key, error) {
	for {
		id, k, wait, err := s.take()
		if err != nil || k != nil {
			return id, k, err
		}
		select {
		case <-ctx.Done():
			return "", nil, fmt.Errorf("drawing a key: %w", context.Cause(ctx))
		case <-wait.done:
			if wait.err != nil {
				return "", nil, fmt.Errorf("drawing a key: %w", wait.err)
			}
		}
	}
}

// take pops a key, or says what to wait for. It has the next batch drawn when no more than
// half of one is left.
func (s *Store) take() (ID, *Key, *refill, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", nil, nil, errClosed
	}
	stale := s.dropStale()
	left := 0
	for _, b := range s.pool {
		left += b.left()
	}
	if s.refill == nil && (left <= s.batch/2 || len(stale) > 0) {
		r := &refill{done: make(chan struct{})}
		s.refill = r
		s.work.Go(func() { s.draw(r, stale) })
	}
	if left == 0 {
		return "", nil, s.refill, nil
	}
	b := s.pool[0]
	id, k := place(b.id, b.next), b.keys[b.next]
	b.keys[b.next] = nil
	b.next++
	if b.left() == 0 {
		s.pool = s.pool[1:]
	}
	return id, k, nil, nil
}

// dropStale takes the batches out of the pool that are too old to be handed out. While a
// refill is under way it only takes them out; Sweep finds them.
func (s *Store) dropStale() []*batch {
	var stale []*batch
	limit := s.now().Add(-freshFor)
	for len(s.pool) > 0 && s.pool[0].drawn.Before(limit) {
		stale = append(stale, s.pool[0])
		s.pool = s.pool[1:]
	}
	return stale
}

// draw makes one batch durable and only then puts it into the pool. It hands stale batches
// back first; that may fail, for Sweep finds them.
func (s *Store) draw(r *refill, stale []*batch) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*s.patience)
	defer cancel()
	b, err := s.makeBatch(ctx)
	s.mu.Lock()
	if err == nil {
		s.pool = append(s.pool, b)
	}
	r.err = err
	s.refill = nil
	s.mu.Unlock()
	close(r.done)
	if err == nil {
		_ = s.handBack(ctx, stale)
	}
}

func (s *Store) makeBatch(ctx context.Context) (*batch, error) {
	b := &batch{drawn: s.now(), keys: make([]*Key, s.batch)}
	name := make([]byte, batchDigits/2)
	if _, err := io.ReadFull(s.random, name[6:]); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	// The time comes first so that new keys lie side by side in the index.
	copy(name, batchTime(b.drawn))
	b.id = hex.EncodeToString(name)
	secrets := make([]byte, s.batch*seal.KeySize)
	if _, err := io.ReadFull(s.random, secrets); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	entries := make([]entry, s.batch)
	for i := range b.keys {
		own := [seal.KeySize]byte(secrets[i*seal.KeySize:]) // a key must not keep its whole batch in memory
		b.keys[i] = seal.New(&own, s.random)
		id := place(b.id, i)
		entries[i] = entry{id, seal.Seal(s.wrap, s.random, own[:], []byte(id))}
	}
	clear(secrets)
	return b, s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO key_batch (id, size, drawn_at) VALUES ($1, $2, $3)`,
			b.id, len(b.keys), b.drawn.UnixMicro()); err != nil {
			return err
		}
		if err := noteNewest(ctx, tx, b.id); err != nil {
			return err
		}
		return s.addKeys(ctx, tx, entries)
	})
}

// handBack removes the keys that were never handed out, and the batches of which none was.
func (s *Store) handBack(ctx context.Context, left []*batch) error {
	if len(left) == 0 {
		return nil
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		for _, b := range left {
			ids := make([]ID, 0, b.left())
			for i := b.next; i < len(b.keys); i++ {
				ids = append(ids, place(b.id, i))
			}
			if err := s.removeKeys(ctx, tx, ids); err != nil {
				return err
			}
			if b.next > 0 {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM key_batch WHERE id = $1`, b.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("removing unused keys: %w", err)
	}
	return nil
}
