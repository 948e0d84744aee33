package publish

import (
	"context"
	"log/slog"
	"sync"
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
// the first byte leaves (SFTP: before the last one), and End on every path afterwards.
// fault.NotFound when the company is gone: then nothing may be handed over.
func (s *Service) Begin(ctx context.Context, h delivery.HandOver) (*Handing, error) {
	h.ID, h.State, h.At = s.newID(), delivery.Begun, s.clock.Now()
	if err := s.store.BeginHandOver(ctx, h); err != nil {
		return nil, err
	}
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

	gate    sync.Mutex
	waiting []delivery.HandOver
}

// pause is how long ends gather, batch how many are written at a time.
const (
	pause = 200 * time.Millisecond
	batch = 1000
)

func (l *ledger) add(h delivery.HandOver) {
	l.gate.Lock()
	l.waiting = append(l.waiting, h)
	l.gate.Unlock()
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// run writes ends until ctx ends, and then what is left.
func (l *ledger) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.some:
			t := time.NewTimer(pause)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
			l.try(ctx)
		}
	}
	l.try(ctx)
}

// try writes what waits. What cannot be written waits for the next time: as long as the
// database cannot be written to no hand-over begins, so that they do not become many.
func (l *ledger) try(ctx context.Context) {
	err := l.flush(context.WithoutCancel(ctx))
	if err == nil {
		return
	}
	l.log.LogAttrs(ctx, slog.LevelError, "writing the ends of hand-overs", slog.Any("error", err))
	select {
	case l.some <- struct{}{}:
	default:
	}
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

// HandOvers returns what a company fetched itself, the newest first, from after the given
// place on; the zero time is the beginning.
func (s *Service) HandOvers(ctx context.Context, c company.ID, before time.Time, beforeID string, most int) ([]delivery.HandOver, error) {
	return s.store.HandOvers(ctx, c, before, beforeID, most)
}

// HandOversOf returns what a company fetched of one identification, the first one first,
// from after the given place on.
func (s *Service) HandOversOf(ctx context.Context, c company.ID, id ident.ID, after time.Time, afterID string, most int) ([]delivery.HandOver, error) {
	return s.store.HandOversOf(ctx, c, id, after, afterID, most)
}
