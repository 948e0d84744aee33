package identify

import (
	"context"
	"errors"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// update merges what was sent into the application.
func (s *Service) update(ctx context.Context, a *account.Account, i ident.Identification, sent person.Application) error {
	for range tries {
		to, err := i.State.Next(ident.DataSent)
		if err != nil {
			return err
		}
		if i.Refused() {
			return fault.Of(fault.Finished)
		}
		if empty(sent) {
			return nil
		}
		err = s.merge(ctx, a, i, to, sent)
		if !s.store.Late(err) {
			return err
		}
		if i, err = s.store.IdentificationByID(ctx, a.ID, i.ID); err != nil {
			return err
		}
	}
	return errors.New("too many writers of one identification")
}

func empty(a person.Application) bool {
	for _, n := range person.Names {
		if a.Get(n) != "" {
			return false
		}
	}
	return len(a.Questions) == 0
}

func (s *Service) merge(ctx context.Context, a *account.Account, i ident.Identification, to ident.State, sent person.Application) error {
	if i.State == ident.Canceled {
		return s.reopen(ctx, a, i, to, sent)
	}
	from := i.State
	key, err := s.keys.Get(ctx, i.KeyID)
	if err != nil {
		return err
	}
	before, err := vault.Open[person.Application](key, dossier.Application, i.ID, i.Sealed)
	if err != nil {
		return err
	}
	merged := before.Merge(sent)
	if err := s.checkScenario(merged); err != nil {
		return err
	}
	if i.Sealed, err = vault.Seal(key, dossier.Application, i.ID, merged); err != nil {
		return err
	}
	now := s.clock.Now()
	i.State, i.ChangedAt = to, now
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.MoveIdentification(ctx, i, from); err != nil {
			return err
		}
		return s.store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: now, Actor: "company", Act: "identification.updated"})
	})
}

// reopen begins a canceled identification anew. Nothing of what was canceled is left: the new
// data get a new key, and documents as a new identification does.
func (s *Service) reopen(ctx context.Context, a *account.Account, i ident.Identification, to ident.State, sent person.Application) error {
	oldKey := i.KeyID
	set, err := s.docs.For(ctx, a, true)
	if err != nil {
		return err
	}
	var key vault.Key
	if i.KeyID, key, err = s.keys.Draw(ctx); err != nil {
		return err
	}
	now := s.clock.Now()
	i.CompanyRevision, i.Result, i.Previous, i.Reason, i.Agent = a.Revision, "", "", "", ""
	i.State, i.ChangedAt, i.FinishedAt, i.KeptFrom = to, now, time.Time{}, now
	if i.Sealed, err = vault.Seal(key, dossier.Application, i.ID, sent); err != nil {
		return err
	}
	documents, err := s.docs.Instances(ctx, set, i, key)
	if err == nil {
		err = s.store.InTx(ctx, func(ctx context.Context) error { return s.storeReopened(ctx, i, documents, oldKey, now) })
	}
	if err != nil && (s.store.Late(err) || fault.Is(err, fault.Unavailable)) {
		if drop := s.dropFiles(ctx, i, set); drop != nil {
			return drop
		}
		s.keys.Undraw(i.KeyID, key)
	}
	return err
}

func (s *Service) storeReopened(ctx context.Context, i ident.Identification, documents esign.Instances, oldKey string, now time.Time) error {
	if err := s.store.MoveIdentification(ctx, i, ident.Canceled); err != nil {
		return err
	}
	if err := s.dropCanceled(ctx, i, oldKey, now); err != nil {
		return err
	}
	for _, d := range documents.Rows {
		if err := s.store.AddDocument(ctx, d); err != nil {
			return err
		}
	}
	return s.store.Audit(ctx, audit.Entry{Chain: string(i.ID), Company: i.Company, At: now, Actor: "company", Act: "identification.reopened"})
}

// dropCanceled ends what a canceled identification still had to hand over when it is
// opened again.
func (s *Service) dropCanceled(ctx context.Context, i ident.Identification, oldKey string, now time.Time) error {
	if err := s.store.DropDeliveries(ctx, i.ID, now); err != nil {
		return err
	}
	if err := s.store.EraseEvidence(ctx, i.ID, i.Attempts, i.ResultSeq); err != nil {
		return err
	}
	return s.jobs.Add(ctx, job.Job{Kind: Forget, Company: i.Company, Payload: oldKey})
}
