// Package signing decides which documents an identification has to sign: the definitions of
// a company, the instances that each identification gets of them, what is uploaded, until
// when it may be changed, when they are signed and in whose name, and what is handed back.
// Specification, chapter 7.
package signing

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/service/account"
	"vidimus/internal/service/vault"
)

// Store keeps definitions and documents. Changes need the transaction that InTx puts into
// the context; a guarded change that came too late is an error that Late recognises.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	Late(err error) bool
	Audit(ctx context.Context, e audit.Entry) error

	// ChangeDefinitions begins a change of a company's definitions: until the end of the
	// transaction nobody else changes them. DefinitionChange returns a number that it makes
	// grow; zero: there have never been any.
	ChangeDefinitions(ctx context.Context, c company.ID) error
	DefinitionChange(ctx context.Context, c company.ID) (int64, error)
	// Definitions lists them in their order.
	Definitions(ctx context.Context, c company.ID) ([]esign.Stored, error)
	Definition(ctx context.Context, c company.ID, id esign.Identifier) (esign.Stored, error)
	AddDefinition(ctx context.Context, d esign.Stored) (bool, error)
	PutDefinition(ctx context.Context, d esign.Stored, now time.Time) error
	MoveDefinition(ctx context.Context, c company.ID, o esign.Order) error
	RemoveDefinition(ctx context.Context, c company.ID, id esign.Identifier) error

	// Documents lists those of an identification that are sealed under that key, in their
	// order. PutDocument writes what is sealed.
	Documents(ctx context.Context, c company.ID, id ident.ID, keyID string) ([]esign.Row, error)
	PutDocument(ctx context.Context, d esign.Row) error
	IdentificationByID(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error)
	// HoldIdentification returns its state, reason, key and attempts, which do not change until the end
	// of the transaction.
	HoldIdentification(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error)
}

// Files is where documents lie, sealed.
type Files interface {
	Create(ctx context.Context, name string, write func(w io.Writer) error) error
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	Delete(ctx context.Context, name string) error
}

// Inspector looks into PDF files. What it returns about a file that a company can do
// something about is a fault; any other error is ours.
type Inspector interface {
	// Check says whether a file can be signed: fault.Invalid, with the reason, for one that is
	// encrypted or broken.
	Check(ctx context.Context, file []byte) error
	// Places returns every place of the signatures in the file, in their order. A place that is
	// missing is fault.Precondition with the signature's name as key, each one of its own,
	// unless the signature is optional.
	Places(ctx context.Context, file []byte, want []esign.Signature) ([]esign.Spot, error)
}

// Jobs takes work for later.
type Jobs interface {
	Add(ctx context.Context, j job.Job) error
}

// Master seals the links of the upload page.
type Master interface {
	Seal(purpose string, plain, aad []byte) []byte
	Open(purpose string, sealed, aad []byte) ([]byte, error)
}

// Options are the parts a Service is made of.
type Options struct {
	Store    Store
	Keys     vault.Keys
	Files    Files
	Accounts *account.Directory
	Jobs     Jobs
	Master   Master
	// Defaults seals the default files of definitions, which belong to no identification.
	Defaults  vault.Key
	Inspector Inspector // nil, in tests that sign nothing: files are not looked into
	Trust     Trust
	Pen       Pen
	Recorder  Recorder
	Clock     clock.Clock
	NewID     func() string // of files
	Base      string        // the address of the user's pages, without a slash at its end
	Log       *slog.Logger
}

// Service keeps definitions and documents.
type Service struct {
	Options
	inspections chan struct{} // bounds how many files are in memory at once

	gate  sync.Mutex
	known map[company.ID]Set
}

// maxInspections is how many files are looked into at once: each may have 64 MiB.
const maxInspections = 2

// New returns the service.
func New(o Options) *Service {
	return &Service{Options: o, inspections: make(chan struct{}, maxInspections), known: map[company.ID]Set{}}
}

// tries to win against others that write the same at the same time.
const tries = 64

// retry runs do until it is not too late any more.
func (s *Service) retry(do func() error) error {
	for range tries {
		if err := do(); !s.Store.Late(err) {
			return err
		}
	}
	return errors.New("too many writers of the same documents")
}

// errMoved makes a change begin anew: what it was decided upon has changed meanwhile.
var errMoved = errors.New("the definitions have changed meanwhile")

// Enabled returns fault.Forbidden for an account that does not sign documents.
func Enabled(a *account.Account) error {
	if !signs(a) {
		return fault.New(fault.Forbidden, "eSigning is not enabled for this account")
	}
	return nil
}

func signs(a *account.Account) bool { return slices.Contains(a.Products, company.ESigning) }

// fileGrace is how long a file stays after nothing refers to it any more: somebody may be
// about to copy it.
const fileGrace = time.Minute

// Discard is the job that removes a file of a company that nothing refers to any more; its
// payload is the file's name.
const Discard job.Kind = "signing.discard"

// HandleDiscard carries it out.
func (s *Service) HandleDiscard(ctx context.Context, j job.Job) error {
	return s.Files.Delete(ctx, j.Payload)
}

func (s *Service) discard(ctx context.Context, c company.ID, f esign.File, now time.Time) error {
	if f.IsZero() {
		return nil
	}
	return s.Jobs.Add(ctx, job.Job{Kind: Discard, Company: c, Payload: f.Blob, DueAt: now.Add(fileGrace)})
}
