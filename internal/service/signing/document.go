package signing

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// about names a sealed document, so that nobody who can write to the database can swap two.
func about(id esign.Identifier) string { return "document/" + string(id) }

// opened is a document with what it is stored as, and the key it is sealed under.
type opened struct {
	esign.Document
	row esign.Row
	key vault.Key
}

// openAll opens the documents of an identification, in their order. Nothing is left of those
// of a canceled one.
func (s *Service) openAll(ctx context.Context, i ident.Identification) ([]opened, error) {
	rows, err := s.Store.Documents(ctx, i.Company, i.ID, i.KeyID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := s.Keys.Get(ctx, i.KeyID)
	if err != nil {
		return nil, err
	}
	list := make([]opened, len(rows))
	for n, row := range rows {
		d, err := vault.Open[esign.Document](key, about(row.Identifier), i.ID, row.Sealed)
		if err != nil {
			return nil, err
		}
		list[n] = opened{d, row, key}
	}
	return list, nil
}

func (s *Service) openOne(ctx context.Context, i ident.Identification, id esign.Identifier) (opened, error) {
	all, err := s.openAll(ctx, i)
	if err != nil {
		return opened{}, err
	}
	n := slices.IndexFunc(all, func(d opened) bool { return d.row.Identifier == id })
	if n < 0 {
		return opened{}, fault.Of(fault.NotFound)
	}
	return all[n], nil
}

// Documents lists the documents of an identification in their order (7.2.1).
func (s *Service) Documents(ctx context.Context, i ident.Identification) ([]esign.Document, error) {
	all, err := s.openAll(ctx, i)
	list := make([]esign.Document, len(all))
	for n, d := range all {
		list[n] = d.Document
	}
	return list, err
}

// Document returns one (7.2.2). fault.NotFound.
func (s *Service) Document(ctx context.Context, i ident.Identification, id esign.Identifier) (esign.Document, error) {
	d, err := s.openOne(ctx, i, id)
	return d.Document, err
}

// editable says whether the documents of an identification may be changed: before somebody
// begins with it, and between two attempts. fault.Precondition while an attempt is under way,
// fault.Finished afterwards.
func editable(i ident.Identification) error {
	switch {
	case i.Refused():
		return fault.Of(fault.Finished)
	case i.State == ident.Created || i.State == ident.Aborted:
		return nil
	case i.State.Open():
		return fault.New(fault.Precondition, "The identification is %s, its documents cannot be changed", i.State)
	default:
		return fault.Of(fault.Finished)
	}
}

// UpdateDocument replaces what is sent of a document (7.2.3). fault.NotFound; fault.Invalid
// for more signatures than the account may have; fault.Precondition when its file lacks the
// place of a signature; and what editable says.
func (s *Service) UpdateDocument(ctx context.Context, a *account.Account, i ident.Identification, id esign.Identifier, sent esign.DocumentChange) error {
	_, err := s.replaceDocument(ctx, a, i, id, "document.updated", "company", func(d esign.Document) (esign.Document, error) { return sent.Apply(d), nil })
	return err
}

// replaceDocument puts what change makes of a document into its place, and returns what there
// was. The file is looked into outside of the transaction, which begins anew when the document
// has changed meanwhile.
func (s *Service) replaceDocument(ctx context.Context, a *account.Account, i ident.Identification, id esign.Identifier, act, actor string, change func(esign.Document) (esign.Document, error)) (before esign.Document, err error) {
	rules := esign.RulesOf(a.ESign)
	err = s.retry(func() error {
		if err := editable(i); err != nil {
			return err
		}
		d, err := s.openOne(ctx, i, id)
		if err != nil {
			return err
		}
		before = d.Document
		after, err := change(before)
		if err != nil {
			return err
		}
		all := after.AllSignatures()
		if err := rules.CheckNumber(len(all)); err != nil {
			return err
		}
		if err := s.inspect(ctx, d.key, after.File, after.Definition.MIMEType, rules, all, id); err != nil {
			return err
		}
		if d.row.Sealed, err = vault.Seal(d.key, about(id), i.ID, after); err != nil {
			return err
		}
		d.row.ChangedAt = s.Clock.Now()
		err = s.putDocument(ctx, d.row, act, actor)
		if s.Store.Late(err) {
			again, look := s.Store.IdentificationByID(ctx, i.Company, i.ID)
			if look != nil {
				return look
			}
			if again.KeyID != i.KeyID {
				return fault.Of(fault.Finished) // it was canceled meanwhile
			}
			i = again
		}
		return err
	})
	return before, err
}

// putDocument writes a document if its identification may still be changed, and has the key
// that it is sealed under.
func (s *Service) putDocument(ctx context.Context, row esign.Row, act, actor string) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		now, err := s.Store.HoldIdentification(ctx, row.Company, row.Identification)
		if err != nil {
			return err
		}
		if err := editable(now); err != nil {
			return err
		}
		if now.KeyID != row.KeyID {
			return fault.Of(fault.Finished) // it was canceled meanwhile, and opened again
		}
		if err := s.Store.PutDocument(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, row.Company, row.Identification, row.ChangedAt, actor, act, row.Identifier)
	})
}

func (s *Service) audit(ctx context.Context, c company.ID, id ident.ID, now time.Time, actor, act string, about esign.Identifier) error {
	return s.Store.Audit(ctx, audit.Entry{Chain: string(id), Company: c, At: now, Actor: actor, Act: act, Detail: string(about)})
}

// Upload stores the file of a document in the place of the one that there was (7.2.4).
// fault.NotFound, fault.TooLarge; fault.Invalid for a file that cannot be signed;
// fault.Precondition for one that lacks the place of a signature; and what editable says.
func (s *Service) Upload(ctx context.Context, a *account.Account, i ident.Identification, id esign.Identifier, content io.Reader) error {
	return s.upload(ctx, a, i, id, "company", content, func(esign.Document) error { return nil })
}

// UploadByUser is Upload from the page of 7.2.5. The user may replace what he has uploaded
// himself, and nothing else: that is fault.Forbidden.
func (s *Service) UploadByUser(ctx context.Context, p Page, content io.Reader) error {
	return s.upload(ctx, p.Account, p.Identification, p.Document.Definition.Identifier, "user", content, func(d esign.Document) error {
		if !d.File.IsZero() && !d.ByUser {
			return fault.New(fault.Forbidden, "The company has uploaded the document itself")
		}
		return nil
	})
}

func (s *Service) upload(ctx context.Context, a *account.Account, i ident.Identification, id esign.Identifier, actor string, content io.Reader, may func(esign.Document) error) error {
	if err := editable(i); err != nil {
		return err
	}
	d, err := s.openOne(ctx, i, id)
	if err != nil {
		return err
	}
	if err := may(d.Document); err != nil {
		return err
	}
	file, err := s.receive(ctx, d.key, dossier.KeyFolder(i), id, content)
	if err != nil {
		return err
	}
	before, err := s.replaceDocument(ctx, a, i, id, "document.uploaded", actor, func(d esign.Document) (esign.Document, error) {
		err := may(d)
		d.File, d.ByUser = file, actor == "user"
		return d, err
	})
	if err != nil {
		s.drop(ctx, file, func(ctx context.Context) (bool, error) {
			now, err := s.openOne(ctx, i, id)
			return now.File.Blob == file.Blob, err
		})
		return err
	}
	if !before.File.IsZero() {
		// One that stays behind is sealed, and goes with the identification.
		if err := s.Files.Delete(context.WithoutCancel(ctx), before.File.Blob); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "removing a replaced document", slog.String("identification", string(i.ID)), slog.Any("error", err))
		}
	}
	return nil
}

// File returns the file of a document as it was uploaded, or copied from the definition.
// fault.NotFound when there is none. See Fetched.
func (s *Service) File(ctx context.Context, i ident.Identification, id esign.Identifier) (*Content, error) {
	d, err := s.openOne(ctx, i, id)
	if err != nil {
		return nil, err
	}
	return s.content(d.key, d.File, d.Definition.MIMEType)
}

// SignedFile returns what was signed (7.2.6), once the account may see the result.
// fault.NotFound for a document that there is not; fault.Precondition until there is a result
// and where nothing was signed.
func (s *Service) SignedFile(ctx context.Context, a *account.Account, i ident.Identification, id esign.Identifier) (*Content, error) {
	if i.State == ident.Canceled {
		return nil, fault.New(fault.Precondition, "The identification is %s", i.State)
	}
	d, err := s.openOne(ctx, i, id)
	if err != nil {
		return nil, err
	}
	if !i.State.Final() && !(a.Realtime && i.State.Preliminary()) {
		return nil, fault.New(fault.Precondition, "The documents are not signed yet")
	}
	if d.SignedFile.IsZero() {
		return nil, fault.New(fault.Precondition, "This document was not signed")
	}
	return s.content(d.key, d.SignedFile, d.Definition.MIMEType)
}

// Fix notes in the trail, in the transaction in which an attempt begins, that the documents do
// not change any more while it is under way, and how many there are.
func (s *Service) Fix(ctx context.Context, i ident.Identification, now time.Time) error {
	rows, err := s.Store.Documents(ctx, i.Company, i.ID, i.KeyID)
	if err != nil || len(rows) == 0 {
		return err
	}
	return s.Store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: now, Actor: "system", Act: "documents.fixed", Detail: strconv.Itoa(len(rows))})
}

// Fetched notes in the trail that a document is about to be handed out.
func (s *Service) Fetched(ctx context.Context, i ident.Identification, id esign.Identifier, signed bool) error {
	act := "document.fetched"
	if signed {
		act = "document.signed_fetched"
	}
	return s.retry(func() error {
		now := s.Clock.Now()
		return s.Store.InTx(ctx, func(ctx context.Context) error {
			return s.audit(ctx, i.Company, i.ID, now, "company", act, id)
		})
	})
}

// Ready says whether the process may begin: every document that needs a file has one. Else
// each that has none is a fault.Precondition with its identifier as key.
func (s *Service) Ready(ctx context.Context, i ident.Identification) error {
	all, err := s.openAll(ctx, i)
	if err != nil {
		return err
	}
	var missing fault.List
	for _, d := range all {
		if d.Missing() {
			missing = append(missing, fault.New(fault.Precondition, "The document has no file yet").In(string(d.row.Identifier)))
		}
	}
	return missing.Err()
}
