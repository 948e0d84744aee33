// Package videoident has users identified by people: the queue, taking a call, what is
// noted and photographed meanwhile, the agent's verdict, the second person's review.
// Specification, chapters 2, 6.4.1 and 14.2. Robots that play these people (15) go the same
// way.
package videoident

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/result"
	"vidimus/internal/domain/waittime"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/vault"
)

// Store keeps attempts, evidence and decisions. Changes need the transaction that InTx
// puts into the context.
type Store interface {
	dossier.Store
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	Late(err error) bool
	IdentificationByID(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error)
	MoveIdentification(ctx context.Context, i ident.Identification, from ident.State) error
	AddAttempt(ctx context.Context, a ident.Attempt) error
	TakeAttempt(ctx context.Context, id ident.ID, number int, agent string, now time.Time) error
	EndAttempt(ctx context.Context, a ident.Attempt) error
	Waits(ctx context.Context, c company.ID, since time.Time) (done []time.Duration, waiting []time.Time, err error)
	AddEvidence(ctx context.Context, e evidence.Item) error
	AddJudgement(ctx context.Context, j evidence.Judgement) error
	AddResult(ctx context.Context, r result.Stored) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Publisher renders what each event hands out, and announces it.
type Publisher interface {
	Outcome(ctx context.Context, a *account.Account, d *dossier.Dossier) (ident.State, error)
	Render(ctx context.Context, a *account.Account, d *dossier.Dossier, event company.Event) (result.Stored, error)
	Announce(ctx context.Context, a *account.Account, i *ident.Identification, r result.Stored) error
	Cancel(ctx context.Context, before ident.Identification) error
}

// Documents is what an identification has to sign; package signing.
type Documents interface {
	// Ready is fault.Precondition while a required document has no file.
	Ready(ctx context.Context, i ident.Identification) error
	// Sign signs them; Write makes that known in the transaction of the result, Drop forgets
	// it when that came to nothing.
	Sign(ctx context.Context, a *account.Account, d *dossier.Dossier) (signing.Signed, error)
	Write(ctx context.Context, i ident.Identification, s signing.Signed) error
	Drop(ctx context.Context, s signing.Signed)
	// Fix notes, in the transaction in which an attempt begins, that they do not change any more.
	Fix(ctx context.Context, i ident.Identification, now time.Time) error
}

// Files keeps pictures and recordings, sealed.
type Files interface {
	Create(ctx context.Context, name string, write func(w io.Writer) error) error
}

// Jobs takes work for later.
type Jobs interface {
	Add(ctx context.Context, j job.Job) error
}

// Service is the life of attempts.
type Service struct {
	store    Store
	keys     vault.Keys
	files    Files
	accounts *account.Directory
	publish  Publisher
	docs     Documents
	jobs     Jobs
	clock    clock.Clock
	newID    func() string
	log      *slog.Logger
	reader   *dossier.Reader
}

// Options are the parts a Service is made of.
type Options struct {
	Store    Store
	Keys     vault.Keys
	Files    Files
	Accounts *account.Directory
	Publish  Publisher
	Signing  Documents
	Jobs     Jobs
	Clock    clock.Clock
	NewID    func() string
	Log      *slog.Logger
}

// New returns the service.
func New(o Options) *Service {
	return &Service{
		store: o.Store, keys: o.Keys, files: o.Files, accounts: o.Accounts, publish: o.Publish, docs: o.Signing, jobs: o.Jobs, clock: o.Clock, newID: o.NewID,
		log: o.Log, reader: dossier.NewReader(o.Store, o.Keys),
	}
}

// openTime is how long an attempt may be open (14.5.3, TECH_TIMEOUT). However fast an
// installation runs, the machine needs some time of its own for the work between.
const (
	openTime    = 30 * time.Minute
	openAtLeast = time.Minute
)

// The jobs of this package.
const (
	Timeout job.Kind = "videoident.timeout" // payload: the attempt's number
	Forget  job.Kind = "videoident.forget"  // payload: the old key, the last attempt and the last result under it
)

// tries to win against others that write the same identification at the same time. In each
// round one of them wins, so this is how many there may be.
const tries = 64

// Case says which identification, and of whom.
type Case struct {
	Company company.ID
	ID      ident.ID
}

var errBusy = errors.New("too many writers of one identification")

// retry reads the identification and calls do, again when another writer was first.
func (s *Service) retry(ctx context.Context, c Case, do func(a *account.Account, i ident.Identification) error) error {
	a, ok := s.accounts.Get(c.Company)
	if !ok {
		return fault.Of(fault.NotFound)
	}
	for range tries {
		i, err := s.store.IdentificationByID(ctx, c.Company, c.ID)
		if err != nil {
			return err
		}
		if err := do(a, i); !s.store.Late(err) {
			return err
		}
	}
	return errBusy
}

// Open opens everything that is known of the identification.
func (s *Service) Open(ctx context.Context, c Case) (*dossier.Dossier, error) {
	i, err := s.store.IdentificationByID(ctx, c.Company, c.ID)
	if err != nil {
		return nil, err
	}
	return s.reader.Open(ctx, i)
}

// LastMethod returns what carried the last attempt out; empty when there was none. It needs
// no key, and so works where everything else is forgotten.
func (s *Service) LastMethod(ctx context.Context, c Case) (ident.Method, error) {
	if _, err := s.store.IdentificationByID(ctx, c.Company, c.ID); err != nil {
		return "", err
	}
	all, err := s.store.Attempts(ctx, c.ID)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[len(all)-1].Method, nil
}

// Request puts the user into the queue: a new attempt begins. also, if not nil, runs in
// the same transaction. fault.Finished when nothing can follow any more, and
// fault.Precondition while another attempt is open.
func (s *Service) Request(ctx context.Context, c Case, m ident.Method, ch ident.Channel, also func(ctx context.Context, attempt ident.Attempt) error) error {
	return s.retry(ctx, c, func(_ *account.Account, i ident.Identification) error {
		from := i.State
		to, err := from.Next(ident.AgentRequested)
		if err != nil {
			return err
		}
		if i.Refused() {
			return fault.Of(fault.Finished)
		}
		if err := s.docs.Ready(ctx, i); err != nil {
			return err
		}
		now := s.clock.Now()
		i.State, i.ChangedAt, i.Channel, i.Agent, i.Reason, i.Result, i.FinishedAt = to, now, ch, "", "", "", time.Time{}
		i.Attempts++
		attempt := ident.Attempt{Identification: i.ID, Number: i.Attempts, Company: i.Company, Method: m, Channel: ch, RequestedAt: now}
		return s.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.store.MoveIdentification(ctx, i, from); err != nil {
				return err
			}
			if err := s.store.AddAttempt(ctx, attempt); err != nil {
				return err
			}
			if err := s.addTimeout(ctx, attempt); err != nil {
				return err
			}
			if also != nil {
				if err := also(ctx, attempt); err != nil {
					return err
				}
			}
			if err := s.audit(ctx, i, now, "user", "attempt.requested", string(m)); err != nil {
				return err
			}
			return s.docs.Fix(ctx, i, now)
		})
	})
}

func (s *Service) audit(ctx context.Context, i ident.Identification, now time.Time, actor, act, detail string) error {
	return s.store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: now, Actor: actor, Act: act, Detail: detail})
}

// Take has the agent begin with the waiting user.
func (s *Service) Take(ctx context.Context, c Case, agent string) error {
	return s.retry(ctx, c, func(_ *account.Account, i ident.Identification) error {
		from := i.State
		to, err := from.Next(ident.AgentTook)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		i.State, i.ChangedAt, i.Agent = to, now, agent
		return s.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.store.MoveIdentification(ctx, i, from); err != nil {
				return err
			}
			if err := s.store.TakeAttempt(ctx, i.ID, i.Attempts, agent, now); err != nil {
				return err
			}
			return s.audit(ctx, i, now, "agent:"+agent, "attempt.taken", "")
		})
	})
}

// Waiting returns the estimated waiting time of the account (6.4.1), one of its rounded
// values, and how many users wait now.
func (s *Service) Waiting(ctx context.Context, c company.ID) (time.Duration, int, error) {
	now := s.clock.Now()
	done, since, err := s.store.Waits(ctx, c, now.Add(-s.clock.Scale(waittime.Window)))
	if err != nil {
		return 0, 0, err
	}
	waiting := make([]time.Duration, len(since))
	for n, t := range since {
		waiting[n] = now.Sub(t)
	}
	return waittime.Estimate(done, waiting), len(waiting), nil
}
