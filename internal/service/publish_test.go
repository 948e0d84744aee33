package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/videoident"
)

const hookURL = "https://ihrebank.example/hook"

// subscribe has the bank told about events, by that policy.
func (b *bench) subscribe(p company.Policy, events ...company.Event) {
	b.Helper()
	b.apply(bank, func(c *company.Company) { c.Webhooks = []company.Webhook{{URL: hookURL, Events: events, Retry: p}} })
}

// events lists the events of the hooks that were sent, by their bodies' result.
func (b *bench) events() (all []string) {
	b.Helper()
	for _, h := range b.net.hooks() {
		var body struct {
			Process struct {
				Result string `json:"result"`
			} `json:"identificationprocess"`
		}
		b.ok(json.Unmarshal([]byte(h.Body), &body))
		all = append(all, body.Process.Result)
	}
	return all
}

// deliveries returns the deliveries of an identification.
func (b *bench) deliveries(c videoident.Case) []delivery.Delivery {
	b.Helper()
	all, err := b.publish.Deliveries(b.Context(), c.Company, c.ID, "", time.Time{}, "", 0)
	b.ok(err)
	return all
}

func TestHooksTellTheResultInOrder(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Events...)
		stop := b.run()
		c := b.start("1")
		b.take(c)
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		aborted := b.json(c)
		b.identified(c, "")
		preliminary := b.json(c)
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		final := b.json(c)
		time.Sleep(time.Second)
		stop()
		sent := b.net.hooks()
		if len(sent) != 3 {
			t.Fatalf("%d were sent", len(sent))
		}
		ids := map[string]bool{}
		for n, want := range []string{aborted, preliminary, final} {
			if sent[n].Body != want {
				t.Errorf("hook %d: %s, want %s", n, sent[n].Body, want)
			}
			if sent[n].URL != hookURL || sent[n].Secret != b.account(bank).Secrets.WebhookSecrets[0] {
				t.Errorf("hook %d: %+v", n, sent[n])
			}
			ids[sent[n].ID] = true
		}
		if len(ids) != 3 {
			t.Errorf("the ids are %v", ids)
		}
		for n, d := range b.deliveries(c) {
			if d.State != delivery.Delivered || d.Status != 200 || d.Tries != 1 || d.Seq != int64(n) {
				t.Errorf("%+v", d)
			}
		}
		if mails := b.net.notices(); len(mails) > 0 {
			t.Errorf("mails: %v", mails)
		}
	})
}

func TestOnlyWhatWasAskedForIsTold(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		b.finished("1")
		b.apply(bank, func(c *company.Company) {
			c.Realtime = false
			c.Webhooks = []company.Webhook{{URL: hookURL, Events: company.Events}}
		})
		c := b.start("2")
		b.identified(c, "")
		b.runFor(time.Second)
		if diff := cmp.Diff([]string{"SUCCESS"}, b.events()); diff != "" {
			t.Error(diff)
		}
		_, err := b.publish.JSON(b.Context(), b.account(bank), b.get(c))
		b.wantFault(err, fault.NotFound, "a preliminary result without realtime")
	})
}

func TestFailingHookIsTriedLessAndLessOften(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{MaxTime: time.Minute}, company.Final)
		b.net.answer = func(string, int) (int, string) { return 503, "" }
		stop := b.run()
		c := b.finished("1")
		began := time.Now()
		time.Sleep(2 * time.Minute)
		stop()
		var when []string
		ids, bodies := map[string]bool{}, map[string]bool{}
		for _, h := range b.net.hooks() {
			when = append(when, h.At.Sub(began).String())
			ids[h.ID], bodies[h.Body] = true, true
		}
		// The last try is exactly at the end of the time that it has.
		if diff := cmp.Diff([]string{"0s", "1s", "3s", "7s", "15s", "31s", "1m0s"}, when); diff != "" {
			t.Error(diff)
		}
		if len(ids) != 1 || len(bodies) != 1 {
			t.Errorf("%d ids, %d bodies", len(ids), len(bodies))
		}
		d := b.deliveries(c)[0]
		if d.State != delivery.Failed || d.Tries != 7 || d.Status != 503 || !d.DoneAt.Equal(began.Add(time.Minute)) {
			t.Errorf("%+v", d)
		}
		tries, err := b.publish.Tries(b.Context(), d.ID)
		if err != nil || len(tries) != 7 || tries[6].Number != 7 || tries[0].Status != 503 {
			t.Errorf("%v, %v", tries, err)
		}
		if diff := cmp.Diff([]string{"warning FINAL", "error FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
		if m := b.net.mails[0]; m.To != "tech@ihrebank.example" || !m.Date.Equal(began.Add(10*time.Second)) || m.Number != "1" {
			t.Errorf("the warning: %+v", m)
		}
		if m := b.net.mails[1]; !m.Date.Equal(began.Add(time.Minute)) {
			t.Errorf("the error: %+v", m)
		}
	})
}

func TestHookThatRecoversInTimeIsNotWarnedAbout(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		b.net.answer = func(_ string, try int) (int, string) {
			if try < 4 {
				return 0, "timeout"
			}
			return 204, ""
		}
		stop := b.run()
		c := b.finished("1")
		time.Sleep(time.Minute)
		stop()
		if d := b.deliveries(c)[0]; d.State != delivery.Delivered || d.Tries != 4 || d.Status != 204 || d.Problem != "" {
			t.Errorf("%+v", d)
		}
		if mails := b.net.notices(); len(mails) > 0 {
			t.Errorf("mails: %v", mails)
		}
	})
}

func TestWhatAnswersMeanIsTheAccountsChoice(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy company.Policy
		status int
		tries  int
		want   delivery.State
		mails  []string
	}{
		{"redirects are failures", company.Policy{MaxTime: 11 * time.Second}, 302, 5, delivery.Failed, []string{"warning FINAL", "error FINAL"}},
		{"success by choice", company.Policy{Success: []company.Codes{"2xx", "409"}}, 409, 1, delivery.Delivered, nil},
		{"permanent ends at once", company.Policy{Permanent: []company.Codes{"410"}}, 410, 1, delivery.Failed, []string{"error FINAL"}},
		{"the code wins over its class", company.Policy{Permanent: []company.Codes{"4xx"}, Success: []company.Codes{"2xx", "404"}}, 404, 1, delivery.Delivered, nil},
		{"no answer", company.Policy{MaxTime: 11 * time.Second}, 0, 5, delivery.Failed, []string{"warning FINAL", "error FINAL"}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.subscribe(c.policy, company.Final)
				b.net.answer = func(string, int) (int, string) { return c.status, "" }
				stop := b.run()
				id := b.finished("1")
				time.Sleep(20 * time.Second)
				stop()
				if d := b.deliveries(id)[0]; d.State != c.want || d.Tries != c.tries || d.Status != c.status {
					t.Errorf("%+v", d)
				}
				if diff := cmp.Diff(c.mails, b.net.notices()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestLaterEventSupersedesWhatWaitsForARetry(t *testing.T) {
	for _, subscribed := range []bool{true, false} {
		t.Run(fmt.Sprintf("later_one_subscribed_%v", subscribed), func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				events := []company.Event{company.Realtime}
				want := []string{"REVIEW_PENDING", "REVIEW_PENDING", "REVIEW_PENDING"}
				if subscribed {
					events = append(events, company.Final)
					want = append(want, "SUCCESS")
				}
				b.subscribe(company.Policy{}, events...)
				b.net.answer = func(_ string, try int) (int, string) {
					if try <= 3 {
						return 500, ""
					}
					return 200, ""
				}
				stop := b.run()
				c := b.start("1")
				b.identified(c, "")
				time.Sleep(5 * time.Second) // tried at 0, 1 and 3 s
				b.review(c, evidence.Review{Decision: evidence.Confirm})
				time.Sleep(time.Minute)
				stop()
				if diff := cmp.Diff(want, b.events()); diff != "" {
					t.Error(diff)
				}
				if d := b.deliveries(c)[0]; d.State != delivery.Superseded || d.Tries != 3 {
					t.Errorf("%+v", d)
				}
				if diff := cmp.Diff([]string{"outdated REALTIME"}, b.net.notices()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestTryInFlightIsLetFinish has the review come while the first hook is under way.
func TestTryInFlightIsLetFinish(t *testing.T) {
	for _, c := range []struct {
		status int
		want   delivery.State
		mails  []string
	}{{200, delivery.Delivered, nil}, {500, delivery.Superseded, []string{"outdated REALTIME"}}} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.subscribe(company.Policy{}, company.Realtime, company.Final)
				b.net.answer = func(_ string, try int) (int, string) {
					if try == 1 {
						time.Sleep(20 * time.Second) // longer than a lease, too
						return c.status, ""
					}
					return 200, ""
				}
				stop := b.run()
				id := b.start("1")
				b.identified(id, "")
				time.Sleep(10 * time.Second)
				b.review(id, evidence.Review{Decision: evidence.Confirm})
				time.Sleep(5 * time.Second)
				if got := len(b.net.hooks()); got != 1 {
					t.Errorf("%d hooks while the first is under way", got)
				}
				time.Sleep(10 * time.Second)
				stop()
				if diff := cmp.Diff([]string{"REVIEW_PENDING", "SUCCESS"}, b.events()); diff != "" {
					t.Error(diff)
				}
				if d := b.deliveries(id)[0]; d.State != c.want || d.Tries != 1 {
					t.Errorf("%+v", d)
				}
				if diff := cmp.Diff(c.mails, b.net.notices()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestWhatWasNotTriedYetIsTriedOnce(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Realtime, company.Final)
		b.finished("1") // both events before anything is sent
		b.runFor(time.Second)
		if diff := cmp.Diff([]string{"REVIEW_PENDING", "SUCCESS"}, b.events()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAddressesDoNotWaitForEachOther(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		urls := []string{"https://a.example", "https://b.example"}
		b.apply(bank, func(c *company.Company) {
			for _, url := range urls {
				c.Webhooks = append(c.Webhooks, company.Webhook{URL: url, Events: []company.Event{company.Realtime, company.Final}})
			}
		})
		b.net.answer = func(url string, _ int) (int, string) {
			if url == urls[0] {
				return 500, ""
			}
			return 200, ""
		}
		stop := b.run()
		c := b.finished("1")
		time.Sleep(2 * time.Second)
		stop()
		var done int
		for _, d := range b.deliveries(c) {
			if d.Target == urls[1] && d.State == delivery.Delivered {
				done++
			}
		}
		if done != 2 {
			t.Errorf("%d were delivered to the address that works", done)
		}
	})
}

func TestCanceledOneIsStrippedAfterItsHook(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Canceled)
		b.net.answer = func(_ string, try int) (int, string) {
			if try == 1 {
				return 500, ""
			}
			return 200, ""
		}
		stop := b.run()
		c := b.canceled("1")
		key := b.get(c).KeyID
		body := b.json(c)
		if !strings.Contains(body, lastName) || !strings.Contains(body, `"reason":"TECH_PHOTO"`) {
			t.Errorf("until then it is %s", body)
		}
		time.Sleep(3 * time.Second)
		stop()
		if sent := b.net.hooks(); len(sent) != 2 || sent[1].Body != body {
			t.Errorf("sent: %v", sent)
		}
		b.wantStripped(c, key)
		if d := b.deliveries(c)[0]; d.State != delivery.Delivered {
			t.Errorf("%+v", d)
		}
		b.wantFault(b.publish.Replay(b.Context(), bank, b.deliveries(c)[0].ID), fault.Precondition, "there is nothing left to be sent")
		b.runFor(3 * time.Second)
		if sent := b.net.hooks(); len(sent) != 2 {
			t.Errorf("%d were sent in the end", len(sent))
		}
	})
}

func TestCanceledOneIsStrippedWhenItsHookIsGivenUp(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{MaxTime: 11 * time.Second}, company.Canceled)
		b.net.answer = func(string, int) (int, string) { return 500, "" }
		stop := b.run()
		c := b.canceled("1")
		key := b.get(c).KeyID
		time.Sleep(15 * time.Second)
		stop()
		b.wantStripped(c, key)
	})
}

func TestCanceledOneIsStrippedAtOnceWhereNobodyIsTold(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		stop := b.run()
		c := b.canceled("1")
		key := b.get(c).KeyID
		time.Sleep(time.Millisecond)
		stop()
		b.wantStripped(c, key)
	})
}

// wantStripped looks that nothing personal is left of a canceled one, and that it is still
// listed.
func (b *bench) wantStripped(c videoident.Case, key string) {
	b.Helper()
	_, err := b.keys.Get(b.Context(), key)
	b.wantFault(err, fault.NotFound, "the key")
	i := b.get(c)
	_, err = b.db.Result(b.Context(), c.ID, i.ResultSeq)
	b.wantFault(err, fault.NotFound, "the result")
	entries := b.list(ident.ListCanceled, 0)
	if len(entries) != 1 || !strings.Contains(entries[0], string(c.ID)) || !strings.Contains(entries[0], `"reason":"TECH_PHOTO"`) || strings.Contains(entries[0], lastName) {
		b.Errorf("the list has %v", entries)
	}
	if json := b.json(c); json != entries[0] {
		b.Errorf("alone it is %s, in the list %s", json, entries[0])
	}
	_, err = b.publish.ZIP(b.Context(), b.account(bank), i)
	b.wantFault(err, fault.NotFound, "the archive")
}

func (b *bench) list(l ident.List, most int) (entries []string) {
	b.Helper()
	_, _, err := b.publish.List(b.Context(), b.account(bank), l, publish.Place{}, most, func(entry []byte) error {
		entries = append(entries, string(entry))
		return nil
	})
	b.ok(err)
	return entries
}

func TestDeletedIdentificationsHooksVanishInSilence(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		b.net.answer = func(_ string, try int) (int, string) {
			if try == 2 {
				time.Sleep(5 * time.Second)
			}
			return 500, ""
		}
		stop := b.run()
		waiting := b.finished("1")
		time.Sleep(500 * time.Millisecond)
		inFlight := b.finished("2") // whose try is the second one of this address
		time.Sleep(100 * time.Millisecond)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		b.ok(b.identify.Delete(b.Context(), bank, "2", "company"))
		sent := len(b.net.hooks())
		time.Sleep(time.Minute)
		stop()
		if now := len(b.net.hooks()); now != sent {
			t.Errorf("%d were sent after the deletion", now-sent)
		}
		for _, c := range []videoident.Case{waiting, inFlight} {
			if d := b.deliveries(c)[0]; d.State != delivery.Superseded || d.Problem != "deleted" {
				t.Errorf("%+v", d)
			}
		}
		if mails := b.net.notices(); len(mails) > 0 {
			t.Errorf("mails: %v", mails)
		}
		if b.log.Len() > 0 {
			t.Errorf("the log tells: %s", b.log)
		}
	})
}

func TestReplayedHookIsTheSameOnceMore(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{MaxTime: 11 * time.Second}, company.Final)
		b.net.answer = func(_ string, try int) (int, string) { return map[bool]int{true: 200, false: 500}[try > 7], "" }
		stop := b.run()
		c := b.finished("1")
		time.Sleep(15 * time.Second)
		d := b.deliveries(c)[0]
		if d.State != delivery.Failed || d.Tries != 5 {
			t.Fatalf("%+v", d)
		}
		b.wantFault(b.publish.Replay(b.Context(), other, d.ID), fault.NotFound, "another company's")
		began := time.Now()
		b.ok(b.publish.Replay(b.Context(), bank, d.ID))
		time.Sleep(10 * time.Second)
		stop()
		sent := b.net.hooks()
		var when []string
		for _, h := range sent[5:] {
			if h.ID != sent[0].ID || h.Body != sent[0].Body {
				t.Errorf("it is another: %+v", h)
			}
			when = append(when, h.At.Sub(began).String())
		}
		if diff := cmp.Diff([]string{"0s", "1s", "3s"}, when); diff != "" {
			t.Errorf("its tries begin anew: %s", diff)
		}
		if d := b.deliveries(c)[0]; d.State != delivery.Delivered || d.Tries != 8 {
			t.Errorf("%+v", d)
		}
		if acts := b.acts("company:ihrebank"); acts[len(acts)-1] != "operator webhook.replayed "+d.ID {
			t.Errorf("the trail tells %v", acts)
		}
	})
}

func TestAddressThatWasRemovedIsGivenUp(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		c := b.finished("1")
		b.apply(bank, nil)
		b.runFor(time.Second)
		if d := b.deliveries(c)[0]; d.State != delivery.Failed || d.Problem != "the account has this address no more" || len(b.net.hooks()) != 0 {
			t.Errorf("%+v, %d were sent", d, len(b.net.hooks()))
		}
		if diff := cmp.Diff([]string{"error FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAddressThatWasChangedIsGivenUpWithAMail(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		b.net.answer = func(string, int) (int, string) { return 500, "" }
		stop := b.run()
		c := b.finished("1")
		time.Sleep(500 * time.Millisecond)
		b.apply(bank, func(c *company.Company) {
			c.Webhooks = []company.Webhook{{URL: hookURL + "/new", Events: []company.Event{company.Final}}}
		})
		time.Sleep(time.Minute)
		stop()
		d := b.deliveries(c)[0]
		if d.State != delivery.Failed || d.Tries != 1 {
			t.Errorf("%+v", d)
		}
		b.wantFault(b.publish.Replay(b.Context(), bank, d.ID), fault.Precondition, "an address that is gone")
		if diff := cmp.Diff(d, b.deliveries(c)[0]); diff != "" {
			t.Errorf("the log has changed: %s", diff)
		}
		if diff := cmp.Diff([]string{"error FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReplayOfDeletedContentIsRefusedAndTheLogKept(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final, company.Canceled)
		stop := b.run()
		deleted, canceled := b.finished("1"), b.inState(ident.Canceled, "2")
		time.Sleep(10 * time.Second)
		before := append(b.deliveries(deleted), b.deliveries(canceled)...)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		time.Sleep(10 * time.Second)
		sent, acts := len(b.net.hooks()), len(b.acts("company:ihrebank"))
		for _, d := range before {
			if d.State != delivery.Delivered {
				t.Fatalf("%+v", d)
			}
			b.wantFault(b.publish.Replay(b.Context(), bank, d.ID), fault.Precondition, "deleted content")
		}
		time.Sleep(10 * time.Second)
		stop()
		if diff := cmp.Diff(before, append(b.deliveries(deleted), b.deliveries(canceled)...)); diff != "" {
			t.Errorf("the log has changed: %s", diff)
		}
		if len(b.net.hooks()) != sent || len(b.acts("company:ihrebank")) != acts {
			t.Error("something was sent, or written down")
		}
	})
}

func TestAWarningThatWasNotAskedForNeverComesAfterTheEnd(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{MaxTime: 5 * time.Second}, company.Final)
		b.net.answer = func(string, int) (int, string) { return 500, "" }
		stop := b.run()
		b.finished("1")
		time.Sleep(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"error FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoticeIsSentAgainUntilTheMailServerTakesIt(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{Permanent: []company.Codes{"410"}}, company.Final)
		b.net.answer = func(string, int) (int, string) { return 410, "" }
		b.net.refuse = errors.New("mail server down")
		stop := b.run()
		b.finished("1")
		time.Sleep(2 * time.Second)
		b.net.gate.Lock()
		b.net.refuse = nil
		b.net.gate.Unlock()
		time.Sleep(10 * time.Second)
		stop()
		if diff := cmp.Diff([]string{"error FINAL"}, b.net.notices()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestListsShowEachStateToItsCompany(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		want := map[ident.List][]string{}
		for _, s := range ident.States {
			if s.Valid() {
				c := b.inState(s, "n"+string(s))
				want[s.List()] = append([]string{string(c.ID)}, want[s.List()]...)
				time.Sleep(time.Second) // so that the newest is clear
			}
		}
		for l, ids := range want {
			for _, size := range []int{0, 100} {
				entries := b.list(l, size)
				if len(entries) != len(ids) {
					t.Fatalf("%s has %d entries, want %d", l, len(entries), len(ids))
				}
				for n, entry := range entries {
					if !strings.Contains(entry, `"`+ids[n]+`"`) || !json.Valid([]byte(entry)) {
						t.Errorf("entry %d of %s is %s, want %s", n, l, entry, ids[n])
					}
				}
			}
			b.wantPaged(l, len(ids))
		}
	})
}

// wantPaged reads a list two at a time.
func (b *bench) wantPaged(l ident.List, want int) {
	b.Helper()
	var got []string
	place, more := publish.Place{}, true
	for more {
		var err error
		before := len(got)
		place, more, err = b.publish.List(b.Context(), b.account(bank), l, place, 2, func(entry []byte) error {
			got = append(got, string(entry))
			return nil
		})
		b.ok(err)
		if n := len(got) - before; n > 2 || more && n < 2 {
			b.Errorf("a page of %d", n)
		}
	}
	if !slices.Equal(got, b.list(l, 0)) || len(got) != want {
		b.Errorf("%s in pages has %d entries, want %d", l, len(got), want)
	}
}

func TestArchiveIsTheSameAtEveryTimeAndWhole(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Results.XMLSignature = true })
		c := b.finished("1")
		first := b.zip(c)
		time.Sleep(time.Hour)
		b.apply(bank, func(c *company.Company) { c.Name = "renamed" })
		if second := b.zip(c); !slices.Equal(first, second) {
			t.Error("an hour later it is another")
		}
		members := b.members(c)
		for _, name := range []string{"1.pdf", "1.json", "1.xml", "1.sig", "1.mp3", "1_idfrontside.jpg", "1_userface.jpg"} {
			if members[name] == "" {
				t.Errorf("%s is missing", name)
			}
		}
		if !strings.Contains(members["1.json"], b.json(c)) {
			t.Error("the JSON in the archive is not the JSON")
		}
		if members["1.pdf"] != "%PDF with 2 pictures" || len(members) != 7 {
			t.Errorf("%d members, the PDF is %s", len(members), members["1.pdf"])
		}
	})
}

func TestNoArchiveWithoutAResult(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		for _, s := range ident.States {
			if !s.Valid() {
				continue
			}
			c := b.inState(s, "n"+string(s))
			_, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
			_, jerr := b.publish.JSON(b.Context(), b.account(bank), b.get(c))
			has := s.Final() || s.Preliminary()
			if has != (err == nil) || !has && !fault.Is(err, fault.NotFound) {
				t.Errorf("the archive of %s: %v", s, err)
			}
			has = has || s == ident.Aborted || s == ident.Canceled
			if has != (jerr == nil) || !has && !fault.Is(jerr, fault.NotFound) {
				t.Errorf("the JSON of %s: %v", s, jerr)
			}
		}
	})
}
