package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
	"vidimus/internal/store/storetest"
)

// accepts says whether the database takes what do writes.
func accepts(t *testing.T, db *DB, do func(ctx context.Context) error) bool {
	t.Helper()
	err := db.InTx(t.Context(), do)
	if err != nil && (duplicate(err) || db.Late(err)) {
		t.Fatalf("refused for another reason: %v", err)
	}
	return err == nil
}

// wantChecked writes each value, with a counter that makes every row another one, and
// expects that the listed ones are taken and others are not.
func wantChecked[T ~string](t *testing.T, db *DB, what string, listed []T, write func(ctx context.Context, n int, v T) error) {
	t.Helper()
	n := 0
	for _, v := range listed {
		n++
		if !accepts(t, db, func(ctx context.Context) error { return write(ctx, n, v) }) {
			t.Errorf("the %s %q of the domain is refused", what, v)
		}
	}
	for _, v := range []T{"other", "created", "DELETED"} {
		n++
		if accepts(t, db, func(ctx context.Context) error { return write(ctx, n, v) }) {
			t.Errorf("the %s %q, which the domain does not know, is taken", what, v)
		}
	}
}

func TestConstraintsRepeatTheListsOfTheDomain(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var kept []ident.State
		for _, s := range ident.States {
			if s.Valid() {
				kept = append(kept, s)
			}
		}
		wantChecked(t, db, "state", kept, func(ctx context.Context, n int, s ident.State) error {
			i := number(n)
			i.State = s
			_, err := db.CreateIdentification(ctx, i)
			return err
		})
		channels := []ident.Channel{ident.Web, ident.App}
		wantChecked(t, db, "channel", channels, func(ctx context.Context, n int, c ident.Channel) error {
			i := number(100 + n)
			i.Channel = c
			_, err := db.CreateIdentification(ctx, i)
			return err
		})
		wantChecked(t, db, "event of a delivery", company.Events, func(ctx context.Context, n int, e company.Event) error {
			d := handover(string(rune('a'+n)), "lane", int64(n))
			d.Event = e
			return db.AddDelivery(ctx, d)
		})
		wantChecked(t, db, "way of a delivery", delivery.Ways, func(ctx context.Context, n int, w delivery.Way) error {
			d := handover("way"+string(rune('a'+n)), "lane", int64(n))
			d.Way = w
			return db.AddDelivery(ctx, d)
		})
		wantChecked(t, db, "event of a result", company.Events, func(ctx context.Context, n int, e company.Event) error {
			r := rendered("IBA-22222", int64(n))
			r.Event = e
			return db.AddResult(ctx, r)
		})
	})
}

func TestConstraintsOfAttemptsRepeatTheListsOfTheDomain(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		attempt := func(n int) ident.Attempt {
			return ident.Attempt{Identification: "IBA-22222", Number: n, Company: "ihrebank", Method: ident.Robot, Channel: ident.Web, RequestedAt: noon, EndedAt: noon}
		}
		wantChecked(t, db, "method", []ident.Method{ident.VideoIdent, ident.AutoIdent, ident.Robot}, func(ctx context.Context, n int, m ident.Method) error {
			a := attempt(n)
			a.Method = m
			return db.AddAttempt(ctx, a)
		})
		wantChecked(t, db, "channel of an attempt", []ident.Channel{ident.Web, ident.App}, func(ctx context.Context, n int, c ident.Channel) error {
			a := attempt(100 + n)
			a.Channel = c
			return db.AddAttempt(ctx, a)
		})
		wantChecked(t, db, "outcome", []ident.State{"", ident.Aborted, ident.ReviewPending, ident.FraudPending}, func(ctx context.Context, n int, s ident.State) error {
			a := attempt(200 + n)
			a.Outcome = s
			return db.AddAttempt(ctx, a)
		})
		kinds := []evidence.Kind{evidence.KindReading, evidence.KindImage, evidence.KindRecording, evidence.KindCheck, evidence.KindCode, evidence.KindAnswer}
		wantChecked(t, db, "kind of evidence", kinds, func(ctx context.Context, n int, k evidence.Kind) error {
			return db.AddEvidence(ctx, evidence.Item{Identification: "IBA-22222", Attempt: 1, Seq: n, Kind: k, Sealed: []byte{}, Hash: []byte{}, TakenAt: noon})
		})
		wantChecked(t, db, "kind of judgement", []evidence.JudgementKind{evidence.IsVerdict, evidence.IsReview}, func(ctx context.Context, n int, k evidence.JudgementKind) error {
			return db.AddJudgement(ctx, evidence.Judgement{Identification: "IBA-22222", Attempt: n, Kind: k, Sealed: []byte{}, MadeAt: noon})
		})
		states := []delivery.State{delivery.Pending, delivery.Delivered, delivery.Failed, delivery.Superseded}
		wantChecked(t, db, "state of a delivery", states, func(ctx context.Context, n int, s delivery.State) error {
			d := handover(string(rune('a'+n)), "lane", 0)
			d.Lane = d.ID
			if err := db.AddDelivery(ctx, d); err != nil {
				return err
			}
			all := rows.ClaimDeliveriesParams{Way: string(delivery.Webhook), Node: "one", Until: micro(second(9)), Now: micro(second(1)), Most: 1000}
			if _, err := tx(ctx).q.ClaimDeliveries(ctx, all); err != nil {
				return err
			}
			d.State = s
			return db.EndDelivery(ctx, d, all.Node)
		})
	})
}

// raw opens the tables without the store.
func raw(t testing.TB, url, dir string) *sql.DB {
	t.Helper()
	driver, address := "pgx", url
	if url == "" {
		driver, address = "sqlite", sqliteAddress(filepath.Join(dir, "vidimus.db"))
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestDuplicateIsRecognised(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		open(t, url, dir)
		sql := raw(t, url, dir)
		company := "INSERT INTO company (id, revision, shortcode, settings, key_hashes, secrets, created_at, changed_at) VALUES "
		if _, err := sql.ExecContext(t.Context(), company+"('a', 1, 'IBA', '', '', '', 0, 0)"); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			statement string
			want      bool
		}{
			"primary key":  {company + "('a', 1, 'TSB', '', '', '', 0, 0)", true},
			"unique index": {company + "('b', 1, 'IBA', '', '', '', 0, 0)", true},
			"check":        {"INSERT INTO company_change (one, number) VALUES (2, 1)", false},
			"not null":     {"UPDATE company_change SET number = NULL", false},
			"syntax":       {"INSERT INTO nowhere", false},
		} {
			_, err := sql.ExecContext(t.Context(), c.statement)
			if err == nil || duplicate(fmt.Errorf("wrapped: %w", err)) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if duplicate(nil) || duplicate(context.Canceled) {
			t.Error("no error, or another one, is a duplicate")
		}
	})
}
