package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/store/storetest"
)

// noon is when the samples are made.
var noon = time.Date(2024, 5, 6, 12, 0, 0, 123_456_000, time.UTC)

// testKey is what the samples' audit trail is keyed with.
var testKey = audit.Key("0123456789abcdef0123456789abcdef")

// open opens the database and closes it at the end of the test.
func open(t testing.TB, url, dir string) *DB {
	t.Helper()
	db, err := Open(context.Background(), url, dir, testKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return db
}

// each runs the test on an empty database of both kinds.
func each(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	t.Parallel() // most of the time goes into waiting for disks and locks
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		test(t, open(t, url, dir))
	})
}

// change runs do in a transaction that has to succeed.
func change(t testing.TB, db *DB, do func(ctx context.Context) error) {
	t.Helper()
	if err := db.InTx(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

// number returns the n-th sample: each has a number, an Ident-ID and a key of its own.
func number(n int) ident.Identification {
	at := noon.Add(time.Duration(n) * time.Second)
	return ident.Identification{
		ID: ident.NewID("IBA", [5]byte{byte(n), byte(n >> 5), byte(n >> 10)}), Company: "ihrebank", Number: ident.TransactionNumber(fmt.Sprintf("Order-%d", n)),
		State: ident.Created, Revision: 1, CompanyRevision: 3, KeyID: fmt.Sprintf("key%05d", n), Sealed: []byte("sealed"), Channel: ident.Web,
		CreatedAt: at, ChangedAt: at, KeptFrom: at,
	}
}

// create stores identifications.
func create(t testing.TB, db *DB, all ...ident.Identification) {
	t.Helper()
	for _, i := range all {
		change(t, db, func(ctx context.Context) error {
			created, err := db.CreateIdentification(ctx, i)
			if err == nil && !created {
				err = fmt.Errorf("%s was not created", i.ID)
			}
			return err
		})
	}
}

func TestOtherAddressesAreRefusedWithoutRepeatingThem(t *testing.T) {
	for _, url := range []string{"mysql://user:geheim@host/db", "geheim", "postgres://user:geheim@host:port/db"} {
		_, err := Open(t.Context(), url, t.TempDir(), testKey)
		if err == nil || bytes.Contains([]byte(err.Error()), []byte("geheim")) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestNobodyElseMayReadTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := open(t, "", dir)
	if !db.Embedded() {
		t.Error("a file is not embedded")
	}
	for _, name := range []string{"", "vidimus.db"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
}

func TestPingAnswers(t *testing.T) {
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		db, err := Open(t.Context(), url, dir, testKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("a living database: %v", err)
		}
		if got := db.Embedded(); got != (url == "") {
			t.Errorf("embedded: %v", got)
		}
		if err := db.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := db.Ping(t.Context()); err == nil {
			t.Error("a closed database answers")
		}
	})
}

func TestCompanyIsKeptWithEveryRevisionOfItsSettings(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		first := account.Record{
			ID: "ihrebank", Revision: 1, Shortcode: "IBA", Settings: []byte(`{"v":1}`), KeyHashes: []byte(`["a"]`), Secrets: []byte{0, 1, 255}, CreatedAt: noon, ChangedAt: noon,
		}
		before, err := db.Changes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		change(t, db, func(ctx context.Context) error { return db.PutCompany(ctx, first, true) })
		second := first
		second.Revision, second.Settings, second.ChangedAt = 2, []byte(`{"v":2}`), noon.Add(time.Hour)
		change(t, db, func(ctx context.Context) error { return db.PutCompany(ctx, second, false) })

		got, err := db.Company(ctx, "ihrebank")
		if diff := cmp.Diff(second, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		all, err := db.Companies(ctx)
		if diff := cmp.Diff([]account.Record{second}, all); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for n, want := range map[int64]string{1: `{"v":1}`, 2: `{"v":2}`} {
			if s, err := db.CompanySettings(ctx, "ihrebank", n); err != nil || string(s) != want {
				t.Errorf("revision %d: %s, %v", n, s, err)
			}
		}
		if _, err := db.CompanySettings(ctx, "ihrebank", 3); !fault.Is(err, fault.NotFound) {
			t.Errorf("a revision that never was: %v", err)
		}
		if n, err := db.LastRevision(ctx, "ihrebank"); n != 2 || err != nil {
			t.Errorf("the last revision is %d, %v", n, err)
		}
		if n, err := db.LastRevision(ctx, "nobody"); n != 0 || err != nil {
			t.Errorf("the last revision of nobody is %d, %v", n, err)
		}
		if after, err := db.Changes(ctx); err != nil || after != before+2 {
			t.Errorf("%d changes after %d, %v", after, before, err)
		}
		if _, err := db.Company(ctx, "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestOfTwoWritersOfACompanyOneIsLate(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		r := account.Record{ID: "ihrebank", Revision: 1, Shortcode: "IBA", Settings: []byte("{}"), KeyHashes: []byte("[]"), Secrets: []byte{}, CreatedAt: noon, ChangedAt: noon}
		change(t, db, func(ctx context.Context) error { return db.PutCompany(ctx, r, true) })
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.PutCompany(ctx, r, true) }); !db.Late(err) {
			t.Errorf("created twice: %v", err)
		}
		r.Revision = 2
		change(t, db, func(ctx context.Context) error { return db.PutCompany(ctx, r, false) })
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.PutCompany(ctx, r, false) }); !db.Late(err) {
			t.Errorf("replaced twice: %v", err)
		}
		other := r
		other.ID, other.Revision = "testbank", 1
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.PutCompany(ctx, other, true) }); !db.Late(err) {
			t.Errorf("a shortcode that was taken just now: %v", err)
		}
	})
}

func TestShortcodeIsTakenByOthersOnly(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		r := account.Record{ID: "ihrebank", Revision: 1, Shortcode: "IBA", Settings: []byte("{}"), KeyHashes: []byte("[]"), Secrets: []byte{}, CreatedAt: noon, ChangedAt: noon}
		change(t, db, func(ctx context.Context) error { return db.PutCompany(ctx, r, true) })
		for by, want := range map[company.ID]bool{"ihrebank": false, "testbank": true} {
			if got, err := db.ShortcodeTaken(t.Context(), "IBA", by); err != nil || got != want {
				t.Errorf("for %s: %v, %v", by, got, err)
			}
		}
	})
}

func TestRemovedCompanyTakesItsTokensAlong(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		r := account.Record{ID: "ihrebank", Revision: 1, Shortcode: "IBA", Settings: []byte("{}"), KeyHashes: []byte("[]"), Secrets: []byte{}, CreatedAt: noon, ChangedAt: noon}
		change(t, db, func(ctx context.Context) error {
			for n, c := range []company.ID{"ihrebank", "testbank"} {
				r.ID, r.Shortcode = c, company.Shortcode(fmt.Sprintf("SC%d", n))
				if err := db.PutCompany(ctx, r, true); err != nil {
					return err
				}
			}
			return errors.Join(db.AddToken(ctx, []byte("theirs"), "ihrebank", noon), db.AddToken(ctx, []byte("others"), "testbank", noon))
		})
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.AddToken(ctx, []byte("nobody's"), "nobank", noon) }); !fault.Is(err, fault.BadCredentials) {
			t.Errorf("a token of nobody: %v", err)
		}
		before, _ := db.Changes(t.Context())
		for _, want := range []bool{true, false} {
			change(t, db, func(ctx context.Context) error {
				got, err := db.RemoveCompany(ctx, "ihrebank")
				if got != want {
					t.Errorf("removed: %v, want %v", got, want)
				}
				return err
			})
		}
		if after, _ := db.Changes(t.Context()); after != before+1 {
			t.Errorf("%d changes after %d", after, before)
		}
		if _, _, err := db.Token(t.Context(), []byte("theirs")); !fault.Is(err, fault.NotFound) {
			t.Errorf("the company's token: %v", err)
		}
		if c, _, err := db.Token(t.Context(), []byte("others")); c != "testbank" || err != nil {
			t.Errorf("another company's token: %s, %v", c, err)
		}
	})
}

func TestTokenIsTouchedAndDropped(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		later := noon.Add(time.Minute)
		change(t, db, func(ctx context.Context) error {
			r := account.Record{ID: "ihrebank", Revision: 1, Shortcode: "IBA", Settings: []byte("{}"), KeyHashes: []byte("[]"), Secrets: []byte{}, CreatedAt: noon, ChangedAt: noon}
			if err := db.PutCompany(ctx, r, true); err != nil {
				return err
			}
			if err := db.AddToken(ctx, []byte{1}, "ihrebank", noon); err != nil {
				return err
			}
			return db.AddToken(ctx, []byte{2}, "ihrebank", noon)
		})
		change(t, db, func(ctx context.Context) error { return db.TouchToken(ctx, []byte{1}, later) })
		change(t, db, func(ctx context.Context) error { return db.TouchToken(ctx, []byte{1}, noon) })
		if c, used, err := db.Token(t.Context(), []byte{1}); c != "ihrebank" || !used.Equal(later) || err != nil {
			t.Errorf("%s, %v, %v", c, used, err)
		}
		change(t, db, func(ctx context.Context) error { return db.DropTokens(ctx, later) })
		if _, _, err := db.Token(t.Context(), []byte{1}); err != nil {
			t.Errorf("a token that was used: %v", err)
		}
		if _, _, err := db.Token(t.Context(), []byte{2}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a token that was not: %v", err)
		}
	})
}

func TestFirstServerKeyStays(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		if _, _, err := db.ServerKey(t.Context(), "signing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no key yet: %v", err)
		}
		for n, want := range []bool{true, false} {
			change(t, db, func(ctx context.Context) error {
				got, err := db.PutServerKey(ctx, "signing", []byte{byte(n)}, "public", noon)
				if got != want {
					t.Errorf("try %d is stored: %v", n, got)
				}
				return err
			})
		}
		if sealed, public, err := db.ServerKey(t.Context(), "signing"); !bytes.Equal(sealed, []byte{0}) || public != "public" || err != nil {
			t.Errorf("%v, %s, %v", sealed, public, err)
		}
	})
}

func TestAttemptIsTakenOnceAndEndsOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		a := ident.Attempt{Identification: "IBA-22222", Company: "ihrebank", Number: 1, Method: ident.VideoIdent, Channel: ident.App, RequestedAt: noon}
		try := func(do func(ctx context.Context) error) error { return db.InTx(t.Context(), do) }
		if err := try(func(ctx context.Context) error { return db.AddAttempt(ctx, a) }); err != nil {
			t.Fatal(err)
		}
		second := a
		second.Number = 2
		if err := try(func(ctx context.Context) error { return db.AddAttempt(ctx, second) }); !db.Late(err) {
			t.Errorf("a second open one: %v", err)
		}
		taken := func(ctx context.Context) error {
			return db.TakeAttempt(ctx, a.Identification, 1, "A", noon.Add(time.Second))
		}
		if err := try(taken); err != nil {
			t.Error(err)
		}
		if err := try(taken); !db.Late(err) {
			t.Errorf("taken twice: %v", err)
		}
		a.TakenAt, a.Agent, a.EndedAt, a.Outcome, a.Reason = noon.Add(time.Second), "A", noon.Add(time.Minute), ident.Aborted, ident.TechVideo
		end := func(ctx context.Context) error { return db.EndAttempt(ctx, a) }
		if err := try(end); err != nil {
			t.Error(err)
		}
		if err := try(end); !db.Late(err) {
			t.Errorf("ended twice: %v", err)
		}
		if err := try(func(ctx context.Context) error { return db.AddAttempt(ctx, second) }); err != nil {
			t.Errorf("a second one after the first: %v", err)
		}
		got, err := db.Attempts(t.Context(), a.Identification)
		if diff := cmp.Diff([]ident.Attempt{a, second}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestWaitsAreThoseOfTheCompanyInTheWindow(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		add := func(id ident.ID, c company.ID, requested, taken, ended time.Duration) {
			i := number(0)
			i.ID, i.Company, i.Number = id, c, ident.TransactionNumber(id)
			if id == "IBA-22226" { // copied after its call
				i.CreatedAt = noon.Add(time.Hour)
			}
			create(t, db, i)
			a := ident.Attempt{Identification: id, Company: c, Number: 1, Method: ident.VideoIdent, Channel: ident.Web, RequestedAt: noon.Add(requested)}
			if taken > 0 {
				a.TakenAt = noon.Add(taken)
			}
			if ended > 0 {
				a.EndedAt = noon.Add(ended)
			}
			change(t, db, func(ctx context.Context) error { return db.AddAttempt(ctx, a) })
		}
		add("IBA-22221", "ihrebank", 0, 10*time.Second, 0)              // before the window
		add("IBA-22222", "ihrebank", 0, 60*time.Second, 90*time.Second) // in it
		add("IBA-22223", "ihrebank", 80*time.Second, 0, 0)              // waiting
		add("IBA-22224", "ihrebank", 0, 0, 95*time.Second)              // left
		add("IBA-22225", "testbank", 0, 60*time.Second, 0)              // another company's
		add("IBA-22226", "ihrebank", 0, 70*time.Second, 90*time.Second) // a copy: waited elsewhere
		done, waiting, err := db.Waits(t.Context(), "ihrebank", noon.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{time.Minute}, done); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]time.Time{noon.Add(80 * time.Second)}, waiting); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEvidenceAndJudgementsAreKeptInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var items []evidence.Item
		kinds := []evidence.Kind{evidence.KindReading, evidence.KindImage, evidence.KindRecording, evidence.KindCheck, evidence.KindCode, evidence.KindAnswer}
		for n, kind := range kinds {
			items = append(items, evidence.Item{
				Identification: "IBA-22222", Attempt: 1, Seq: n + 1, Kind: kind, Sealed: []byte{byte(n)}, Blob: "a/b", Hash: []byte{9}, TakenAt: noon,
			})
		}
		verdict := evidence.Judgement{Identification: "IBA-22222", Attempt: 1, Kind: evidence.IsVerdict, Person: "A", Sealed: []byte{1}, MadeAt: noon}
		review := verdict
		review.Kind, review.Person, review.MadeAt = evidence.IsReview, "B", noon.Add(time.Second)
		change(t, db, func(ctx context.Context) error {
			for n := range items {
				if err := db.AddEvidence(ctx, items[len(items)-1-n]); err != nil {
					return err
				}
			}
			if err := db.AddJudgement(ctx, review); err != nil {
				return err
			}
			return db.AddJudgement(ctx, verdict)
		})
		got, err := db.Evidence(t.Context(), "IBA-22222", 1)
		if diff := cmp.Diff(items, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		both, err := db.Judgements(t.Context(), "IBA-22222", 1)
		if diff := cmp.Diff([]evidence.Judgement{verdict, review}, both); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for _, again := range []evidence.Judgement{verdict, review} {
			if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.AddJudgement(ctx, again) }); !db.Late(err) {
				t.Errorf("a second %s: %v", again.Kind, err)
			}
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.AddEvidence(ctx, items[0]) }); err == nil || db.Late(err) {
			t.Errorf("an item with a number that is taken: %v", err)
		}
	})
}

func TestErasingLeavesWhatIsNewer(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		fill := func(id ident.ID) {
			change(t, db, func(ctx context.Context) error {
				for n := 1; n <= 2; n++ {
					a := ident.Attempt{Identification: id, Company: "ihrebank", Number: n, Method: ident.Robot, Channel: ident.Web, RequestedAt: noon, EndedAt: noon}
					for _, err := range []error{
						db.AddAttempt(ctx, a),
						db.AddEvidence(ctx, evidence.Item{Identification: id, Attempt: n, Seq: 1, Kind: evidence.KindCheck, Sealed: []byte{}, Hash: []byte{}, TakenAt: noon}),
						db.AddJudgement(ctx, evidence.Judgement{Identification: id, Attempt: n, Kind: evidence.IsVerdict, Sealed: []byte{}, MadeAt: noon}),
						db.AddResult(ctx, rendered(id, int64(n))),
					} {
						if err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		// left counts, for attempts and results 1 and 2, what is there.
		left := func(id ident.ID) (left [4]int) {
			attempts, _ := db.Attempts(ctx, id)
			left[0] = len(attempts)
			for n := 1; n <= 2; n++ {
				items, _ := db.Evidence(ctx, id, n)
				judgements, _ := db.Judgements(ctx, id, n)
				left[1], left[2] = left[1]+len(items), left[2]+len(judgements)
				if _, err := db.Result(ctx, id, int64(n)); err == nil {
					left[3]++
				}
			}
			return left
		}
		fill("IBA-22222")
		fill("IBA-33333")
		change(t, db, func(ctx context.Context) error { return db.EraseEvidence(ctx, "IBA-22222", 1, 1) })
		if got := left("IBA-22222"); got != [4]int{2, 1, 1, 1} {
			t.Errorf("after the first attempt was erased: %v", got)
		}
		change(t, db, func(ctx context.Context) error { return db.EraseRecords(ctx, "IBA-22222") })
		if got := left("IBA-22222"); got != [4]int{} {
			t.Errorf("after all was erased: %v", got)
		}
		if got := left("IBA-33333"); got != [4]int{2, 2, 2, 2} {
			t.Errorf("of another identification: %v", got)
		}
	})
}

// rendered is a result.
func rendered(id ident.ID, seq int64) result.Stored {
	return result.Stored{
		Identification: id, Seq: seq, Event: company.Final, JSON: []byte{1}, XML: []byte{2}, Signature: []byte{3}, Hash: []byte{4}, Archive: "{}", CreatedAt: noon,
	}
}

func TestResultIsStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		r := rendered("IBA-22222", 1)
		change(t, db, func(ctx context.Context) error { return db.AddResult(ctx, r) })
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.AddResult(ctx, r) }); !db.Late(err) {
			t.Errorf("a second one: %v", err)
		}
		got, err := db.Result(t.Context(), "IBA-22222", 1)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if _, err := db.Result(t.Context(), "IBA-22222", 2); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that never was: %v", err)
		}
	})
}
