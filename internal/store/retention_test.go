package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/store/storetest"
)

func TestDueAreThoseOfTheCompanysListThatAreKeptForLong(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		states := []ident.State{ident.Created, ident.InProcess, ident.Aborted, ident.Success, ident.Archived, ident.Canceled}
		for n, s := range states {
			i := number(n)
			i.State, i.CreatedAt, i.KeptFrom = s, noon, noon.Add(time.Hour)
			later := number(100 + n)
			later.State, later.CreatedAt, later.KeptFrom = s, noon, noon.Add(2*time.Hour)
			others := number(200 + n)
			others.State, others.KeptFrom, others.Company = s, noon, "testbank"
			create(t, db, i, later, others)
		}
		for n, s := range states {
			for _, c := range []struct {
				until time.Duration
				want  []ident.ID
			}{{time.Hour - time.Microsecond, nil}, {time.Hour, []ident.ID{number(n).ID}}, {3 * time.Hour, []ident.ID{number(n).ID, number(100 + n).ID}}} {
				want := c.want
				switch s { // both are pending, and an attempt under way is not due
				case ident.Created:
				case ident.InProcess:
					continue
				default:
				}
				got, err := db.DueIdentifications(t.Context(), "ihrebank", s.List(), noon.Add(c.until), 10)
				slices.Sort(got)
				slices.Sort(want)
				if len(got) != len(want) || !slices.Equal(got, want) || err != nil {
					t.Errorf("%s until %v: %v, want %v, %v", s, c.until, got, want, err)
				}
				count := int64(len(want))
				if n, err := db.CountDue(t.Context(), "ihrebank", s.List(), noon.Add(c.until)); n != count || err != nil {
					t.Errorf("%s until %v: counted %d, want %d, %v", s, c.until, n, count, err)
				}
			}
		}
		if got, err := db.DueIdentifications(t.Context(), "ihrebank", ident.ListFinished, noon.Add(3*time.Hour), 1); len(got) != 1 || got[0] != number(3).ID || err != nil {
			t.Errorf("the first of two: %v, %v", got, err)
		}
	})
}

func TestKeysInUseAreThoseOfAllButCanceledOnes(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var want []ident.Identification
		for n, s := range []ident.State{ident.Created, ident.Canceled, ident.Success} {
			i := number(n)
			i.State = s
			create(t, db, i)
			if s != ident.Canceled {
				want = append(want, ident.Identification{ID: i.ID, Company: i.Company, KeyID: i.KeyID})
			}
		}
		slices.SortFunc(want, func(a, b ident.Identification) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
		var got []ident.Identification
		var after ident.ID
		for {
			list, err := db.KeysInUse(t.Context(), after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			got, after = append(got, list...), list[0].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestJobOfOneIDIsStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		j := job.Job{ID: "x/1", Kind: "k", Lane: "l", Company: "ihrebank", CreatedAt: noon, DueAt: noon}
		for n, want := range []bool{true, false} {
			change(t, db, func(ctx context.Context) error {
				got, err := db.AddJobOnce(ctx, j)
				if got != want {
					t.Errorf("try %d: %t", n, got)
				}
				return err
			})
		}
	})
}

func TestTombstonesAreCountedByWhoAsked(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		for n, by := range []string{"company", "retention", "retention"} {
			i := number(n)
			create(t, db, i)
			change(t, db, func(ctx context.Context) error {
				return db.BuryIdentification(ctx, i, noon.Add(time.Duration(n)*time.Hour), by)
			})
		}
		change(t, db, func(ctx context.Context) error {
			_, err := db.EraseTombstone(ctx, "ihrebank", number(0).ID, noon.Add(3*time.Hour))
			return err
		})
		got, err := db.DeletedSince(t.Context(), noon, noon.Add(2*time.Hour))
		want := []ident.Deletions{
			{Company: "ihrebank", By: "company", Number: 1, First: noon, Last: noon},
			{Company: "ihrebank", By: "retention", First: noon.Add(time.Hour), Last: noon.Add(time.Hour), Erasing: 1, ErasingSince: noon.Add(time.Hour)},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		list, err := db.Tombstones(t.Context(), "ihrebank", noon.Add(time.Hour), noon.Add(3*time.Hour), 10)
		if err != nil || len(list) != 2 || list[0].ID != number(1).ID || list[0].By != "retention" {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// TestKeptFromIsFilledForWhatWasThere goes back to the tables before it, and runs the migration
// again.
func TestKeptFromIsFilledForWhatWasThere(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		db, err := Open(t.Context(), url, dir, testKey)
		if err != nil {
			t.Fatal(err)
		}
		want := map[ident.ID]time.Time{}
		for n, s := range []ident.State{ident.Created, ident.Aborted, ident.Success, ident.Canceled} {
			i := number(n)
			i.State, i.ChangedAt = s, i.CreatedAt.Add(time.Hour)
			create(t, db, i)
			want[i.ID] = i.CreatedAt
			if n > 1 {
				want[i.ID] = i.ChangedAt
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		migration, err := migrations.ReadFile("migration/0004_retention.sql")
		if err != nil {
			t.Fatal(err)
		}
		driver, address := "pgx", url
		if url == "" {
			driver, address = "sqlite", "file:"+filepath.Join(dir, "vidimus.db")
		}
		raw, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{
			"DROP INDEX identification_kept", "DROP INDEX tombstone_company", "UPDATE identification SET kept_from = 1",
			"ALTER TABLE identification RENAME COLUMN kept_from TO expires_at", string(migration),
		} {
			if _, err := raw.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, url, dir)
		for id, at := range want {
			i, err := db.IdentificationByID(t.Context(), "ihrebank", id)
			if err != nil || !i.KeptFrom.Equal(at) {
				t.Errorf("%s is kept from %v, want %v, %v", i.State, i.KeptFrom, at, err)
			}
		}
	})
}
