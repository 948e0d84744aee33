// Package publish decides which result goes out now, to whom, by which way: it renders a
// result once, stores it sealed, hands it out, tells the addresses that want to know, and
// keeps the ledger of what was handed over. Specification, chapters 8.3.2, 8.3.3, 10, 11, 13
// and 14.
package publish

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/vault"
)

// Store keeps results and deliveries. Changes need the transaction that InTx puts into the
// context.
type Store interface {
	dossier.Store
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	AfterCommit(ctx context.Context, f func())
	Late(err error) bool
	Audit(ctx context.Context, e audit.Entry) error

	IdentificationByID(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error)
	MoveIdentification(ctx context.Context, i ident.Identification, from ident.State) error
	ListIdentifications(ctx context.Context, c company.ID, l ident.List, before time.Time, beforeID ident.ID, most int) ([]ident.Listed, error)
	IdentificationByNumber(ctx context.Context, c company.ID, n ident.TransactionNumber) (ident.Identification, error)
	// IdentificationByFile returns the one whose ZIP has the name with that keyed hash.
	IdentificationByFile(ctx context.Context, c company.ID, fileKey string) (ident.Identification, error)
	FileKeyTaken(ctx context.Context, c company.ID, fileKey string, id ident.ID) (bool, error)
	Result(ctx context.Context, id ident.ID, seq int64) (result.Stored, error)
	// Folder returns up to most results of a list, oldest creation first, FolderPreliminary
	// those that wait for their review.
	Folder(ctx context.Context, c company.ID, l ident.List, most int) ([]result.Filed, error)
	FolderPreliminary(ctx context.Context, c company.ID, most int) ([]result.Filed, error)
	// EraseEvidence removes evidence and decisions of attempts, and results, up to these.
	EraseEvidence(ctx context.Context, id ident.ID, attempt int, result int64) error
	// EraseDocuments removes the documents that are sealed under that key.
	EraseDocuments(ctx context.Context, id ident.ID, keyID string) error

	AddDelivery(ctx context.Context, d delivery.Delivery) error
	ClaimDeliveries(ctx context.Context, way delivery.Way, node string, now, until time.Time, most int, busy []string, full []company.ID) ([]delivery.Delivery, error)
	ExtendDeliveries(ctx context.Context, node string, ids []string, until time.Time) error
	NextDelivery(ctx context.Context, way delivery.Way, now time.Time) (time.Time, error)
	EndDelivery(ctx context.Context, d delivery.Delivery, node string) error
	// EndDroppedDelivery is EndDelivery for what was dropped, because its identification was
	// deleted, while its last try was under way.
	EndDroppedDelivery(ctx context.Context, d delivery.Delivery) error
	// EndDeliveryNow is EndDelivery in a transaction of its own.
	EndDeliveryNow(ctx context.Context, d delivery.Delivery, node string) error
	RetryDelivery(ctx context.Context, d delivery.Delivery, node string) error
	SupersedeDeliveries(ctx context.Context, id ident.ID, now time.Time) ([]delivery.Delivery, error)
	OpenDeliveries(ctx context.Context, id ident.ID) (int, error)
	// LastEvent returns the identification's number and the number of its last event, and
	// holds its row until the end of the transaction. fault.NotFound.
	LastEvent(ctx context.Context, c company.ID, id ident.ID) (ident.TransactionNumber, int64, error)
	Delivery(ctx context.Context, id string) (delivery.Delivery, error)
	Deliveries(ctx context.Context, c company.ID, way delivery.Way, before time.Time, beforeID string, most int) ([]delivery.Delivery, error)
	DeliveriesOf(ctx context.Context, c company.ID, id ident.ID) ([]delivery.Delivery, error)
	BeginTry(ctx context.Context, d delivery.Delivery, node string) error
	DropTry(ctx context.Context, id string, number int) error
	AddTry(ctx context.Context, d delivery.Delivery, t delivery.Try) error
	Tries(ctx context.Context, id string) ([]delivery.Try, error)
	ReplayDelivery(ctx context.Context, c company.ID, id string, due time.Time) error

	// BeginHandOver stores one in a transaction of its own; fault.NotFound when the company is
	// gone. EndHandOvers writes how they ended.
	BeginHandOver(ctx context.Context, h delivery.HandOver) error
	EndHandOvers(ctx context.Context, all []delivery.HandOver) error
	HandOvers(ctx context.Context, c company.ID, before time.Time, beforeID string, most int) ([]delivery.HandOver, error)
	HandOversOf(ctx context.Context, c company.ID, id ident.ID, after time.Time, afterID string, most int) ([]delivery.HandOver, error)

	ServerKey(ctx context.Context, name string) (sealed []byte, public string, err error)
	PutServerKey(ctx context.Context, name string, sealed []byte, public string, now time.Time) (bool, error)
}

// Files keeps what is too big for the database; only sealed bytes go there.
type Files interface {
	Create(ctx context.Context, name string, write func(w io.Writer) error) error
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Range reads length bytes from offset on, fewer where the file ends before.
	Range(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error)
	DeletePrefix(ctx context.Context, prefix string) error
}

// Jobs takes work for later.
type Jobs interface {
	Add(ctx context.Context, j job.Job) error
}

// Options are the parts a Service is made of.
type Options struct {
	Store    Store
	Keys     vault.Keys
	Files    Files
	Accounts *account.Directory
	Jobs     Jobs
	Master   account.Master
	Reporter Reporter
	Sender   Sender
	Mailer   Mailer
	Clock    clock.Clock
	Random   io.Reader // for the signing key
	NewID    func() string
	Node     string
	Base     string // what links start with, such as https://ident.example.com
	MaxMail  int64  // bytes of the largest ZIP that is mailed; zero: 25 MiB
	Log      *slog.Logger
}

// Service renders, keeps, hands out and announces results.
type Service struct {
	store    Store
	keys     vault.Keys
	files    Files
	accounts *account.Directory
	jobs     Jobs
	master   account.Master
	reporter Reporter
	sender   Sender
	mailer   Mailer
	clock    clock.Clock
	newID    func() string
	node     string
	base     string
	log      *slog.Logger
	reader   *dossier.Reader
	pump     *jobs.Pump[delivery.Delivery]
	post     *jobs.Pump[delivery.Delivery]
	maxMail  int64
	signer   *signer
	underWay inFlight
	ledger   *ledger
}

// New returns the service.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, keys: o.Keys, files: o.Files, accounts: o.Accounts, jobs: o.Jobs, master: o.Master, reporter: o.Reporter, sender: o.Sender,
		mailer: o.Mailer, clock: o.Clock, newID: o.NewID, node: o.Node, base: o.Base, log: o.Log, reader: dossier.NewReader(o.Store, o.Keys),
	}
	s.signer = newSigner(o.Store, o.Master, o.Clock, o.Random)
	s.ledger = &ledger{store: o.Store, now: o.Clock.Now, log: o.Log, some: make(chan struct{}, 1)}
	s.maxMail = cmp.Or(o.MaxMail, 25<<20)
	s.post = jobs.NewPump(mailQueue{deliveryQueue{s}}, o.Node, o.Clock, mailers, o.Log, s.deliver)
	s.pump = jobs.NewPump(deliveryQueue{s}, o.Node, o.Clock, senders, o.Log, s.deliver)
	return s
}

// Run delivers webhooks and mails, and writes the ends of hand-overs until ctx ends and what is under
// way is done.
func (s *Service) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { s.ledger.run(ctx) })
	both.Go(func() { s.post.Run(ctx) })
	s.pump.Run(ctx)
	both.Wait()
}

// entry is an audit entry of a company's own chain.
func entry(c company.ID, at time.Time, actor, act, detail string) audit.Entry {
	return audit.Entry{Chain: audit.CompanyChain(c), Company: c, At: at, Actor: actor, Act: act, Detail: detail}
}
