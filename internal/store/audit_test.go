package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/audit"
	"vidimus/internal/store/storetest"
)

func TestChainNeverForks(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		const writers, each = 8, 10
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				for k := 0; k < each; {
					e := audit.Entry{Chain: "IBA-22222", Company: "ihrebank", At: noon, Actor: fmt.Sprintf("agent:%d", n), Act: "evidence.recorded", Detail: fmt.Sprint(k)}
					err := db.InTx(t.Context(), func(ctx context.Context) error { return db.Audit(ctx, e) })
					switch {
					case err == nil:
						k++
					case !errors.Is(err, ErrChanged):
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		verify(t, db, "IBA-22222", writers*each)
	})
}

// verify reads a chain and computes every hash anew.
func verify(t testing.TB, db *DB, chain string, want int) {
	t.Helper()
	entries, err := db.AuditChain(t.Context(), chain)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != want {
		t.Errorf("%d entries, want %d", len(entries), want)
	}
	var previous []byte
	for n, e := range entries {
		if e.Seq != int64(n+1) {
			t.Errorf("entry %d has the number %d", n+1, e.Seq)
		}
		if !bytes.Equal(e.Hash, e.Sum(testKey, previous)) {
			t.Errorf("the hash of entry %d is wrong", e.Seq)
		}
		previous = e.Hash
	}
}

func TestEntryIsKeptAsItWasWritten(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		want := audit.Entry{Chain: "company:ihrebank", Company: "ihrebank", At: noon, Actor: "operator", Act: "company.applied", Detail: "revision 1"}
		other := want
		other.Chain = "company:testbank"
		change(t, db, func(ctx context.Context) error {
			if err := db.Audit(ctx, want); err != nil {
				return err
			}
			return db.Audit(ctx, other)
		})
		got, err := db.AuditChain(t.Context(), want.Chain)
		want.Seq, want.Hash = 1, nil
		want.Hash = want.Sum(testKey, nil)
		if diff := cmp.Diff([]audit.Entry{want}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestEntryOfADeedThatFailsIsNotWritten(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		e := audit.Entry{Chain: "IBA-22222", Company: "ihrebank", At: noon, Actor: "company", Act: "x.y"}
		failed := errors.New("failed")
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := db.Audit(ctx, e); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
		verify(t, db, "IBA-22222", 0)
	})
}

// TestEntryThatIsSwallowedFailsTheDeed has a trigger ignore what is written to the trail.
func TestEntryThatIsSwallowedFailsTheDeed(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		db, err := Open(t.Context(), url, dir, testKey)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		driver, address := "pgx", url
		swallow := []string{
			`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
			`CREATE TRIGGER swallow BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION swallow()`,
		}
		if url == "" {
			driver, address = "sqlite", "file:"+filepath.Join(dir, "vidimus.db")
			swallow = []string{`CREATE TRIGGER swallow BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END`}
		}
		raw, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = raw.Close() }()
		for _, s := range swallow {
			if _, err := raw.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		e := audit.Entry{Chain: "company:ihrebank", Company: "ihrebank", At: noon, Actor: "operator", Act: "x.y"}
		err = db.InTx(t.Context(), func(ctx context.Context) error { return db.Audit(ctx, e) })
		if err == nil || errors.Is(err, ErrChanged) {
			t.Errorf("the deed goes on: %v", err)
		}
	})
}
