// Package jobs carries out what was stored to be done after a commit: at least once, one
// of each lane at a time, soon after it is due, by whichever node is free. Handlers must
// bear being called twice for the same job.
package jobs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/clock"
)

// How long a node that died keeps its work from others, how often a living one says that
// it lives, and how often it looks for work that another node's death has set free.
const (
	lease  = 8 * time.Second
	renew  = 2 * time.Second
	lookup = time.Second
)

// breath is how long a busy node waits between two looks at its queue. A look costs the
// database much the same whether it finds one piece or many, so many are better.
const breath = 3 * time.Millisecond

// Queue is where a pump takes its work from.
type Queue[T any] interface {
	// Claim gives the node up to most pieces that are due, and keeps others from them
	// until the lease ends.
	Claim(ctx context.Context, node string, now, until time.Time, most int) ([]T, error)
	// ID names a piece.
	ID(work T) string
	// Extend keeps others from those of the pieces that the node still holds, until then.
	Extend(ctx context.Context, node string, ids []string, until time.Time) error
	// Next returns when the next piece is due after now; the zero time when none is.
	Next(ctx context.Context, now time.Time) (time.Time, error)
}

// Pump takes work from a queue and has it done by a bounded number of workers.
type Pump[T any] struct {
	queue   Queue[T]
	node    string
	clock   clock.Clock
	workers int
	do      func(ctx context.Context, work T)
	log     *slog.Logger
	wake    chan struct{}

	gate sync.Mutex
	hand map[string]bool // what is being done
}

// NewPump returns a pump that does nothing until Run. do is called by up to workers
// goroutines at once.
func NewPump[T any](queue Queue[T], node string, c clock.Clock, workers int, log *slog.Logger, do func(ctx context.Context, work T)) *Pump[T] {
	return &Pump[T]{queue: queue, node: node, clock: c, workers: workers, do: do, log: log, wake: make(chan struct{}, 1), hand: map[string]bool{}}
}

// Wake has the pump look at its queue at once. It never blocks.
func (p *Pump[T]) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, then waits for what is in hand; what is left stays queued.
// Work in hand gets a context that is not ended by ctx.
func (p *Pump[T]) Run(ctx context.Context) {
	var inHand, renewing sync.WaitGroup
	renewal, letGo := context.WithCancel(context.WithoutCancel(ctx))
	renewing.Go(func() { p.renew(renewal) })
	defer func() {
		inHand.Wait()
		letGo() // until now: what is in hand at the stop is still ours
		renewing.Wait()
	}()
	slots := make(chan struct{}, p.workers)
	work := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		free := p.workers - len(slots)
		if free == 0 {
			p.sleep(ctx, lookup)
			continue
		}
		got, err := p.claim(ctx, free)
		if err != nil {
			p.pause(ctx, lookup)
			continue
		}
		for _, w := range got {
			slots <- struct{}{}
			inHand.Go(func() {
				defer func() {
					p.drop(w)
					<-slots
					p.Wake() // the next of its lane may go now
				}()
				p.do(work, w)
			})
		}
		if len(got) == 0 {
			p.sleep(ctx, p.untilNext(ctx))
		}
		if len(slots) > 0 {
			p.pause(ctx, breath)
		}
	}
}

// claim takes work. A piece that is in hand already came back because its lease could not
// be extended; it is not begun a second time.
func (p *Pump[T]) claim(ctx context.Context, most int) ([]T, error) {
	now := p.clock.Now()
	got, err := p.queue.Claim(ctx, p.node, now, now.Add(lease), most)
	if err != nil {
		if ctx.Err() == nil {
			p.log.LogAttrs(ctx, slog.LevelError, "claiming work", slog.Any("error", err))
		}
		return nil, err
	}
	p.gate.Lock()
	defer p.gate.Unlock()
	fresh := got[:0]
	for _, w := range got {
		if id := p.queue.ID(w); !p.hand[id] {
			p.hand[id] = true
			fresh = append(fresh, w)
		}
	}
	return fresh, nil
}

func (p *Pump[T]) drop(w T) {
	p.gate.Lock()
	defer p.gate.Unlock()
	delete(p.hand, p.queue.ID(w))
}

// renew keeps what is in hand, and nothing else: what was claimed and never begun, because
// the answer of the database was lost, is free again when its lease ends.
func (p *Pump[T]) renew(ctx context.Context) {
	t := time.NewTicker(renew)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		p.gate.Lock()
		ids := slices.Collect(maps.Keys(p.hand))
		p.gate.Unlock()
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		if err := p.queue.Extend(ctx, p.node, ids, p.clock.Now().Add(lease)); err != nil && ctx.Err() == nil {
			p.log.LogAttrs(ctx, slog.LevelError, "extending leases", slog.Any("error", err))
		}
	}
}

func (p *Pump[T]) untilNext(ctx context.Context) time.Duration {
	now := p.clock.Now()
	next, err := p.queue.Next(ctx, now)
	if err != nil || next.IsZero() {
		return lookup
	}
	return min(lookup, max(0, next.Sub(now)))
}

func (p *Pump[T]) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-t.C:
	}
}

// pause lets a moment pass, whatever wakes.
func (p *Pump[T]) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
