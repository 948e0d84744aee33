package identify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/question"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Copy copies a finished identification, with all its files, to the target company under
// the number (empty: the same), sealed under a key of its own and rendered with the
// target's settings (8.3.5). It tells nobody. fault.Forbidden without the permission, and
// for a target that does not exist; fault.Precondition for what is not finished;
// fault.Finished when the target has the number already.
func (s *Service) Copy(ctx context.Context, a *account.Account, ref string, target company.ID, number string) (ident.ID, error) {
	to, known := s.accounts.Get(target)
	if err := a.RequireCopyTo(target); err != nil {
		return "", err
	}
	if !known {
		return "", fault.New(fault.Forbidden, "the account may not copy to this company")
	}
	from, err := s.Find(ctx, a.ID, ref)
	if err != nil {
		return "", err
	}
	if !from.State.Final() {
		return "", fault.New(fault.Precondition, "the identification is %s", from.State)
	}
	n := from.Number
	if number != "" {
		if n, err = ident.ParseTransactionNumber(number); err != nil {
			return "", err
		}
	}
	if _, err := s.store.IdentificationByNumber(ctx, target, n); !fault.Is(err, fault.NotFound) {
		if err == nil {
			err = fault.Of(fault.Finished)
		}
		return "", err
	}
	return s.copyTo(ctx, a, to, from, n)
}

func (s *Service) copyTo(ctx context.Context, a, to *account.Account, from ident.Identification, n ident.TransactionNumber) (ident.ID, error) {
	original, err := s.reader.Open(ctx, from)
	if err != nil {
		return "", err
	}
	began, err := s.accounts.At(ctx, a.ID, from.CompanyRevision)
	if err != nil {
		return "", err
	}
	for range tries {
		id, err := s.copyOnce(ctx, to, original, n, began.Questions)
		if err != nil || id != "" {
			return id, err
		}
		if _, err := s.store.IdentificationByNumber(ctx, to.ID, n); err == nil {
			return "", fault.Of(fault.Finished)
		}
	}
	return "", errors.New("no free Ident-ID was drawn")
}

// copyOnce makes one try with one Ident-ID; an empty one says that something was taken.
func (s *Service) copyOnce(ctx context.Context, to *account.Account, original *dossier.Dossier, n ident.TransactionNumber, questions []question.Definition) (_ ident.ID, err error) {
	var random [5]byte
	if _, err := io.ReadFull(s.random, random[:]); err != nil {
		return "", fmt.Errorf("drawing an Ident-ID: %w", err)
	}
	d := *original
	if d.KeyID, d.Key, err = s.keys.Draw(ctx); err != nil {
		return "", err
	}
	now := s.clock.Now()
	d.ID, d.Company, d.Number = ident.NewID(string(to.Shortcode), random), to.ID, n
	d.State, d.Revision, d.CompanyRevision, d.Attempts, d.ResultSeq, d.FileKey = original.Result, 1, to.Revision, 1, 0, ""
	d.CreatedAt, d.ChangedAt, d.KeptFrom, d.NextDelivery = now, now, now, 0
	if d.Questions = questions; questions == nil {
		d.Questions = []question.Definition{}
	}
	d.Attempt.Identification, d.Attempt.Company, d.Attempt.Number = d.ID, to.ID, 1
	defer func() {
		if err == nil {
			return
		}
		// A commit can succeed and its answer be lost: files go only when the copy is known
		// not to be there. Else they stay, sealed under a key that the sweep destroys.
		ctx := context.WithoutCancel(ctx)
		if _, look := s.store.IdentificationByID(ctx, d.Company, d.ID); fault.Is(look, fault.NotFound) {
			err = errors.Join(err, s.files.DeletePrefix(ctx, dossier.KeyFolder(d.Identification)))
		}
	}()
	parts, err := s.reseal(ctx, original, &d)
	if err != nil {
		return "", err
	}
	r, err := s.publish.Render(ctx, to, &d, company.Final)
	if err != nil {
		return "", err
	}
	created, err := s.storeCopy(ctx, &d, original.Identification, parts, r)
	if err != nil {
		return "", err
	}
	if !created {
		s.keys.Undraw(d.KeyID, d.Key)
		// Not the whole folder of the Ident-ID, which may be somebody else's.
		return "", s.files.DeletePrefix(ctx, dossier.KeyFolder(d.Identification))
	}
	return d.ID, nil
}

// parts are the evidence, the judgements and the documents of a copy, sealed anew.
type parts struct {
	items      []evidence.Item
	judgements []evidence.Judgement
	documents  []esign.Row
}

// reseal seals everything of the original under the copy's key, files included.
func (s *Service) reseal(ctx context.Context, original, d *dossier.Dossier) (p parts, err error) {
	if d.Sealed, err = vault.Seal(d.Key, dossier.Application, d.ID, d.Application); err != nil {
		return p, err
	}
	items, err := s.store.Evidence(ctx, original.ID, original.Attempt.Number)
	if err != nil {
		return p, err
	}
	d.Evidence = evidence.Set{}
	for _, item := range items {
		if item, err = s.resealItem(ctx, original, d, item); err != nil {
			return p, err
		}
		if err := d.Add(item); err != nil {
			return p, err
		}
		p.items = append(p.items, item)
	}
	if p.documents, d.Signed, err = s.docs.Copies(ctx, original.Identification, d.Identification, d.Key); err != nil {
		return p, err
	}
	add := func(kind evidence.JudgementKind, about, person string, v any) error {
		sealed, err := vault.Seal(d.Key, about, d.ID, v)
		p.judgements = append(p.judgements, evidence.Judgement{
			Identification: d.ID, Attempt: 1, Kind: kind, Person: person, Sealed: sealed, MadeAt: d.ChangedAt,
		})
		return err
	}
	if d.Verdict != nil {
		if err := add(evidence.IsVerdict, dossier.OfAttempt(dossier.Verdict, 1), d.Verdict.Agent, *d.Verdict); err != nil {
			return p, err
		}
	}
	if d.Review != nil {
		return p, add(evidence.IsReview, dossier.OfAttempt(dossier.Review, 1), d.Review.Reviewer, *d.Review)
	}
	return p, nil
}

func (s *Service) resealItem(ctx context.Context, original, d *dossier.Dossier, item evidence.Item) (evidence.Item, error) {
	plain, err := original.Key.Open(item.Sealed, vault.About(dossier.OfItem(item), original.ID))
	if err != nil {
		return item, fmt.Errorf("opening evidence: %w", err)
	}
	item.Identification, item.Attempt = d.ID, 1
	source := item.Blob
	if source != "" {
		item.Blob = dossier.KeyFolder(d.Identification) + "/" + s.newID()
	}
	item.Sealed = d.Key.Seal(plain, vault.About(dossier.OfItem(item), d.ID))
	if source == "" {
		return item, nil
	}
	return item, s.resealFile(ctx, original.Key, source, d.Key, item.Blob)
}

func (s *Service) resealFile(ctx context.Context, oldKey vault.Key, source string, newKey vault.Key, target string) error {
	sealed, err := s.files.Open(ctx, source)
	if err != nil {
		return err
	}
	defer func() { _ = sealed.Close() }() // it was only read
	plain, err := oldKey.Reader(sealed, dossier.AboutFile(source))
	if err != nil {
		return fmt.Errorf("opening a file: %w", err)
	}
	return s.files.Create(ctx, target, func(w io.Writer) error {
		again, err := newKey.Writer(w, dossier.AboutFile(target))
		if err != nil {
			return err
		}
		if _, err := io.Copy(again, plain); err != nil {
			return err
		}
		return again.Close()
	})
}

// storeCopy stores everything at once; false when the number or the Ident-ID is taken.
func (s *Service) storeCopy(ctx context.Context, d *dossier.Dossier, from ident.Identification, p parts, r result.Stored) (created bool, err error) {
	now := d.CreatedAt
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		created, err = s.store.CreateIdentification(ctx, d.Identification)
		if err != nil || !created {
			return err
		}
		if err := s.store.AddAttempt(ctx, d.Attempt); err != nil {
			return err
		}
		for _, item := range p.items {
			if err := s.store.AddEvidence(ctx, item); err != nil {
				return err
			}
		}
		for _, j := range p.judgements {
			if err := s.store.AddJudgement(ctx, j); err != nil {
				return err
			}
		}
		for _, row := range p.documents {
			if err := s.store.AddDocument(ctx, row); err != nil {
				return err
			}
		}
		if err := s.store.AddResult(ctx, r); err != nil {
			return err
		}
		copied := delivery.HandOver{ID: s.newID(), Company: from.Company, Identification: from.ID, Way: delivery.Copy, Client: string(d.Company), Hash: r.Hash, At: now}
		if err := s.store.AddCopy(ctx, copied); err != nil {
			return err
		}
		if err := s.store.Audit(ctx, audit.Entry{Chain: string(from.ID), Company: from.Company, At: now, Actor: "company", Act: "identification.copied", Detail: "to " + string(d.Company)}); err != nil {
			return err
		}
		return s.store.Audit(ctx, audit.Entry{Chain: string(d.ID), Company: d.Company, At: now, Actor: "company", Act: "identification.received", Detail: "from " + string(from.Company)})
	})
	if s.store.Late(err) {
		return false, nil // the file name was taken just now: render anew
	}
	return created, err
}
