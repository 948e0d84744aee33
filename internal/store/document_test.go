package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
)

// contract is a definition.
func contract(id esign.Identifier, at int64) esign.Stored {
	return esign.Stored{
		Company: "ihrebank", CreatedAt: noon,
		Definition: esign.Definition{
			Identifier: id, Name: "Arbeitsvertrag", MIMEType: "application/pdf", Version: "V1", Optional: true, SortOrder: at, ViewPolicy: esign.Scroll,
			Signatures: []esign.Signature{{Name: "b", Type: esign.Electronic, FontSize: 8, Image: "idnow_seal", Position: esign.Position{Page: 1, Left: 1.5, Width: 2, Height: 3}}, {Name: "a"}},
		},
	}
}

func addDefinition(t *testing.T, db *DB, d esign.Stored) {
	t.Helper()
	change(t, db, func(ctx context.Context) error {
		if err := db.ChangeDefinitions(ctx, d.Company); err != nil {
			return err
		}
		if ok, err := db.AddDefinition(ctx, d); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("added: %v", ok))
		}
		return nil
	})
}

func TestDefinitionsComeBackAsTheyWere(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		if n, err := db.DefinitionChange(ctx, "ihrebank"); n != 0 || err != nil {
			t.Errorf("before any: %d, %v", n, err)
		}
		second, first := contract("doc2", 2), contract("doc1", 1)
		foreign := contract("doc1", 1)
		foreign.Company = "testbank"
		for _, d := range []esign.Stored{second, first, foreign} {
			addDefinition(t, db, d)
		}
		list, err := db.Definitions(ctx, "ihrebank")
		if diff := cmp.Diff([]esign.Stored{first, second}, list); err != nil || diff != "" {
			t.Error(err, diff)
		}
		change(t, db, func(ctx context.Context) error {
			if ok, err := db.AddDefinition(ctx, first); ok || err != nil {
				return fmt.Errorf("the same again: %v, %w", ok, err)
			}
			return nil
		})
		first.Name, first.SortOrder, first.Signatures = "AGB", 7, nil
		first.File = esign.File{Blob: "ihrebank/x", Size: 1 << 33, Hash: []byte{1, 2}, CRC32: 1<<32 - 1}
		change(t, db, func(ctx context.Context) error { return db.PutDefinition(ctx, first, noon.Add(time.Hour)) })
		change(t, db, func(ctx context.Context) error {
			return db.MoveDefinition(ctx, "ihrebank", esign.Order{Identifier: "doc2", At: 9})
		})
		got, err := db.Definition(ctx, "ihrebank", "doc1")
		if diff := cmp.Diff(first, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if got, err := db.Definition(ctx, "ihrebank", "doc2"); got.SortOrder != 9 || err != nil {
			t.Error(got.SortOrder, err)
		}
		if got, err := db.Definition(ctx, "testbank", "doc1"); got.SortOrder != 1 || got.Name != "Arbeitsvertrag" || err != nil {
			t.Error("another company's:", got, err)
		}
		change(t, db, func(ctx context.Context) error { return db.RemoveDefinition(ctx, "ihrebank", "doc1") })
		if _, err := db.Definition(ctx, "ihrebank", "doc1"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		for name, do := range map[string]func(ctx context.Context) error{
			"put":    func(ctx context.Context) error { return db.PutDefinition(ctx, first, noon) },
			"remove": func(ctx context.Context) error { return db.RemoveDefinition(ctx, "ihrebank", "doc1") },
		} {
			if err := db.InTx(ctx, do); !db.Late(err) {
				t.Errorf("%s of one that is gone: %v", name, err)
			}
		}
		if n, err := db.DefinitionChange(ctx, "ihrebank"); n != 2 || err != nil {
			t.Errorf("after two changes: %d, %v", n, err)
		}
	})
}

// TestIdentificationIsRefusedWhenItsDocumentsAreOld creates identifications with the state of
// definitions that their creator has seen.
func TestIdentificationIsRefusedWhenItsDocumentsAreOld(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addDefinition(t, db, contract("doc1", 1))
		for _, c := range []struct {
			revision int64
			rows     int
			want     bool
		}{{0, 0, false}, {1, 0, true}, {1, 2, true}, {2, 1, false}, {-1, 0, true}} {
			i := number(int(c.revision) + 10 + 10*c.rows)
			all := esign.Instances{Revision: c.revision}
			for n := range c.rows {
				all.Rows = append(all.Rows, esign.Row{Identification: i.ID, Company: i.Company, KeyID: i.KeyID, Identifier: esign.Identifier(fmt.Sprint("doc", n)), SortOrder: int64(9 - n), Revision: 1, Sealed: []byte{byte(n)}, ChangedAt: noon})
			}
			created, err := db.NewIdentification(t.Context(), i, all, audit.Entry{Chain: string(i.ID), Company: i.Company, At: noon, Actor: "company", Act: audit.Created})
			if created != c.want || err != nil {
				t.Errorf("%+v: %v, %v", c, created, err)
			}
			rows, err := db.Documents(t.Context(), i.Company, i.ID, i.KeyID)
			if want := c.rows; err != nil || c.want && len(rows) != want || !c.want && len(rows) != 0 {
				t.Errorf("%+v: %d documents, %v", c, len(rows), err)
			}
			chain, err := db.AuditChain(t.Context(), string(i.ID))
			if err != nil || (len(chain) == 1) != c.want {
				t.Errorf("%+v: %d entries, %v", c, len(chain), err)
			}
		}
	})
}

func TestDocumentsBelongToOneKeyOfOneIdentification(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		row := func(id ident.ID, key string, name esign.Identifier) esign.Row {
			return esign.Row{Identification: id, Company: "ihrebank", KeyID: key, Identifier: name, SortOrder: 1, Revision: 1, Sealed: []byte("s"), ChangedAt: noon}
		}
		all := []esign.Row{row("IBA-22222", "old", "a"), row("IBA-22222", "new", "a"), row("IBA-22222", "new", "b"), row("IBA-33333", "new", "a")}
		for _, r := range all {
			change(t, db, func(ctx context.Context) error { return db.AddDocument(ctx, r) })
		}
		count := func(c company.ID, id ident.ID, key string) int {
			t.Helper()
			list, err := db.Documents(ctx, c, id, key)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		got, err := db.Documents(ctx, "ihrebank", "IBA-22222", "new")
		if diff := cmp.Diff(all[1:3], got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if n := count("testbank", "IBA-22222", "new"); n != 0 {
			t.Errorf("another company sees %d", n)
		}
		changed := all[1]
		changed.Sealed, changed.ChangedAt = []byte("t"), noon.Add(time.Minute)
		change(t, db, func(ctx context.Context) error { return db.PutDocument(ctx, changed) })
		if err := db.InTx(ctx, func(ctx context.Context) error { return db.PutDocument(ctx, changed) }); !db.Late(err) {
			t.Errorf("with an old revision: %v", err)
		}
		foreign := changed
		foreign.Company, foreign.Revision = "testbank", 2
		if err := db.InTx(ctx, func(ctx context.Context) error { return db.PutDocument(ctx, foreign) }); !db.Late(err) {
			t.Errorf("of another company: %v", err)
		}
		changed.Revision = 2
		got, err = db.Documents(ctx, "ihrebank", "IBA-22222", "new")
		if diff := cmp.Diff([]esign.Row{changed, all[2]}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		change(t, db, func(ctx context.Context) error { return db.EraseDocuments(ctx, "IBA-22222", "old") })
		if count("ihrebank", "IBA-22222", "old") != 0 || count("ihrebank", "IBA-22222", "new") != 2 {
			t.Error("not what was sealed under the old key was erased")
		}
		change(t, db, func(ctx context.Context) error { return db.EraseRecords(ctx, "IBA-22222") })
		if count("ihrebank", "IBA-22222", "new") != 0 || count("ihrebank", "IBA-33333", "new") != 1 {
			t.Error("not what belongs to the identification was erased")
		}
	})
}

func TestHeldIdentificationDoesNotMove(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		i := number(1)
		create(t, db, i)
		if err := db.InTx(ctx, func(ctx context.Context) error {
			_, err := db.HoldIdentification(ctx, "testbank", i.ID)
			return err
		}); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company's: %v", err)
		}
		moved := i
		moved.State = ident.Waiting
		move := func(ctx context.Context) error {
			return db.InTx(ctx, func(ctx context.Context) error { return db.MoveIdentification(ctx, moved, i.State) })
		}
		change(t, db, func(ctx context.Context) error {
			got, err := db.HoldIdentification(ctx, i.Company, i.ID)
			if err != nil || got.State != i.State || got.KeyID != i.KeyID {
				return errors.Join(err, fmt.Errorf("held %+v", got))
			}
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if move(short) == nil {
				return errors.New("it moved while it was held")
			}
			return nil
		})
		if err := move(ctx); err != nil {
			t.Errorf("it does not move afterwards: %v", err)
		}
	})
}
