package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/storetest"
)

// handover is the delivery number seq of a lane, due at noon.
func handover(id, lane string, seq int64) delivery.Delivery {
	return delivery.Delivery{
		ID: id, Way: delivery.Webhook, Company: "ihrebank", Identification: "IBA-22222", Lane: lane, Seq: seq, Event: company.Final, ResultSeq: seq + 1, KeyID: "key", Target: "https://x.example",
		State: delivery.Pending, Hash: []byte{7}, CreatedAt: second(int(seq)), DueAt: noon,
	}
}

func addDeliveries(t testing.TB, db *DB, all ...delivery.Delivery) {
	t.Helper()
	change(t, db, func(ctx context.Context) error {
		for _, d := range all {
			if err := db.AddDelivery(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// take claims at a second, with a lease of eight.
func take(t testing.TB, db *DB, node string, now, most int) []delivery.Delivery {
	t.Helper()
	got, err := db.ClaimDeliveries(t.Context(), delivery.Webhook, node, second(now), second(now+8), most, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantIDs compares ids without regard to order.
func wantIDs(t testing.TB, got []delivery.Delivery, ids ...string) {
	t.Helper()
	want, have := map[string]int{}, map[string]int{}
	for _, id := range ids {
		want[id]++
	}
	for _, d := range got {
		have[d.ID]++
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("got: %s", diff)
	}
}

func end(t testing.TB, db *DB, d delivery.Delivery, node string, state delivery.State) {
	t.Helper()
	d.State, d.Tries, d.FirstAt, d.DoneAt = state, d.Tries+1, second(1), second(2)
	change(t, db, func(ctx context.Context) error { return db.EndDelivery(ctx, d, node) })
}

func TestClaimedDeliveryIsAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		d := handover("a", "lane", 0)
		addDeliveries(t, db, d)
		if diff := cmp.Diff([]delivery.Delivery{d}, take(t, db, "one", 0, 10)); diff != "" {
			t.Error(diff)
		}
		got, err := db.Delivery(t.Context(), "a")
		if diff := cmp.Diff(d, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if _, err := db.Delivery(t.Context(), "b"); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that never was: %v", err)
		}
	})
}

func TestDeliveriesOfALaneGoOutInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		first := handover("first", "lane", 0)
		first.DueAt = second(5) // waits for a retry, say
		addDeliveries(t, db, handover("second", "lane", 1), first, handover("other", "other lane", 1))
		wantIDs(t, take(t, db, "one", 1, 10), "other")
		wantIDs(t, take(t, db, "one", 5, 10), "first")
		wantIDs(t, take(t, db, "one", 6, 10))
		end(t, db, first, "one", delivery.Failed)
		wantIDs(t, take(t, db, "one", 6, 10), "second")
	})
}

func TestBusyAddressesAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		slow, quick := handover("slow", "a", 0), handover("quick", "b", 0)
		slow.Target = "https://slow.example"
		addDeliveries(t, db, slow, quick)
		got, err := db.ClaimDeliveries(t.Context(), delivery.Webhook, "one", second(1), second(9), 10, []string{"https://slow.example"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, got, "quick")
		got, err = db.ClaimDeliveries(t.Context(), delivery.Webhook, "one", second(1), second(9), 10, nil, []company.ID{"other", slow.Company})
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, got)
		wantIDs(t, take(t, db, "one", 2, 10), "slow")
	})
}

func TestEndedDeliveryKeepsHowItEnded(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		d := handover("a", "lane", 0)
		addDeliveries(t, db, d)
		take(t, db, "one", 0, 10)
		d.State, d.Tries, d.Status, d.Problem, d.FirstAt, d.DoneAt = delivery.Failed, 3, 503, "timeout", second(1), second(9)
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.EndDelivery(ctx, d, "two") }); !db.Late(err) {
			t.Errorf("by another node: %v", err)
		}
		change(t, db, func(ctx context.Context) error { return db.EndDelivery(ctx, d, "one") })
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.EndDelivery(ctx, d, "one") }); !db.Late(err) {
			t.Errorf("twice: %v", err)
		}
		got, err := db.Delivery(t.Context(), "a")
		if diff := cmp.Diff(d, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		wantIDs(t, take(t, db, "one", 100, 10))
	})
}

func TestRetriedDeliveryWaitsUntilItIsDue(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		d := handover("a", "lane", 0)
		addDeliveries(t, db, d)
		take(t, db, "one", 0, 10)
		d.Tries, d.Status, d.Problem, d.FirstAt, d.DueAt = 1, 500, "", second(1), second(4)
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.RetryDelivery(ctx, d, "two") }); !db.Late(err) {
			t.Errorf("by another node: %v", err)
		}
		change(t, db, func(ctx context.Context) error { return db.RetryDelivery(ctx, d, "one") })
		wantIDs(t, take(t, db, "two", 3, 10))
		if next, err := db.NextDelivery(t.Context(), delivery.Webhook, second(3)); err != nil || !next.Equal(second(4)) {
			t.Errorf("the next is due at %v, %v", next, err)
		}
		if diff := cmp.Diff([]delivery.Delivery{d}, take(t, db, "two", 4, 10)); diff != "" {
			t.Error(diff)
		}
		if next, err := db.NextDelivery(t.Context(), delivery.Webhook, second(4)); err != nil || !next.IsZero() {
			t.Errorf("the next is due at %v, %v", next, err)
		}
	})
}

func TestDeliveryOfADeadNodeIsTakenOver(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addDeliveries(t, db, handover("a", "a", 0), handover("b", "b", 0))
		take(t, db, "dead", 0, 10)
		wantIDs(t, take(t, db, "alive", 8, 10))
		if err := db.ExtendDeliveries(t.Context(), "nobody", []string{"a", "b"}, second(100)); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, take(t, db, "alive", 9, 10), "a", "b")
		if err := db.ExtendDeliveries(t.Context(), "alive", []string{"a", "b"}, second(100)); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, take(t, db, "third", 50, 10))
		if err := db.FreeLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, take(t, db, "third", 50, 10), "a", "b")
	})
}

func TestOnlyWhatWaitsForARetryIsSuperseded(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		waits, fresh, inHand, done, other := handover("waits", "a", 0), handover("fresh", "b", 0), handover("in hand", "c", 0), handover("done", "d", 0), handover("other", "e", 0)
		other.Identification = "IBA-33333"
		addDeliveries(t, db, waits, inHand, done, other)
		take(t, db, "one", 0, 10)
		end(t, db, done, "one", delivery.Delivered)
		for _, d := range []delivery.Delivery{waits, inHand, other} {
			d.Tries, d.FirstAt, d.DueAt = 1, second(1), second(50)
			if d.ID == inHand.ID {
				d.DueAt = second(2)
			}
			change(t, db, func(ctx context.Context) error { return db.RetryDelivery(ctx, d, "one") })
		}
		wantIDs(t, take(t, db, "one", 3, 10), "in hand")
		addDeliveries(t, db, fresh)
		var got []delivery.Delivery
		change(t, db, func(ctx context.Context) (err error) {
			got, err = db.SupersedeDeliveries(ctx, "IBA-22222", second(4))
			return err
		})
		wantIDs(t, got, "waits")
		if got[0].State != delivery.Superseded || !got[0].DoneAt.Equal(second(4)) {
			t.Errorf("%+v", got[0])
		}
		if n, err := db.OpenDeliveries(t.Context(), "IBA-22222"); err != nil || n != 2 {
			t.Errorf("%d are open, %v", n, err)
		}
	})
}

func TestDroppedDeliveriesEndInSilence(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		inHand, other := handover("in hand", "a", 0), handover("other", "b", 0)
		other.Identification = "IBA-33333"
		addDeliveries(t, db, inHand, other)
		take(t, db, "one", 0, 10)
		addDeliveries(t, db, handover("fresh", "a", 1))
		change(t, db, func(ctx context.Context) error { return db.DropDeliveries(ctx, "IBA-22222", second(3)) })
		for id, problem := range map[string]string{"in hand": delivery.DeletedUnderWay, "fresh": delivery.Deleted} {
			if d, err := db.Delivery(t.Context(), id); err != nil || d.State != delivery.Superseded || d.Problem != problem {
				t.Errorf("%+v, %v", d, err)
			}
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.EndDelivery(ctx, inHand, "one") }); !db.Late(err) {
			t.Errorf("the end of one that was dropped in hand: %v", err)
		}
		// It arrived all the same: once, and as the try that was begun last.
		arrived := inHand
		arrived.State, arrived.Status, arrived.Bytes, arrived.DoneAt = delivery.Delivered, 250, 17, second(4)
		for _, c := range []struct {
			tries int
			late  bool
		}{{inHand.Tries + 2, true}, {inHand.Tries + 1, false}, {inHand.Tries + 1, true}} {
			arrived.Tries = c.tries
			err := db.InTx(t.Context(), func(ctx context.Context) error { return db.EndDroppedDelivery(ctx, arrived) })
			if db.Late(err) != c.late || err != nil && !c.late {
				t.Errorf("try %d arrived: %v", c.tries, err)
			}
		}
		if d, err := db.Delivery(t.Context(), "in hand"); err != nil || d.State != delivery.Delivered || d.Problem != "" || d.Bytes != 17 || !d.DoneAt.Equal(second(4)) {
			t.Errorf("%+v, %v", d, err)
		}
		if n, err := db.OpenDeliveries(t.Context(), "IBA-33333"); err != nil || n != 1 {
			t.Errorf("%d of another identification are open, %v", n, err)
		}
	})
}

func TestReplayedDeliveryIsMadeOnceMore(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		d := handover("a", "lane", 0)
		addDeliveries(t, db, d)
		replay := func(c company.ID, id string) error {
			return db.InTx(t.Context(), func(ctx context.Context) error { return db.ReplayDelivery(ctx, c, id, second(60)) })
		}
		if err := replay("ihrebank", "a"); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that is still to be made: %v", err)
		}
		take(t, db, "one", 0, 10)
		d.Tries = 4
		end(t, db, d, "one", delivery.Failed)
		for _, c := range []struct {
			company company.ID
			id      string
		}{{"testbank", "a"}, {"ihrebank", "b"}} {
			if err := replay(c.company, c.id); !fault.Is(err, fault.NotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
		if err := replay("ihrebank", "a"); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, take(t, db, "one", 59, 10))
		got := take(t, db, "one", 60, 10)
		wantIDs(t, got, "a")
		if g := got[0]; g.Tries != 5 || g.Replayed != 5 || !g.FirstAt.IsZero() || !g.DoneAt.IsZero() || g.State != delivery.Pending {
			t.Errorf("%+v", g)
		}
	})
}

func TestLogOfDeliveriesIsOrderedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var want []string
		for n := range 7 {
			d := handover(fmt.Sprintf("d%d", n), "lane", int64(n))
			d.CreatedAt = second(n / 3)
			addDeliveries(t, db, d)
			want = append([]string{d.ID}, want...)
		}
		other := handover("x", "x", 0)
		other.Company = "testbank"
		addDeliveries(t, db, other)
		var got []string
		var before time.Time
		var beforeID string
		for {
			page, err := db.Deliveries(t.Context(), "ihrebank", "", before, beforeID, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, d := range page {
				got = append(got, d.ID)
			}
			before, beforeID = page[len(page)-1].CreatedAt, page[len(page)-1].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		of, err := db.DeliveriesOf(t.Context(), "ihrebank", "IBA-22222")
		if err != nil || len(of) != 7 || of[0].ID != "d0" || of[6].ID != "d6" {
			t.Errorf("%v, %v", of, err)
		}
		if of, err := db.DeliveriesOf(t.Context(), "testbank", ident.ID("IBA-22222")); err != nil || len(of) != 1 {
			t.Errorf("%v, %v", of, err)
		}
	})
}

func TestTriesAreKeptInOrderUntilTheCompanyIsErased(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		d := handover("a", "lane", 0)
		late := handover("late", "lane", 1)
		late.CreatedAt = second(100)
		addDeliveries(t, db, d, late)
		tries := []delivery.Try{
			{Number: 1, At: second(1), Status: 500, Took: 1500 * time.Microsecond},
			{Number: 2, At: second(2), Problem: "timeout", Took: time.Minute},
		}
		change(t, db, func(ctx context.Context) error {
			if err := db.AddTry(ctx, d, tries[1]); err != nil {
				return err
			}
			return db.AddTry(ctx, d, tries[0])
		})
		got, err := db.Tries(t.Context(), "a")
		if diff := cmp.Diff(tries, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		change(t, db, func(ctx context.Context) error { return db.EraseCompanyDeliveries(ctx, "ihrebank", second(50)) })
		if got, err := db.Tries(t.Context(), "a"); err != nil || len(got) != 0 {
			t.Errorf("after: %v, %v", got, err)
		}
		all, err := db.Deliveries(t.Context(), "ihrebank", "", time.Time{}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, all, "late")
	})
}

// TestNoDeliveryIsGivenToTwo is TestNoJobIsGivenToTwo for deliveries, whose lanes keep their
// order too.
func TestNoDeliveryIsGivenToTwo(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		handles := []*DB{open(t, url, dir), open(t, url, dir)}
		const lanes, each = 10, 5
		var all []delivery.Delivery
		for n := range lanes * each {
			all = append(all, handover(fmt.Sprintf("d%03d", n), fmt.Sprintf("lane%d", n%lanes), int64(n/lanes)))
		}
		addDeliveries(t, handles[0], all...)
		var gate sync.Mutex
		given, next := map[string]int{}, map[string]int64{}
		var workers sync.WaitGroup
		for n := range 8 {
			db, node := handles[n%2], fmt.Sprintf("node%d", n)
			workers.Go(func() {
				for {
					gate.Lock()
					done := len(given) == len(all)
					gate.Unlock()
					if done {
						return
					}
					got, err := db.ClaimDeliveries(t.Context(), delivery.Webhook, node, second(1), second(9), 4, nil, nil)
					if err != nil {
						t.Error(err)
						return
					}
					for _, d := range got {
						gate.Lock()
						given[d.ID]++
						if d.Seq != next[d.Lane] {
							t.Errorf("%s of %s came, %d was next", d.ID, d.Lane, next[d.Lane])
						}
						next[d.Lane] = d.Seq + 1
						gate.Unlock()
						d.State, d.DoneAt = delivery.Delivered, second(2)
						if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.EndDelivery(ctx, d, node) }); err != nil {
							t.Errorf("ending %s: %v", d.ID, err)
						}
					}
				}
			})
		}
		workers.Wait()
		for id, times := range given {
			if times != 1 {
				t.Errorf("%s was given %d times", id, times)
			}
		}
	})
}

// An event and a failing try of an earlier one at the same time: whoever holds the row
// first, the try learns of the event, or the event finds the retry.
func TestFailingTrySeesTheEventThatIsUnderWay(t *testing.T) {
	db := open(t, storetest.Postgres(t), t.TempDir())
	i := number(1)
	i.NextDelivery = 1
	create(t, db, i)
	old := handover("old", "lane", 0)
	old.Identification = i.ID
	addDeliveries(t, db, old)
	wantIDs(t, take(t, db, "one", 0, 10), "old")
	held, event := make(chan struct{}), make(chan error, 1)
	go func() {
		event <- db.InTx(t.Context(), func(ctx context.Context) error {
			if _, _, err := db.LastEvent(ctx, i.Company, i.ID); err != nil {
				return err
			}
			close(held)
			moved := i
			moved.NextDelivery = 2
			return db.MoveIdentification(ctx, moved, ident.Created)
		})
	}()
	<-held
	err := db.InTx(t.Context(), func(ctx context.Context) error {
		_, last, err := db.LastEvent(ctx, i.Company, i.ID)
		if err == nil && last != 1 {
			t.Errorf("the try sees event %d", last)
		}
		return err
	})
	if err := errors.Join(err, <-event); err != nil {
		t.Fatal(err)
	}
}
