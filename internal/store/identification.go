package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
)

// CreateIdentification stores a new one. It says false, and stores nothing, when the
// number is taken in its company, or the Ident-ID anywhere, now or by a deleted one.
func (db *DB) CreateIdentification(ctx context.Context, i ident.Identification) (bool, error) {
	return insertIdentification(ctx, insertParams(i, anyDefinitions))
}

func insertIdentification(ctx context.Context, p rows.InsertIdentificationParams) (bool, error) {
	n, err := tx(ctx).q.InsertIdentification(ctx, p)
	if err != nil {
		return false, fmt.Errorf("storing an identification: %w", err)
	}
	return n == 1, nil
}

// anyDefinitions stands for whatever document definitions the company has.
const anyDefinitions = -1

func insertParams(i ident.Identification, definitions int64) rows.InsertIdentificationParams {
	return rows.InsertIdentificationParams{
		ID: string(i.ID), CompanyID: string(i.Company), Number: string(i.Number), NumberFold: i.Number.Fold(),
		State: string(i.State), List: string(i.State.List()), Revision: i.Revision, CompanyRevision: i.CompanyRevision,
		KeyID: i.KeyID, Sealed: i.Sealed, Attempts: int64(i.Attempts), Result: string(i.Result), Previous: string(i.Previous),
		Reason: string(i.Reason), Agent: i.Agent, Channel: string(i.Channel), FileKey: optional(i.FileKey),
		ResultSeq: i.ResultSeq, NextDelivery: i.NextDelivery, CreatedAt: micro(i.CreatedAt), ChangedAt: micro(i.ChangedAt), FinishedAt: micro(i.FinishedAt), KeptFrom: micro(i.KeptFrom),
		Definitions: definitions, OfCompany: string(i.Company),
	}
}

func optional(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// NewIdentification stores a new identification with its documents and the first entry of
// its audit chain, all or none, in a transaction of its own. Like CreateIdentification it
// says false when a number is taken; also when the company's document definitions are not
// those any more that the documents were made of.
func (db *DB) NewIdentification(ctx context.Context, i ident.Identification, d esign.Instances, e audit.Entry) (bool, error) {
	// It is the first of its chain, so there is no entry before it to look for.
	e.Seq = 1
	entry := rows.InsertFirstAuditParams{
		Chain: e.Chain, CompanyID: string(e.Company), At: micro(e.At), Actor: e.Actor, Act: e.Act, Detail: e.Detail, Hash: e.Sum(db.auditKey, nil), KeyID: i.KeyID,
	}
	params := insertParams(i, d.Revision)
	if db.convoy != nil && len(d.Rows) == 0 {
		return db.convoy.create(ctx, params, entry)
	}
	var created bool
	err := db.InTx(ctx, func(ctx context.Context) error {
		var err error
		created, err = insertIdentification(ctx, params)
		if err != nil || !created {
			return err
		}
		for _, row := range d.Rows {
			if err := db.AddDocument(ctx, row); err != nil {
				return err
			}
		}
		n, err := tx(ctx).q.InsertFirstAudit(ctx, entry)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d entries were written instead of one", n)
		}
		if err != nil {
			return fmt.Errorf("beginning an audit chain: %w", err)
		}
		return nil
	})
	return created, err
}

// IdentificationByNumber returns the company's identification with that transaction
// number, or fault.NotFound.
func (db *DB) IdentificationByNumber(ctx context.Context, c company.ID, n ident.TransactionNumber) (ident.Identification, error) {
	r, err := db.read(ctx).IdentificationByNumber(ctx, string(c), n.Fold())
	return identification(r), found(err, "an identification")
}

// IdentificationByID returns the company's identification with that Ident-ID, or
// fault.NotFound.
func (db *DB) IdentificationByID(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error) {
	r, err := db.read(ctx).IdentificationByID(ctx, string(c), string(id))
	return identification(r), found(err, "an identification")
}

// IdentificationByFile returns the company's identification whose ZIP has the name with
// that keyed hash, or fault.NotFound.
func (db *DB) IdentificationByFile(ctx context.Context, c company.ID, fileKey string) (ident.Identification, error) {
	r, err := db.read(ctx).IdentificationByFile(ctx, string(c), optional(fileKey))
	return identification(r), found(err, "an identification")
}

// FileKeyTaken says whether another identification of the company has that file name.
func (db *DB) FileKeyTaken(ctx context.Context, c company.ID, fileKey string, id ident.ID) (bool, error) {
	n, err := db.read(ctx).FileKeyTaken(ctx, string(c), optional(fileKey), string(id))
	if err != nil {
		return false, fmt.Errorf("looking for a file name: %w", err)
	}
	return n > 0, nil
}

// MoveIdentification writes i, which was read in state from with the revision it carries.
// ErrChanged when another writer was first; nothing is written then.
func (db *DB) MoveIdentification(ctx context.Context, i ident.Identification, from ident.State) error {
	n, err := tx(ctx).q.MoveIdentification(ctx, rows.MoveIdentificationParams{
		State: string(i.State), List: string(i.State.List()), CompanyRevision: i.CompanyRevision, KeyID: i.KeyID, Sealed: i.Sealed,
		Attempts: int64(i.Attempts), Result: string(i.Result), Previous: string(i.Previous), Reason: string(i.Reason), Agent: i.Agent,
		Channel: string(i.Channel), FileKey: optional(i.FileKey), ResultSeq: i.ResultSeq, NextDelivery: i.NextDelivery, ChangedAt: micro(i.ChangedAt), FinishedAt: micro(i.FinishedAt),
		KeptFrom: micro(i.KeptFrom), ID: string(i.ID), CompanyID: string(i.Company), OldState: string(from), Revision: i.Revision,
	})
	if duplicate(err) {
		return ErrChanged // another one has just taken the file name
	}
	return one(n, err, "moving an identification")
}

// BuryIdentification removes the row of i and leaves a tombstone. ErrChanged when another
// writer was first.
func (db *DB) BuryIdentification(ctx context.Context, i ident.Identification, now time.Time, by string) error {
	q := tx(ctx).q
	n, err := q.DeleteIdentification(ctx, string(i.ID), string(i.Company), i.Revision)
	if err := one(n, err, "deleting an identification"); err != nil {
		return err
	}
	err = q.InsertTombstone(ctx, rows.InsertTombstoneParams{
		ID: string(i.ID), CompanyID: string(i.Company), Number: string(i.Number),
		CreatedAt: micro(i.CreatedAt), DeletedAt: micro(now), DeletedBy: by,
	})
	if err != nil {
		return fmt.Errorf("leaving a tombstone: %w", err)
	}
	return nil
}

// EraseTombstone notes when everything behind a tombstone was destroyed; false: that was
// noted before, or there is no such tombstone.
func (db *DB) EraseTombstone(ctx context.Context, c company.ID, id ident.ID, now time.Time) (bool, error) {
	n, err := tx(ctx).q.EraseTombstone(ctx, micro(now), string(id), string(c))
	if err != nil {
		return false, fmt.Errorf("noting an erasure: %w", err)
	}
	return n == 1, nil
}

// ListIdentifications returns up to most identifications of a list, newest creation first,
// the Ident-ID as tie-break, from after the given place on. The zero time is the beginning.
func (db *DB) ListIdentifications(ctx context.Context, c company.ID, l ident.List, before time.Time, beforeID ident.ID, most int) ([]ident.Listed, error) {
	p := rows.ListIdentificationsParams{CompanyID: string(c), List: string(l), BeforeAt: micro(before), BeforeID: string(beforeID), Most: int32(min(most, 1<<20))} //nolint:gosec // bounded
	if before.IsZero() {
		p.BeforeAt = 1<<63 - 1
	}
	rs, err := db.read(ctx).ListIdentifications(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("listing identifications: %w", err)
	}
	list := make([]ident.Listed, len(rs))
	for n, r := range rs {
		list[n] = ident.Listed{JSON: r.Json, Identification: identification(rows.IdentificationByNumberRow{
			ID: r.ID, CompanyID: r.CompanyID, Number: r.Number, State: r.State, Revision: r.Revision, CompanyRevision: r.CompanyRevision, KeyID: r.KeyID,
			Sealed: r.Sealed, Attempts: r.Attempts, Result: r.Result, Previous: r.Previous, Reason: r.Reason, Agent: r.Agent, Channel: r.Channel, FileKey: r.FileKey,
			ResultSeq: r.ResultSeq, NextDelivery: r.NextDelivery, CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt, FinishedAt: r.FinishedAt, KeptFrom: r.KeptFrom,
		})}
	}
	return list, nil
}

// CompanyIdentifications returns up to most identifications of a company, of every state,
// the oldest first, with only ID, Company, Revision, KeyID and CreatedAt filled in.
func (db *DB) CompanyIdentifications(ctx context.Context, c company.ID, most int) ([]ident.Identification, error) {
	rs, err := db.read(ctx).CompanyIdentifications(ctx, string(c), int32(min(most, 1<<20))) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("listing a company's identifications: %w", err)
	}
	list := make([]ident.Identification, len(rs))
	for n, r := range rs {
		list[n] = ident.Identification{ID: ident.ID(r.ID), Company: c, Revision: r.Revision, KeyID: r.KeyID, CreatedAt: at(r.CreatedAt)}
	}
	return list, nil
}

// UsedKeys says which of the keys belong to an identification.
func (db *DB) UsedKeys(ctx context.Context, ids []string) (map[string]bool, error) {
	used := make(map[string]bool, len(ids))
	if len(ids) == 0 {
		return used, nil
	}
	there, err := db.read(ctx).UsedKeys(ctx, slices.Min(ids), slices.Max(ids))
	if err != nil {
		return nil, fmt.Errorf("looking for used keys: %w", err)
	}
	for _, id := range there {
		used[id] = true
	}
	return used, nil
}

func identification[R rows.IdentificationByNumberRow | rows.IdentificationByIDRow | rows.IdentificationByFileRow](from R) ident.Identification {
	r := rows.IdentificationByNumberRow(from)
	return ident.Identification{
		ID: ident.ID(r.ID), Company: company.ID(r.CompanyID), Number: ident.TransactionNumber(r.Number), State: ident.State(r.State),
		Revision: r.Revision, CompanyRevision: r.CompanyRevision, KeyID: r.KeyID, Sealed: r.Sealed, Attempts: int(r.Attempts),
		Result: ident.State(r.Result), Previous: ident.State(r.Previous), Reason: ident.Reason(r.Reason), Agent: r.Agent,
		Channel: ident.Channel(r.Channel), FileKey: r.FileKey.String, ResultSeq: r.ResultSeq, NextDelivery: r.NextDelivery, CreatedAt: at(r.CreatedAt), ChangedAt: at(r.ChangedAt),
		FinishedAt: at(r.FinishedAt), KeptFrom: at(r.KeptFrom),
	}
}
