package store

import (
	"context"
	"fmt"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/store/rows"
)

// AddResult stores what was rendered; a second one with its number is ErrChanged.
func (db *DB) AddResult(ctx context.Context, r result.Stored) error {
	err := tx(ctx).q.InsertResult(ctx, rows.InsertResultParams{
		IdentificationID: string(r.Identification), Seq: r.Seq, Event: string(r.Event), Json: r.JSON, Xml: r.XML, Signature: r.Signature, Hash: r.Hash, Archive: r.Archive, CreatedAt: micro(r.CreatedAt),
	})
	switch {
	case duplicate(err):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("storing a result: %w", err)
	}
	return nil
}

// Result returns the result with that number, or fault.NotFound.
func (db *DB) Result(ctx context.Context, id ident.ID, seq int64) (result.Stored, error) {
	r, err := db.read(ctx).Result(ctx, string(id), seq)
	return stored(r), found(err, "a result")
}

func stored(r rows.Result) result.Stored {
	return result.Stored{
		Identification: ident.ID(r.IdentificationID), Seq: r.Seq, Event: company.Event(r.Event), JSON: r.Json, XML: r.Xml, Signature: r.Signature, Hash: r.Hash, Archive: r.Archive, CreatedAt: at(r.CreatedAt),
	}
}

// LastEvent returns the transaction number of an identification and the number of its last
// event; fault.NotFound when it is gone.
func (db *DB) LastEvent(ctx context.Context, c company.ID, id ident.ID) (ident.TransactionNumber, int64, error) {
	r, err := db.read(ctx).LastEvent(ctx, string(c), string(id))
	return ident.TransactionNumber(r.Number), r.NextDelivery - 1, found(err, "an identification")
}
