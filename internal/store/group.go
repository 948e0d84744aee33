package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"vidimus/internal/store/rows"
)

// maxGroup is the most transactions that share one commit. It bounds how long the first of
// them waits for the others.
const maxGroup = 256

// group is the one writer of SQLite. It takes what waits, runs each closure in a SAVEPOINT
// of one shared transaction, commits once, and only then answers them all: the durability
// of a commit each, for the price of one.
type group struct {
	conn *sql.Conn
	q    *prepared
	in   chan *wish
	quit sync.Once
	done chan struct{}
	gate sync.RWMutex // held for reading while somebody sends
	shut bool
}

// wish is one closure that somebody waits for.
type wish struct {
	ctx   context.Context
	do    func(ctx context.Context) error
	tx    *inTx
	err   error
	panic any
	ready chan struct{}
	taken atomic.Bool // by the writer, or by the one who waits and gives up
}

// errClosed answers whoever comes after Close.
var errClosed = errors.New("the database is closed")

func newGroup(conn *sql.Conn) *group {
	g := &group{conn: conn, q: &prepared{on: conn}, in: make(chan *wish, maxGroup), done: make(chan struct{})}
	go g.run()
	return g
}

// stop lets the waiting ones finish and ends the writer.
func (g *group) stop() {
	g.quit.Do(func() {
		g.gate.Lock()
		g.shut = true
		close(g.in)
		g.gate.Unlock()
		<-g.done
	})
}

// do runs the closure and returns what is to be called after the commit. Whoever's context
// ends before the closure was begun waits no longer, and nothing is done.
func (g *group) do(ctx context.Context, do func(ctx context.Context) error) ([]func(), error) {
	w := &wish{ctx: ctx, do: do, ready: make(chan struct{})}
	g.gate.RLock()
	if g.shut {
		g.gate.RUnlock()
		return nil, errClosed
	}
	select {
	case g.in <- w:
		g.gate.RUnlock()
	case <-ctx.Done():
		g.gate.RUnlock()
		return nil, ctx.Err()
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		if !w.taken.Swap(true) {
			return nil, ctx.Err()
		}
		<-w.ready
	}
	if w.panic != nil {
		panic(w.panic)
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.tx.after, nil
}

func (g *group) run() {
	defer close(g.done)
	batch := make([]*wish, 0, maxGroup)
	for first := range g.in {
		batch = append(batch[:0], first)
	more:
		for len(batch) < maxGroup {
			select {
			case w, ok := <-g.in:
				if !ok {
					break more
				}
				batch = append(batch, w)
			default:
				break more
			}
		}
		g.commit(batch)
	}
	_ = g.q.Close() // the connection goes next
}

// commit runs a batch in one transaction and answers everybody in it.
func (g *group) commit(batch []*wish) {
	defer func() {
		for _, w := range batch {
			close(w.ready)
		}
	}()
	ctx := context.Background()
	fail := func(err error) {
		for _, w := range batch {
			if w.err == nil {
				w.err = fmt.Errorf("committing: %w", err)
			}
		}
	}
	if _, err := g.q.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		fail(err)
		return
	}
	var succeeded int
	for _, w := range batch {
		if err := g.one(w); err != nil {
			g.rollback()
			fail(err)
			return
		}
		if w.err == nil && w.panic == nil {
			succeeded++
		}
	}
	if succeeded == 0 {
		g.rollback()
		return
	}
	if _, err := g.q.ExecContext(ctx, "COMMIT"); err != nil {
		g.rollback()
		fail(err)
	}
}

// one runs a closure in a SAVEPOINT. The error it returns is one that spoils the whole
// batch; the closure's own goes to the wish.
func (g *group) one(w *wish) error {
	if w.taken.Swap(true) {
		w.err = context.Canceled // nobody waits any more
		return nil
	}
	if err := w.ctx.Err(); err != nil {
		w.err = err
		return nil
	}
	ctx := context.Background()
	if _, err := g.q.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	w.tx = &inTx{q: rows.New(g.q)}
	g.call(w)
	if w.err != nil || w.panic != nil {
		if _, err := g.q.ExecContext(ctx, "ROLLBACK TO one"); err != nil {
			return err
		}
	}
	_, err := g.q.ExecContext(ctx, "RELEASE one")
	return err
}

// call runs the closure. Its context keeps the values of the caller's but not its end: a
// statement that is interrupted would take the whole transaction with it.
func (g *group) call(w *wish) {
	defer func() {
		if p := recover(); p != nil {
			w.panic = p
		}
	}()
	w.err = w.do(context.WithValue(context.WithoutCancel(w.ctx), txKey{}, w.tx))
}

func (g *group) rollback() {
	// An error here means that SQLite has rolled back by itself already.
	_, _ = g.q.ExecContext(context.Background(), "ROLLBACK")
}
