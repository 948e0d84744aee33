// Package trail seals the audit trail and proves it. About once a second the entries that
// were written since go into a checkpoint, signed, in a chain of checkpoints whose newest is
// marked in the key store; so that nobody who can write to the database, but has neither
// the master key nor the key store, can change, add or take away anything before it without
// being found out.
package trail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// Store keeps entries and checkpoints. Changes need the transaction that InTx puts into the
// context; one that came too late is an error that Late recognises.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	Late(err error) bool
	AuditKey() audit.Key
	// Audit adds an entry to its chain; an error that Late recognises: another one came first.
	Audit(ctx context.Context, e audit.Entry) error

	// Unsealed says whether an entry waits for a checkpoint.
	Unsealed(ctx context.Context) (bool, error)
	// SealAudit gives up to most of those entries the number of a checkpoint.
	SealAudit(ctx context.Context, number int64, most int) ([]audit.Link, error)
	AddCheckpoint(ctx context.Context, c audit.Checkpoint) error
	// LastCheckpoint and Checkpoint return fault.NotFound when there is none.
	LastCheckpoint(ctx context.Context) (audit.Checkpoint, error)
	Checkpoint(ctx context.Context, number int64) (audit.Checkpoint, error)
	Checkpoints(ctx context.Context, after int64, most int) ([]audit.Checkpoint, error)

	// Snapshot has do read one state of the database. These read it.
	Snapshot(ctx context.Context, do func(ctx context.Context) error) error
	// AuditEntries goes through the chains, one after the other, each in order.
	AuditEntries(ctx context.Context, each func(e audit.Entry, checkpoint int64) error) error
	// AuditLinks goes through the sealed entries in the order of checkpoints.
	AuditLinks(ctx context.Context, each func(checkpoint int64, l audit.Link) error) error
	UnsealedSince(ctx context.Context) (entries int64, oldest time.Time, err error)
	AuditMisfits(ctx context.Context, most int) (audit.Misfits, error)
	AuditChain(ctx context.Context, chain string) ([]audit.Entry, error)

	// ServerKey returns fault.NotFound when there is none; PutServerKey keeps the first.
	ServerKey(ctx context.Context, name string) (sealed []byte, public string, err error)
	PutServerKey(ctx context.Context, name string, sealed []byte, public string, now time.Time) (bool, error)
}

// Marks is where the newest checkpoint is noted, out of the database's reach.
type Marks interface {
	// Mark never goes back to a lower number.
	Mark(ctx context.Context, number int64, hash []byte) error
	// Marked returns zero when nothing is noted.
	Marked(ctx context.Context) (number int64, hash []byte, err error)
	// AcceptMissing has every key that is missing now count as destroyed.
	AcceptMissing(ctx context.Context) error
}

// Options are the parts a Service is made of.
type Options struct {
	Store  Store
	Marks  Marks
	Master account.Master
	Clock  clock.Clock
	Random io.Reader // for the signing key
	Log    *slog.Logger
}

// Service seals and proves the trail.
type Service struct {
	store  Store
	marks  Marks
	clock  clock.Clock
	log    *slog.Logger
	signer *signer
}

// New returns the service.
func New(o Options) *Service {
	return &Service{
		store: o.Store, marks: o.Marks, clock: o.Clock, log: o.Log,
		signer: &signer{store: o.Store, master: o.Master, clock: o.Clock, random: o.Random},
	}
}

// How often entries are sealed, in real time, and how many one checkpoint takes at most: the
// one writer of SQLite is held up by each for as long as it takes.
const (
	often    = time.Second
	maxBatch = 1000
)

// Run seals until ctx ends, and a last time then.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(often)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			s.sealAll(context.WithoutCancel(ctx))
			return
		case <-t.C:
			s.sealAll(ctx)
		}
	}
}

func (s *Service) sealAll(ctx context.Context) {
	if err := s.Seal(ctx); err != nil && ctx.Err() == nil {
		s.log.LogAttrs(ctx, slog.LevelError, "sealing the audit trail", slog.Any("error", err))
	}
}

// Seal seals what no checkpoint has sealed yet, and makes no checkpoint when there is
// nothing. Another node that is sealing at the moment is let do it.
func (s *Service) Seal(ctx context.Context) error {
	for {
		n, err := s.sealBatch(ctx)
		if s.store.Late(err) {
			return nil
		}
		if err != nil || n < maxBatch {
			return err
		}
	}
}

// sealBatch makes one checkpoint and marks it; it returns how many entries it sealed.
func (s *Service) sealBatch(ctx context.Context) (int, error) {
	waiting, err := s.store.Unsealed(ctx)
	if err != nil || !waiting {
		return 0, err
	}
	key, keyID, err := s.signer.load(ctx)
	if err != nil {
		return 0, err
	}
	last, err := s.end(ctx)
	if err != nil {
		return 0, err
	}
	var c audit.Checkpoint
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		c = audit.Checkpoint{Number: last.Number + 1, At: s.clock.Now(), Previous: last.Hash, KeyID: keyID}
		links, err := s.store.SealAudit(ctx, c.Number, maxBatch)
		if err != nil || len(links) == 0 {
			return err
		}
		c.Entries, c.Root = int64(len(links)), audit.Root(links)
		c.Hash, c.Signature = c.Sum(), ed25519.Sign(key, c.Text())
		return s.store.AddCheckpoint(ctx, c)
	})
	if err != nil || c.Entries == 0 {
		return 0, err
	}
	return int(c.Entries), s.mark(ctx, c)
}

// lag is by how many checkpoints the mark may be late: a node marks what it has committed,
// and may die in between. The next checkpoint is only made once the one before is marked.
const lag = 1

// Behind says whether the key store is older than the database, or not the one that belongs
// to it: it has not marked what was sealed long ago. Then keys may be missing in it that
// nobody destroyed.
func (s *Service) Behind(ctx context.Context) (bool, error) {
	// The checkpoint first: whoever makes another one meanwhile has marked this one before.
	last, err := s.store.LastCheckpoint(ctx)
	if err := ignoreMissing(err); err != nil {
		return false, err
	}
	number, _, err := s.marks.Marked(ctx)
	return late(last.Number, number), err
}

// TakenBack says whether the database was taken back to an earlier state: the key store has
// marked a checkpoint, whose number is returned, that the database has not reached. until is
// when that state ended, as well as its last checkpoint tells.
func (s *Service) TakenBack(ctx context.Context) (back bool, marked int64, until time.Time, err error) {
	if marked, _, err = s.marks.Marked(ctx); err != nil {
		return false, 0, time.Time{}, err
	}
	last, err := s.store.LastCheckpoint(ctx)
	if err := ignoreMissing(err); err != nil {
		return false, 0, time.Time{}, err
	}
	return marked > last.Number, marked, last.At, nil
}

func late(last, marked int64) bool { return last > marked+lag }

// mark marks a checkpoint, unless the key store is behind: that must stay to be seen, by
// other nodes too, until somebody accepts it.
func (s *Service) mark(ctx context.Context, c audit.Checkpoint) error {
	number, _, err := s.marks.Marked(ctx)
	if err != nil {
		return err
	}
	if late(c.Number, number) {
		return fmt.Errorf("the key store has marked checkpoint %d, the database is at %d: the key store is the older one", number, c.Number)
	}
	return s.marks.Mark(ctx, c.Number, c.Hash)
}

// catchUp marks the last checkpoint of the database for a node that died before it could,
// or has not come to it yet. A key store that is behind by more stays as it is.
func (s *Service) catchUp(ctx context.Context, last audit.Checkpoint) error {
	number, _, err := s.marks.Marked(ctx)
	if err != nil || last.Number <= number || late(last.Number, number) {
		return err
	}
	return s.marks.Mark(ctx, last.Number, last.Hash)
}

// AcceptKeys marks the newest checkpoint in the key store, however old that is, and has the
// keys that it lacks count as destroyed. An entry in the installation's chain says so, with
// the number that was marked and that of the newest checkpoint.
func (s *Service) AcceptKeys(ctx context.Context) error {
	last, err := s.store.LastCheckpoint(ctx)
	if err := ignoreMissing(err); err != nil {
		return err
	}
	marked, _, err := s.marks.Marked(ctx)
	if err != nil {
		return err
	}
	// First: should the key store fail, it is accepted once more.
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		return s.store.Audit(ctx, audit.Entry{
			Chain: audit.Installation, At: s.clock.Now(), Actor: "operator", Act: "keys.accepted",
			Detail: fmt.Sprintf("marked %d, database at %d", marked, last.Number),
		})
	})
	if err != nil {
		return err
	}
	if err := s.marks.AcceptMissing(ctx); err != nil || last.Number == 0 {
		return err
	}
	return s.marks.Mark(ctx, last.Number, last.Hash)
}

// end returns the checkpoint that the next one follows: the last of the database, unless the
// key store has marked one that the database does not have. Then the database was taken back
// to an earlier state, or its end was cut off, and the chain goes on from the mark: no number
// is given twice, and what is missing stays to be seen.
func (s *Service) end(ctx context.Context) (audit.Checkpoint, error) {
	// The mark first: a node marks what it has committed, so the database must know it.
	number, hash, err := s.marks.Marked(ctx)
	if err != nil {
		return audit.Checkpoint{}, err
	}
	last, err := s.store.LastCheckpoint(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return last, err
	}
	if last.Number > number {
		if err := s.catchUp(ctx, last); err != nil {
			return last, err
		}
	}
	if number == 0 {
		return last, nil
	}
	marked, err := s.store.Checkpoint(ctx, number)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return last, err
	}
	if bytes.Equal(marked.Hash, hash) {
		return last, nil
	}
	s.log.LogAttrs(ctx, slog.LevelError, "the audit trail was cut: the database does not have the checkpoint that the key store has marked",
		slog.Int64("marked", number), slog.Int64("last", last.Number))
	return audit.Checkpoint{Number: max(number, last.Number), Hash: hash}, nil
}
