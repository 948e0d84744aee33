package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/esign"
	"vidimus/internal/store/rows"
	"vidimus/internal/store/storetest"
)

// waitingCreation is a creation as create hands it to the convoy.
func waitingCreation(t *testing.T, n int) *creation {
	i := number(n)
	e := audit.Entry{Chain: string(i.ID), Seq: 1, Company: i.Company, At: noon, Actor: "company", Act: "identification.created"}
	return &creation{
		ctx: t.Context(), row: insertParams(i, anyDefinitions), ready: make(chan struct{}),
		entry: rows.InsertFirstAuditParams{
			Chain: e.Chain, CompanyID: string(e.Company), At: micro(e.At), Actor: e.Actor, Act: e.Act, Hash: e.Sum(testKey, nil), KeyID: i.KeyID,
		},
	}
}

func TestWhatIsWrongWithOneCreationIsNobodyElsesMatter(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		if db.convoy == nil {
			return // SQLite has its own way, and its own test
		}
		batch := []*creation{waitingCreation(t, 1), waitingCreation(t, 2), waitingCreation(t, 3), waitingCreation(t, 5)}
		batch[3].row.NumberFold = batch[0].row.NumberFold // the same number once more
		batch[1].row.State = "NO SUCH STATE"
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		left := waitingCreation(t, 4)
		left.ctx = gone
		db.convoy.answer(append(batch, left))
		for n, want := range []bool{true, false, true, false} {
			if batch[n].created != want || (batch[n].err != nil) != (n == 1) {
				t.Errorf("creation %d: created %t, %v", n, batch[n].created, batch[n].err)
			}
		}
		if left.created || !errors.Is(left.err, context.Canceled) {
			t.Errorf("one that gave up: created %t, %v", left.created, left.err)
		}
		for n, want := range map[int]int{1: 1, 2: 0, 3: 1, 4: 0, 5: 0} {
			chain, err := db.AuditChain(t.Context(), string(number(n).ID))
			if err != nil || len(chain) != want {
				t.Errorf("chain of %d has %d entries, want %d, %v", n, len(chain), want, err)
			}
		}
	})
}

func TestACreationWithoutItsEntryIsAnError(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		db := open(t, url, dir)
		first := string(number(1).ID)
		swallow := []string{
			`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
			`CREATE TRIGGER swallow BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.chain = '` + first + `') EXECUTE FUNCTION swallow()`,
		}
		if url == "" {
			swallow = []string{`CREATE TRIGGER swallow BEFORE INSERT ON audit WHEN NEW.chain = '` + first + `' BEGIN SELECT RAISE(IGNORE); END`}
		}
		for _, s := range swallow {
			if _, err := raw(t, url, dir).ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		for n, want := range map[int]bool{1: false, 2: true} {
			i := number(n)
			created, err := db.NewIdentification(t.Context(), i, esign.Instances{Revision: anyDefinitions}, audit.Entry{Chain: string(i.ID), Company: i.Company, At: noon, Actor: "company", Act: "identification.created"})
			if (created && err == nil) != want || (err == nil) != want {
				t.Errorf("%d: created %t, %v", n, created, err)
			}
		}
	})
}

func TestOnlyWhatTheServerRefusedIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "40P01"}, true},
		{fmt.Errorf("storing: %w", &pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "23514"}), true},
		{&pgconn.PgError{SeverityUnlocalized: "FATAL", Code: "57P01"}, false},
		{errors.New("unexpected EOF"), false},
		{nil, false},
	} {
		if got := refused(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
}
