package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
)

// ChangeDefinitions begins a change of a company's document definitions: until the end of
// the transaction nobody else changes them, and identifications that are being created with
// the earlier ones are refused.
func (db *DB) ChangeDefinitions(ctx context.Context, c company.ID) error {
	if err := tx(ctx).q.ChangeDefinitions(ctx, string(c)); err != nil {
		return fmt.Errorf("changing document definitions: %w", err)
	}
	return nil
}

// DefinitionChange returns a number that grows with every change of a company's document
// definitions; zero: there have never been any.
func (db *DB) DefinitionChange(ctx context.Context, c company.ID) (int64, error) {
	n, err := db.read(ctx).DefinitionChange(ctx, string(c))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading the state of document definitions: %w", err)
	}
	return n, nil
}

// Definitions returns the company's document definitions in their order.
func (db *DB) Definitions(ctx context.Context, c company.ID) ([]esign.Stored, error) {
	rs, err := db.read(ctx).Definitions(ctx, string(c))
	if err != nil {
		return nil, fmt.Errorf("listing document definitions: %w", err)
	}
	list := make([]esign.Stored, len(rs))
	for n, r := range rs {
		if list[n], err = definition(c, rows.DefinitionRow(r)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Definition returns one, or fault.NotFound.
func (db *DB) Definition(ctx context.Context, c company.ID, id esign.Identifier) (esign.Stored, error) {
	r, err := db.read(ctx).Definition(ctx, string(c), string(id))
	if err != nil {
		return esign.Stored{}, found(err, "a document definition")
	}
	return definition(c, r)
}

func definition(c company.ID, r rows.DefinitionRow) (esign.Stored, error) {
	d := esign.Stored{Company: c, CreatedAt: at(r.CreatedAt)}
	if err := json.Unmarshal([]byte(r.Settings), &d.Definition); err != nil {
		return d, fmt.Errorf("reading a document definition: %w", err)
	}
	d.Identifier, d.SortOrder = esign.Identifier(r.Identifier), r.SortOrder
	if r.Blob != "" {
		d.File = esign.File{Blob: r.Blob, Size: r.Size, Hash: r.Hash, CRC32: uint32(r.Crc32)} //nolint:gosec // it was one
	}
	return d, nil
}

// AddDefinition stores a new one. It says false, and stores nothing, when the company has one
// of that identifier.
func (db *DB) AddDefinition(ctx context.Context, d esign.Stored) (bool, error) {
	settings, err := json.Marshal(d.Definition)
	if err != nil {
		return false, fmt.Errorf("writing a document definition: %w", err)
	}
	n, err := tx(ctx).q.InsertDefinition(ctx, rows.InsertDefinitionParams{
		CompanyID: string(d.Company), Identifier: string(d.Identifier), SortOrder: d.SortOrder, Settings: string(settings),
		Blob: d.File.Blob, Size: d.File.Size, Hash: bytesOf(d.File.Hash), Crc32: int64(d.File.CRC32), CreatedAt: micro(d.CreatedAt),
	})
	if err != nil {
		return false, fmt.Errorf("storing a document definition: %w", err)
	}
	return n == 1, nil
}

// PutDefinition replaces one, its place and its file included; ErrChanged when it is gone.
func (db *DB) PutDefinition(ctx context.Context, d esign.Stored, now time.Time) error {
	settings, err := json.Marshal(d.Definition)
	if err != nil {
		return fmt.Errorf("writing a document definition: %w", err)
	}
	n, err := tx(ctx).q.UpdateDefinition(ctx, rows.UpdateDefinitionParams{
		CompanyID: string(d.Company), Identifier: string(d.Identifier), SortOrder: d.SortOrder, Settings: string(settings),
		Blob: d.File.Blob, Size: d.File.Size, Hash: bytesOf(d.File.Hash), Crc32: int64(d.File.CRC32), ChangedAt: micro(now),
	})
	return one(n, err, "changing a document definition")
}

// MoveDefinition gives one another place in the order.
func (db *DB) MoveDefinition(ctx context.Context, c company.ID, o esign.Order) error {
	if err := tx(ctx).q.MoveDefinition(ctx, o.At, string(c), string(o.Identifier)); err != nil {
		return fmt.Errorf("moving a document definition: %w", err)
	}
	return nil
}

// RemoveDefinition removes one; ErrChanged when it is gone.
func (db *DB) RemoveDefinition(ctx context.Context, c company.ID, id esign.Identifier) error {
	n, err := tx(ctx).q.DeleteDefinition(ctx, string(c), string(id))
	return one(n, err, "removing a document definition")
}

// AddDocument stores a document of an identification.
func (db *DB) AddDocument(ctx context.Context, d esign.Row) error {
	err := tx(ctx).q.InsertDocument(ctx, rows.InsertDocumentParams{
		IdentificationID: string(d.Identification), KeyID: d.KeyID, Identifier: string(d.Identifier), CompanyID: string(d.Company),
		SortOrder: d.SortOrder, Revision: d.Revision, Sealed: d.Sealed, ChangedAt: micro(d.ChangedAt),
	})
	if err != nil {
		return fmt.Errorf("storing a document: %w", err)
	}
	return nil
}

// Documents returns the documents of an identification that are sealed under that key of
// its, in their order.
func (db *DB) Documents(ctx context.Context, c company.ID, id ident.ID, keyID string) ([]esign.Row, error) {
	rs, err := db.read(ctx).Documents(ctx, string(id), keyID, string(c))
	if err != nil {
		return nil, fmt.Errorf("listing documents: %w", err)
	}
	list := make([]esign.Row, len(rs))
	for n, r := range rs {
		list[n] = esign.Row{
			Identification: ident.ID(r.IdentificationID), Company: company.ID(r.CompanyID), KeyID: r.KeyID, Identifier: esign.Identifier(r.Identifier),
			SortOrder: r.SortOrder, Revision: r.Revision, Sealed: r.Sealed, ChangedAt: at(r.ChangedAt),
		}
	}
	return list, nil
}

// PutDocument writes what is sealed of d, which was read with the revision it carries.
// ErrChanged when another writer was first, or the document is gone.
func (db *DB) PutDocument(ctx context.Context, d esign.Row) error {
	n, err := tx(ctx).q.UpdateDocument(ctx, rows.UpdateDocumentParams{
		Sealed: d.Sealed, ChangedAt: micro(d.ChangedAt), IdentificationID: string(d.Identification), KeyID: d.KeyID,
		Identifier: string(d.Identifier), CompanyID: string(d.Company), Revision: d.Revision,
	})
	return one(n, err, "changing a document")
}

// EraseDocuments removes the documents of an identification that are sealed under that key.
func (db *DB) EraseDocuments(ctx context.Context, id ident.ID, keyID string) error {
	if err := tx(ctx).q.DeleteDocumentsOfKey(ctx, string(id), keyID); err != nil {
		return fmt.Errorf("erasing documents: %w", err)
	}
	return nil
}

// HoldIdentification returns an identification as it is, with only ID, Company, State,
// Reason, KeyID and Attempts filled in, and holds its row until the end of the transaction: its state
// does not change meanwhile. fault.NotFound.
func (db *DB) HoldIdentification(ctx context.Context, c company.ID, id ident.ID) (ident.Identification, error) {
	r, err := tx(ctx).q.HoldIdentification(ctx, string(c), string(id))
	return ident.Identification{ID: id, Company: c, State: ident.State(r.State), Reason: ident.Reason(r.Reason), KeyID: r.KeyID, Attempts: int(r.Attempts)}, found(err, "an identification")
}
