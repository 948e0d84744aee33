package publish

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/ident"
)

// Handing is a hand-over under way: the ledger has it already, and gets how it ended.
type Handing struct {
	ledger *ledger
	entry  delivery.HandOver
	once   sync.Once
}

// Ended is how a hand-over ended.
type Ended struct {
	Whole   bool   // every byte was given to the connection
	Bytes   int64  // how many were
	Hash    []byte // of a list, which has none before: SHA-256 of its bytes; else nil
	Entries int    // of a list
}

// Begin writes into the ledger, durably, that something is about to be handed over. Company,
// Way, Client, and unless it is a list Identification and Hash, must be set. Call it before
// the first byte leaves, and End on every path afterwards.
// fault.NotFound when the company is gone: then nothing may be handed over.
func (s *Service) Begin(ctx context.Context, h delivery.HandOver) (*Handing, error) {
	h.ID, h.State, h.At = s.newID(), delivery.Begun, s.clock.Now()
	if err := s.store.BeginHandOver(ctx, h); err != nil {
		return nil, err
	}
	s.ledger.open.Add(1)
	return &Handing{ledger: s.ledger, entry: h}, nil
}

// Begin is Service.Begin for the archive; way is RESTZIP, SFTP or Form.
func (z *ZIP) Begin(ctx context.Context, way delivery.Way, client string) (*Handing, error) {
	hash, err := z.Hash(ctx)
	if err != nil {
		return nil, err
	}
	return z.service.Begin(ctx, delivery.HandOver{Company: z.company, Identification: z.id, Way: way, Client: client, Hash: hash})
}

// HandOver writes the archive to somebody whom client names; the ledger knows of it before
// the first byte leaves, and afterwards how it ended. It returns how many bytes w took: after
// an error with some of them, the receiver must see that the file is not whole.
func (z *ZIP) HandOver(ctx context.Context, way delivery.Way, client string, w io.Writer) (sent int64, err error) {
	h, err := z.Begin(ctx, way, client)
	if err != nil {
		return 0, err
	}
	to := &counted{w: w}
	defer func() { h.End(Ended{Bytes: to.n}) }() // for a writer that panics
	err = z.Write(ctx, to)
	h.End(Ended{Whole: err == nil, Bytes: to.n})
	return to.n, err
}

type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// End notes how it ended; what comes after the first call is ignored. It never blocks: the
// ledger gets it within a moment, and at a stop before Service.Run returns.
func (h *Handing) End(e Ended) {
	h.once.Do(func() {
		entry := h.entry
		entry.State, entry.Bytes, entry.Entries, entry.DoneAt = delivery.Broken, e.Bytes, e.Entries, h.ledger.now()
		if e.Whole {
			entry.State = delivery.Done
		}
		if e.Whole && e.Hash != nil {
			entry.Hash = e.Hash
		}
		h.ledger.add(entry)
	})
}

// ledger gathers ends and writes many at a time. What a crash takes with it stays BEGUN.
type ledger struct {
	store interface {
		EndHandOvers(ctx context.Context, all []delivery.HandOver) error
	}
	now  func() time.Time
	log  *slog.Logger
	some chan struct{}
	open atomic.Int64 // hand-overs under way

	gate    sync.Mutex
	waiting []delivery.HandOver
}

// pause is how long ends gather, patience how long they do after they could not be written,
// batch how many are written at a time, grace how long a stop waits for those that it has
// broken off.
const (
	pause    = 200 * time.Millisecond
	patience = 2 * time.Second
	batch    = 1000
	grace    = time.Second
)

func (l *ledger) add(h delivery.HandOver) {
	l.gate.Lock()
	l.waiting = append(l.waiting, h)
	l.gate.Unlock()
	l.open.Add(-1) // after that: whoever sees it sees the end too
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// run writes ends until ctx ends, and then what is left: what a stop breaks off ends right
// after that.
func (l *ledger) run(ctx context.Context) {
	for wait := pause; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-l.some:
			t := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
			if wait = pause; !l.try(ctx) {
				wait = patience
			}
		}
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	for over := false; ; {
		// First, so that an end that comes now is still written.
		last := over || l.open.Load() == 0
		if ok := l.try(ctx); !ok || last {
			return
		}
		select {
		case <-l.some:
		case <-late.C:
			over = true
		}
	}
}

// try writes what waits. What cannot be written waits for the next time: as long as the
// database cannot be written to no hand-over begins, so that they do not become many.
func (l *ledger) try(ctx context.Context) bool {
	err := l.flush(context.WithoutCancel(ctx))
	if err == nil {
		return true
	}
	l.log.LogAttrs(ctx, slog.LevelError, "writing the ends of hand-overs", slog.Any("error", err))
	select {
	case l.some <- struct{}{}:
	default:
	}
	return false
}

func (l *ledger) flush(ctx context.Context) error {
	for {
		l.gate.Lock()
		some := l.waiting[:min(batch, len(l.waiting))]
		l.gate.Unlock()
		if len(some) == 0 {
			return nil
		}
		if err := l.store.EndHandOvers(ctx, some); err != nil {
			return err
		}
		l.gate.Lock()
		if l.waiting = l.waiting[len(some):]; len(l.waiting) == 0 {
			l.waiting = nil
		}
		l.gate.Unlock()
	}
}

// Spot is where a page of the ledger begins: after the entry that has them.
type Spot struct {
	At time.Time
	ID string
}

// Ledger returns up to most of what reached a company, or was to, by all ways: the newest
// first, from after the spot on. The zero spot is the beginning.
func (s *Service) Ledger(ctx context.Context, c company.ID, after Spot, most int) ([]delivery.Entry, error) {
	sent, err := s.store.Deliveries(ctx, c, "", after.At, after.ID, most)
	if err != nil {
		return nil, err
	}
	fetched, err := s.store.HandOvers(ctx, c, after.At, after.ID, most)
	if err != nil {
		return nil, err
	}
	all := entries(sent, fetched)
	slices.SortFunc(all, func(a, b delivery.Entry) int { return inOrder(b, a) })
	return all[:min(most, len(all))], nil
}

// LedgerOf is Ledger for one identification, which may be deleted: the oldest first.
func (s *Service) LedgerOf(ctx context.Context, c company.ID, id ident.ID, after Spot, most int) ([]delivery.Entry, error) {
	sent, err := s.store.DeliveriesOf(ctx, c, id) // a few for each event
	if err != nil {
		return nil, err
	}
	spot := delivery.Entry{At: after.At, ID: after.ID}
	sent = slices.DeleteFunc(sent, func(d delivery.Delivery) bool { return !spot.Before(d.Entry()) })
	fetched, err := s.store.HandOversOf(ctx, c, id, after.At, after.ID, most)
	if err != nil {
		return nil, err
	}
	all := entries(sent, fetched)
	slices.SortFunc(all, inOrder)
	return all[:min(most, len(all))], nil
}

func entries(sent []delivery.Delivery, fetched []delivery.HandOver) []delivery.Entry {
	all := make([]delivery.Entry, 0, len(sent)+len(fetched))
	for _, d := range sent {
		all = append(all, d.Entry())
	}
	for _, h := range fetched {
		all = append(all, h.Entry())
	}
	return all
}

func inOrder(a, b delivery.Entry) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	default:
		return 0
	}
}
