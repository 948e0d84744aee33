package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vidimus/internal/store/rows"
)

// How many convoys are under way at once, and the most creations that one takes. Two: one
// gathers while the database works on the other.
const (
	convoys   = 2
	maxConvoy = 64
)

// sendTime is how long the database may take for a convoy: those who wait must be answered
// some time, and a database that is slower than this has stopped.
const sendTime = 15 * time.Second

// convoy creates identifications on PostgreSQL as group writes on SQLite: whatever waits
// travels together, as one implicit transaction with one commit and one round trip, and all
// are answered after it.
type convoy struct {
	pool *sql.DB
	in   chan *creation
	gate sync.RWMutex // held for reading while somebody sends
	shut bool
	work sync.WaitGroup
}

// creation is an identification with its first audit entry that somebody waits for.
type creation struct {
	ctx     context.Context
	row     rows.InsertIdentificationParams
	entry   rows.InsertFirstAuditParams
	created bool
	unsaid  bool // created without its entry, which the database swallowed
	err     error
	ready   chan struct{}
	taken   atomic.Bool // by the convoy, or by the one who waits and gives up
}

func newConvoy(pool *sql.DB) *convoy {
	c := &convoy{pool: pool, in: make(chan *creation, 4*maxConvoy)}
	for range convoys {
		c.work.Go(c.run)
	}
	return c
}

// stop lets the waiting ones finish.
func (c *convoy) stop() {
	c.gate.Lock()
	if !c.shut {
		c.shut = true
		close(c.in)
	}
	c.gate.Unlock()
	c.work.Wait()
}

// create says whether it was created; false when a number is taken.
func (c *convoy) create(ctx context.Context, row rows.InsertIdentificationParams, entry rows.InsertFirstAuditParams) (bool, error) {
	one := &creation{ctx: ctx, row: row, entry: entry, ready: make(chan struct{})}
	c.gate.RLock()
	if c.shut {
		c.gate.RUnlock()
		return false, errClosed
	}
	select {
	case c.in <- one:
		c.gate.RUnlock()
	case <-ctx.Done():
		c.gate.RUnlock()
		return false, ctx.Err()
	}
	select {
	case <-one.ready:
	case <-ctx.Done():
		if !one.taken.Swap(true) {
			return false, ctx.Err()
		}
		<-one.ready
	}
	if one.err == nil && one.unsaid {
		// It is committed: nobody is told that it was created, and audit verify finds it.
		return false, errUnsaid
	}
	return one.created, one.err
}

var errUnsaid = errors.New("beginning an audit chain: no entry was written")

func (c *convoy) run() {
	for first := range c.in {
		batch := []*creation{first}
	more:
		for len(batch) < maxConvoy {
			select {
			case one, ok := <-c.in:
				if !ok {
					break more
				}
				batch = append(batch, one)
			default:
				break more
			}
		}
		c.answer(batch)
	}
}

// answer creates a batch. When the database refuses it, nothing of it remains, and each is
// tried by itself: what is wrong with one, or a deadlock with another node, is nobody
// else's matter. When the connection breaks, nobody knows what became of it: trying again
// could take a creation of ours for somebody else's, so all get the error.
func (c *convoy) answer(batch []*creation) {
	defer func() {
		for _, one := range batch {
			close(one.ready)
		}
	}()
	var waiting []*creation
	for _, one := range batch {
		if one.taken.Swap(true) {
			continue // nobody waits any more
		}
		if one.err = one.ctx.Err(); one.err == nil {
			waiting = append(waiting, one)
		}
	}
	if len(waiting) == 0 {
		return
	}
	// Whoever gives up meanwhile must not break off the others.
	ctx := context.WithoutCancel(waiting[0].ctx)
	if len(waiting) > 1 {
		err := c.send(ctx, waiting)
		if !refused(err) {
			for _, one := range waiting {
				one.err = err
			}
			return
		}
	}
	const tries = 5
	for _, one := range waiting {
		for range tries {
			if one.err = c.send(context.WithoutCancel(one.ctx), []*creation{one}); !again(one.err) {
				break
			}
		}
	}
}

// send creates all of them or none.
func (c *convoy) send(ctx context.Context, batch []*creation) error {
	var p pipeline
	q := rows.New(&p)
	for _, one := range batch {
		if _, err := q.InsertIdentification(ctx, one.row); err != nil {
			return err
		}
		if _, err := q.InsertFirstAudit(ctx, one.entry); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	changed, err := p.run(ctx, c.pool)
	if err != nil {
		return fmt.Errorf("storing an identification: %w", err)
	}
	for n, one := range batch {
		one.created = changed[2*n] == 1
		one.unsaid = one.created && changed[2*n+1] != 1
	}
	return nil
}
