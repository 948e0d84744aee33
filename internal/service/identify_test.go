package service_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/vault"
	"vidimus/internal/service/videoident"
)

func TestUpdateReplacesOnlyWhatItSends(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		before := b.get(c)
		for _, ref := range []string{"1", string(c.ID), strings.ToLower(string(c.ID))} {
			s, err := b.identify.Start(b.Context(), b.account(bank), ref, b.application("firstname", "Berta", "city", "Ulm"))
			if err != nil || s.Created || s.ID != c.ID {
				t.Fatalf("by %s: %+v, %v", ref, s, err)
			}
		}
		d, err := b.video.Open(b.Context(), c)
		b.ok(err)
		want := map[person.Field]string{person.Firstname: "Berta", person.Lastname: lastName, person.City: "Ulm"}
		if diff := cmp.Diff(want, d.Application.Userdata); diff != "" {
			t.Error(diff)
		}
		if d.KeyID != before.KeyID || d.State != ident.Created {
			t.Errorf("%s under another key: %v", d.State, d.KeyID != before.KeyID)
		}
		if diff := cmp.Diff([]string{"company identification.created", "company identification.updated", "company identification.updated", "company identification.updated"}, b.acts(string(c.ID))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEmptyUpdateChangesNothing(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range []ident.State{ident.Created, ident.Waiting, ident.InProcess, ident.Aborted, ident.Canceled} {
			c := b.inState(s, "n"+string(s))
			before := b.get(c)
			got, err := b.identify.Start(b.Context(), b.account(bank), "n"+string(s), person.Application{})
			if err != nil || got.Created || got.ID != c.ID {
				t.Errorf("%s: %+v, %v", s, got, err)
			}
			if diff := cmp.Diff(before, b.get(c)); diff != "" {
				t.Errorf("%s: %s", s, diff)
			}
		}
	})
}

func TestStartIsRefusedOnceFinished(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range []ident.State{ident.ReviewPending, ident.FraudPending, ident.Success, ident.SuccessChanged, ident.FraudConfirmed, ident.Archived} {
			number := "n" + string(s)
			b.inState(s, number)
			for _, a := range []person.Application{{}, b.application("firstname", "Berta")} {
				_, err := b.identify.Start(b.Context(), b.account(bank), number, a)
				b.wantFault(err, fault.Finished, string(s))
			}
		}
	})
}

func TestStartIsRefusedAfterAPermanentReason(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, f := range ident.Failures {
			for _, end := range []string{"abort", "cancel"} {
				number := fmt.Sprintf("%s-%s", end, f.Reason)
				c := b.start(number)
				if end == "abort" {
					b.request(c)
					b.ok(b.video.Abort(b.Context(), c, f.Reason, "user"))
				} else if f.Permanent {
					b.identified(c, "")
					b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: f.Reason})
				} else {
					continue
				}
				_, sent := b.identify.Start(b.Context(), b.account(bank), number, b.application("firstname", "Berta"))
				again := b.video.Request(b.Context(), c, ident.VideoIdent, ident.Web, nil)
				if f.Permanent {
					b.wantFault(sent, fault.Finished, number)
					b.wantFault(again, fault.Finished, number)
				} else if sent != nil || again != nil {
					t.Errorf("%s: %v, %v", number, sent, again)
				}
			}
		}
	})
}

func TestUnknownScenarioIsRefusedInTheTestEnvironment(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		_, err := b.identify.Start(b.Context(), b.account(bank), "1", b.application("custom2", "X-AUTOTEST-NOTHING"))
		b.wantFault(err, fault.Invalid, "creation")
		b.start("2")
		_, err = b.identify.Start(b.Context(), b.account(bank), "2", b.application("custom2", "X-AUTOTEST-NOTHING"))
		b.wantFault(err, fault.Invalid, "update")
	})
}

func TestOneNumberCreatedManyTimesAtOnceIsOneIdentification(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		var created atomic.Int32
		var gate sync.Mutex
		ids := map[ident.ID]bool{}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				s, err := b.identify.Start(b.Context(), b.account(bank), "the-same", b.application("firstname", "Anna"))
				if err != nil {
					t.Error(err)
				}
				if s.Created {
					created.Add(1)
				}
				gate.Lock()
				ids[s.ID] = true
				gate.Unlock()
			})
		}
		all.Wait()
		if created.Load() != 1 || len(ids) != 1 {
			t.Errorf("%d were created, with the Ident-IDs %v", created.Load(), ids)
		}
	})
}

func TestReopenedOneHasANewKeyAndNothingOfTheOld(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		first := b.get(c).KeyID
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
		second := b.get(c)
		if second.KeyID == first || len(second.Sealed) != 0 || second.FileKey != "" {
			t.Errorf("canceled, it still is %+v", second)
		}
		_, err := b.keys.Get(b.Context(), first)
		b.wantFault(err, fault.NotFound, "the key of the data at once")
		if files := b.filesOf(string(bank)); len(files) > 0 {
			t.Errorf("%d files are left", len(files))
		}
		s, err := b.identify.Start(b.Context(), b.account(bank), "1", b.application("firstname", "Berta"))
		if err != nil || s.Created || s.ID != c.ID {
			t.Fatalf("%+v, %v", s, err)
		}
		b.runFor(5 * time.Second)
		third := b.get(c)
		if third.State != ident.Created || third.KeyID == first || third.KeyID == second.KeyID || third.Result != "" || third.Reason != "" || third.Previous != "" || third.Agent != "" || !third.FinishedAt.IsZero() {
			t.Errorf("opened again it is %+v", third)
		}
		_, err = b.keys.Get(b.Context(), second.KeyID)
		b.wantFault(err, fault.NotFound, "the key of the cancellation")
		d, err := b.video.Open(b.Context(), c)
		b.ok(err)
		if diff := cmp.Diff(map[person.Field]string{person.Firstname: "Berta"}, d.Application.Userdata); diff != "" {
			t.Errorf("the new data hold something of the old: %s", diff)
		}
		if d.Verdict != nil || d.Review != nil || len(d.Evidence.Images) > 0 {
			t.Errorf("the new one has evidence: %+v", d)
		}
		for n := range third.ResultSeq {
			_, err := b.db.Result(b.Context(), c.ID, n+1)
			b.wantFault(err, fault.NotFound, "an old result")
		}
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		if got := b.get(c); !got.State.Final() || got.Attempts != 2 {
			t.Errorf("at the second attempt it is %+v", got)
		}
		b.zip(c)
	})
}

func TestDeletionDestroysTheKeyThenTheFilesThenTheRows(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range ident.States {
			if !s.Valid() {
				continue
			}
			number := "n" + string(s)
			c := b.inState(s, number)
			i := b.get(c)
			b.trace.take()
			b.ok(b.identify.Delete(b.Context(), bank, number, "company"))
			want := []string{"bury " + string(c.ID), "key " + i.KeyID, "files ihrebank/" + string(c.ID), "rows " + string(c.ID)}
			if diff := cmp.Diff(want, b.trace.take()); diff != "" {
				t.Errorf("%s: %s", s, diff)
			}
			b.wantGone(c, i)
			acts := b.acts(string(c.ID))
			if last := acts[len(acts)-1]; last != "system identification.erased" || acts[len(acts)-2] != "company identification.deleted "+string(s) {
				t.Errorf("%s: the trail ends with %s", s, last)
			}
			b.wantFault(b.identify.Delete(b.Context(), bank, number, "company"), fault.NotFound, "a second deletion")
			again := b.start(number)
			if again.ID == c.ID {
				t.Errorf("%s: the Ident-ID is given again", s)
			}
		}
		b.runFor(10 * time.Second)
		if b.log.Len() > 0 {
			t.Errorf("the log tells: %s", b.log)
		}
	})
}

// wantGone looks for anything that is left of an identification.
func (b *bench) wantGone(c videoident.Case, i ident.Identification) {
	b.Helper()
	ctx := b.Context()
	_, err := b.identify.Find(ctx, c.Company, string(c.ID))
	b.wantFault(err, fault.NotFound, "the identification")
	_, err = b.keys.Get(ctx, i.KeyID)
	b.wantFault(err, fault.NotFound, "its key")
	if files := b.filesOf(string(c.Company) + "/" + string(c.ID)); len(files) > 0 {
		b.Errorf("%d files are left", len(files))
	}
	attempts, err := b.db.Attempts(ctx, c.ID)
	if err != nil || len(attempts) > 0 {
		b.Errorf("%d attempts are left, %v", len(attempts), err)
	}
	if n, err := b.db.OpenDeliveries(ctx, c.ID); err != nil || n > 0 {
		b.Errorf("%d deliveries are open, %v", n, err)
	}
	for seq := range i.ResultSeq {
		_, err := b.db.Result(ctx, c.ID, seq+1)
		b.wantFault(err, fault.NotFound, "a result")
	}
}

func TestDeletionThatBreaksOffIsFinishedLater(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		i := b.get(c)
		b.keys.down = errors.New("key store down")
		if err := b.identify.Delete(b.Context(), bank, "1", "company"); err == nil {
			t.Error("the deletion says that it is done")
		}
		_, err := b.identify.Find(b.Context(), bank, "1")
		b.wantFault(err, fault.NotFound, "at once")
		if len(b.filesOf(string(bank))) == 0 {
			t.Error("files were deleted before the key")
		}
		b.keys.down = nil
		b.runFor(5 * time.Second)
		b.wantGone(c, i)
	})
}

func TestDeletedCompanyLeavesNothing(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		var cases []videoident.Case
		var all []ident.Identification
		for n := range 5 {
			c := b.finished(fmt.Sprint(n))
			cases, all = append(cases, c), append(all, b.get(c))
		}
		copied, err := b.identify.Copy(b.Context(), b.account(bank), "1", other, "")
		b.wantCopyInTheLedger("1")
		b.ok(err)
		time.Sleep(time.Second)
		b.ok(b.accounts.Delete(b.Context(), bank))
		b.wantFault(b.accounts.Delete(b.Context(), bank), fault.NotFound, "a second time")
		time.Sleep(time.Second)
		b.apply(bank, nil) // a company of the same ID, which has nothing to do with the old one
		later := b.start("later")
		b.runFor(10 * time.Second)
		for n, c := range cases {
			b.wantGone(c, all[n])
		}
		b.get(later)
		b.zip(videoident.Case{Company: other, ID: copied})
		if log, err := b.publish.Deliveries(b.Context(), bank, "", "", time.Time{}, "", 100); err != nil || len(log) > 0 {
			t.Errorf("%d deliveries are in the log, %v", len(log), err)
		}
		if b.log.Len() > 0 {
			t.Errorf("the log tells: %s", b.log)
		}
	})
}

func TestCopyIsSealedAnewAndOutlivesItsSource(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range []ident.State{ident.Success, ident.SuccessChanged, ident.FraudConfirmed, ident.Archived} {
			number := "n" + string(s)
			source := b.inState(s, number)
			from := b.get(source)
			id, err := b.identify.Copy(b.Context(), b.account(bank), number, other, "copy-"+string(s))
			b.ok(err)
			target := videoident.Case{Company: other, ID: id}
			to := b.get(target)
			if to.State != from.Result || to.KeyID == from.KeyID || id == from.ID || to.Number != ident.TransactionNumber("copy-"+string(s)) {
				t.Errorf("%s: the copy is %+v", s, to)
			}
			b.wantOtherBytes(source, target)
			before := b.members(target)
			b.ok(b.identify.Delete(b.Context(), bank, number, "company"))
			after := b.members(target)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s: the copy has changed: %s", s, diff)
			}
			if !strings.Contains(after["copy-"+string(s)+"_userface.jpg"], lastName) {
				t.Errorf("%s: the picture is another: %v", s, after)
			}
			if json := b.json(target); !strings.Contains(json, strings.ToUpper(lastName)) || !strings.Contains(json, `"companyid":"testbank"`) || !strings.Contains(json, "salary") {
				t.Errorf("%s: %s", s, json)
			}
			if diff := cmp.Diff([]string{"company identification.received from ihrebank"}, b.acts(string(id))); diff != "" {
				t.Error(diff)
			}
		}
		b.runFor(5 * time.Second)
		if sent := b.net.hooks(); len(sent) > 0 {
			t.Errorf("%d webhooks tell of copies", len(sent))
		}
	})
}

// wantOtherBytes looks that no sealed bytes of one identification are also the other's.
func (b *bench) wantOtherBytes(source, target videoident.Case) {
	b.Helper()
	theirs := b.filesOf(string(target.Company) + "/" + string(target.ID))
	if len(theirs) != 4 { // two pictures, the sound, the PDF
		b.Errorf("the copy has %d files", len(theirs))
	}
	for name, one := range b.filesOf(string(source.Company) + "/" + string(source.ID)) {
		for otherName, two := range theirs {
			if bytes.Equal(one, two) || bytes.Contains(two, []byte(lastName)) {
				b.Errorf("%s and %s are the same, or in clear", name, otherName)
			}
		}
	}
	for attempt := range 1 {
		ours, err := b.db.Evidence(b.Context(), source.ID, attempt+1)
		b.ok(err)
		copies, err := b.db.Evidence(b.Context(), target.ID, attempt+1)
		b.ok(err)
		if len(ours) != len(copies) {
			b.Fatalf("%d items of %d were copied", len(copies), len(ours))
		}
		key, err := b.keys.Get(b.Context(), b.get(source).KeyID)
		b.ok(err)
		for n := range ours {
			if bytes.Equal(ours[n].Sealed, copies[n].Sealed) || !bytes.Equal(ours[n].Hash, copies[n].Hash) {
				b.Errorf("item %d was not sealed anew", n)
			}
			if _, err := key.Open(copies[n].Sealed, vault.About("evidence", target.ID)); err == nil {
				b.Error("the old key opens the copy")
			}
		}
	}
}

// members returns the files in the archive of a result.
func (b *bench) members(c videoident.Case) map[string]string {
	b.Helper()
	content := b.zip(c)
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	b.ok(err)
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		b.ok(err)
		var text bytes.Buffer
		_, err = text.ReadFrom(r)
		b.ok(errors.Join(err, r.Close()))
		all[f.Name] = text.String()
	}
	return all
}

func TestCopyIsRefused(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		ctx := b.Context()
		b.finished("done")
		_, err := b.identify.Copy(ctx, b.account(bank), "none", other, "")
		b.wantFault(err, fault.NotFound, "of nothing")
		_, err = b.identify.Copy(ctx, b.account(other), "done", bank, "")
		b.wantFault(err, fault.Forbidden, "without permission")
		_, err = b.identify.Copy(ctx, b.account(bank), "done", "nobody", "")
		b.wantFault(err, fault.Forbidden, "to a company that does not exist")
		_, err = b.identify.Copy(ctx, b.account(bank), "done", other, "not a number")
		b.wantFault(err, fault.Invalid, "to a wrong number")
		_, err = b.identify.Copy(ctx, b.account(bank), "done", bank, "")
		b.wantFault(err, fault.Finished, "to itself under the same number")
		_, err = b.identify.Copy(ctx, b.account(bank), "done", bank, "")
		b.wantFault(err, fault.Finished, "to a number that is taken")
		for _, s := range ident.States {
			if s.Valid() && !s.Final() {
				b.inState(s, "n"+string(s))
				_, err := b.identify.Copy(ctx, b.account(bank), "n"+string(s), other, "")
				b.wantFault(err, fault.Precondition, string(s))
			}
		}
		if files := b.filesOf(string(other)); len(files) > 0 {
			t.Errorf("%d files were written", len(files))
		}
		if _, err := b.identify.Copy(ctx, b.account(bank), "done", bank, "again"); err != nil {
			t.Errorf("to itself under a new number: %v", err)
		}
	})
}

func TestArchivingNeedsTheFeatureAndAResult(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.wantFault(b.identify.Archive(b.Context(), b.account(other), "1"), fault.Forbidden, "without the feature")
		for _, s := range ident.States {
			if !s.Valid() {
				continue
			}
			number := "n" + string(s)
			b.inState(s, number)
			err := b.identify.Archive(b.Context(), b.account(bank), number)
			if s.Final() && s != ident.Archived {
				b.ok(err)
				i, err := b.identify.Find(b.Context(), bank, number)
				b.ok(err)
				if i.State != ident.Archived {
					t.Errorf("%s became %s", s, i.State)
				}
				continue
			}
			b.wantFault(err, fault.Precondition, string(s))
		}
	})
}

func TestForeignNumbersAreNotFound(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		for _, ref := range []string{"1", string(c.ID)} {
			_, err := b.identify.Find(b.Context(), other, ref)
			b.wantFault(err, fault.NotFound, ref)
			b.wantFault(b.identify.Delete(b.Context(), other, ref, "company"), fault.NotFound, "deleting "+ref)
		}
		_, err := b.publish.Named(b.Context(), other, "1")
		b.wantFault(err, fault.NotFound, "by file")
		i, err := b.publish.Named(b.Context(), bank, "1")
		if err != nil || i.ID != c.ID {
			t.Errorf("by its own file: %+v, %v", i, err)
		}
		if s, err := b.identify.Start(b.Context(), b.account(other), "1", person.Application{}); err != nil || !s.Created {
			t.Errorf("the same number in another company: %+v, %v", s, err)
		}
	})
}

func TestNothingPersonalLiesInClear(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.finished("1")
		b.inState(ident.InProcess, "2")
		b.canceled("3")
		b.ok(b.db.Ping(b.Context()))
		for _, secret := range []string{lastName, strings.ToUpper(lastName), "Anna", "ANNA", apiKey, "salary"} {
			for name, content := range b.everything() {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("%s stands in %s", secret, name)
				}
			}
			if strings.Contains(b.log.String(), secret) {
				t.Errorf("%s stands in the log", secret)
			}
		}
	})
}

// everything returns every file of the data folder.
func (b *bench) everything() map[string][]byte {
	b.Helper()
	all := b.filesOf("..")
	if !slices.ContainsFunc(keysOf(all), func(name string) bool { return strings.HasSuffix(name, "vidimus.db-wal") }) {
		b.Errorf("the database is not among %v", keysOf(all))
	}
	return all
}

func keysOf[V any](m map[string]V) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

func TestFileNameThatIsTakenGetsTheIdentID(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Results.Filename = "{custom1}" })
		var names []string
		var ids []ident.ID
		for n := range 2 {
			s, err := b.identify.Start(b.Context(), b.account(bank), fmt.Sprint(n), b.application("custom1", "the same"))
			b.ok(err)
			c := videoident.Case{Company: bank, ID: s.ID}
			b.identified(c, "")
			z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
			b.ok(err)
			names, ids = append(names, z.Name), append(ids, s.ID)
		}
		if want := []string{"the_same.zip", "the_same_" + string(ids[1]) + ".zip"}; !slices.Equal(names, want) {
			t.Errorf("%v, want %v", names, want)
		}
	})
}

// A server may still know a company that was deleted a moment ago.
func TestWhatIsStoredAfterTheDeletionOfItsCompanyGoesToo(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		stale := b.account(bank)
		b.ok(b.accounts.Delete(b.Context(), bank))
		time.Sleep(200 * time.Millisecond)
		got, err := b.identify.Start(b.Context(), stale, "late", person.Application{})
		b.ok(err)
		i, err := b.db.IdentificationByID(b.Context(), bank, got.ID)
		b.ok(err)
		time.Sleep(200 * time.Millisecond)
		b.apply(bank, nil)
		b.runFor(15 * time.Second)
		b.wantGone(videoident.Case{Company: bank, ID: got.ID}, i)
		if _, err := b.login.Login(b.Context(), bank, apiKey+string(bank)); err != nil {
			t.Errorf("log-in to the new company: %v", err)
		}
	})
}

// lossy commits, and loses the answer, as a connection that breaks does.
type lossy struct{ *traced }

func (l lossy) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	if err := l.traced.InTx(ctx, do); err != nil {
		return err
	}
	return errors.New("connection lost")
}

func TestCopyWhoseAnswerIsLostIsWhole(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.finished("1")
		o := b.identifyOptions()
		o.Store = lossy{b.db}
		if _, err := identify.New(o).Copy(b.Context(), b.account(bank), "1", other, "2"); err == nil {
			t.Fatal("no error")
		}
		i, err := b.db.IdentificationByNumber(b.Context(), other, "2")
		b.ok(err)
		b.zip(videoident.Case{Company: other, ID: i.ID})
	})
}

// Whoever can write to the database cannot pass an earlier result off as the last one.
func TestResultsCannotBeSwapped(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		i := b.get(c)
		first, err := b.db.Result(b.Context(), c.ID, 1)
		b.ok(err)
		last, err := b.db.Result(b.Context(), c.ID, i.ResultSeq)
		b.ok(err)
		if first.Seq == last.Seq {
			t.Fatal("there is one result only")
		}
		swapped := first
		swapped.Seq = last.Seq
		s := publish.New(b.publishOptions(swappedStore{b.db, swapped}))
		if json, err := s.JSON(b.Context(), b.account(bank), i); err == nil {
			t.Errorf("handed out: %s", json)
		}
	})
}

// swappedStore answers one result for every other.
type swappedStore struct {
	*traced
	result result.Stored
}

func (s swappedStore) Result(context.Context, ident.ID, int64) (result.Stored, error) {
	return s.result, nil
}

// wantCopyInTheLedger expects one copy to the other company in the bank's ledger.
func (b *bench) wantCopyInTheLedger(number string) {
	b.Helper()
	i, err := b.identify.Find(b.Context(), bank, number)
	b.ok(err)
	for name, read := range map[string]func() ([]delivery.Entry, error){
		"company's": func() ([]delivery.Entry, error) { return b.publish.Ledger(b.Context(), bank, publish.Spot{}, 100) },
		"identification's": func() ([]delivery.Entry, error) {
			return b.publish.LedgerOf(b.Context(), bank, i.ID, publish.Spot{}, 100)
		},
	} {
		list, err := read()
		b.ok(err)
		var copies []delivery.Entry
		for _, e := range list {
			if e.Way == delivery.Copy {
				copies = append(copies, e)
			}
		}
		if len(copies) != 1 || copies[0].To != string(other) || copies[0].Identification != i.ID || copies[0].State != string(delivery.Done) || len(copies[0].Hash) != 32 {
			b.Errorf("the %s ledger: %+v", name, list)
		}
	}
	if list, err := b.publish.Ledger(b.Context(), other, publish.Spot{}, 100); err != nil || len(list) != 0 {
		b.Errorf("the other's ledger: %+v, %v", list, err)
	}
}
