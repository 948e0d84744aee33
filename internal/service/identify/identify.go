// Package identify has one identification's life from the company's side: start, update,
// look up, archive, copy, delete; whoever asks. Specification, chapters 3 and 8.3.
package identify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/domain/scenario"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/vault"
)

// Store keeps identifications. Changes need the transaction that InTx puts into the
// context; a guarded change that came too late is an error that Late recognises.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	// NewIdentification says false when a number is taken, or the company's document
	// definitions are not those any more that the documents were made of.
	NewIdentification(ctx context.Context, i ident.Identification, d esign.Instances, e audit.Entry) (bool, error)
	IdentificationByNumber(ctx context.Context, c company.ID, n ident.TransactionNumber) (ident.Identification, error)
	IdentificationByID(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error)
	MoveIdentification(ctx context.Context, i ident.Identification, from ident.State) error
	BuryIdentification(ctx context.Context, i ident.Identification, now time.Time, by string) error
	BuriedByNumber(ctx context.Context, c company.ID, n ident.TransactionNumber) (ident.ID, error)
	Buried(ctx context.Context, c company.ID, id ident.ID) error
	CompanyIdentifications(ctx context.Context, c company.ID, most int) ([]ident.Identification, error)
	EraseRecords(ctx context.Context, id ident.ID) error
	// EraseTombstone notes when everything behind a tombstone was destroyed; false: noted
	// before, or there is no tombstone.
	EraseTombstone(ctx context.Context, c company.ID, id ident.ID, now time.Time) (bool, error)
	EraseEvidence(ctx context.Context, id ident.ID, attempt int, result int64) error
	DropDeliveries(ctx context.Context, id ident.ID, now time.Time) error
	EraseCompanyDeliveries(ctx context.Context, c company.ID, until time.Time) error
	DropJobs(ctx context.Context, id ident.ID, keep job.Kind) error
	AddDocument(ctx context.Context, d esign.Row) error
	Audit(ctx context.Context, e audit.Entry) error
	Late(err error) bool

	dossier.Store
	CreateIdentification(ctx context.Context, i ident.Identification) (bool, error)
	AddAttempt(ctx context.Context, a ident.Attempt) error
	AddEvidence(ctx context.Context, e evidence.Item) error
	AddJudgement(ctx context.Context, j evidence.Judgement) error
	AddResult(ctx context.Context, r result.Stored) error
	AddCopy(ctx context.Context, h delivery.HandOver) error
}

// Files is where the pictures, recordings and PDFs lie, sealed, each under its
// identification's folder.
type Files interface {
	Create(ctx context.Context, name string, write func(w io.Writer) error) error
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	DeletePrefix(ctx context.Context, prefix string) error
}

// Outbox is where mails lie instead of being sent.
type Outbox interface {
	// Forget removes those that hold a result of the identification.
	Forget(ctx context.Context, id ident.ID) error
}

// Publisher renders results.
type Publisher interface {
	Render(ctx context.Context, a *account.Account, d *dossier.Dossier, event company.Event) (result.Stored, error)
}

// Documents makes the documents that identifications have to sign; package signing.
type Documents interface {
	// For returns the definitions that new identifications of the account get instances of;
	// now: what there is now, and not what is remembered.
	For(ctx context.Context, a *account.Account, now bool) (signing.Set, error)
	// Instances makes the documents of an identification that begins, or begins anew, with
	// their files. fault.Unavailable when the definitions are being changed.
	Instances(ctx context.Context, set signing.Set, i ident.Identification, key vault.Key) (esign.Instances, error)
	// Copies makes those of a copy, and tells what of them its result hands out.
	Copies(ctx context.Context, from, to ident.Identification, key vault.Key) ([]esign.Row, []dossier.SignedFile, error)
	// Erase removes the definitions of a deleted company.
	Erase(ctx context.Context, c company.ID, until time.Time) error
}

// Jobs takes work for later.
type Jobs interface {
	Add(ctx context.Context, j job.Job) error
}

// Service is the life of identifications.
type Service struct {
	store    Store
	keys     vault.Keys
	files    Files
	docs     Documents
	accounts *account.Directory
	jobs     Jobs
	clock    clock.Clock
	random   io.Reader
	log      *slog.Logger
	publish  Publisher
	outbox   Outbox
	newID    func() string
	reader   *dossier.Reader
	robots   bool // the test environment: names can select a scenario
}

// Options are the parts a Service is made of.
type Options struct {
	Store    Store
	Keys     vault.Keys
	Files    Files
	Signing  Documents
	Accounts *account.Directory
	Jobs     Jobs
	Publish  Publisher
	Outbox   Outbox // nil: there is none
	Clock    clock.Clock
	Random   io.Reader // for Ident-IDs
	NewID    func() string
	Log      *slog.Logger
	Test     bool // the test environment
}

// New returns the service.
func New(o Options) *Service {
	return &Service{
		store: o.Store, keys: o.Keys, files: o.Files, docs: o.Signing, accounts: o.Accounts, jobs: o.Jobs, clock: o.Clock, random: o.Random, log: o.Log,
		publish: o.Publish, outbox: o.Outbox, newID: o.NewID, reader: dossier.NewReader(o.Store, o.Keys), robots: o.Test,
	}
}

// tries to win against others that write the same identification at the same time. In each
// round one of them wins, so this is how many there may be.
const tries = 64

// Find returns the company's identification with that transaction number, or else with
// that Ident-ID. fault.MissingNumber, fault.Invalid, fault.NotFound.
func (s *Service) Find(ctx context.Context, c company.ID, ref string) (ident.Identification, error) {
	n, err := ident.ParseTransactionNumber(ref)
	if err != nil {
		return ident.Identification{}, err
	}
	i, err := s.store.IdentificationByNumber(ctx, c, n)
	if id, ok := ident.ParseID(ref); ok && fault.Is(err, fault.NotFound) {
		return s.store.IdentificationByID(ctx, c, id)
	}
	return i, err
}

// Buried returns the Ident-ID of the company's deleted identification with that transaction
// number, of several the last one deleted, or else with that Ident-ID. fault.MissingNumber,
// fault.Invalid, fault.NotFound.
func (s *Service) Buried(ctx context.Context, c company.ID, ref string) (ident.ID, error) {
	n, err := ident.ParseTransactionNumber(ref)
	if err != nil {
		return "", err
	}
	id, err := s.store.BuriedByNumber(ctx, c, n)
	if parsed, ok := ident.ParseID(ref); ok && fault.Is(err, fault.NotFound) {
		return parsed, s.store.Buried(ctx, c, parsed)
	}
	return id, err
}

// Started is the answer to a start.
type Started struct {
	ID      ident.ID
	Created bool
}

// Start creates an identification of the application, or updates the one that has the
// number (or the Ident-ID) already: only fields that are sent replace what was there, none
// at all changes nothing. A canceled one is opened again. What is finished, or failed for
// good, is fault.Finished.
func (s *Service) Start(ctx context.Context, a *account.Account, ref string, sent person.Application) (Started, error) {
	number, err := ident.ParseTransactionNumber(ref)
	if err != nil {
		return Started{}, err
	}
	if err := s.checkScenario(sent); err != nil {
		return Started{}, err
	}
	if _, ok := ident.ParseID(ref); ok {
		i, err := s.Find(ctx, a.ID, ref)
		if !fault.Is(err, fault.NotFound) {
			return s.updateFound(ctx, a, i, err, sent)
		}
	}
	for n := range tries {
		set, err := s.docs.For(ctx, a, n > 0)
		if err != nil {
			return Started{}, err
		}
		// Documents are made before it is known that the number is free: better look first.
		if len(set.Definitions) > 0 {
			i, err := s.store.IdentificationByNumber(ctx, a.ID, number)
			if !fault.Is(err, fault.NotFound) {
				return s.updateFound(ctx, a, i, err, sent)
			}
		}
		id, err := s.create(ctx, a, number, sent, set)
		if fault.Is(err, fault.Unavailable) && n < tries-1 {
			continue // the definitions are being changed
		}
		if err != nil || id != "" {
			return Started{ID: id, Created: true}, err
		}
		i, err := s.store.IdentificationByNumber(ctx, a.ID, number)
		if fault.Is(err, fault.NotFound) {
			continue // the Ident-ID was taken, the definitions have changed, or the other one was deleted just now
		}
		return s.updateFound(ctx, a, i, err, sent)
	}
	return Started{}, errors.New("no free Ident-ID was drawn")
}

func (s *Service) updateFound(ctx context.Context, a *account.Account, i ident.Identification, err error, sent person.Application) (Started, error) {
	if err != nil {
		return Started{}, err
	}
	return Started{ID: i.ID}, s.update(ctx, a, i, sent)
}

func (s *Service) checkScenario(a person.Application) error {
	if !s.robots {
		return nil
	}
	_, err := scenario.Of(a)
	return err
}

// create stores a new identification; an empty ID says that the number, or the Ident-ID
// drawn, is taken, or that the definitions of its documents have changed.
func (s *Service) create(ctx context.Context, a *account.Account, number ident.TransactionNumber, sent person.Application, set signing.Set) (ident.ID, error) {
	var random [5]byte
	if _, err := io.ReadFull(s.random, random[:]); err != nil {
		return "", fmt.Errorf("drawing an Ident-ID: %w", err)
	}
	keyID, key, err := s.keys.Draw(ctx)
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	id := ident.NewID(string(a.Shortcode), random)
	sealed, err := vault.Seal(key, dossier.Application, id, sent)
	if err != nil {
		return "", err
	}
	i := ident.Identification{
		ID: id, Company: a.ID, Number: number, State: ident.Created, Revision: 1, CompanyRevision: a.Revision, KeyID: keyID, Sealed: sealed,
		Channel: ident.Web, CreatedAt: now, ChangedAt: now, KeptFrom: now,
	}
	documents, err := s.docs.Instances(ctx, set, i, key)
	if err != nil {
		if drop := s.dropFiles(ctx, i, set); drop != nil {
			return "", drop
		}
		return "", err
	}
	created, err := s.store.NewIdentification(ctx, i, documents, audit.Entry{Chain: string(id), Company: a.ID, At: now, Actor: "company", Act: "identification.created"})
	if err != nil {
		// Key and files may be in use: a commit can succeed and its answer be lost. Else the
		// sweep destroys the key, and nobody can read the files.
		return "", err
	}
	if !created {
		if err := s.dropFiles(ctx, i, set); err != nil {
			return "", err
		}
		s.keys.Undraw(keyID, key)
		return "", nil
	}
	return id, nil
}

// dropFiles removes the files that were made for an identification that is not to be.
func (s *Service) dropFiles(ctx context.Context, i ident.Identification, set signing.Set) error {
	if len(set.Definitions) == 0 {
		return nil
	}
	return s.files.DeletePrefix(context.WithoutCancel(ctx), dossier.KeyFolder(i))
}

// Archive files a finished identification away (8.3.6). fault.Forbidden for an account
// without the feature, fault.Precondition when it is not finished or archived already.
func (s *Service) Archive(ctx context.Context, a *account.Account, ref string) error {
	if !a.Archive {
		return fault.New(fault.Forbidden, "archiving is not enabled for this account")
	}
	return s.archiveFound(ctx, func() (ident.Identification, error) { return s.Find(ctx, a.ID, ref) })
}

// ArchiveByID is Archive for the identification with that Ident-ID, whatever number another
// one may have.
func (s *Service) ArchiveByID(ctx context.Context, a *account.Account, id ident.ID) error {
	if !a.Archive {
		return fault.New(fault.Forbidden, "archiving is not enabled for this account")
	}
	return s.archiveFound(ctx, func() (ident.Identification, error) { return s.store.IdentificationByID(ctx, a.ID, id) })
}

func (s *Service) archiveFound(ctx context.Context, find func() (ident.Identification, error)) error {
	for range tries {
		i, err := find()
		if err != nil {
			return err
		}
		from := i.State
		if i.State, err = from.Next(ident.CompanyArchived); err != nil {
			return err
		}
		i.ChangedAt = s.clock.Now()
		err = s.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.store.MoveIdentification(ctx, i, from); err != nil {
				return err
			}
			return s.store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: i.ChangedAt, Actor: "company", Act: "identification.archived"})
		})
		if !s.store.Late(err) {
			return err
		}
	}
	return errors.New("too many writers of one identification")
}

// The jobs of this package. Both destroy a key; Remove also files and rows, and what it
// removes is named by the job itself: Payload is the key's ID.
const (
	Remove job.Kind = "identification.remove"
	Forget job.Kind = "identification.forget"
)

// grace is how long the job waits while the request that caused it does the same work: it
// is for the case that the request never comes to its end.
const grace = 3 * time.Second

// Delete removes an identification for good, in whatever state it is (8.3.4): it is gone
// for everybody at once; then its key is destroyed, its files, its rows. by is who asked.
func (s *Service) Delete(ctx context.Context, a company.ID, ref, by string) error {
	return s.deleteFound(ctx, by, func() (ident.Identification, error) { return s.Find(ctx, a, ref) })
}

// DeleteFinal is Delete for the identification with that Ident-ID once its review is over;
// before that it is fault.Precondition.
func (s *Service) DeleteFinal(ctx context.Context, c company.ID, id ident.ID, by string) error {
	return s.deleteFound(ctx, by, func() (ident.Identification, error) {
		i, err := s.store.IdentificationByID(ctx, c, id)
		if err == nil && !i.State.Final() {
			return i, fault.New(fault.Precondition, "the identification is %s", i.State)
		}
		return i, err
	})
}

// DeleteIf is Delete for the identification with that Ident-ID, if still says so of it as it
// is when it is deleted. fault.NotFound when there is none.
func (s *Service) DeleteIf(ctx context.Context, c company.ID, id ident.ID, by string, still func(ctx context.Context, i ident.Identification) (bool, error)) error {
	err := s.deleteFound(ctx, by, func() (ident.Identification, error) {
		i, err := s.store.IdentificationByID(ctx, c, id)
		if err != nil {
			return i, err
		}
		ok, err := still(ctx, i)
		if err == nil && !ok {
			err = errStays
		}
		return i, err
	})
	if errors.Is(err, errStays) {
		return nil
	}
	return err
}

// errStays says that an identification is not to be deleted after all.
var errStays = errors.New("it is not to be deleted any more")

func (s *Service) deleteFound(ctx context.Context, by string, find func() (ident.Identification, error)) error {
	for range tries {
		i, err := find()
		if err != nil {
			return err
		}
		err = s.bury(ctx, i, by)
		if s.store.Late(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.remove(ctx, i.Company, i.ID, i.KeyID); err != nil {
			// It is gone already for all who ask, and the job goes on until all is done; but
			// nobody is told that it is done.
			return fmt.Errorf("removing identification %s: %w", i.ID, err)
		}
		return nil
	}
	return errors.New("too many writers of one identification")
}

func (s *Service) bury(ctx context.Context, i ident.Identification, by string) error {
	now := s.clock.Now()
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.BuryIdentification(ctx, i, now, by); err != nil {
			return err
		}
		if err := s.store.DropDeliveries(ctx, i.ID, now); err != nil {
			return err
		}
		if err := s.store.DropJobs(ctx, i.ID, Remove); err != nil {
			return err
		}
		if err := s.jobs.Add(ctx, job.Job{Kind: Remove, Lane: string(i.ID), Company: i.Company, Identification: i.ID, Payload: i.KeyID, DueAt: now.Add(grace)}); err != nil {
			return err
		}
		return s.store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: now, Actor: by, Act: "identification.deleted", Detail: string(i.State)})
	})
}

// remove destroys the key first, so that whatever stays behind by a crash cannot be read.
func (s *Service) remove(ctx context.Context, c company.ID, id ident.ID, keyID string) error {
	if err := s.keys.Destroy(ctx, keyID); err != nil {
		return err
	}
	if err := s.files.DeletePrefix(ctx, dossier.Folder(c, id)); err != nil {
		return err
	}
	if s.outbox != nil {
		if err := s.outbox.Forget(ctx, id); err != nil {
			return err
		}
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.EraseRecords(ctx, id); err != nil {
			return err
		}
		now := s.clock.Now()
		first, err := s.store.EraseTombstone(ctx, c, id, now)
		if err != nil {
			return err
		}
		if first {
			err := s.store.Audit(ctx, audit.Entry{Chain: string(id), Company: c, At: now, Actor: "system", Act: "identification.erased"})
			if err != nil {
				return err
			}
		}
		return s.store.DropJobs(ctx, id, Remove)
	})
}

// HandleRemove carries out what a Delete began. It also runs after a Delete that came to
// its end: a job that was in hand meanwhile may have left a file behind.
func (s *Service) HandleRemove(ctx context.Context, j job.Job) error {
	return s.remove(ctx, j.Company, j.Identification, j.Payload)
}

// HandleForget destroys the keys named in the payload, with spaces between them.
func (s *Service) HandleForget(ctx context.Context, j job.Job) error {
	return s.keys.Destroy(ctx, strings.Fields(j.Payload)...)
}

// HandleErase removes everything of a deleted company. Where there is a company of the same
// ID again, what was created since, but not before the moment in the payload, is its own.
func (s *Service) HandleErase(ctx context.Context, j job.Job) error {
	const batch = 200
	until, err := time.Parse(time.RFC3339Nano, j.Payload)
	if err != nil {
		return fmt.Errorf("reading the moment of deletion: %w", err)
	}
	if a, again := s.accounts.Get(j.Company); !again {
		until = s.clock.Now()
	} else if before := a.CreatedAt.Add(-time.Microsecond); before.After(until) {
		until = before // times are kept to the microsecond
	}
	for {
		list, err := s.store.CompanyIdentifications(ctx, j.Company, batch)
		if err != nil {
			return err
		}
		var left int
		for _, i := range list {
			if i.CreatedAt.After(until) {
				continue
			}
			left++
			err := s.deleteFound(ctx, "operator", func() (ident.Identification, error) { return s.store.IdentificationByID(ctx, i.Company, i.ID) })
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		if left == 0 {
			if err := s.docs.Erase(ctx, j.Company, until); err != nil {
				return err
			}
			return s.store.InTx(ctx, func(ctx context.Context) error { return s.store.EraseCompanyDeliveries(ctx, j.Company, until) })
		}
	}
}
