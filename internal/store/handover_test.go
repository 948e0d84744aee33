package store

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/store/storetest"
)

// known stores companies that have only a name.
func known(t testing.TB, db *DB, ids ...company.ID) {
	t.Helper()
	for n, id := range ids {
		change(t, db, func(ctx context.Context) error {
			return db.PutCompany(ctx, account.Record{
				ID: id, Revision: 1, Shortcode: company.Shortcode(fmt.Sprintf("C%02d", n)), Settings: []byte("{}"), KeyHashes: []byte("[]"),
				Secrets: []byte("sealed"), CreatedAt: noon, ChangedAt: noon,
			}, true)
		})
	}
}

// fetched is the hand-over that begins at that second.
func fetched(n int) delivery.HandOver {
	return delivery.HandOver{
		ID: fmt.Sprintf("h%03d", n), Company: "ihrebank", Identification: "IBA-22222", Way: delivery.RESTZIP, Client: "192.0.2.7", Hash: []byte{1, 2},
		State: delivery.Begun, At: second(n),
	}
}

func begin(t testing.TB, db *DB, all ...delivery.HandOver) {
	t.Helper()
	for _, h := range all {
		if err := db.BeginHandOver(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
}

func wantHandOvers(t testing.TB, db *DB, want ...delivery.HandOver) {
	t.Helper()
	got, err := db.HandOversOf(t.Context(), "ihrebank", "IBA-22222", time.Time{}, "", 1000)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestHandOverIsThereBeforeItEnds(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		known(t, db, "ihrebank")
		one, two := fetched(1), fetched(2)
		begin(t, db, one, two)
		wantHandOvers(t, db, one, two)
		one.State, one.Bytes, one.DoneAt = delivery.Done, 1_000_000, second(3)
		two.State, two.Bytes, two.Hash, two.Entries, two.DoneAt = delivery.Broken, 7, []byte{9}, 3, second(4)
		if err := db.EndHandOvers(t.Context(), []delivery.HandOver{one, two}); err != nil {
			t.Fatal(err)
		}
		wantHandOvers(t, db, one, two)
		again := one
		again.State, again.Bytes = delivery.Broken, 0
		gone := fetched(9)
		if err := db.EndHandOvers(t.Context(), []delivery.HandOver{again, gone}); err != nil {
			t.Fatal(err)
		}
		wantHandOvers(t, db, one, two) // an end is the end
	})
}

func TestHandOverToNobodyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		if err := db.BeginHandOver(t.Context(), fetched(1)); !fault.Is(err, fault.NotFound) {
			t.Errorf("to a company that is not there: %v", err)
		}
		wantHandOvers(t, db, []delivery.HandOver{}...)
	})
}

func TestHandOversAreListedByPages(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		known(t, db, "ihrebank", "testbank")
		var all []delivery.HandOver
		for n := range 5 {
			h := fetched(n)
			h.At = second(n / 2) // some at the same moment
			all = append(all, h)
		}
		foreign, list := fetched(7), fetched(8)
		foreign.Company = "testbank"
		list.Identification, list.Way, list.Hash = "", delivery.RESTList, []byte{}
		begin(t, db, append(all, foreign, list)...)
		var back []string
		for before, id := (time.Time{}), ""; ; {
			page, err := db.HandOvers(t.Context(), "ihrebank", before, id, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, h := range page {
				back = append(back, h.ID)
			}
			before, id = page[len(page)-1].At, page[len(page)-1].ID
		}
		if diff := cmp.Diff([]string{"h008", "h004", "h003", "h002", "h001", "h000"}, back); diff != "" {
			t.Error(diff)
		}
		page, err := db.HandOversOf(t.Context(), "ihrebank", "IBA-22222", all[2].At, all[2].ID, 2)
		if diff := cmp.Diff(all[3:5], page); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if page, err := db.HandOversOf(t.Context(), "testbank", list.Identification, time.Time{}, "", 9); err != nil || len(page) > 0 {
			t.Errorf("of another company: %v, %v", page, err)
		}
	})
}

func TestLedgerOutlivesTheIdentificationButNotTheCompany(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		known(t, db, "ihrebank")
		h := fetched(1)
		begin(t, db, h)
		change(t, db, func(ctx context.Context) error { return db.EraseRecords(ctx, h.Identification) })
		wantHandOvers(t, db, h)
		late := fetched(60)
		begin(t, db, late)
		change(t, db, func(ctx context.Context) error { return db.EraseCompanyDeliveries(ctx, "ihrebank", second(50)) })
		wantHandOvers(t, db, late)
	})
}

func TestDeletedOneIsFoundByNumberAndID(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		first, second := number(1), number(2)
		second.Number = "ORDER-1"
		for n, i := range []ident.Identification{first, second} {
			create(t, db, i)
			change(t, db, func(ctx context.Context) error {
				return db.BuryIdentification(ctx, i, noon.Add(time.Duration(n)*time.Hour), "company")
			})
		}
		got, err := db.BuriedByNumber(t.Context(), "ihrebank", "oRDER-1")
		if err != nil || got != second.ID {
			t.Errorf("%s, %v: the last one deleted is %s", got, err, second.ID)
		}
		if _, err := db.BuriedByNumber(t.Context(), "testbank", "Order-1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company's number: %v", err)
		}
		if err := db.Buried(t.Context(), "ihrebank", first.ID); err != nil {
			t.Error(err)
		}
		if err := db.Buried(t.Context(), "testbank", first.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company's: %v", err)
		}
	})
}

func TestConstraintsOfHandOversRepeatTheListsOfTheDomain(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		known(t, db, "ihrebank")
		wantChecked(t, db, "way of a hand-over", delivery.Fetched, func(ctx context.Context, n int, w delivery.Way) error {
			h := fetched(n)
			h.Way = w
			return beginHandOver(ctx, tx(ctx).q, h)
		})
		wantChecked(t, db, "state of a hand-over", []delivery.Progress{delivery.Begun, delivery.Done, delivery.Broken}, func(ctx context.Context, n int, p delivery.Progress) error {
			h := fetched(100 + n)
			if err := beginHandOver(ctx, tx(ctx).q, h); err != nil {
				return err
			}
			h.State = p
			return endHandOvers(ctx, tx(ctx).q, []delivery.HandOver{h})
		})
	})
}

func TestDeliveriesOfAnOlderProgramAreWebhooks(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		tables := raw(t, url, dir)
		files, err := fs.Sub(migrations, "migration")
		if err != nil {
			t.Fatal(err)
		}
		dialect := goose.DialectPostgres
		if url == "" {
			dialect = goose.DialectSQLite3
		}
		p, err := goose.NewProvider(dialect, tables, files)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		_, err = tables.ExecContext(t.Context(), `INSERT INTO delivery (id, company_id, identification_id, lane, seq, event, result_seq, key_id, target, state, tries,
			replayed, status, problem, hash, created_at, first_at, due_at, done_at, lease_node, lease_until)
			VALUES ('msg_1', 'ihrebank', 'IBA-22222', 'lane', 1, 'FINAL', 1, 'key', 'https://x.example', 'DELIVERED', 1, 0, 200, '', 'hash', 1, 1, 1, 1, '', 0)`)
		if err != nil {
			t.Fatal(err)
		}
		d, err := open(t, url, dir).Delivery(t.Context(), "msg_1")
		if err != nil || d.Way != delivery.Webhook || d.State != delivery.Delivered {
			t.Errorf("%+v, %v", d, err)
		}
	})
}
