package service_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/ident"
	"vidimus/internal/keys"
	"vidimus/internal/service/trail"
	"vidimus/internal/store"
	"vidimus/internal/store/storetest"
)

// archive is a database with an audit trail, its key store, and the services over them.
type archive struct {
	*testing.T
	url, dir string
	master   keys.Master
	keys     *keys.Store
	db       *store.DB
	trail    *trail.Service
}

// eachArchive runs the test on a small, sealed trail on each database: four chains of
// identifications, the last of which is deleted, one of a company, and four checkpoints.
func eachArchive(t *testing.T, test func(a *archive)) {
	t.Helper()
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		a := newArchive(t, url, dir)
		for round := range 4 {
			for n := range 4 {
				a.write(n, round)
			}
			a.ok(a.db.InTx(t.Context(), func(ctx context.Context) error {
				return a.db.Audit(ctx, audit.Entry{Chain: audit.CompanyChain(bank), Company: bank, At: time.Now(), Actor: "operator", Act: "company.applied"})
			}))
			a.seal()
		}
		a.whole()
		test(a)
	})
}

func newArchive(t *testing.T, url, dir string) *archive {
	t.Helper()
	a := &archive{T: t, url: url, dir: dir}
	var err error
	a.master, err = keys.OpenMaster(filepath.Join(dir, "master"))
	a.ok(err)
	a.keys, err = keys.Open(t.Context(), filepath.Join(dir, "keys", "keys.db"), a.master)
	a.ok(err)
	a.open()
	t.Cleanup(func() {
		if err := errors.Join(a.db.Close(), a.keys.Close()); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return a
}

// open opens the database; another node may have it open too.
func (a *archive) open() {
	var err error
	a.db, err = store.Open(a.Context(), a.url, a.dir, a.master.Derive("audit"))
	a.ok(err)
	a.trail = a.service(a.db)
}

func (a *archive) service(db *store.DB) *trail.Service {
	return trail.New(trail.Options{
		Store: db, Marks: a.keys, Master: a.master, Clock: clock.New(time.Now, 1), Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
}

func (a *archive) ok(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *archive) seal() { a.Helper(); a.ok(a.trail.Seal(a.Context())) }

// chainOf names the chain of an identification.
func chainOf(n int) string { return string(identOf(n).ID) }

func identOf(n int) ident.Identification {
	now := time.Now()
	return ident.Identification{
		ID: ident.NewID("IBA", [5]byte{byte(n), byte(n >> 5), byte(n >> 10)}), Company: bank, Number: ident.TransactionNumber(fmt.Sprintf("n%d", n)),
		State: ident.Created, Revision: 1, CompanyRevision: 1, KeyID: fmt.Sprintf("%032x", n), Sealed: []byte{1}, Channel: ident.Web, CreatedAt: now, ChangedAt: now,
	}
}

// write writes the entry of a round: creation, changes, and the deletion of number 3.
func (a *archive) write(n, round int) {
	a.Helper()
	i := identOf(n)
	e := audit.Entry{Chain: string(i.ID), Company: bank, At: time.Now(), Actor: "company", Act: "identification.updated", Detail: fmt.Sprint(round)}
	if round == 0 {
		e.Act = audit.Created
		created, err := a.db.NewIdentification(a.Context(), i, esign.Instances{}, e)
		if err != nil || !created {
			a.Fatal(created, err)
		}
		return
	}
	a.ok(a.db.InTx(a.Context(), func(ctx context.Context) error {
		if n == 3 && round == 3 {
			e.Act = audit.Deleted
			if err := a.db.BuryIdentification(ctx, i, time.Now(), "company"); err != nil {
				return err
			}
		}
		return a.db.Audit(ctx, e)
	}))
}

// findings verifies and returns what was found, as "kind: text".
func (a *archive) findings(lost ...trail.Range) (all []string, sum trail.Summary) {
	a.Helper()
	sum, err := a.trail.Verify(a.Context(), lost, func(f trail.Finding) { all = append(all, string(f.Kind)+": "+f.Text) })
	a.ok(err)
	if int(sum.Findings) != len(all) {
		a.Errorf("%d findings are counted, %d told", sum.Findings, len(all))
	}
	return all, sum
}

func (a *archive) whole(lost ...trail.Range) trail.Summary {
	a.Helper()
	all, sum := a.findings(lost...)
	if len(all) > 0 {
		a.Errorf("a whole trail is not: %q", all)
	}
	return sum
}

// finds expects a finding of each sort, given by the beginning of its text.
func (a *archive) finds(want ...string) {
	a.Helper()
	all, _ := a.findings()
	for _, w := range want {
		if !slices.ContainsFunc(all, func(f string) bool { return strings.HasPrefix(f, w) }) {
			a.Errorf("not found: %q in %q", w, all)
		}
	}
}

// tamper does what somebody can who knows the database's password.
func (a *archive) tamper(statements ...string) {
	a.Helper()
	db := a.raw()
	defer func() { a.ok(db.Close()) }()
	for _, s := range statements {
		if _, err := db.ExecContext(a.Context(), s); err != nil {
			a.Fatalf("%s: %v", s, err)
		}
	}
}

func (a *archive) raw() *sql.DB {
	a.Helper()
	driver, address := "pgx", a.url
	if a.url == "" {
		driver, address = "sqlite", "file:"+filepath.Join(a.dir, "vidimus.db")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, address)
	a.ok(err)
	return db
}

func TestTamperingIsFound(t *testing.T) {
	one, two := chainOf(0), chainOf(1)
	where := func(chain string, seq int) string { return fmt.Sprintf(" WHERE chain = '%s' AND seq = %d", chain, seq) }
	for _, c := range []struct {
		name string
		do   []string
		want []string
	}{
		{"field_changed", []string{"UPDATE audit SET actor = 'nobody'" + where(one, 2)}, []string{"changed: chain " + one + ", entry 2 "}},
		{"time_changed", []string{"UPDATE audit SET at = at + 1" + where(one, 4)}, []string{"changed: chain " + one + ", entry 4 "}},
		{"company_changed", []string{"UPDATE audit SET company_id = 'testbank'" + where(one, 1)}, []string{"changed: chain " + one + ", entry 1 "}},
		{"deleted_in_the_middle", []string{"DELETE FROM audit" + where(one, 2)}, []string{"gap: chain " + one + ": entry 2 ", "cut: checkpoint 2 sealed 5 entries, 4 "}},
		{"deleted_and_renumbered", []string{"DELETE FROM audit" + where(one, 2), "UPDATE audit SET seq = 2" + where(one, 3), "UPDATE audit SET seq = 3" + where(one, 4)},
			[]string{"changed: chain " + one + ", entry 2 ", "cut: checkpoint 2 "}},
		{"tail_cut", []string{"DELETE FROM audit" + where(one, 4)}, []string{"cut: checkpoint 4 sealed 5 entries, 4 "}},
		{"tail_cut_with_its_checkpoint", []string{"DELETE FROM audit" + where(one, 4), "DELETE FROM checkpoint WHERE number = 4"},
			[]string{"missing checkpoint: chain ", "cut end: the key store has marked checkpoint 4, the last one here is 3"}},
		{"middle_checkpoint_removed", []string{"DELETE FROM checkpoint WHERE number = 2"}, []string{"missing checkpoint: checkpoint 2 "}},
		{"first_checkpoints_removed", []string{"DELETE FROM checkpoint WHERE number < 3"}, []string{"missing checkpoint: checkpoints 1 to 2 "}},
		{"end_cut_off", []string{"DELETE FROM audit WHERE checkpoint > 2", "DELETE FROM checkpoint WHERE number > 2", "DELETE FROM tombstone"},
			[]string{"cut end: the key store has marked checkpoint 4, the last one here is 2", "misfit: chain " + chainOf(3)}},
		{"all_cut_off", []string{"DELETE FROM audit", "DELETE FROM checkpoint", "DELETE FROM tombstone", "DELETE FROM identification"}, []string{"cut end: "}},
		{"two_swapped", []string{"UPDATE audit SET seq = 9" + where(one, 2), "UPDATE audit SET seq = 2" + where(one, 3), "UPDATE audit SET seq = 3" + where(one, 9)},
			[]string{"changed: chain " + one + ", entry 2 ", "changed: chain " + one + ", entry 3 ", "changed: checkpoint 2: "}},
		{"two_swapped_between_chains", []string{
			"UPDATE audit SET chain = 'x'" + where(one, 2), fmt.Sprintf("UPDATE audit SET chain = '%s'", one) + where(two, 2), fmt.Sprintf("UPDATE audit SET chain = '%s'", two) + where("x", 2)},
			[]string{"changed: chain " + one + ", entry 2 ", "changed: chain " + two + ", entry 2 ", "changed: checkpoint 2: "}},
		{"forged", []string{"INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash) SELECT chain, 5, company_id, at, actor, act, detail, hash FROM audit" + where(one, 4)},
			[]string{"forged: chain " + one + ", entry 5 "}},
		{"forged_as_if_sealed", []string{"INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash, checkpoint) SELECT chain, 5, company_id, at, actor, act, detail, hash, 4 FROM audit" + where(one, 4)},
			[]string{"forged: chain " + one + ", entry 5 ", "forged: checkpoint 4 sealed 5 entries, 6 "}},
		{"forged_for_a_later_checkpoint", []string{"INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash, checkpoint) SELECT chain, 5, company_id, at, actor, act, detail, hash, 9 FROM audit" + where(one, 4)},
			[]string{"missing checkpoint: chain " + one + ", entry 5: it names checkpoint 9"}},
		{"kept_out_of_every_checkpoint", []string{"UPDATE audit SET checkpoint = -1" + where(one, 4)},
			[]string{"missing checkpoint: chain " + one + ", entry 4: it names checkpoint -1"}},
		{"kept_out_of_a_removed_checkpoint", []string{"DELETE FROM checkpoint WHERE number = 2"}, []string{"missing checkpoint: chain "}},
		{"checkpoint_below_one", []string{"INSERT INTO checkpoint (number, at, entries, root, previous, hash, signature, key_id) SELECT -5, at, 0, root, hash, hash, signature, key_id FROM checkpoint WHERE number = 4"},
			[]string{"forged: there cannot be a checkpoint -5"}},
		{"forged_chain", []string{"INSERT INTO audit (chain, seq, company_id, at, actor, act, detail, hash) SELECT 'IBA-ZZZZZ', 1, company_id, at, actor, act, detail, hash FROM audit" + where(one, 1)},
			[]string{"forged: chain IBA-ZZZZZ, entry 1 "}},
		{"moved_to_another_chain", []string{fmt.Sprintf("UPDATE audit SET chain = '%s', seq = 5", two) + where(one, 4)}, []string{"changed: chain " + two + ", entry 5 ", "changed: checkpoint 4: "}},
		{"unsealed", []string{"UPDATE audit SET checkpoint = 0" + where(one, 4)}, []string{"cut: checkpoint 4 "}},
		{"chain_removed", []string{fmt.Sprintf("DELETE FROM audit WHERE chain = '%s'", one)}, []string{"cut: checkpoint 1 ", "misfit: chain " + one + ": the identification is there"}},
		{"chain_and_identification_removed", []string{fmt.Sprintf("DELETE FROM audit WHERE chain = '%s'", one), fmt.Sprintf("DELETE FROM identification WHERE id = '%s'", one)}, []string{"cut: checkpoint 1 "}},
		{"identification_removed", []string{fmt.Sprintf("DELETE FROM identification WHERE id = '%s'", one)}, []string{"misfit: chain " + one + ": the identification is missing"}},
		{"deletion_forgotten", []string{"DELETE FROM audit" + where(chainOf(3), 4)}, []string{"cut: checkpoint 4 ", "misfit: chain " + chainOf(3)}},
		{"checkpoint_changed", []string{"UPDATE checkpoint SET entries = 4 WHERE number = 2", "DELETE FROM audit" + where(one, 2)}, []string{"forged: checkpoint 2 "}},
		{"checkpoint_forged", []string{"INSERT INTO checkpoint (number, at, entries, root, previous, hash, signature, key_id) SELECT 5, at, 0, root, hash, hash, signature, key_id FROM checkpoint WHERE number = 4"},
			[]string{"forged: checkpoint 5 "}},
		{"checkpoints_swapped", []string{"UPDATE checkpoint SET number = 9 WHERE number = 2", "UPDATE checkpoint SET number = 2 WHERE number = 3", "UPDATE checkpoint SET number = 3 WHERE number = 9"},
			[]string{"forged: checkpoint 2 ", "forged: checkpoint 3 "}},
		{"key_replaced", []string{"UPDATE server_key SET public = 'mine' WHERE name = 'audit_signing'", "UPDATE checkpoint SET signature = hash WHERE number = 1"}, []string{"forged: checkpoint 1 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachArchive(t, func(a *archive) {
				a.tamper(c.do...)
				a.finds(c.want...)
			})
		})
	}
}

// TestPlainHashesProveNothing writes a change the way somebody would who knows all of the
// program but not the master key: every later hash of the chain is computed anew.
func TestPlainHashesProveNothing(t *testing.T) {
	eachArchive(t, func(a *archive) {
		chain, err := a.db.AuditChain(a.Context(), chainOf(0))
		a.ok(err)
		chain[1].Actor = "nobody"
		previous := chain[0].Hash
		raw := a.raw()
		defer func() { a.ok(raw.Close()) }()
		for _, e := range chain[1:] {
			sum := sha256.Sum256(append(append([]byte{}, previous...), e.Sum(audit.Key{}, previous)...))
			previous = sum[:]
			_, err := raw.ExecContext(a.Context(), `UPDATE audit SET actor = $1, hash = $2 WHERE chain = $3 AND seq = $4`, e.Actor, previous, e.Chain, e.Seq)
			a.ok(err)
		}
		for n := 2; n <= 4; n++ {
			a.finds(fmt.Sprintf("changed: chain %s, entry %d ", chainOf(0), n), fmt.Sprintf("changed: checkpoint %d: ", n))
		}
	})
}

// TestWholeDatabaseTakenBackIsFound restores an earlier copy, lets the server go on, and
// looks again: the hole stays to be seen, and says which checkpoints it is about.
func TestWholeDatabaseTakenBackIsFound(t *testing.T) {
	eachArchive(t, func(a *archive) {
		restore := a.backup()
		for n := range 2 {
			a.write(10+n, 0)
			a.seal()
		}
		a.whole()
		restore()
		a.finds("cut end: the key store has marked checkpoint 6, the last one here is 4")
		a.write(20, 0)
		a.seal()
		a.write(21, 0)
		a.seal()
		a.finds("missing checkpoint: checkpoints 5 to 6 are missing")
		sum := a.whole(trail.Range{From: 5, To: 6})
		if sum.Last.Number != 8 || len(sum.Lost) != 1 {
			a.Errorf("known to be lost: %v, last %d", sum.Lost, sum.Last.Number)
		}
	})
}

// backup copies the database aside and returns what restores it.
func (a *archive) backup() (restore func()) {
	a.Helper()
	a.ok(a.db.Close())
	defer a.open()
	if a.url == "" {
		return a.copyFile()
	}
	server, err := storetest.Server()
	a.ok(err)
	name := a.url[strings.LastIndex(strings.SplitN(a.url, "?", 2)[0], "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	admin, err := sql.Open("pgx", server)
	a.ok(err)
	a.Cleanup(func() { a.ok(admin.Close()) })
	do := func(statement string) {
		a.Helper()
		_, err := admin.ExecContext(context.Background(), statement)
		a.ok(err)
	}
	do("CREATE DATABASE " + name + "_copy TEMPLATE " + name)
	return func() {
		a.ok(a.db.Close())
		do("DROP DATABASE " + name + " WITH (FORCE)")
		do("ALTER DATABASE " + name + "_copy RENAME TO " + name)
		a.open()
	}
}

func (a *archive) copyFile() (restore func()) {
	file := filepath.Join(a.dir, "vidimus.db")
	before, err := os.ReadFile(file) // closed: there is no log
	a.ok(err)
	return func() {
		a.ok(a.db.Close())
		a.ok(os.WriteFile(file, before, 0o600))
		a.open()
	}
}

func TestTwoNodesSealOneWholeTrail(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		a := newArchive(t, url, dir)
		other, err := store.Open(t.Context(), url, dir, a.master.Derive("audit"))
		a.ok(err)
		defer func() { a.ok(other.Close()) }()
		nodes := []*store.DB{a.db, other}
		sealing, stop := context.WithCancel(t.Context())
		var sealers, writers sync.WaitGroup
		for _, db := range nodes {
			s := a.service(db)
			sealers.Go(func() {
				for sealing.Err() == nil {
					if err := s.Seal(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		const each, rounds = 30, 4
		for w := range 4 {
			writers.Go(func() {
				b := &archive{T: t, db: nodes[w%2]}
				for n := range each {
					for round := range rounds {
						b.write(100*(w+1)+n, round)
					}
				}
			})
		}
		writers.Wait()
		stop()
		sealers.Wait()
		a.seal()
		sum := a.whole()
		if sum.Entries != 4*each*rounds || sum.Unsealed != 0 || sum.Checkpoints < 2 {
			t.Errorf("%+v", sum)
		}
		if _, err := a.db.AuditChain(t.Context(), chainOf(100)); err != nil {
			t.Error(err)
		}
	})
}

// TestOlderKeyStoreIsNoticedUntilItIsAccepted gives the database a key store that does not
// know it, as after a wrong flag or a restored backup of the keys.
func TestOlderKeyStoreIsNoticedUntilItIsAccepted(t *testing.T) {
	eachArchive(t, func(a *archive) {
		behind := func(want bool, what string) {
			a.Helper()
			if got, err := a.trail.Behind(a.Context()); got != want || err != nil {
				a.Errorf("%s: behind %t, %v", what, got, err)
			}
		}
		behind(false, "its own key store")
		a.tamper("UPDATE checkpoint SET number = 6 WHERE number = 4")
		behind(true, "two checkpoints that are not marked")
		a.finds("unmarked: the key store has marked 4, the database is at 6: nothing after 4 is protected")
		a.tamper("UPDATE checkpoint SET number = 5 WHERE number = 6")
		behind(false, "one, as after a crash")
		a.tamper("UPDATE checkpoint SET number = 4 WHERE number = 5")
		other, err := keys.Open(a.Context(), filepath.Join(a.dir, "other", "keys.db"), a.master)
		a.ok(err)
		a.ok(a.keys.Close())
		a.keys = other
		a.trail = a.service(a.db)
		behind(true, "another key store")
		a.write(10, 0)
		if err := a.trail.Seal(a.Context()); err == nil {
			a.Error("nobody is told that the mark stands still")
		}
		behind(true, "after something was sealed")
		a.finds("cut end: the key store has marked no checkpoint")
		a.ok(a.trail.AcceptKeys(a.Context()))
		behind(false, "once it was accepted")
		accepted, err := a.trail.Chain(a.Context(), "", audit.Installation)
		if err != nil || len(accepted) != 1 || accepted[0].Actor != "operator" || accepted[0].Detail != "marked 0, database at 5" {
			a.Errorf("%+v, %v", accepted, err)
		}
		a.write(11, 0)
		a.seal()
		a.whole()
	})
}

// TestMarkThatACrashLeftOutIsMadeUpFor has nodes die between a checkpoint and its mark.
func TestMarkThatACrashLeftOutIsMadeUpFor(t *testing.T) {
	eachArchive(t, func(a *archive) {
		marks := &dyingMarks{Store: a.keys}
		s := trail.New(trail.Options{
			Store: a.db, Marks: marks, Master: a.master, Clock: clock.New(time.Now, 1), Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		})
		for n := range 3 {
			marks.dead = false
			a.write(20+n, 0)
			a.ok(s.Seal(a.Context()))
			a.write(30+n, 0)
			marks.dead = true
			if err := s.Seal(a.Context()); err == nil {
				a.Error("the node did not die")
			}
			if behind, err := s.Behind(a.Context()); behind || err != nil {
				a.Errorf("behind %t, %v", behind, err)
			}
		}
		a.write(40, 0)
		a.seal()
		a.whole()
	})
}

// dyingMarks cannot mark what is sealed while dead.
type dyingMarks struct {
	*keys.Store
	dead bool
}

func (m *dyingMarks) Mark(ctx context.Context, number int64, hash []byte) error {
	if m.dead {
		return errors.New("died")
	}
	return m.Store.Mark(ctx, number, hash)
}

func TestNothingNewMakesNoCheckpoint(t *testing.T) {
	eachArchive(t, func(a *archive) {
		a.seal()
		if last := a.whole().Last.Number; last != 4 {
			a.Errorf("the last checkpoint is %d", last)
		}
	})
}

func TestMoreThanACheckpointTakesMakesSeveral(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		a := newArchive(t, url, dir)
		const entries = 2500
		a.ok(a.db.InTx(t.Context(), func(ctx context.Context) error {
			for n := range entries {
				e := audit.Entry{Chain: audit.CompanyChain(bank), Company: bank, At: time.Now(), Actor: "system", Act: "x.y", Detail: fmt.Sprint(n)}
				if err := a.db.Audit(ctx, e); err != nil {
					return err
				}
			}
			return nil
		}))
		if sum := a.whole(); sum.Unsealed != entries || sum.OldestUnsealed.IsZero() {
			t.Errorf("before: %d are not sealed, the oldest of %v", sum.Unsealed, sum.OldestUnsealed)
		}
		a.seal()
		if sum := a.whole(); sum.Checkpoints != 3 || sum.Unsealed != 0 {
			t.Errorf("%d checkpoints, %d not sealed", sum.Checkpoints, sum.Unsealed)
		}
	})
}

func TestExportedCheckpointsAgreeUntilSomethingChanges(t *testing.T) {
	eachArchive(t, func(a *archive) {
		var exported []trail.Exported
		a.ok(a.trail.Export(a.Context(), 1, func(e trail.Exported) error {
			line, err := json.Marshal(e)
			a.ok(err)
			var back trail.Exported
			a.ok(json.Unmarshal(line, &back))
			exported = append(exported, back)
			return nil
		}))
		if len(exported) != 3 || exported[0].Number != 2 {
			a.Fatalf("%d exported", len(exported))
		}
		agree := func(e trail.Exported, want bool, what string) {
			a.Helper()
			f, ok, err := a.trail.Against(a.Context(), e)
			if err != nil || ok != want || !ok && f.Kind != trail.Contradicts {
				a.Errorf("%s: %t, %v, %v", what, ok, f, err)
			}
		}
		for _, e := range exported {
			agree(e, true, "as exported")
		}
		forged := exported[0]
		forged.Entries++
		agree(forged, false, "an export that was changed")
		retold := exported[0]
		retold.Text += " "
		agree(retold, false, "an export whose text is another")
		forged.Hash = "xyz"
		agree(forged, false, "an export that cannot be read")
		a.tamper("UPDATE checkpoint SET hash = root WHERE number = 2", "DELETE FROM checkpoint WHERE number = 3")
		agree(exported[0], false, "a checkpoint that was changed")
		agree(exported[1], false, "a checkpoint that was removed")
		agree(exported[2], true, "another")
	})
}

func TestChainIsShownToItsCompanyOnly(t *testing.T) {
	eachArchive(t, func(a *archive) {
		list, err := a.trail.Chain(a.Context(), bank, chainOf(3))
		if err != nil || len(list) != 4 || list[3].Act != audit.Deleted {
			a.Errorf("of a deleted one: %v, %v", list, err)
		}
		if list, err := a.trail.Chain(a.Context(), bank, ""); err != nil || len(list) != 4 {
			a.Errorf("of the company: %v, %v", list, err)
		}
		for _, chain := range []string{chainOf(3), "", audit.CompanyChain(bank), "IBA-ZZZZZ"} {
			if list, err := a.trail.Chain(a.Context(), other, chain); err == nil {
				a.Errorf("another company sees %q: %v", chain, list)
			}
		}
	})
}

func TestSealerSealsEverySecondAndAtItsEnd(t *testing.T) {
	inBubble(t, 1000, func(b *bench) {
		s := trail.New(trail.Options{
			Store: b.db, Marks: b.keys.store, Master: b.master, Clock: b.clock, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		})
		ctx, stop := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		b.start("1")
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if waits, err := b.db.Unsealed(b.Context()); waits || err != nil {
			b.Errorf("after a second: %t, %v", waits, err)
		}
		b.start("2")
		stop()
		<-done
		sum, err := s.Verify(b.Context(), nil, func(f trail.Finding) { b.Errorf("%v", f) })
		if err != nil || sum.Unsealed != 0 || sum.Checkpoints != 2 {
			b.Errorf("%+v, %v", sum, err)
		}
		if number, hash, err := b.keys.store.Marked(b.Context()); number != 2 || !bytes.Equal(hash, sum.Last.Hash) || err != nil {
			b.Errorf("marked: %d, %v", number, err)
		}
	})
}
