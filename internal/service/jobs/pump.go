// Package jobs carries out what was stored to be done after a commit: at least once, one
// of each lane at a time, soon after it is due, by whichever node is free. Handlers must
// bear being called twice for the same job.
package jobs

import (
	"context"
	"log/slog"
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
}

// NewPump returns a pump that does nothing until Run. do is called by up to workers
// goroutines at once.
func NewPump[T any](queue Queue[T], node string, c clock.Clock, workers int, log *slog.Logger, do func(ctx context.Context, work T)) *Pump[T] {
	return &Pump[T]{queue: queue, node: node, clock: c, workers: workers, do: do, log: log, wake: make(chan struct{}, 1)}
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
	var inHand sync.WaitGroup
	defer inHand.Wait()
	slots := make(chan struct{}, p.workers)
	work := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		free := p.workers - len(slots)
		if free == 0 {
			p.sleep(ctx, lookup)
			continue
		}
		got := p.claim(ctx, free)
		for _, w := range got {
			slots <- struct{}{}
			inHand.Go(func() {
				defer func() {
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
			p.rest(ctx)
		}
	}
}

func (p *Pump[T]) claim(ctx context.Context, most int) []T {
	now := p.clock.Now()
	got, err := p.queue.Claim(ctx, p.node, now, now.Add(lease), most)
	if err != nil && ctx.Err() == nil {
		p.log.LogAttrs(ctx, slog.LevelError, "claiming work", slog.Any("error", err))
	}
	return got
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

// rest lets a moment pass in which more may come together.
func (p *Pump[T]) rest(ctx context.Context) {
	t := time.NewTimer(breath)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Leases is what keeps a node's work its own.
type Leases interface {
	ExtendLeases(ctx context.Context, node string, until time.Time) error
}

// Renew extends the node's leases until ctx ends.
func Renew(ctx context.Context, leases Leases, node string, c clock.Clock, log *slog.Logger) {
	t := time.NewTicker(renew)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := leases.ExtendLeases(ctx, node, c.Now().Add(lease)); err != nil && ctx.Err() == nil {
				log.LogAttrs(ctx, slog.LevelError, "extending leases", slog.Any("error", err))
			}
		}
	}
}
