package service_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/videoident"
)

func TestEveryDeedIsInTheAuditTrail(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.request(c)
		b.ok(b.video.Abort(b.Context(), c, "USER_CANCELLATION", "user"))
		b.identified(c, "WARNING_PHOTO")
		b.review(c, evidence.Review{Decision: evidence.ConfirmFraud})
		b.ok(b.identify.Archive(b.Context(), b.account(bank), "1"))
		_, err := b.identify.Copy(b.Context(), b.account(bank), "1", other, "")
		b.ok(err)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		want := []string{
			"company identification.created",
			"user attempt.requested VIDEO",
			"user attempt.aborted USER_CANCELLATION",
			"user attempt.requested VIDEO",
			"agent:A attempt.taken",
			"agent:A evidence.recorded 9",
			"agent:A verdict.given FRAUD_SUSPICION_PENDING",
			"agent:B review.decided FRAUD_SUSPICION_CONFIRMED",
			"company identification.archived",
			"company identification.copied to testbank",
			"company identification.deleted ARCHIVED",
			"system identification.erased",
		}
		if diff := cmp.Diff(want, b.acts(string(c.ID))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestVerdictNeedsItsEvidence(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.take(c)
		v := evidence.Verdict{Data: data()}
		err := b.video.Conclude(b.Context(), c, v)
		b.wantFault(err, fault.Precondition, "without anything")
		for n, p := range pieces() {
			if image, ok := p.What.(evidence.Image); ok && image.Key == "userface" {
				continue
			}
			b.ok(b.video.Record(b.Context(), c, pieces()[n]))
		}
		err = b.video.Conclude(b.Context(), c, v)
		b.wantFault(err, fault.Precondition, "without the face")
		if err == nil || !strings.HasSuffix(err.Error(), "lacks userface") {
			t.Errorf("got %v", err)
		}
		if got := b.get(c).State; got != ident.InProcess {
			t.Errorf("it is %s", got)
		}
		b.ok(b.video.Record(b.Context(), c, videoident.Piece{What: evidence.Image{Key: "userface", Format: "jpeg"}, Bytes: []byte("face")}))
		b.ok(b.video.Conclude(b.Context(), c, v))
		if got := b.get(c).State; got != ident.ReviewPending {
			t.Errorf("it is %s", got)
		}
	})
}

func TestEvidenceOfAnEarlierAttemptDoesNotCount(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.take(c)
		b.ok(b.video.Record(b.Context(), c, pieces()...))
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		b.take(c)
		b.wantFault(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data()}), fault.Precondition, "a verdict upon it")
	})
}

func TestVerdictIsChecked(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.inState(ident.InProcess, "1")
		bad := data()
		bad.Userdata[person.Birthday] = "1975-02-30"
		b.wantFault(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: bad}), fault.Invalid, "a day that does not exist")
		b.wantFault(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data(), Suspect: "TECH_VIDEO"}), fault.Invalid, "a suspicion that is none")
	})
}

func TestNothingIsRecordedOutsideAnAttempt(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range ident.States {
			if !s.Valid() || s == ident.InProcess {
				continue
			}
			c := b.inState(s, "n"+string(s))
			files := len(b.filesOf(string(bank) + "/" + string(c.ID)))
			b.wantFault(b.video.Record(b.Context(), c, pieces()...), fault.Precondition, string(s))
			if now := len(b.filesOf(string(bank) + "/" + string(c.ID))); now != files {
				t.Errorf("%s: %d files instead of %d", s, now, files)
			}
		}
		c := b.inState(ident.InProcess, "in-process")
		if err := b.video.Record(b.Context(), c, videoident.Piece{What: "a string"}); err == nil {
			t.Error("what is no evidence was taken")
		}
	})
}

func TestEvidenceRecordedAtOnceGetsNumbersOfItsOwn(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.take(c)
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				check := videoident.Piece{What: evidence.Check{Name: "light", Passed: true}}
				if err := b.video.Record(b.Context(), c, check, check); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		items, err := b.db.Evidence(b.Context(), c.ID, 1)
		if err != nil || len(items) != 24 || items[23].Seq != 24 {
			t.Errorf("%d items, %v", len(items), err)
		}
	})
}

func TestOfTwoVerdictsAtOnceOneCounts(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.inState(ident.InProcess, "1")
		var given atomic.Int32
		var all sync.WaitGroup
		for _, suspect := range []ident.Reason{"", "WARNING_PHOTO"} {
			all.Go(func() {
				err := b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data(), Suspect: suspect})
				if err == nil {
					given.Add(1)
				} else if !fault.Is(err, fault.Precondition) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		judgements, err := b.db.Judgements(b.Context(), c.ID, 1)
		if given.Load() != 1 || len(judgements) != 1 || err != nil {
			t.Errorf("%d were given, %d are stored, %v", given.Load(), len(judgements), err)
		}
	})
}

func TestOfTwoReviewsAtOnceOneCounts(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.inState(ident.ReviewPending, "1")
		var given atomic.Int32
		var all sync.WaitGroup
		for _, reviewer := range []string{"B", "C"} {
			all.Go(func() {
				if err := b.video.Review(b.Context(), c, evidence.Review{Reviewer: reviewer, Decision: evidence.Confirm}); err == nil {
					given.Add(1)
				} else if !fault.Is(err, fault.Precondition) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if given.Load() != 1 || b.get(c).ResultSeq != 2 {
			t.Errorf("%d were given, the last result is %d", given.Load(), b.get(c).ResultSeq)
		}
	})
}

func TestReviewNeedsAnotherPerson(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.inState(ident.ReviewPending, "1")
		for _, reviewer := range []string{"A", "a"} {
			err := b.video.Review(b.Context(), c, evidence.Review{Reviewer: reviewer, Decision: evidence.Confirm})
			b.wantFault(err, fault.Forbidden, reviewer)
		}
		if got := b.get(c).State; got != ident.ReviewPending {
			t.Errorf("it is %s", got)
		}
	})
}

func TestReviewsGiveTheirResult(t *testing.T) {
	changed := data()
	changed.Userdata[person.Firstname] = "ANNE"
	for _, c := range []struct {
		name    string
		suspect ident.Reason
		review  evidence.Review
		want    ident.State
		reason  ident.Reason
		fault   fault.Kind
	}{
		{"confirmed", "", evidence.Review{Decision: evidence.Confirm}, ident.Success, "", 0},
		{"corrected", "", evidence.Review{Decision: evidence.Correct, Data: changed}, ident.SuccessChanged, "", 0},
		{"corrected without a change", "", evidence.Review{Decision: evidence.Correct, Data: data()}, ident.Success, "", 0},
		{"fraud that only the reviewer saw", "", evidence.Review{Decision: evidence.ConfirmFraud, Reason: "WARNING_FAKE_ID"}, ident.FraudConfirmed, "WARNING_FAKE_ID", 0},
		{"fraud without a suspicion", "", evidence.Review{Decision: evidence.ConfirmFraud}, "", "", fault.Invalid},
		{"fraud for a reason that is none", "", evidence.Review{Decision: evidence.ConfirmFraud, Reason: "TECH_VIDEO"}, "", "", fault.Invalid},
		{"fraud confirmed", "WARNING_PHOTO", evidence.Review{Decision: evidence.ConfirmFraud}, ident.FraudConfirmed, "WARNING_PHOTO", 0},
		{"fraud cleared", "WARNING_PHOTO", evidence.Review{Decision: evidence.ClearFraud}, ident.Success, "", 0},
		{"fraud cleared that nobody suspected", "", evidence.Review{Decision: evidence.ClearFraud}, "", "", fault.Invalid},
		{"fraud just confirmed away", "WARNING_PHOTO", evidence.Review{Decision: evidence.Confirm}, "", "", fault.Invalid},
		{"canceled", "", evidence.Review{Decision: evidence.Cancel, Reason: "TECH_LIGHTING"}, ident.Canceled, "TECH_LIGHTING", 0},
		{"a suspicion canceled", "WARNING_PHOTO", evidence.Review{Decision: evidence.Cancel, Reason: "TECH_LIGHTING"}, ident.Canceled, "TECH_LIGHTING", 0},
		{"canceled for no reason", "", evidence.Review{Decision: evidence.Cancel}, "", "", fault.Invalid},
		{"decided otherwise", "", evidence.Review{Decision: "PERHAPS"}, "", "", fault.Invalid},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				id := b.start("1")
				b.identified(id, c.suspect)
				before := b.get(id)
				c.review.Reviewer = "B"
				err := b.video.Review(b.Context(), id, c.review)
				if c.want == "" {
					b.wantFault(err, c.fault, c.name)
					if diff := cmp.Diff(before, b.get(id)); diff != "" {
						t.Error(diff)
					}
					return
				}
				b.ok(err)
				if got := b.get(id); got.State != c.want || got.Result != c.want || got.Reason != c.reason || got.Previous != before.State {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestAgentsChangeMakesTheResultChanged(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.inState(ident.InProcess, "1")
		changed := data()
		changed.Userdata[person.Lastname] = "ANDERS"
		b.ok(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: changed}))
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		if got := b.get(c).State; got != ident.SuccessChanged {
			t.Errorf("it is %s", got)
		}
	})
}

func TestAttemptIsAbortedForAReasonOfTheTable(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, f := range ident.Failures {
			for _, s := range []ident.State{ident.Waiting, ident.InProcess} {
				c := b.inState(s, string(s)+"-"+string(f.Reason))
				for _, bad := range []ident.Reason{"", "NO_REASON", "WARNING_PHOTO"} {
					b.wantFault(b.video.Abort(b.Context(), c, bad, "user"), fault.Invalid, string(bad))
				}
				b.ok(b.video.Abort(b.Context(), c, f.Reason, "user"))
				i := b.get(c)
				attempts, err := b.db.Attempts(b.Context(), c.ID)
				b.ok(err)
				a := attempts[0]
				if i.State != ident.Aborted || i.Reason != f.Reason || a.Outcome != ident.Aborted || a.Reason != f.Reason || a.EndedAt.IsZero() {
					t.Errorf("%+v, %+v", i, a)
				}
				b.wantFault(b.video.Abort(b.Context(), c, f.Reason, "user"), fault.Precondition, "a second time")
				if json := b.json(c); !strings.Contains(json, `"reason":"`+string(f.Reason)+`"`) || strings.Contains(json, "X1") {
					t.Errorf("the result is %s", json)
				}
			}
		}
	})
}

func TestOnlyOneAttemptIsOpen(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		var requested atomic.Int32
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				err := b.video.Request(b.Context(), c, ident.Robot, ident.App, nil)
				if err == nil {
					requested.Add(1)
				} else if !fault.Is(err, fault.Precondition) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if requested.Load() != 1 || b.get(c).Attempts != 1 || b.get(c).Channel != ident.App {
			t.Errorf("%d were requested: %+v", requested.Load(), b.get(c))
		}
		b.ok(b.video.Take(b.Context(), c, "A"))
		b.wantFault(b.video.Take(b.Context(), c, "C"), fault.Precondition, "taken by another")
		if got := b.get(c).Agent; got != "A" {
			t.Errorf("the agent is %s", got)
		}
	})
}

func TestWhatARequestCausesIsPartOfIt(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		failed := errors.New("failed")
		err := b.video.Request(b.Context(), c, ident.Robot, ident.Web, func(context.Context, ident.Attempt) error { return failed })
		if !errors.Is(err, failed) || b.get(c).State != ident.Created {
			t.Errorf("%v, %s", err, b.get(c).State)
		}
		b.wantFault(b.video.Request(b.Context(), videoident.Case{Company: "nobody", ID: c.ID}, ident.Robot, ident.Web, nil), fault.NotFound, "of no company")
		b.wantFault(b.video.Request(b.Context(), videoident.Case{Company: other, ID: c.ID}, ident.Robot, ident.Web, nil), fault.NotFound, "of another company")
	})
}

func TestAttemptEndsAfterHalfAnHour(t *testing.T) {
	inBubble(t, 15, func(b *bench) { // two minutes, that is
		stop := b.run()
		waiting, talking, early, done := b.inState(ident.Waiting, "1"), b.inState(ident.InProcess, "2"), b.inState(ident.Waiting, "3"), b.inState(ident.ReviewPending, "4")
		b.ok(b.video.Abort(b.Context(), early, ident.TechVideo, "user"))
		time.Sleep(80 * time.Second)
		b.request(early) // a second attempt has a half hour of its own
		time.Sleep(39900 * time.Millisecond)
		for _, c := range []videoident.Case{waiting, talking} {
			if got := b.get(c).State; !got.Open() {
				t.Errorf("before its time it is %s", got)
			}
		}
		time.Sleep(200 * time.Millisecond)
		for _, c := range []videoident.Case{waiting, talking} {
			if got := b.get(c); got.State != ident.Aborted || got.Reason != ident.TechTimeout {
				t.Errorf("after its time it is %s %s", got.State, got.Reason)
			}
			if acts := b.acts(string(c.ID)); !slices.Contains(acts, "system attempt.aborted TECH_TIMEOUT") {
				t.Errorf("the trail tells %v", acts)
			}
		}
		if got := b.get(early).State; got != ident.Waiting {
			t.Errorf("the second attempt is %s", got)
		}
		if got := b.get(done).State; got != ident.ReviewPending {
			t.Errorf("what was finished is %s", got)
		}
		time.Sleep(80 * time.Second)
		if got := b.get(early).State; got != ident.Aborted {
			t.Errorf("in the end it is %s", got)
		}
		stop()
		if b.log.Len() > 0 {
			t.Errorf("the log tells: %s", b.log)
		}
	})
}

func TestNoSpeedEndsAnAttemptBeforeAMinute(t *testing.T) {
	inBubble(t, 5000, func(b *bench) {
		stop := b.run()
		waiting := b.inState(ident.Waiting, "1")
		time.Sleep(59 * time.Second)
		if got := b.get(waiting).State; got != ident.Waiting {
			t.Errorf("after 59 seconds it is %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := b.get(waiting).State; got != ident.Aborted {
			t.Errorf("after 61 seconds it is %s", got)
		}
		stop()
	})
}

func TestWaitingTimeIsEstimated(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		want := func(seconds time.Duration, people int) {
			t.Helper()
			got, n, err := b.video.Waiting(b.Context(), bank)
			if err != nil || got != seconds*time.Second || n != people {
				t.Errorf("%v with %d waiting, %v; want %d s with %d", got, n, err, seconds, people)
			}
		}
		want(0, 0)
		first := b.inState(ident.Waiting, "1")
		want(0, 1)
		time.Sleep(20 * time.Second)
		want(30, 1) // 20 and a quarter
		b.ok(b.video.Take(b.Context(), first, "A"))
		want(0, 0)
		second := b.inState(ident.Waiting, "2")
		want(15, 1) // the mean of 20 and 0, and a quarter
		if got, n, err := b.video.Waiting(b.Context(), other); got != 0 || n != 0 || err != nil {
			t.Errorf("another company waits %v, %d, %v", got, n, err)
		}
		b.ok(b.video.Abort(b.Context(), second, "USER_ABORT_WHILE_WAITING", "user"))
		time.Sleep(11 * time.Minute) // out of the window
		b.inState(ident.Waiting, "3")
		want(0, 1)
	})
}

func TestCancellationForgetsAtOnce(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.identified(c, "")
		before := b.get(c)
		b.trace.take()
		b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
		if diff := cmp.Diff([]string{"key " + before.KeyID, "files ihrebank/" + string(c.ID) + "/" + before.KeyID}, b.trace.take()); diff != "" {
			t.Error(diff)
		}
		items, err := b.db.Evidence(b.Context(), c.ID, 1)
		judgements, jerr := b.db.Judgements(b.Context(), c.ID, 1)
		attempts, aerr := b.db.Attempts(b.Context(), c.ID)
		b.ok(errors.Join(err, jerr, aerr))
		if len(items) > 0 || len(judgements) > 0 || len(attempts) != 1 {
			t.Errorf("%d items, %d judgements and %d attempts are left", len(items), len(judgements), len(attempts))
		}
		_, err = b.db.Result(b.Context(), c.ID, 1)
		b.wantFault(err, fault.NotFound, "the preliminary result")
	})
}

func TestCancellationThatBreaksOffIsFinishedLater(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.identified(c, "")
		before := b.get(c)
		b.keys.down = errors.New("key store down")
		b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
		b.keys.down = nil
		b.runFor(5 * time.Second)
		_, err := b.keys.Get(b.Context(), before.KeyID)
		b.wantFault(err, fault.NotFound, "the old key")
		if files := b.filesOf(string(bank)); len(files) > 0 {
			t.Errorf("%d files are left", len(files))
		}
	})
}
