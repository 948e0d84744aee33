package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
)

func TestIdentificationIsFoundByNumberIDAndFile(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		i := number(1)
		i.Attempts, i.Result, i.Previous, i.Reason, i.Agent, i.FileKey = 2, ident.Success, ident.ReviewPending, ident.TechVideo, "A", "file"
		i.ResultSeq, i.NextDelivery, i.FinishedAt, i.Channel, i.State = 3, 4, noon, ident.App, ident.Success
		create(t, db, i)
		for name, find := range map[string]func() (ident.Identification, error){
			"number":            func() (ident.Identification, error) { return db.IdentificationByNumber(ctx, "ihrebank", "Order-1") },
			"other letter case": func() (ident.Identification, error) { return db.IdentificationByNumber(ctx, "ihrebank", "oRDER-1") },
			"ident-id":          func() (ident.Identification, error) { return db.IdentificationByID(ctx, "ihrebank", i.ID) },
			"file":              func() (ident.Identification, error) { return db.IdentificationByFile(ctx, "ihrebank", "file") },
		} {
			got, err := find()
			if diff := cmp.Diff(i, got); err != nil || diff != "" {
				t.Errorf("by %s: %v\n%s", name, err, diff)
			}
		}
		for name, find := range map[string]func() (ident.Identification, error){
			"number":   func() (ident.Identification, error) { return db.IdentificationByNumber(ctx, "testbank", "Order-1") },
			"ident-id": func() (ident.Identification, error) { return db.IdentificationByID(ctx, "testbank", i.ID) },
			"file":     func() (ident.Identification, error) { return db.IdentificationByFile(ctx, "testbank", "file") },
			"no file":  func() (ident.Identification, error) { return db.IdentificationByFile(ctx, "ihrebank", "") },
		} {
			if _, err := find(); !fault.Is(err, fault.NotFound) {
				t.Errorf("another company's by %s: %v", name, err)
			}
		}
	})
}

func TestTakenNumbersAreNotGivenAgain(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		old := number(1)
		create(t, db, old)
		try := func(name string, want bool, change func(i *ident.Identification)) {
			t.Helper()
			i := number(2)
			change(&i)
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				created, err := db.CreateIdentification(ctx, i)
				if created != want {
					t.Errorf("%s: created %v, want %v", name, created, want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		try("the number", false, func(i *ident.Identification) { i.Number = old.Number })
		try("the number in other letter case", false, func(i *ident.Identification) { i.Number = "ORDER-1" })
		try("the Ident-ID", false, func(i *ident.Identification) { i.ID = old.ID })
		try("the Ident-ID of another company", false, func(i *ident.Identification) { i.ID, i.Company = old.ID, "testbank" })
		try("the number in another company", true, func(i *ident.Identification) { i.Number, i.Company = old.Number, "testbank" })
		change(t, db, func(ctx context.Context) error { return db.BuryIdentification(ctx, old, noon, "company") })
		try("the Ident-ID of a deleted one", false, func(i *ident.Identification) { i.ID, i.Number = old.ID, "Order-3" })
		try("the number of a deleted one", true, func(i *ident.Identification) { i.ID, i.Number = "IBA-33333", old.Number })
	})
}

func TestOfManyCreatorsOfOneNumberOneWins(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var won atomic.Int32
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				i := number(n)
				i.Number = "The-Same"
				created, err := db.NewIdentification(t.Context(), i, esign.Instances{}, audit.Entry{Chain: string(i.ID), Company: i.Company, At: noon, Actor: "company", Act: "identification.created"})
				if err != nil {
					t.Error(err)
				}
				if created {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d were created", won.Load())
		}
		i, err := db.IdentificationByNumber(t.Context(), "ihrebank", "the-same")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			chain, err := db.AuditChain(t.Context(), string(number(n).ID))
			want := 0
			if number(n).ID == i.ID {
				want = 1
			}
			if err != nil || len(chain) != want {
				t.Errorf("%s has %d audit entries, want %d, %v", number(n).ID, len(chain), want, err)
			}
		}
	})
}

func TestMoveWritesEverythingThatMayChange(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		create(t, db, i)
		i.State, i.CompanyRevision, i.KeyID, i.Sealed, i.Attempts, i.Result, i.Previous = ident.Canceled, 4, "other", []byte("new"), 7, ident.Canceled, ident.FraudPending
		i.Reason, i.Agent, i.Channel, i.FileKey, i.ResultSeq, i.NextDelivery = ident.TechPhoto, "B", ident.App, "f", 8, 9
		i.ChangedAt, i.FinishedAt, i.KeptFrom = noon.Add(1), noon.Add(time.Minute), noon.Add(time.Hour)
		i.ChangedAt = i.ChangedAt.Truncate(time.Microsecond)
		change(t, db, func(ctx context.Context) error { return db.MoveIdentification(ctx, i, ident.Created) })
		i.Revision++
		got, err := db.IdentificationByID(t.Context(), i.Company, i.ID)
		if diff := cmp.Diff(i, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestOfTwoWritersOneIsLate(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		create(t, db, i)
		var won, late atomic.Int32
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				moved := i
				moved.State = ident.Waiting
				err := db.InTx(t.Context(), func(ctx context.Context) error { return db.MoveIdentification(ctx, moved, ident.Created) })
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, ErrChanged) && db.Late(err):
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || late.Load() != 1 {
			t.Errorf("%d won, %d were late", won.Load(), late.Load())
		}
	})
}

func TestMoveNeedsStateRevisionAndCompany(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		create(t, db, i)
		for name, c := range map[string]struct {
			from   ident.State
			change func(i *ident.Identification)
		}{
			"state":    {ident.Waiting, func(*ident.Identification) {}},
			"revision": {ident.Created, func(i *ident.Identification) { i.Revision = 2 }},
			"company":  {ident.Created, func(i *ident.Identification) { i.Company = "testbank" }},
			"id":       {ident.Created, func(i *ident.Identification) { i.ID = "IBA-ZZZZZ" }},
		} {
			moved := i
			c.change(&moved)
			moved.Agent = "nobody"
			if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.MoveIdentification(ctx, moved, c.from) }); !db.Late(err) {
				t.Errorf("another %s: %v", name, err)
			}
			bury := func(ctx context.Context) error { return db.BuryIdentification(ctx, moved, noon, "company") }
			if err := db.InTx(t.Context(), bury); name != "state" && !db.Late(err) {
				t.Errorf("buried with another %s: %v", name, err)
			}
			if name == "state" {
				create(t, db, number(2)) // a burial needs no state
				i = number(2)
			}
		}
	})
}

func TestFileNameThatWasJustTakenMakesAMoveLate(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		first, second := number(1), number(2)
		create(t, db, first, second)
		first.FileKey, second.FileKey = "same", "same"
		change(t, db, func(ctx context.Context) error { return db.MoveIdentification(ctx, first, ident.Created) })
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.MoveIdentification(ctx, second, ident.Created) }); !db.Late(err) {
			t.Errorf("got %v", err)
		}
		for id, want := range map[ident.ID]bool{first.ID: false, second.ID: true} {
			if got, err := db.FileKeyTaken(t.Context(), "ihrebank", "same", id); err != nil || got != want {
				t.Errorf("taken for %s: %v, %v", id, got, err)
			}
		}
		if got, err := db.FileKeyTaken(t.Context(), "testbank", "same", second.ID); err != nil || got {
			t.Errorf("taken in another company: %v, %v", got, err)
		}
		second.Company, second.ID, second.Number = "testbank", "TSB-22222", "x"
		create(t, db, second) // the name is free there
	})
}

func TestBuriedOneIsGone(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		create(t, db, i)
		change(t, db, func(ctx context.Context) error { return db.BuryIdentification(ctx, i, noon, "company") })
		if _, err := db.IdentificationByID(t.Context(), i.Company, i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("found: %v", err)
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.BuryIdentification(ctx, i, noon, "company") }); !db.Late(err) {
			t.Errorf("buried twice: %v", err)
		}
	})
}

func TestListsAreOrderedAndPagedByKey(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var want []ident.ID
		for n := range 25 {
			i := number(n)
			i.CreatedAt = noon.Add(time.Duration(n/5) * time.Second) // five at the same moment
			if n == 3 {
				i.ResultSeq = 1
				change(t, db, func(ctx context.Context) error { return db.AddResult(ctx, rendered(i.ID, 1)) })
			}
			create(t, db, i)
			want = append(want, i.ID)
		}
		other := number(30)
		other.Company = "testbank"
		aborted := number(31)
		aborted.State = ident.Aborted
		create(t, db, other, aborted)
		slices.SortFunc(want, func(a, b ident.ID) int {
			at := func(id ident.ID) int {
				return slices.IndexFunc(numbers(25), func(i ident.ID) bool { return i == id }) / 5
			}
			if d := at(b) - at(a); d != 0 {
				return d
			}
			if a > b {
				return -1
			}
			return 1
		})
		for _, size := range []int{1, 4, 5, 25, 100} {
			var got []ident.ID
			var before time.Time
			var beforeID ident.ID
			for {
				page, err := db.ListIdentifications(t.Context(), "ihrebank", ident.ListPending, before, beforeID, size)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, i := range page {
					got = append(got, i.ID)
					if hasJSON := i.JSON != nil; hasJSON != (i.ID == number(3).ID) {
						t.Errorf("%s has a result: %v", i.ID, hasJSON)
					}
				}
				before, beforeID = page[len(page)-1].CreatedAt, page[len(page)-1].ID
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d: %s", size, diff)
			}
		}
	})
}

func numbers(n int) (ids []ident.ID) {
	for k := range n {
		ids = append(ids, number(k).ID)
	}
	return ids
}

func TestEachStateIsInItsList(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		want := map[ident.List]map[ident.ID]ident.State{}
		for n, s := range ident.States {
			if !s.Valid() {
				continue
			}
			i := number(n)
			i.State = s
			create(t, db, i)
			if want[s.List()] == nil {
				want[s.List()] = map[ident.ID]ident.State{}
			}
			want[s.List()][i.ID] = s
		}
		for l, want := range want {
			got := map[ident.ID]ident.State{}
			page, err := db.ListIdentifications(t.Context(), "ihrebank", l, time.Time{}, "", 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page {
				got[i.ID] = i.State
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", l, diff)
			}
		}
	})
}

func TestCompanysIdentificationsComeOldestFirst(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		a, b, c := number(2), number(1), number(3)
		c.Company = "testbank"
		create(t, db, a, b, c)
		got, err := db.CompanyIdentifications(t.Context(), "ihrebank", 10)
		want := []ident.Identification{
			{ID: b.ID, Company: "ihrebank", Revision: 1, KeyID: b.KeyID, CreatedAt: b.CreatedAt},
			{ID: a.ID, Company: "ihrebank", Revision: 1, KeyID: a.KeyID, CreatedAt: a.CreatedAt},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if got, err = db.CompanyIdentifications(t.Context(), "ihrebank", 1); err != nil || len(got) != 1 {
			t.Errorf("%d of one, %v", len(got), err)
		}
	})
}

func TestUsedKeysAreThoseOfIdentifications(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		create(t, db, number(1), number(2), number(3))
		got, err := db.UsedKeys(t.Context(), []string{"key00000", "key00002", "key00003"})
		if err != nil {
			t.Fatal(err)
		}
		if !got["key00002"] || !got["key00003"] || got["key00000"] || got["key99999"] {
			t.Errorf("got %v", got)
		}
		if got, err := db.UsedKeys(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of none: %v, %v", got, err)
		}
	})
}

func TestLastEventCountsFromZero(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		i.NextDelivery = 3
		create(t, db, i)
		if n, last, err := db.LastEvent(t.Context(), i.Company, i.ID); n != i.Number || last != 2 || err != nil {
			t.Errorf("%s, %d, %v", n, last, err)
		}
		if _, _, err := db.LastEvent(t.Context(), company.ID("testbank"), i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company's: %v", err)
		}
	})
}
