package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/store/storetest"
)

// work is a job that is due so many seconds after noon.
func work(id, lane string, due int) job.Job {
	return job.Job{ID: id, Kind: "test", Lane: lane, Company: "ihrebank", Identification: "IBA-22222", Payload: "p", CreatedAt: noon, DueAt: second(due)}
}

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func addJobs(t testing.TB, db *DB, all ...job.Job) {
	t.Helper()
	change(t, db, func(ctx context.Context) error {
		for _, j := range all {
			if err := db.AddJob(ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

// claim claims at a second, with a lease of eight, and returns what it got.
func claim(t testing.TB, db *DB, node string, now, most int) map[string]job.Job {
	t.Helper()
	got, err := db.ClaimJobs(t.Context(), node, second(now), second(now+8), most)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]job.Job{}
	for _, j := range got {
		all[j.ID] = j
	}
	return all
}

// wantJobs compares what was claimed with the ids that were expected.
func wantJobs(t testing.TB, got map[string]job.Job, ids ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, id := range ids {
		want[id] = true
	}
	have := map[string]bool{}
	for id := range got {
		have[id] = true
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("claimed: %s", diff)
	}
}

func TestClaimedJobIsAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		j := work("a", "", 0)
		addJobs(t, db, j)
		j.Lane, j.Tries = "a", 1 // a lane of its own
		if diff := cmp.Diff(map[string]job.Job{"a": j}, claim(t, db, "one", 0, 10)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnlyOneJobOfALaneIsInHand(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a1", "a", 0), work("a2", "a", 0), work("b1", "b", 0), work("c", "", 0), work("d", "", 0))
		wantJobs(t, claim(t, db, "one", 1, 10), "a1", "b1", "c", "d")
		wantJobs(t, claim(t, db, "two", 2, 10))
		change(t, db, func(ctx context.Context) error { return db.FinishJob(ctx, "a1", "one") })
		wantJobs(t, claim(t, db, "two", 3, 10), "a2")
	})
}

func TestJobThatComesLaterAndIsDueEarlierWaitsForTheOneInHand(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("in hand", "lane", 5))
		wantJobs(t, claim(t, db, "one", 6, 10), "in hand")
		addJobs(t, db, work("earlier", "lane", 3))
		wantJobs(t, claim(t, db, "two", 7, 10))
		change(t, db, func(ctx context.Context) error { return db.FinishJob(ctx, "in hand", "one") })
		wantJobs(t, claim(t, db, "two", 7, 10), "earlier")
	})
}

func TestJobsOfALaneComeInTheOrderTheyAreDue(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "lane", 5), work("b", "lane", 3), work("c", "lane", 3), work("d", "lane", 20))
		wantJobs(t, claim(t, db, "one", 2, 10))
		for _, id := range []string{"b", "c", "a"} {
			wantJobs(t, claim(t, db, "one", 10, 10), id)
			change(t, db, func(ctx context.Context) error { return db.FinishJob(ctx, id, "one") })
		}
		wantJobs(t, claim(t, db, "one", 10, 10))
	})
}

func TestClaimTakesNoMoreThanAsked(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("late", "", 3), work("early", "", 1), work("later", "", 2))
		wantJobs(t, claim(t, db, "one", 5, 1), "early")
		wantJobs(t, claim(t, db, "one", 5, 1), "later")
	})
}

func TestNextJobIsTheFirstThatIsDueLater(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		next := func(now int) time.Time {
			n, err := db.NextJob(t.Context(), second(now))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := next(0); !n.IsZero() {
			t.Errorf("of none: %v", n)
		}
		addJobs(t, db, work("a", "", 3), work("b", "", 9))
		for now, want := range map[int]time.Time{0: second(3), 3: second(9), 9: {}} {
			if n := next(now); !n.Equal(want) {
				t.Errorf("after %d: %v", now, n)
			}
		}
	})
}

func TestWorkOfADeadNodeIsTakenOverAfterItsLease(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "lane", 0))
		wantJobs(t, claim(t, db, "dead", 0, 10), "a")
		wantJobs(t, claim(t, db, "alive", 8, 10)) // the lease lasts until then, inclusive
		got := claim(t, db, "alive", 9, 10)
		wantJobs(t, got, "a")
		if got["a"].Tries != 2 {
			t.Errorf("tried %d times", got["a"].Tries)
		}
		for name, do := range map[string]func(ctx context.Context) error{
			"finish": func(ctx context.Context) error { return db.FinishJob(ctx, "a", "dead") },
			"retry":  func(ctx context.Context) error { return db.RetryJob(ctx, "a", "dead", second(10)) },
		} {
			if err := db.InTx(t.Context(), do); !db.Late(err) {
				t.Errorf("%s by the node that lost it: %v", name, err)
			}
		}
	})
}

func TestExtendedLeasesKeepWork(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "", 0), work("b", "", 0), work("c", "", 100))
		wantJobs(t, claim(t, db, "one", 0, 1), "a")
		wantJobs(t, claim(t, db, "two", 0, 1), "b")
		if err := db.ExtendJobs(t.Context(), "one", []string{"a", "b"}, second(100)); err != nil {
			t.Fatal(err)
		}
		wantJobs(t, claim(t, db, "three", 50, 10), "b")
	})
}

func TestFreedLeasesGiveWorkBackAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "lane", 0), work("b", "lane", 0))
		wantJobs(t, claim(t, db, "before", 0, 10), "a")
		if err := db.FreeLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantJobs(t, claim(t, db, "after", 0, 10), "a")
	})
}

func TestRetriedJobComesAgainWhenItIsDue(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "lane", 0), work("b", "lane", 0))
		wantJobs(t, claim(t, db, "one", 0, 10), "a")
		change(t, db, func(ctx context.Context) error { return db.RetryJob(ctx, "a", "one", second(4)) })
		wantJobs(t, claim(t, db, "one", 3, 10), "b") // what waits for its retry does not hold its lane
		wantJobs(t, claim(t, db, "one", 5, 10))
		change(t, db, func(ctx context.Context) error { return db.FinishJob(ctx, "b", "one") })
		if got := claim(t, db, "one", 5, 10); got["a"].Tries != 2 {
			t.Errorf("got %v", got)
		}
	})
}

func TestDroppedJobsAreGoneButTheKindToKeep(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		keep, other := work("b", "", 0), work("c", "", 0)
		keep.Kind, other.Identification = "keep", "IBA-33333"
		addJobs(t, db, work("a", "", 0), keep, other)
		change(t, db, func(ctx context.Context) error { return db.DropJobs(ctx, ident.ID("IBA-22222"), "keep") })
		wantJobs(t, claim(t, db, "one", 1, 10), "b", "c")
	})
}

func TestOverdueCountsWhatNobodyHasInHand(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		addJobs(t, db, work("a", "", 0), work("b", "", 0), work("c", "", 50))
		claim(t, db, "one", 5, 1)
		for before, want := range map[int]int{0: 0, 1: 1, 13: 1, 14: 2, 51: 3} {
			if n, err := db.Overdue(t.Context(), second(before)); err != nil || n != want {
				t.Errorf("before %d: %d, want %d, %v", before, n, want, err)
			}
		}
	})
}

// TestNoJobIsGivenToTwo has many goroutines, over two handles of one database, claim the
// same jobs, and looks that each is given once and no lane to two at a time.
func TestNoJobIsGivenToTwo(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		handles := []*DB{open(t, url, dir), open(t, url, dir)}
		const lanes, each = 10, 6
		var all []job.Job
		for n := range lanes * each {
			all = append(all, work(fmt.Sprintf("job%03d", n), fmt.Sprintf("lane%d", n%lanes), 0))
		}
		addJobs(t, handles[0], all...)
		var gate sync.Mutex
		given, inHand := map[string]int{}, map[string]string{}
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
					got, err := db.ClaimJobs(t.Context(), node, second(1), second(9), 3)
					if err != nil {
						t.Error(err)
						return
					}
					for _, j := range got {
						gate.Lock()
						given[j.ID]++
						if other := inHand[j.Lane]; other != "" {
							t.Errorf("%s and %s of %s are in hand at once", j.ID, other, j.Lane)
						}
						inHand[j.Lane] = j.ID
						gate.Unlock()
					}
					for _, j := range got {
						gate.Lock()
						delete(inHand, j.Lane)
						gate.Unlock()
						if err := db.InTx(t.Context(), func(ctx context.Context) error { return db.FinishJob(ctx, j.ID, node) }); err != nil {
							t.Errorf("finishing %s: %v", j.ID, err)
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
