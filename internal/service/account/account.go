// Package account keeps the companies: applies their files, knows them by ID and by key,
// and notices within a second when another process has changed one. Specification,
// chapters 1 and 8.1.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/job"
)

// Record is a company as it is stored.
type Record struct {
	ID        company.ID
	Revision  int64
	Shortcode company.Shortcode
	Settings  []byte // company.Company as JSON
	KeyHashes []byte // keyed hashes of its API keys, as JSON
	Secrets   []byte // company.Secrets as JSON, sealed under the master key
	CreatedAt time.Time
	ChangedAt time.Time
}

// Store keeps the companies. Changes need the transaction that InTx puts into the context.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	Companies(ctx context.Context) ([]Record, error)
	// Company returns one, or fault.NotFound.
	Company(ctx context.Context, id company.ID) (Record, error)
	// CompanySettings returns the settings that a company had in a revision.
	CompanySettings(ctx context.Context, id company.ID, revision int64) ([]byte, error)
	// LastRevision returns the highest revision that a company of this ID ever had.
	LastRevision(ctx context.Context, id company.ID) (int64, error)
	// PutCompany inserts a company, or replaces the one with revision r.Revision-1.
	PutCompany(ctx context.Context, r Record, isNew bool) error
	ShortcodeTaken(ctx context.Context, s company.Shortcode, by company.ID) (bool, error)
	// RemoveCompany removes the company, its revisions and its tokens; false: there is none.
	RemoveCompany(ctx context.Context, id company.ID) (bool, error)
	// Changes returns a number that grows with every change of any company.
	Changes(ctx context.Context) (int64, error)
	Audit(ctx context.Context, e audit.Entry) error
	AddJob(ctx context.Context, j job.Job) error
}

// Master is what wraps secrets that belong to no identification. The purpose keeps uses
// apart.
type Master interface {
	Seal(purpose string, plain, aad []byte) []byte
	Open(purpose string, sealed, aad []byte) ([]byte, error)
	Hash(purpose string, value []byte) []byte
}

const (
	forSecrets = "company secrets"
	forKeys    = "company api keys"
)

// Account is a company as the running server knows it. It must not be changed.
type Account struct {
	company.Company
	Revision  int64
	Secrets   company.Secrets
	CreatedAt time.Time // when the company was created, or created again
	hashes    [][]byte
}

// Directory knows all companies.
type Directory struct {
	store  Store
	master Master
	clock  clock.Clock
	newID  func() string
	secret func() string // makes a webhook secret
	all    atomic.Pointer[map[company.ID]*Account]
	seen   int64
	gate   sync.Mutex // one refresh at a time
}

// New returns a directory; call Refresh before its first use. newSecret makes the signing
// secret of an endpoint whose file names none.
func New(store Store, master Master, c clock.Clock, newID, newSecret func() string) *Directory {
	d := &Directory{store: store, master: master, clock: c, newID: newID, secret: newSecret, seen: -1}
	d.all.Store(&map[company.ID]*Account{})
	return d
}

// Get returns a company; false when there is none.
func (d *Directory) Get(id company.ID) (*Account, bool) {
	a, ok := (*d.all.Load())[id]
	return a, ok
}

// All returns every company, ordered by ID.
func (d *Directory) All() []*Account {
	all := *d.all.Load()
	list := make([]*Account, 0, len(all))
	for _, a := range all {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *Account) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	})
	return list
}

// Refresh reads the companies if any has changed since the last time.
func (d *Directory) Refresh(ctx context.Context) error {
	d.gate.Lock()
	defer d.gate.Unlock()
	n, err := d.store.Changes(ctx)
	if err != nil || n == d.seen {
		return err
	}
	records, err := d.store.Companies(ctx)
	if err != nil {
		return err
	}
	all := make(map[company.ID]*Account, len(records))
	for _, r := range records {
		a, err := d.open(r)
		if err != nil {
			return fmt.Errorf("company %s: %w", r.ID, err)
		}
		all[r.ID] = a
	}
	d.all.Store(&all)
	d.seen = n
	return nil
}

// Watch refreshes a few times a second until ctx ends.
func (d *Directory) Watch(ctx context.Context, log *slog.Logger) {
	const often = 250 * time.Millisecond
	t := time.NewTicker(often)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := d.Refresh(ctx); err != nil && ctx.Err() == nil {
				log.LogAttrs(ctx, slog.LevelError, "reading the companies", slog.Any("error", err))
			}
		}
	}
}

func (d *Directory) open(r Record) (*Account, error) {
	a := &Account{Revision: r.Revision, CreatedAt: r.CreatedAt}
	if err := json.Unmarshal(r.Settings, &a.Company); err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	plain, err := d.master.Open(forSecrets, r.Secrets, []byte(r.ID))
	if err != nil {
		return nil, fmt.Errorf("opening the secrets: %w", err)
	}
	if err := json.Unmarshal(plain, &a.Secrets); err != nil {
		return nil, errors.New("the secrets cannot be read")
	}
	if err := json.Unmarshal(r.KeyHashes, &a.hashes); err != nil {
		return nil, fmt.Errorf("reading the key hashes: %w", err)
	}
	return a, nil
}

// At returns the settings that a company had in a revision: what an identification began
// with.
func (d *Directory) At(ctx context.Context, id company.ID, revision int64) (company.Company, error) {
	if a, ok := d.Get(id); ok && a.Revision == revision {
		return a.Company, nil
	}
	b, err := d.store.CompanySettings(ctx, id, revision)
	if err != nil {
		return company.Company{}, err
	}
	var c company.Company
	if err := json.Unmarshal(b, &c); err != nil {
		return company.Company{}, fmt.Errorf("reading the settings of revision %d: %w", revision, err)
	}
	return c, nil
}

// Hash returns the keyed hash under which an API key is known.
func (d *Directory) Hash(key string) []byte { return d.master.Hash(forKeys, []byte(key)) }

// Hashes returns the keyed hashes of the company's API keys.
func (a *Account) Hashes() [][]byte { return a.hashes }

// Apply creates a company or replaces its settings; what has happened under the old ones
// stays as it was. A shortcode that another company has is fault.Invalid.
func (d *Directory) Apply(ctx context.Context, c company.Company, s company.Secrets) error {
	settings, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	err = d.store.InTx(ctx, func(ctx context.Context) error {
		return d.put(ctx, c, s, settings)
	})
	if err != nil {
		return err
	}
	return d.Refresh(ctx)
}

func (d *Directory) put(ctx context.Context, c company.Company, s company.Secrets, settings []byte) error {
	taken, err := d.store.ShortcodeTaken(ctx, c.Shortcode, c.ID)
	if err != nil {
		return err
	}
	if taken {
		return fault.New(fault.Invalid, "another company has the shortcode %s", c.Shortcode).In("shortcode")
	}
	old, err := d.store.Company(ctx, c.ID)
	isNew := fault.Is(err, fault.NotFound)
	if err != nil && !isNew {
		return err
	}
	if s, err = d.webhookSecrets(c, s, old, isNew); err != nil {
		return err
	}
	r, err := d.record(ctx, c, s, settings)
	if err != nil {
		return err
	}
	if !isNew {
		r.CreatedAt = old.CreatedAt
		r.Revision = old.Revision + 1
	}
	if err := d.store.PutCompany(ctx, r, isNew); err != nil {
		return err
	}
	return d.store.Audit(ctx, audit.Entry{
		Chain: audit.CompanyChain(c.ID), Company: c.ID, At: r.ChangedAt, Actor: "operator", Act: "company.applied", Detail: fmt.Sprintf("revision %d", r.Revision),
	})
}

// record makes the row of a company with the revision that follows all it ever had.
func (d *Directory) record(ctx context.Context, c company.Company, s company.Secrets, settings []byte) (Record, error) {
	hashes := make([][]byte, len(s.APIKeys))
	for i, k := range s.APIKeys {
		hashes[i] = d.Hash(k)
	}
	keyHashes, err := json.Marshal(hashes)
	if err != nil {
		return Record{}, fmt.Errorf("writing the key hashes: %w", err)
	}
	plain, err := json.Marshal(s) //nolint:gosec // sealed before it goes anywhere
	if err != nil {
		return Record{}, errors.New("the secrets cannot be written")
	}
	last, err := d.store.LastRevision(ctx, c.ID)
	if err != nil {
		return Record{}, err
	}
	now := d.clock.Now()
	return Record{
		ID: c.ID, Revision: last + 1, Shortcode: c.Shortcode, Settings: settings, KeyHashes: keyHashes,
		Secrets: d.master.Seal(forSecrets, plain, []byte(c.ID)), CreatedAt: now, ChangedAt: now,
	}, nil
}

// webhookSecrets fills in the secrets that the file leaves out: an endpoint keeps the one
// it had; a new one gets a new one.
func (d *Directory) webhookSecrets(c company.Company, s company.Secrets, old Record, isNew bool) (company.Secrets, error) {
	had := map[string]string{}
	if !isNew {
		before, err := d.open(old)
		if err != nil {
			return s, err
		}
		for i, w := range before.Webhooks {
			if i < len(before.Secrets.WebhookSecrets) {
				had[w.URL] = before.Secrets.WebhookSecrets[i]
			}
		}
	}
	filled := make([]string, len(c.Webhooks))
	for i, w := range c.Webhooks {
		if i < len(s.WebhookSecrets) {
			filled[i] = s.WebhookSecrets[i]
		}
		if filled[i] == "" {
			filled[i] = had[w.URL]
		}
		if filled[i] == "" {
			filled[i] = d.secret()
		}
	}
	s.WebhookSecrets = filled
	return s, nil
}

// WebhookSecret returns what signs the calls to an address of the company, for the operator
// to hand on; the trail tells that it was read. fault.NotFound when there is no such
// company, or it has no such address.
func (d *Directory) WebhookSecret(ctx context.Context, id company.ID, url string) (string, error) {
	a, ok := d.Get(id)
	if !ok {
		return "", fault.New(fault.NotFound, "no such company")
	}
	at := slices.IndexFunc(a.Webhooks, func(w company.Webhook) bool { return w.URL == url })
	if at < 0 || at >= len(a.Secrets.WebhookSecrets) {
		return "", fault.New(fault.NotFound, "no such address")
	}
	err := d.store.InTx(ctx, func(ctx context.Context) error {
		return d.store.Audit(ctx, audit.Entry{
			Chain: audit.CompanyChain(id), Company: id, At: d.clock.Now(), Actor: "operator", Act: "webhook.secret_read",
			Detail: fmt.Sprintf("webhooks[%d] of revision %d", at, a.Revision),
		})
	})
	if err != nil {
		return "", err
	}
	return a.Secrets.WebhookSecrets[at], nil
}

// Erase is the job that removes everything of a company that was deleted; its payload is
// the moment of the deletion in RFC 3339.
const Erase job.Kind = "company.erase"

// straggle is how long after a deletion it is looked once more for what servers stored that
// had not yet noticed it.
const straggle = 10 * time.Second

// Delete removes a company and ends its tokens, and leaves a job that removes everything
// else of it. fault.NotFound when there is none.
func (d *Directory) Delete(ctx context.Context, id company.ID) error {
	now := d.clock.Now()
	err := d.store.InTx(ctx, func(ctx context.Context) error {
		there, err := d.store.RemoveCompany(ctx, id)
		if err != nil {
			return err
		}
		if !there {
			return fault.New(fault.NotFound, "no such company")
		}
		for _, due := range []time.Time{now, now.Add(straggle)} {
			err := d.store.AddJob(ctx, job.Job{ID: d.newID(), Kind: Erase, Company: id, Payload: now.Format(time.RFC3339Nano), CreatedAt: now, DueAt: due})
			if err != nil {
				return err
			}
		}
		return d.store.Audit(ctx, audit.Entry{Chain: audit.CompanyChain(id), Company: id, At: now, Actor: "operator", Act: "company.deleted"})
	})
	if err != nil {
		return err
	}
	return d.Refresh(ctx)
}
