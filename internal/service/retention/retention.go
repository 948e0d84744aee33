// Package retention deletes what must not be kept any longer: results and unfinished
// identifications, and the evidence of aborted attempts, after the times that the account has
// set, and what a restored backup has
// brought back although its key was destroyed. It tells what is due and what was deleted.
// Specification, chapters 2 and 8.3.4.
package retention

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/service/account"
)

// Store finds what is due. Changes need the transaction that InTx puts into the context.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	// DueIdentifications returns those of a list that are kept from until or before.
	DueIdentifications(ctx context.Context, c company.ID, l ident.List, until time.Time, most int) ([]ident.ID, error)
	CountDue(ctx context.Context, c company.ID, l ident.List, until time.Time) (int64, error)
	// KeysInUse goes through all identifications whose keys must be there.
	KeysInUse(ctx context.Context, after ident.ID, most int) ([]ident.Identification, error)
	DeletedSince(ctx context.Context, since, until time.Time) ([]ident.Deletions, error)
	Tombstones(ctx context.Context, c company.ID, since, until time.Time, most int) ([]ident.Tombstone, error)
	// DueAttempts returns aborted attempts that ended until then and have their evidence still;
	// EraseAttempt takes it, and says whether it was there.
	DueAttempts(ctx context.Context, c company.ID, until time.Time, most int) ([]ident.Attempt, error)
	CountDueAttempts(ctx context.Context, c company.ID, until time.Time) (int64, error)
	EraseAttempt(ctx context.Context, id ident.ID, number int, now time.Time) (bool, error)
	Attempts(ctx context.Context, id ident.ID) ([]ident.Attempt, error)
	Evidence(ctx context.Context, id ident.ID, attempt int) ([]evidence.Item, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// Files is where the pictures and recordings lie.
type Files interface {
	// Delete removes one; a missing one is no error.
	Delete(ctx context.Context, name string) error
}

// Keys is the key store.
type Keys interface {
	// Missing returns those of the keys that are not there: destroyed, or lost.
	Missing(ctx context.Context, ids []string) (map[string]bool, error)
	// Known says whether the key store may ever have held that key: it is not newer than
	// all that the store knew when it was opened.
	Known(id string) bool
}

// Deleter deletes one identification for good, if it still is to be deleted when nobody
// else can change it any more; fault.NotFound when there is none.
type Deleter interface {
	DeleteIf(ctx context.Context, c company.ID, id ident.ID, by string, still func(ctx context.Context, i ident.Identification) (bool, error)) error
}

// Jobs takes work for later.
type Jobs interface {
	// AddOnce adds a job under its own ID, unless there is one.
	AddOnce(ctx context.Context, j job.Job) error
}

// Options are the parts a Service is made of.
type Options struct {
	Store    Store
	Keys     Keys
	Files    Files
	Accounts *account.Directory
	Identify Deleter
	Jobs     Jobs
	Clock    clock.Clock
	Log      *slog.Logger
}

// Service deletes and tells.
type Service struct{ Options }

// New returns the service.
func New(o Options) *Service { return &Service{o} }

// Who asked for a deletion of this package.
const (
	byRetention = "retention"
	bySystem    = "system"
)

// Delete is the job that deletes one identification that is due.
const Delete job.Kind = "retention.delete"

// How often is looked for what is due, which a sped-up clock makes more often, how many are
// queued at a look, so that other work need not wait for long, and how soon after a full look
// the next one is.
const (
	often     = time.Minute
	atLeast   = time.Second
	batchSize = 500
	goOn      = 5 * time.Second
)

// Run looks for what is due until ctx ends.
func (s *Service) Run(ctx context.Context) {
	pause := max(atLeast, s.Clock.Scale(often))
	for {
		full, err := s.Queue(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "looking for what is due", slog.Any("error", err))
		}
		wait := pause
		if full {
			wait = min(pause, goOn)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// Queue leaves a job for each identification that is due, up to a bound; full says that there
// may be more. One that has its job already gets no other, whichever node left it.
func (s *Service) Queue(ctx context.Context) (full bool, err error) {
	room := batchSize
	for _, a := range s.Accounts.All() {
		for _, l := range slices.Concat(ident.KeptAsResult, ident.KeptAsUnfinished) {
			until := s.Clock.Now().Add(-s.Clock.Scale(l.KeptFor(a.Retention)))
			due, err := s.Store.DueIdentifications(ctx, a.ID, l, until, room)
			if err != nil {
				return false, err
			}
			if len(due) == 0 {
				continue
			}
			if err := s.queue(ctx, a.ID, due); err != nil {
				return false, err
			}
			if room -= len(due); room <= 0 {
				return true, nil
			}
		}
		due, err := s.Store.DueAttempts(ctx, a.ID, s.abortedUntil(a.Retention), room)
		if err != nil {
			return false, err
		}
		if len(due) == 0 {
			continue
		}
		if err := s.queueAttempts(ctx, due); err != nil {
			return false, err
		}
		if room -= len(due); room <= 0 {
			return true, nil
		}
	}
	return false, nil
}

func (s *Service) queue(ctx context.Context, c company.ID, due []ident.ID) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		for _, id := range due {
			err := s.Jobs.AddOnce(ctx, job.Job{ID: "retention/" + string(id), Kind: Delete, Lane: string(id), Company: c, Identification: id})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// HandleDelete deletes an identification if it is still due: its account's settings, or
// itself, may have changed since.
func (s *Service) HandleDelete(ctx context.Context, j job.Job) error {
	err := s.Identify.DeleteIf(ctx, j.Company, j.Identification, byRetention, func(_ context.Context, i ident.Identification) (bool, error) {
		a, known := s.Accounts.Get(j.Company)
		return known && i.Due(a.Retention, s.Clock.Scale, s.Clock.Now()), nil
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Rebury deletes what a restored backup has brought back: identifications whose keys are
// not there any more, so that nobody can read them. It must not be called while the key
// store may be older than the database: then keys are missing that nobody destroyed. What
// is missing but newer than all that the key store knows is left alone for the same reason,
// and the log says how many those are. It returns how many it deleted.
func (s *Service) Rebury(ctx context.Context) (int, error) {
	var buried, unknown int
	defer func() {
		if unknown > 0 {
			s.Log.LogAttrs(ctx, slog.LevelError, "the key store is older than identifications whose keys it lacks: they are left alone; bring a newer key store back, or see audit accept-keys",
				slog.Int("number", unknown))
		}
	}()
	var after ident.ID
	for ctx.Err() == nil {
		list, err := s.Store.KeysInUse(ctx, after, batchSize)
		if err != nil || len(list) == 0 {
			return buried, err
		}
		after = list[len(list)-1].ID
		ids := make([]string, len(list))
		for n, i := range list {
			ids[n] = i.KeyID
		}
		missing, err := s.Keys.Missing(ctx, ids)
		if err != nil {
			return buried, err
		}
		for _, i := range list {
			if !missing[i.KeyID] {
				continue
			}
			if !s.Keys.Known(i.KeyID) {
				unknown++
				continue
			}
			done, err := s.rebury(ctx, i)
			if err != nil {
				return buried, err
			}
			if done {
				buried++
			}
		}
	}
	return buried, ctx.Err()
}

// rebury looks once more under the identification's present revision: one that was opened
// again, or deleted, meanwhile has another key or none.
func (s *Service) rebury(ctx context.Context, i ident.Identification) (done bool, err error) {
	err = s.Identify.DeleteIf(ctx, i.Company, i.ID, bySystem, func(ctx context.Context, now ident.Identification) (bool, error) {
		if now.State == ident.Canceled {
			done = false
			return false, nil
		}
		missing, err := s.Keys.Missing(ctx, []string{now.KeyID})
		done = missing[now.KeyID] && s.Keys.Known(now.KeyID)
		return done, err
	})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return done, err
}
