package signing

import (
	"context"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Set is the definitions of a company at one moment, of which Revision is the name.
type Set struct {
	Revision    int64
	Definitions []esign.Stored
}

// anyRevision stands for whatever definitions there are: nothing is made of them.
const anyRevision = -1

// For returns the definitions that new identifications of the account get instances of.
// They are remembered, so that creations cost no reading: the store refuses an identification
// that is made of an earlier state, and the caller then asks for what there is now.
func (s *Service) For(ctx context.Context, a *account.Account, now bool) (Set, error) {
	if !signs(a) {
		return Set{Revision: anyRevision}, nil
	}
	s.gate.Lock()
	set, known := s.known[a.ID]
	s.gate.Unlock()
	if known && !now {
		return set, nil
	}
	// The number first: when there is a change in between, it is too old, which is found out.
	var err error
	if set.Revision, err = s.Store.DefinitionChange(ctx, a.ID); err != nil {
		return Set{}, err
	}
	set.Definitions = nil
	if set.Revision > 0 {
		if set.Definitions, err = s.Store.Definitions(ctx, a.ID); err != nil {
			return Set{}, err
		}
	}
	s.remember(a.ID, set)
	return set, nil
}

func (s *Service) remember(c company.ID, set Set) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.known[c].Revision <= set.Revision {
		s.known[c] = set
	}
}

// Instances makes the documents of an identification that begins, or begins anew: each has a
// copy of its definition and of the default file, sealed under key. The files lie in the
// folder of the key. fault.Unavailable when the definitions are being changed: ask For again.
func (s *Service) Instances(ctx context.Context, set Set, i ident.Identification, key vault.Key) (esign.Instances, error) {
	all := esign.Instances{Revision: set.Revision}
	for _, d := range set.Definitions {
		document := esign.NewDocument(d.Definition)
		var err error
		document.File, err = s.copyFile(ctx, s.Defaults, d.File, key, dossier.KeyFolder(i))
		if fault.Is(err, fault.NotFound) {
			return all, fault.New(fault.Unavailable, "The document definitions are being changed").Because(err)
		}
		if err != nil {
			return all, err
		}
		row, err := sealed(document, i, key)
		if err != nil {
			return all, err
		}
		all.Rows = append(all.Rows, row)
	}
	return all, nil
}

// sealed is a new document as it is stored.
func sealed(d esign.Document, i ident.Identification, key vault.Key) (esign.Row, error) {
	id := d.Definition.Identifier
	b, err := vault.Seal(key, about(id), i.ID, d)
	return esign.Row{
		Identification: i.ID, Company: i.Company, KeyID: i.KeyID, Identifier: id, SortOrder: d.Definition.SortOrder,
		Revision: 1, Sealed: b, ChangedAt: i.ChangedAt,
	}, err
}

// Copies seals the documents of an identification anew for a copy of it (8.3.5). The second
// value is what of them the result of the copy hands out.
func (s *Service) Copies(ctx context.Context, from, to ident.Identification, key vault.Key) ([]esign.Row, []dossier.SignedFile, error) {
	all, err := s.openAll(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	var rows []esign.Row
	var copied []esign.Document
	for _, o := range all {
		d := o.Document
		for _, f := range []*esign.File{&d.File, &d.SignedFile, &d.Record} {
			if *f, err = s.copyFile(ctx, o.key, *f, key, dossier.KeyFolder(to)); err != nil {
				return nil, nil, err
			}
		}
		row, err := sealed(d, to, key)
		if err != nil {
			return nil, nil, err
		}
		rows, copied = append(rows, row), append(copied, d)
	}
	return rows, signedFiles(to.Number, copied), nil
}
