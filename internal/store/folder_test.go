package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
)

// fileOf stores a finished identification, with a result.
func fileOf(t *testing.T, db *DB, n int, s ident.State) ident.Identification {
	t.Helper()
	i := number(n)
	i.State, i.ResultSeq, i.FileKey = s, 2, fmt.Sprint("file", n)
	create(t, db, i)
	for seq := range int64(2) {
		change(t, db, func(ctx context.Context) error {
			return db.AddResult(ctx, result.Stored{
				Identification: i.ID, Seq: seq + 1, Event: company.Final, JSON: []byte(fmt.Sprint("json", n, seq)), XML: []byte("xml"), Signature: []byte("sig"),
				Hash: []byte("hash"), Archive: fmt.Sprint("archive", n), CreatedAt: noon.Add(time.Hour),
			})
		})
	}
	return i
}

func TestFolderListsTheOldestOfItsList(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		states := []ident.State{ident.Success, ident.ReviewPending, ident.FraudConfirmed, ident.Archived, ident.FraudPending, ident.SuccessChanged}
		for n := 6; n > 0; n-- { // the oldest is stored last
			fileOf(t, db, n, states[n-1])
		}
		theirs := number(7)
		theirs.Company, theirs.State, theirs.ResultSeq = "testbank", ident.Success, 1
		create(t, db, theirs)
		got := func(list []result.Filed, err error) string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			var s strings.Builder
			for _, f := range list {
				s.WriteString(string(f.Result.JSON) + " " + f.Result.Archive + " " + f.Identification.KeyID + " " + string(f.Identification.State) + "\n")
			}
			return s.String()
		}
		for name, c := range map[string]struct{ got, want string }{
			"finished": {got(db.Folder(ctx, "ihrebank", ident.ListFinished, 2)), "json1 1 archive1 key00001 SUCCESS\njson3 1 archive3 key00003 FRAUD_SUSPICION_CONFIRMED\n"},
			"archived": {got(db.Folder(ctx, "ihrebank", ident.ListArchived, 50)), "json4 1 archive4 key00004 ARCHIVED\n"},
			"preliminary": {
				got(db.FolderPreliminary(ctx, "ihrebank", 50)),
				"json2 1 archive2 key00002 REVIEW_PENDING\njson5 1 archive5 key00005 FRAUD_SUSPICION_PENDING\n",
			},
			"theirs": {got(db.FolderPreliminary(ctx, "testbank", 50)), ""},
		} {
			if c.got != c.want {
				t.Errorf("%s: %q, want %q", name, c.got, c.want)
			}
		}
	})
}

// TestFolderReadsAlongItsIndex keeps `ls` from growing with what a company has.
func TestFolderReadsAlongItsIndex(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		for n := 1; n <= 20; n++ {
			fileOf(t, db, n, []ident.State{ident.Success, ident.ReviewPending}[n%2])
		}
		finished := `SELECT i.id FROM identification i JOIN result r ON r.identification_id = i.id AND r.seq = i.result_seq
			WHERE i.company_id = 'ihrebank' AND i.list = 'finished' ORDER BY i.created_at, i.id LIMIT 50`
		preliminary := strings.Replace(finished, "i.list = 'finished'", "i.state IN ('REVIEW_PENDING', 'FRAUD_SUSPICION_PENDING')", 1)
		for query, index := range map[string]string{finished: "identification_list", preliminary: "identification_preliminary"} {
			plan := explain(t, db, query)
			if !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort") || strings.Contains(plan, "SCAN i") {
				t.Errorf("%s:\n%s", index, plan)
			}
		}
	})
}

func explain(t *testing.T, db *DB, query string) string {
	t.Helper()
	how := "EXPLAIN "
	if db.Embedded() {
		how = "EXPLAIN QUERY PLAN "
	}
	rows, err := db.pool.QueryContext(t.Context(), how+query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		var last sql.NullString
		into := make([]any, len(columns))
		for n := range into {
			into[n] = new(sql.RawBytes)
		}
		into[len(columns)-1] = &last
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(last.String + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
