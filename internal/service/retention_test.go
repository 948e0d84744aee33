package service_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/keys"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/retention"
	"vidimus/internal/service/videoident"
)

const day = 24 * time.Hour

// keep sets how long the bank's identifications are kept.
func (b *bench) keep(results, unfinished time.Duration) {
	b.Helper()
	b.apply(bank, func(c *company.Company) { c.Retention = company.Retention{Results: results, Unfinished: unfinished} })
}

// queue leaves the jobs of what is due.
func (b *bench) queue() {
	b.Helper()
	_, err := b.retain.Queue(b.Context())
	b.ok(err)
}

// due queues what is due and has it deleted.
func (b *bench) due() {
	b.Helper()
	b.queue()
	b.runFor(10 * time.Second)
}

func (b *bench) gone(c videoident.Case) bool {
	b.Helper()
	_, err := b.db.IdentificationByID(b.Context(), c.Company, c.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		b.Fatal(err)
	}
	return err != nil
}

// TestEveryStateIsDeletedWhenItsTimeIsOver makes one identification of each state and lets
// time pass: unfinished ones go after a day, results after two.
func TestEveryStateIsDeletedWhenItsTimeIsOver(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(48*time.Hour, day)
		cases := map[ident.State]videoident.Case{}
		for n, s := range []ident.State{
			ident.Created, ident.Aborted, ident.ReviewPending, ident.FraudPending, ident.Success, ident.SuccessChanged, ident.FraudConfirmed, ident.Canceled, ident.Archived,
		} {
			cases[s] = b.inState(s, fmt.Sprint(n))
		}
		unfinished := []ident.State{ident.Created, ident.Aborted, ident.ReviewPending, ident.FraudPending}
		for _, look := range []struct {
			after            time.Duration
			unfinished, done bool // is gone
		}{{day - time.Minute, false, false}, {2 * time.Minute, true, false}, {day - 3*time.Minute, true, false}, {3 * time.Minute, true, true}} {
			time.Sleep(look.after)
			b.due()
			for s, c := range cases {
				want := look.done
				if slices.Contains(unfinished, s) {
					want = look.unfinished
				}
				if got := b.gone(c); got != want {
					b.Errorf("%s after %v more: gone %t, want %t", s, look.after, got, want)
				}
			}
		}
		for s, c := range cases {
			acts := b.acts(string(c.ID))
			if !slices.Contains(acts, "retention identification.deleted "+string(s)) {
				b.Errorf("the trail of %s: %q", s, acts)
			}
			if files := b.filesOf(string(c.Company) + "/" + string(c.ID)); len(files) > 0 {
				b.Errorf("of %s %d files are left", s, len(files))
			}
		}
		list, err := b.retain.Deletions(b.Context(), bank, b.clock.Now().Add(-30*day))
		if err != nil || len(list) != len(cases) || list[0].By != "retention" {
			b.Errorf("%d tombstones, %v", len(list), err)
		}
	})
}

func TestRetentionDestroysTheKeyFirst(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		c := b.finished("1")
		key := b.get(c).KeyID
		time.Sleep(day)
		b.trace.take()
		b.due()
		id := string(c.ID)
		want := []string{"bury " + id, "key " + key, "files " + string(bank) + "/" + id, "rows " + id}
		if got := b.trace.take(); len(got) < 4 || !cmp.Equal(want, got[:4]) {
			b.Errorf("%q", got)
		}
	})
}

func TestTheSettingsOfTodayCount(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		c := b.finished("1")
		time.Sleep(25 * time.Hour)
		b.queue()
		b.keep(10*day, day) // after the job was left
		b.runFor(10 * time.Second)
		if b.gone(c) {
			b.Fatal("deleted, though the account keeps results for ten days now")
		}
		b.due()
		if b.gone(c) {
			b.Fatal("deleted too early")
		}
		b.keep(time.Hour, day)
		b.due()
		if !b.gone(c) {
			b.Error("kept, though the account keeps results for an hour now")
		}
	})
}

func TestReopeningBeginsTheTimeAnew(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(10*day, day)
		c := b.canceled("1")
		time.Sleep(3 * day)
		_, err := b.identify.Start(b.Context(), b.account(bank), "1", b.application("lastname", lastName))
		b.ok(err)
		time.Sleep(23 * time.Hour)
		b.due()
		if b.gone(c) {
			b.Error("deleted before its time")
		}
		time.Sleep(time.Hour)
		b.due()
		if !b.gone(c) {
			b.Error("kept for too long")
		}
	})
}

func TestAnAttemptUnderWayIsLetEnd(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		c := b.start("1")
		time.Sleep(day - time.Minute)
		b.take(c)
		time.Sleep(2 * time.Minute)
		b.due()
		if b.gone(c) {
			b.Fatal("deleted while the agent is at it")
		}
		b.identified(b.start("2"), "")
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		b.due()
		if !b.gone(c) {
			b.Error("kept after the attempt has ended")
		}
	})
}

func TestACopyIsKeptFromItsOwnBeginning(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		b.finished("1")
		time.Sleep(12 * time.Hour)
		id, err := b.identify.Copy(b.Context(), b.account(bank), "1", bank, "2")
		b.ok(err)
		time.Sleep(13 * time.Hour)
		b.due()
		if b.gone(videoident.Case{Company: bank, ID: id}) {
			b.Error("the copy went with the original")
		}
		time.Sleep(12 * time.Hour)
		b.due()
		if !b.gone(videoident.Case{Company: bank, ID: id}) {
			b.Error("the copy is kept for too long")
		}
	})
}

func TestSpeedupShortensTheTime(t *testing.T) {
	inBubble(t, 24, func(b *bench) {
		b.keep(day, day)
		c := b.finished("1")
		time.Sleep(59 * time.Minute)
		b.due()
		if b.gone(c) {
			b.Error("deleted too early")
		}
		time.Sleep(time.Minute)
		b.due()
		if !b.gone(c) {
			b.Error("kept for too long")
		}
	})
}

func TestTwoNodesLeaveOneJob(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		b.finished("1")
		time.Sleep(day)
		for range 3 {
			b.queue()
		}
		now := b.clock.Now()
		list, err := b.db.ClaimJobs(b.Context(), "x", now, now.Add(time.Second), 100)
		b.ok(err)
		list = slices.DeleteFunc(list, func(j job.Job) bool { return j.Kind != retention.Delete })
		if len(list) != 1 {
			b.Errorf("%d jobs", len(list))
		}
	})
}

// TestABrokenOffDeletionGoesOn has the key store fail in the middle.
func TestABrokenOffDeletionGoesOn(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(day, day)
		c := b.finished("1")
		key := b.get(c).KeyID
		time.Sleep(day)
		b.keys.down = context.DeadlineExceeded
		b.queue()
		b.runFor(5 * time.Second)
		if !b.gone(c) {
			b.Error("it can still be found")
		}
		b.keys.down = nil
		b.runFor(time.Minute)
		if missing, err := b.keys.Missing(b.Context(), []string{key}); err != nil || !missing[key] {
			b.Errorf("the key is still there, %v", err)
		}
		if files := b.filesOf(string(c.Company) + "/" + string(c.ID)); len(files) > 0 {
			b.Errorf("%d files are left", len(files))
		}
	})
}

// TestWhatHasNoKeyIsBuriedAgain plays a restored backup: rows and files are there, the key
// was destroyed.
func TestWhatHasNoKeyIsBuriedAgain(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		kept, canceled := b.finished("kept"), b.canceled("canceled")
		var lost []videoident.Case
		for n, s := range []ident.State{ident.Created, ident.Aborted, ident.ReviewPending, ident.Success, ident.Archived} {
			c := b.inState(s, fmt.Sprintf("lost%d", n))
			b.ok(b.keys.store.Destroy(b.Context(), keys.ID(b.get(c).KeyID)))
			lost = append(lost, c)
		}
		b.reopenKeys()
		b.runFor(10 * time.Second)
		for _, c := range lost {
			_, err := b.publish.JSON(b.Context(), b.account(bank), b.get(c))
			b.wantFault(err, fault.NotFound, "JSON without a key")
			_, err = b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
			b.wantFault(err, fault.NotFound, "ZIP without a key")
		}
		n, err := b.retain.Rebury(b.Context())
		if n != len(lost) || err != nil {
			b.Errorf("%d buried, %v", n, err)
		}
		for _, c := range lost {
			acts := b.acts(string(c.ID))
			deleted := slices.ContainsFunc(acts, func(act string) bool { return strings.HasPrefix(act, "system identification.deleted ") })
			if !b.gone(c) || !deleted {
				b.Errorf("%s: gone %t, %q", c.ID, b.gone(c), acts)
			}
			if files := b.filesOf(string(c.Company) + "/" + string(c.ID)); len(files) > 0 {
				b.Errorf("%d files are left", len(files))
			}
		}
		if b.gone(kept) || b.gone(canceled) {
			b.Error("what has its key, or needs none, is gone too")
		}
		if n, err := b.retain.Rebury(b.Context()); n != 0 || err != nil {
			b.Errorf("a second time: %d, %v", n, err)
		}
	})
}

// TestWhatTheKeyStoreHasNeverKnownIsLeftAlone plays a restored key store: it was opened
// before the missing key was drawn.
func TestWhatTheKeyStoreHasNeverKnownIsLeftAlone(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		old, c := b.keys.store, b.finished("1")
		b.ok(old.Destroy(b.Context(), keys.ID(b.get(c).KeyID)))
		if n, err := b.retain.Rebury(b.Context()); n != 0 || err != nil || b.gone(c) {
			b.Errorf("%d buried, %v", n, err)
		}
		if !strings.Contains(b.log.String(), "left alone") {
			b.Error("the log does not say so")
		}
		b.reopenKeys()
		if n, err := b.retain.Rebury(b.Context()); n != 1 || err != nil {
			b.Errorf("once the key is known: %d buried, %v", n, err)
		}
	})
}

// reopenKeys opens the key store once more, as the next process does.
func (b *bench) reopenKeys() {
	b.Helper()
	again, err := keys.Open(b.Context(), filepath.Join(b.dir, "keys", "keys.db"), b.master)
	b.ok(err)
	b.Cleanup(func() { b.ok(again.Close()) })
	b.keys.store = again
}

func TestReportCountsWhatIsDueAndWhatWasDeletedByWhom(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.keep(2*day, day)
		b.finished("1")
		b.canceled("2")
		b.start("3")
		b.start("4")
		b.start("5")
		b.ok(b.identify.Delete(b.Context(), bank, "5", "company"))
		deleted := b.clock.Now()
		time.Sleep(36 * time.Hour)
		report := func(only company.ID) []retention.Report {
			b.Helper()
			list, err := b.retain.Report(b.Context(), only, 24*time.Hour, deleted.Add(-time.Hour))
			b.ok(err)
			return list
		}
		want := []retention.Report{{
			Company: bank, Results: retention.Due{KeptFor: "48h0m0s", Soon: 2}, Unfinished: retention.Due{KeptFor: "24h0m0s", Now: 2, Soon: 2},
			Aborted: retention.Due{KeptFor: "168h0m0s"},
			Deleted: []retention.Deleted{{By: "company", Number: 1, First: deleted, Last: deleted}},
		}}
		if diff := cmp.Diff(want, report(bank)); diff != "" {
			b.Error(diff)
		}
		if got := report(""); len(got) != 2 || got[1].Company != other || len(got[1].Deleted) != 0 {
			b.Errorf("of all: %+v", got)
		}
		b.due()
		got := report(bank)[0]
		if len(got.Deleted) != 2 || got.Deleted[1].By != "retention" || got.Deleted[1].Number != 2 || got.Unfinished.Now != 0 {
			b.Errorf("after the deletion: %+v", got)
		}
		b.ok(b.accounts.Delete(b.Context(), bank))
		b.runFor(10 * time.Second)
		if got := report(bank); len(got) != 1 || !got[0].Gone || len(got[0].Deleted) != 3 {
			b.Errorf("of a deleted company: %+v", got)
		}
	})
}

// TestAbortedAttemptsLoseTheirEvidenceFirst has one identification with an aborted attempt and
// a good one, and one that stays aborted.
func TestAbortedAttemptsLoseTheirEvidenceFirst(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Retention.Aborted = 2 * day })
		c, left := b.start("1"), b.start("2")
		for _, c := range []videoident.Case{c, left} {
			b.take(c)
			b.ok(b.video.Record(b.Context(), c, pieces()...))
			b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		}
		first := b.filesOf(dossier.Folder(bank, c.ID))
		if len(first) == 0 {
			t.Fatal("no files to begin with")
		}
		time.Sleep(day)
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		zip, aborted := b.zip(c), b.json(left)
		b.due()
		count := func(c videoident.Case, attempt int) int {
			items, err := b.db.Evidence(b.Context(), c.ID, attempt)
			b.ok(err)
			return len(items)
		}
		if count(c, 1) == 0 || len(b.filesOf(dossier.Folder(bank, left.ID))) == 0 {
			t.Error("it went too early")
		}
		report, err := b.retain.Report(b.Context(), bank, 2*day, b.clock.Now())
		b.ok(err)
		if want := (retention.Due{KeptFor: "48h0m0s", Soon: 2}); report[0].Aborted != want {
			t.Errorf("%+v", report[0].Aborted)
		}
		time.Sleep(day)
		b.queue()
		b.queue() // of another node
		// Broken off after the files: done again.
		b.ok(b.retain.HandleForget(b.Context(), job.Job{Company: bank, Identification: c.ID, Payload: "1"}))
		b.due()
		now := b.filesOf(dossier.Folder(bank, c.ID))
		for name := range first {
			if now[name] != nil {
				t.Errorf("%s is still there", name)
			}
		}
		if count(c, 1) != 0 || count(c, 2) == 0 || count(left, 1) != 0 || len(b.filesOf(dossier.Folder(bank, left.ID))) != 0 {
			t.Errorf("evidence is left: %d, %d, %d", count(c, 1), count(c, 2), count(left, 1))
		}
		if !bytes.Equal(zip, b.zip(c)) || aborted != b.json(left) {
			t.Error("a result has changed")
		}
		for _, c := range []videoident.Case{c, left} {
			attempts, err := b.db.Attempts(b.Context(), c.ID)
			b.ok(err)
			if attempts[0].Outcome != ident.Aborted || attempts[0].Reason != ident.TechVideo {
				t.Errorf("the attempt itself: %+v", attempts)
			}
			acts, told := b.acts(string(c.ID)), 0
			for _, a := range acts {
				if a == "retention attempt.erased attempt 1" {
					told++
				}
			}
			if told != 1 {
				t.Errorf("%v", acts)
			}
		}
		// A user may try again after that.
		b.identified(left, "")
		b.review(left, evidence.Review{Decision: evidence.Confirm})
		b.zip(left)
		if report, err = b.retain.Report(b.Context(), bank, 30*day, b.clock.Now()); err != nil || report[0].Aborted.Soon != 0 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}
