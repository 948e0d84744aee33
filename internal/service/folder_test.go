package service_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/videoident"
)

func (b *bench) folder(d publish.Directory) (names []string) {
	b.Helper()
	files, err := b.publish.Folder(b.Context(), b.account(bank), d)
	b.ok(err)
	for _, f := range files {
		names = append(names, f.Name)
		_, z, err := b.publish.Open(b.Context(), b.account(bank), d, f.Name)
		b.ok(err)
		if z.Size != f.Size || f.Time.IsZero() {
			b.Errorf("%s: %d bytes listed, %d opened; time %v", f.Name, f.Size, z.Size, f.Time)
		}
	}
	return names
}

func TestFoldersShowWhatTheAccountMaySee(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range ident.States {
			if s.Valid() {
				b.inState(s, "n"+string(s))
				time.Sleep(time.Second)
			}
		}
		final := []string{"nSUCCESS.zip", "nSUCCESS_DATA_CHANGED.zip", "nFRAUD_SUSPICION_CONFIRMED.zip"}
		preliminary := []string{"nREVIEW_PENDING.zip", "nFRAUD_SUSPICION_PENDING.zip"}
		for _, realtime := range []bool{false, true} {
			b.apply(bank, func(c *company.Company) { c.Realtime, c.Archive = realtime, true })
			want := final
			if realtime {
				want = append(append([]string{}, preliminary...), final...)
			}
			if diff := cmp.Diff(want, b.folder(publish.Root)); diff != "" {
				t.Errorf("realtime %v: %s", realtime, diff)
			}
		}
		if diff := cmp.Diff([]string{"nARCHIVED.zip"}, b.folder(publish.ArchiveOnes)); diff != "" {
			t.Error(diff)
		}
		for d, names := range map[publish.Directory][]string{
			publish.Root:        {"nARCHIVED.zip", "nCREATED.zip", "nCANCELED.zip", "nABORTED.zip", "nSUCCESS", ".zip", ""},
			publish.ArchiveOnes: {"nSUCCESS.zip", "nREVIEW_PENDING.zip"},
		} {
			for _, name := range names {
				_, _, err := b.publish.Open(b.Context(), b.account(bank), d, name)
				b.wantFault(err, fault.NotFound, fmt.Sprintf("%q in %q", name, d))
			}
		}
		_, _, err := b.publish.Open(b.Context(), b.account("testbank"), publish.Root, "nSUCCESS.zip")
		b.wantFault(err, fault.NotFound, "another company's file")
		b.apply(bank, func(c *company.Company) { c.Realtime, c.Archive = false, false })
		_, _, err = b.publish.Open(b.Context(), b.account(bank), publish.Root, "nREVIEW_PENDING.zip")
		b.wantFault(err, fault.NotFound, "a preliminary result without realtime")
		_, _, err = b.publish.Open(b.Context(), b.account(bank), publish.ArchiveOnes, "nARCHIVED.zip")
		b.wantFault(err, fault.NotFound, "a file in a folder that the account has not")
		_, err = b.publish.Folder(b.Context(), b.account(bank), publish.ArchiveOnes)
		b.wantFault(err, fault.NotFound, "the folder that the account has not")
	})
}

func TestAFolderShowsTheFiftyOldest(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Realtime = true })
		var all []string
		for n := range publish.ListedFiles + 2 {
			s := ident.Success
			if n%3 == 0 {
				s = ident.ReviewPending
			}
			b.inState(s, fmt.Sprint("n", n))
			all = append(all, fmt.Sprintf("n%d.zip", n))
			time.Sleep(time.Second)
		}
		if diff := cmp.Diff(all[:publish.ListedFiles], b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
		b.ok(b.identify.Delete(b.Context(), bank, "n1", "company"))
		if diff := cmp.Diff(append([]string{"n0.zip"}, all[2:publish.ListedFiles+1]...), b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryRangeOfAnArchiveIsThatOfTheWhole(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Results.XMLSignature = true })
		c := b.finished("1")
		whole := b.zip(c)
		_, z, err := b.publish.Open(b.Context(), b.account(bank), publish.Root, "1.zip")
		b.ok(err)
		r, err := z.Reader()
		b.ok(err)
		size := int64(len(whole))
		if z.Size != size {
			t.Fatalf("%d bytes are announced, %d written", z.Size, size)
		}
		all := make([]byte, size)
		if n, err := r.ReadAt(b.Context(), all, 0); err != nil || !bytes.Equal(all[:n], whole) {
			t.Fatalf("the whole in one read: %d bytes, %v", n, err)
		}
		for off := range size + 2 {
			length := rand.Int64N(3000)
			p := make([]byte, length)
			n, err := r.ReadAt(b.Context(), p, off)
			from := min(off, size)
			if !bytes.Equal(p[:n], whole[from:min(size, off+length)]) || (int64(n) < length) != errors.Is(err, io.EOF) {
				t.Fatalf("%d bytes from %d: %d, %v", length, off, n, err)
			}
		}
		if _, err := r.ReadAt(b.Context(), make([]byte, 1), -1); err == nil {
			t.Error("reads before the beginning")
		}
		// Once it is deleted nothing more can be opened.
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		again, err := z.Reader()
		b.ok(err)
		if _, err := again.ReadAt(b.Context(), make([]byte, size), 0); err == nil {
			t.Error("a deleted archive is still read")
		}
	})
}

// A name leads to the same ZIP whichever way it is asked for, also when an identification that
// came later has it as its number: then its folder shows the earlier one by another name.
func TestANameLeadsToOneZIPByEveryWay(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Results.Filename, c.Archive = "{custom1}", true })
		named := func(number, custom string) videoident.Case {
			s, err := b.identify.Start(b.Context(), b.account(bank), number, b.application("custom1", custom))
			b.ok(err)
			time.Sleep(time.Second)
			return videoident.Case{Company: bank, ID: s.ID}
		}
		finish := func(c videoident.Case) {
			b.identified(c, "")
			b.review(c, evidence.Review{Decision: evidence.Confirm, Reviewer: "B"})
		}
		// leads says where each name leads, in the folder and over REST.
		leads := func(want map[string]ident.ID) {
			t.Helper()
			for name, id := range want {
				f, _, err := b.publish.Open(b.Context(), b.account(bank), publish.Root, name+".zip")
				if got := f.ID; got != id || (id == "") != fault.Is(err, fault.NotFound) {
					t.Errorf("%s.zip leads to %s in the folder, want %s: %v", name, got, id, err)
				}
				i, err := b.publish.Named(b.Context(), bank, name)
				if err == nil {
					_, err = b.publish.ZIP(b.Context(), b.account(bank), i)
				}
				if (id == "") != fault.Is(err, fault.NotFound) || id != "" && i.ID != id {
					t.Errorf("%s.zip leads to %s over REST, want %s: %v", name, i.ID, id, err)
				}
			}
		}
		first := named("one", "taken")
		finish(first)
		leads(map[string]ident.ID{"taken": first.ID, "one": first.ID, "ONE": first.ID, "Taken": "", string(first.ID): first.ID})
		if diff := cmp.Diff([]string{"taken.zip"}, b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
		shown := "taken_" + string(first.ID)
		second := named("TAKEN", "another")
		leads(map[string]ident.ID{"taken": "", shown: first.ID}) // the number's has no result yet
		if diff := cmp.Diff([]string{shown + ".zip"}, b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
		finish(second)
		leads(map[string]ident.ID{"taken": second.ID, "TAKEN": second.ID, "another": second.ID, shown: first.ID, "nothing_" + string(first.ID): ""})
		if diff := cmp.Diff([]string{shown + ".zip", "another.zip"}, b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
		third := named(shown, "third") // that name too
		finish(third)
		leads(map[string]ident.ID{shown: third.ID, string(first.ID): first.ID})
		if diff := cmp.Diff([]string{string(first.ID) + ".zip", "another.zip", "third.zip"}, b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnlyWhatIsFinalIsDeletedByItsFile(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Archive = true })
		for _, s := range ident.States {
			if !s.Valid() {
				continue
			}
			c := b.inState(s, "n"+string(s))
			b.wantFault(b.identify.DeleteFinal(b.Context(), "testbank", c.ID, "company"), fault.NotFound, "another company's "+string(s))
			err := b.identify.DeleteFinal(b.Context(), bank, c.ID, "company")
			if s.Final() {
				b.ok(err)
				continue
			}
			b.wantFault(err, fault.Precondition, string(s))
			b.wantFault(b.identify.ArchiveByID(b.Context(), b.account(bank), c.ID), fault.Precondition, "archiving "+string(s))
		}
		c := b.inState(ident.Success, "last")
		b.ok(b.identify.ArchiveByID(b.Context(), b.account(bank), c.ID))
		if got := b.get(c).State; got != ident.Archived {
			t.Errorf("it is %s", got)
		}
	})
}

func TestADamagedResultHidesNoOther(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		var all []videoident.Case
		for _, number := range []string{"one", "two", "three", "four"} {
			all = append(all, b.finished(number))
			time.Sleep(time.Second)
		}
		pending := []videoident.Case{b.start("five"), b.start("six")}
		_, err := b.publish.JSON(b.Context(), b.account(bank), b.get(all[1]))
		b.ok(err)
		b.tamper(`UPDATE result SET json = x'00112233' WHERE identification_id = ?`, all[1].ID)
		b.tamper(`UPDATE result SET archive = '{' WHERE identification_id = ?`, all[2].ID)
		b.tamper(`UPDATE identification SET sealed = x'00' WHERE id = ?`, pending[0].ID)
		if diff := cmp.Diff([]string{"one.zip", "four.zip"}, b.folder(publish.Root)); diff != "" {
			t.Error(diff)
		}
		for list, want := range map[ident.List]int{ident.ListFinished: 3, ident.ListPending: 1} { // a damaged list of files is no matter of the JSON
			n := 0
			_, _, err := b.publish.List(b.Context(), b.account(bank), list, publish.Place{}, 0, func([]byte) error { n++; return nil })
			if err != nil || n != want {
				t.Errorf("%s: %d entries, want %d: %v", list, n, want, err)
			}
		}
		for _, c := range []videoident.Case{all[1], all[2], pending[0]} {
			if !strings.Contains(b.log.String(), "a result cannot be read: it is left out of a list\" company=ihrebank identification="+string(c.ID)) {
				t.Errorf("%s is not in the log:\n%s", c.ID, b.log)
			}
		}
		if _, err := b.publish.JSON(b.Context(), b.account(bank), b.get(all[1])); err == nil {
			t.Error("by itself it is no error")
		}
	})
}

// tamper changes the database behind the services' backs.
func (b *bench) tamper(query string, args ...any) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.dir, "vidimus.db")+"?_pragma=busy_timeout(10000)")
	b.ok(err)
	defer func() { b.ok(db.Close()) }()
	r, err := db.ExecContext(b.Context(), query, args...)
	b.ok(err)
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		b.Fatalf("%s changed nothing: %v", query, err)
	}
}
