package signing

import (
	"context"
	"slices"
	"time"

	"io"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// Definitions lists the company's definitions in their order (7.1.6). fault.Forbidden.
func (s *Service) Definitions(ctx context.Context, a *account.Account) ([]esign.Definition, error) {
	if err := Enabled(a); err != nil {
		return nil, err
	}
	all, err := s.Store.Definitions(ctx, a.ID)
	list := make([]esign.Definition, len(all))
	for n, d := range all {
		list[n] = d.Definition
	}
	return list, err
}

// Definition returns one (7.1.7). fault.Forbidden, fault.NotFound.
func (s *Service) Definition(ctx context.Context, a *account.Account, id esign.Identifier) (esign.Definition, error) {
	if err := Enabled(a); err != nil {
		return esign.Definition{}, err
	}
	d, err := s.Store.Definition(ctx, a.ID, id)
	return d.Definition, err
}

// CreateDefinition stores a new one (7.1.3). fault.Precondition when there is one of that
// identifier, or there are too many.
func (s *Service) CreateDefinition(ctx context.Context, a *account.Account, sent esign.Change) error {
	if err := Enabled(a); err != nil {
		return err
	}
	d, err := sent.New()
	if err != nil {
		return err
	}
	if err := esign.RulesOf(a.ESign).CheckNumber(len(d.Signatures)); err != nil {
		return err
	}
	return s.changing(ctx, a.ID, func(ctx context.Context, now time.Time) error {
		all, err := s.Store.Definitions(ctx, a.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(o esign.Stored) bool { return o.Identifier == d.Identifier }) {
			return fault.New(fault.Precondition, "There is a document definition with this identifier").In("identifier")
		}
		if len(all) >= esign.MaxDefinitions {
			return fault.New(fault.Precondition, "There are %d document definitions, no more are possible", len(all))
		}
		d := d
		if d.SortOrder, err = s.insert(ctx, a.ID, all, d.Identifier, d.SortOrder); err != nil {
			return err
		}
		if _, err := s.Store.AddDefinition(ctx, esign.Stored{Definition: d, Company: a.ID, CreatedAt: now}); err != nil {
			return err
		}
		return s.auditDefinition(ctx, a.ID, now, "definition.created", d.Identifier)
	})
}

// changing runs a change of the company's definitions in a transaction.
func (s *Service) changing(ctx context.Context, c company.ID, do func(ctx context.Context, now time.Time) error) error {
	return s.retry(func() error {
		now := s.Clock.Now()
		return s.Store.InTx(ctx, func(ctx context.Context) error {
			if err := s.Store.ChangeDefinitions(ctx, c); err != nil {
				return err
			}
			return do(ctx, now)
		})
	})
}

func (s *Service) auditDefinition(ctx context.Context, c company.ID, now time.Time, act string, id esign.Identifier) error {
	return s.Store.Audit(ctx, audit.Entry{Chain: audit.CompanyChain(c), Company: c, At: now, Actor: "company", Act: act, Detail: string(id)})
}

// insert moves up what is in the way of id at a position, and returns where it comes to
// stand; itself it does not move.
func (s *Service) insert(ctx context.Context, c company.ID, all []esign.Stored, id esign.Identifier, at int64) (int64, error) {
	order := make([]esign.Order, len(all))
	for n, d := range all {
		order[n] = esign.Order{Identifier: d.Identifier, At: d.SortOrder}
	}
	for _, o := range esign.Insert(order, id, at) {
		if o.Identifier == id {
			at = o.At
			continue
		}
		if err := s.Store.MoveDefinition(ctx, c, o); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// UpdateDefinition replaces what is sent (7.1.4). Identifications that there are already keep
// what they have. fault.Forbidden, fault.NotFound, fault.Invalid for another identifier;
// fault.Precondition when the default file lacks the place of a signature.
func (s *Service) UpdateDefinition(ctx context.Context, a *account.Account, id esign.Identifier, sent esign.Change) error {
	return s.replaceDefinition(ctx, a, id, "definition.updated", func(before esign.Stored) (esign.Stored, error) {
		after, err := sent.Apply(before.Definition)
		before.Definition = after
		return before, err
	})
}

// replaceDefinition puts what change makes of a definition into its place. Its file is looked
// into outside of the transaction, which begins anew when anything has changed meanwhile.
func (s *Service) replaceDefinition(ctx context.Context, a *account.Account, id esign.Identifier, act string, change func(esign.Stored) (esign.Stored, error)) error {
	if err := Enabled(a); err != nil {
		return err
	}
	for range tries {
		revision, err := s.Store.DefinitionChange(ctx, a.ID)
		if err != nil {
			return err
		}
		before, err := s.Store.Definition(ctx, a.ID, id)
		if err != nil {
			return err
		}
		after, err := change(before)
		if err != nil {
			return err
		}
		rules := esign.RulesOf(a.ESign)
		if err := rules.CheckNumber(len(after.Signatures)); err != nil {
			return err
		}
		if err := s.inspect(ctx, s.Defaults, after.File, after.MIMEType, rules, after.Signatures, id); err != nil {
			return err
		}
		err = s.changing(ctx, a.ID, func(ctx context.Context, now time.Time) error {
			if n, err := s.Store.DefinitionChange(ctx, a.ID); err != nil || n != revision+1 {
				return orMoved(err)
			}
			return s.putDefinition(ctx, before, after, act, now)
		})
		if err != errMoved { //nolint:errorlint // it is ours, and never wrapped
			return err
		}
	}
	return errMoved
}

func orMoved(err error) error {
	if err == nil {
		err = errMoved
	}
	return err
}

func (s *Service) putDefinition(ctx context.Context, before, after esign.Stored, act string, now time.Time) error {
	if after.SortOrder != before.SortOrder {
		all, err := s.Store.Definitions(ctx, after.Company)
		if err != nil {
			return err
		}
		if after.SortOrder, err = s.insert(ctx, after.Company, all, after.Identifier, after.SortOrder); err != nil {
			return err
		}
	}
	if err := s.Store.PutDefinition(ctx, after, now); err != nil {
		return err
	}
	if before.File.Blob != after.File.Blob {
		if err := s.discard(ctx, after.Company, before.File, now); err != nil {
			return err
		}
	}
	return s.auditDefinition(ctx, after.Company, now, act, after.Identifier)
}

// DeleteDefinition removes one with its default file (7.1.5). Identifications that there are
// already keep what they have. fault.Forbidden, fault.NotFound.
func (s *Service) DeleteDefinition(ctx context.Context, a *account.Account, id esign.Identifier) error {
	if err := Enabled(a); err != nil {
		return err
	}
	return s.changing(ctx, a.ID, func(ctx context.Context, now time.Time) error {
		d, err := s.Store.Definition(ctx, a.ID, id)
		if err != nil {
			return err
		}
		return s.removeDefinition(ctx, d, now, func() error {
			return s.auditDefinition(ctx, a.ID, now, "definition.deleted", id)
		})
	})
}

func (s *Service) removeDefinition(ctx context.Context, d esign.Stored, now time.Time, note func() error) error {
	if err := s.Store.RemoveDefinition(ctx, d.Company, d.Identifier); err != nil {
		return err
	}
	if err := s.discard(ctx, d.Company, d.File, now); err != nil {
		return err
	}
	return note()
}

// Erase removes the definitions of a deleted company that were created up to then, with
// their files.
func (s *Service) Erase(ctx context.Context, c company.ID, until time.Time) error {
	all, err := s.Store.Definitions(ctx, c)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.changing(ctx, c, func(ctx context.Context, now time.Time) error {
		all, err := s.Store.Definitions(ctx, c)
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.CreatedAt.After(until) {
				continue
			}
			if err := s.removeDefinition(ctx, d, now, func() error { return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutDefault stores the file that new identifications get a copy of (7.1.8).
// fault.Forbidden, fault.NotFound, fault.TooLarge; fault.Invalid for a file that cannot be
// signed, fault.Precondition for one that lacks the place of a signature.
func (s *Service) PutDefault(ctx context.Context, a *account.Account, id esign.Identifier, content io.Reader) error {
	if _, err := s.Definition(ctx, a, id); err != nil {
		return err
	}
	file, err := s.receive(ctx, s.Defaults, defaultsFolder(a.ID), id, content)
	if err != nil {
		return err
	}
	err = s.replaceDefinition(ctx, a, id, "definition.uploaded", func(before esign.Stored) (esign.Stored, error) {
		before.File = file
		return before, nil
	})
	if err != nil {
		s.drop(ctx, file, func(ctx context.Context) (bool, error) {
			d, err := s.Store.Definition(ctx, a.ID, id)
			return d.File.Blob == file.Blob, err
		})
	}
	return err
}

// defaultsFolder is where default files lie; no Ident-ID looks like it.
func defaultsFolder(c company.ID) string { return string(c) + "/_defaults" }

// Default returns the default file (7.1.9). fault.Forbidden; fault.NotFound when there is
// none.
func (s *Service) Default(ctx context.Context, a *account.Account, id esign.Identifier) (*Content, error) {
	if err := Enabled(a); err != nil {
		return nil, err
	}
	d, err := s.Store.Definition(ctx, a.ID, id)
	if err != nil {
		return nil, err
	}
	return s.content(s.Defaults, d.File, d.MIMEType)
}
