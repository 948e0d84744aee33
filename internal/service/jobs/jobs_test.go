package jobs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/job"
)

var errGone = errors.New("not this node's")

// memory is a Store in memory with the rules of the real one: one job of a lane in hand,
// leases, retries.
type memory struct {
	gate   sync.Mutex
	jobs   map[string]*held
	broken error // what Claim and the others answer instead
	lost   bool  // the next Claim commits, and its answer is lost
	after  []func()
}

type held struct {
	job.Job
	node  string
	until time.Time
}

func newMemory() *memory { return &memory{jobs: map[string]*held{}} }

func (m *memory) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	err := do(ctx)
	m.gate.Lock()
	after := m.after
	m.after = nil
	m.gate.Unlock()
	if err != nil {
		return err
	}
	for _, f := range after {
		f()
	}
	return nil
}

func (m *memory) AfterCommit(_ context.Context, f func()) {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.after = append(m.after, f)
}

func (m *memory) Late(err error) bool { return errors.Is(err, errGone) }

func (m *memory) AddJobOnce(ctx context.Context, j job.Job) (bool, error) {
	if _, there := m.has(j.ID); there {
		return false, nil
	}
	return true, m.AddJob(ctx, j)
}

func (m *memory) AddJob(_ context.Context, j job.Job) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	if j.Lane == "" {
		j.Lane = j.ID
	}
	m.jobs[j.ID] = &held{Job: j}
	return nil
}

func (m *memory) ClaimJobs(_ context.Context, node string, now, until time.Time, most int) ([]job.Job, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	var due []*held
	busy := map[string]bool{}
	for _, h := range m.jobs {
		switch {
		case !h.until.Before(now):
			busy[h.Lane] = true
		case !h.DueAt.After(now):
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b *held) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	var got []job.Job
	for _, h := range due {
		if len(got) == most || busy[h.Lane] {
			continue
		}
		busy[h.Lane] = true
		h.node, h.until = node, until
		h.Tries++
		got = append(got, h.Job)
	}
	if m.lost {
		m.lost = false
		return nil, errors.New("connection lost")
	}
	return got, nil
}

func (m *memory) NextJob(_ context.Context, now time.Time) (time.Time, error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	var next time.Time
	for _, h := range m.jobs {
		if h.DueAt.After(now) && (next.IsZero() || h.DueAt.Before(next)) {
			next = h.DueAt
		}
	}
	return next, nil
}

func (m *memory) FinishJob(_ context.Context, id, node string) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if h := m.jobs[id]; h == nil || h.node != node {
		return errGone
	}
	delete(m.jobs, id)
	return nil
}

func (m *memory) RetryJob(_ context.Context, id, node string, due time.Time) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	h := m.jobs[id]
	if h == nil || h.node != node {
		return errGone
	}
	h.node, h.until, h.DueAt = "", time.Time{}, due
	return nil
}

func (m *memory) ExtendJobs(_ context.Context, node string, ids []string, until time.Time) error {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.broken != nil {
		return m.broken
	}
	for _, id := range ids {
		if h := m.jobs[id]; h != nil && h.node == node {
			h.until = until
		}
	}
	return nil
}

func (m *memory) has(id string) (held, bool) {
	m.gate.Lock()
	defer m.gate.Unlock()
	h, ok := m.jobs[id]
	if !ok {
		return held{}, false
	}
	return *h, true
}

func (m *memory) setBroken(err error) {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.broken = err
}

// bench is a runner on a memory, in the time of a synctest bubble.
type bench struct {
	*Runner
	store *memory
	log   *bytes.Buffer
	gate  sync.Mutex
	ran   []string // "ID seconds-after-the-start"
	began time.Time
}

func newBench() *bench {
	b := &bench{store: newMemory(), log: &bytes.Buffer{}, began: time.Now()}
	n := 0
	newID := func() string { n++; return fmt.Sprintf("job%d", n) }
	b.Runner = NewRunner(b.store, "node", clock.New(time.Now, 1), slog.New(slog.NewTextHandler(b.log, nil)), newID)
	return b
}

// note remembers that a job ran, and when.
func (b *bench) note(j job.Job) {
	b.gate.Lock()
	defer b.gate.Unlock()
	b.ran = append(b.ran, fmt.Sprintf("%s@%v", j.Payload, time.Since(b.began)))
}

func (b *bench) notes() string {
	b.gate.Lock()
	defer b.gate.Unlock()
	return strings.Join(b.ran, " ")
}

func (b *bench) add(t *testing.T, j job.Job) {
	t.Helper()
	if err := b.store.InTx(t.Context(), func(ctx context.Context) error { return b.Add(ctx, j) }); err != nil {
		t.Error(err)
	}
}

// run starts the runner; stop ends it and waits until it has ended.
func (b *bench) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		b.Run(ctx)
		close(over)
	}()
	return func() {
		cancel()
		<-over
	}
}

func TestJobThatIsDueNowRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error { b.note(j); return nil })
		stop := b.run(t)
		synctest.Wait()
		time.Sleep(300 * time.Millisecond) // in the middle of its rest
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		synctest.Wait()
		if got := b.notes(); got != "a@300ms" {
			t.Errorf("ran %s", got)
		}
		if _, there := b.store.has("job1"); there {
			t.Error("a job that was done is still there")
		}
		stop()
	})
}

func TestJobRunsWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error { b.note(j); return nil })
		stop := b.run(t)
		for _, d := range []time.Duration{1000, 1300, 2750} {
			d *= time.Millisecond
			b.add(t, job.Job{Kind: "k", Payload: "due " + d.String(), DueAt: b.began.Add(d)})
		}
		time.Sleep(5 * time.Second)
		stop()
		for _, d := range []time.Duration{1000, 1300, 2750} {
			d *= time.Millisecond
			_, rest, _ := strings.Cut(b.notes(), "due "+d.String()+"@")
			ran, _, _ := strings.Cut(rest, " ")
			when, err := time.ParseDuration(ran)
			if err != nil || when < d || when > d+100*time.Millisecond {
				t.Errorf("due at %v, ran at %q", d, ran)
			}
		}
	})
}

func TestJobThatAnotherProcessAddedRunsWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error { b.note(j); return nil })
		stop := b.run(t)
		synctest.Wait()
		if err := b.store.AddJob(t.Context(), job.Job{ID: "theirs", Kind: "k", Payload: "a", DueAt: b.began}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + time.Millisecond)
		stop()
		if got := b.notes(); got != "a@1s" {
			t.Errorf("ran %q", got)
		}
	})
}

func TestFailingJobIsTriedAgainLaterEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error {
			b.note(j)
			if j.Tries < 5 {
				return errors.New("not yet")
			}
			return nil
		})
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		time.Sleep(time.Minute)
		stop()
		if got := b.notes(); got != "a@0s a@1s a@3s a@7s a@15s" {
			t.Errorf("ran %s", got)
		}
		if _, there := b.store.has("job1"); there {
			t.Error("it is still there though it succeeded")
		}
		if !strings.Contains(b.log.String(), "not yet") {
			t.Error("its failures are not in the log")
		}
	})
}

func TestRestBetweenTriesIsBounded(t *testing.T) {
	last := time.Duration(0)
	for tries := range 100 {
		got := wait(tries)
		if got < last || got < time.Second || got > 5*time.Minute {
			t.Fatalf("after %d tries: %v, before %v", tries, got, last)
		}
		last = got
	}
	if last != 5*time.Minute {
		t.Errorf("in the end %v", last)
	}
}

func TestPanicIsAnErrorLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error {
			b.note(j)
			if j.Tries == 1 {
				panic("broken handler")
			}
			return nil
		})
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		time.Sleep(2 * time.Second)
		stop()
		if got := b.notes(); got != "a@0s a@1s" {
			t.Errorf("ran %s", got)
		}
		if !strings.Contains(b.log.String(), "broken handler") {
			t.Errorf("the log does not tell: %s", b.log)
		}
	})
}

func TestJobOfAnUnknownKindIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		stop := b.run(t)
		b.add(t, job.Job{Kind: "of tomorrow"})
		time.Sleep(time.Minute)
		stop()
		if h, there := b.store.has("job1"); !there || h.node != "" || h.Tries < 3 {
			t.Errorf("there %v: %+v", there, h)
		}
	})
}

func TestRunEndsAfterTheWorkInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		goOn := make(chan struct{})
		b.Handle("k", func(ctx context.Context, j job.Job) error {
			<-goOn
			if ctx.Err() != nil {
				t.Error("the work in hand was interrupted")
			}
			b.note(j)
			return ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			b.Run(ctx)
			close(over)
		}()
		b.add(t, job.Job{Kind: "k", Payload: "in hand"})
		synctest.Wait()
		cancel()
		b.add(t, job.Job{Kind: "k", Payload: "too late"})
		synctest.Wait()
		select {
		case <-over:
			t.Error("it has ended before the work in hand")
		default:
		}
		close(goOn)
		<-over
		if got := b.notes(); got != "in hand@0s" {
			t.Errorf("ran %s", got)
		}
		if _, there := b.store.has("job1"); there {
			t.Error("what was done is still there")
		}
		if _, there := b.store.has("job2"); !there {
			t.Error("what was not begun is lost")
		}
	})
}

func TestOneOfALaneRunsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var running sync.Map
		b.Handle("k", func(_ context.Context, j job.Job) error {
			if other, busy := running.LoadOrStore(j.Lane, j.Payload); busy {
				t.Errorf("%s runs beside %s", j.Payload, other)
			}
			time.Sleep(time.Second)
			running.Delete(j.Lane)
			b.note(j)
			return nil
		})
		stop := b.run(t)
		for n := range 3 {
			for _, lane := range []string{"x", "y"} {
				b.add(t, job.Job{Kind: "k", Lane: lane, Payload: fmt.Sprintf("%s%d", lane, n)})
			}
		}
		time.Sleep(3100 * time.Millisecond)
		stop()
		for n := range 3 {
			for _, lane := range []string{"x", "y"} {
				if want := fmt.Sprintf("%s%d@%d", lane, n, n+1); !strings.Contains(b.notes(), want) {
					t.Errorf("%s is not in %s", want, b.notes())
				}
			}
		}
	})
}

func TestNoMoreThanTheWorkersRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var gate sync.Mutex
		var now, most int
		b.Handle("k", func(context.Context, job.Job) error {
			gate.Lock()
			now++
			most = max(most, now)
			gate.Unlock()
			time.Sleep(time.Second)
			gate.Lock()
			now--
			gate.Unlock()
			return nil
		})
		stop := b.run(t)
		for range 3 * jobWorkers {
			b.add(t, job.Job{Kind: "k"})
		}
		time.Sleep(3100 * time.Millisecond)
		stop()
		if most != jobWorkers || len(b.store.jobs) != 0 {
			t.Errorf("%d at once, %d left", most, len(b.store.jobs))
		}
	})
}

func TestBrokenQueueIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error { b.note(j); return nil })
		b.store.setBroken(errors.New("database down"))
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		time.Sleep(2500 * time.Millisecond)
		b.store.setBroken(nil)
		time.Sleep(time.Second)
		stop()
		if got := b.notes(); got != "a@3s" {
			t.Errorf("ran %q", got)
		}
		if !strings.Contains(b.log.String(), "database down") {
			t.Error("the log does not tell")
		}
	})
}

func TestFailureOfAWithdrawnJobIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error {
			b.store.gate.Lock()
			delete(b.store.jobs, j.ID)
			b.store.gate.Unlock()
			return errors.New("its identification is gone")
		})
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k"})
		time.Sleep(time.Second)
		stop()
		if b.log.Len() > 0 {
			t.Errorf("the log tells: %s", b.log)
		}
	})
}

func TestLivingNodeKeepsWhatItHasInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error {
			time.Sleep(time.Minute)
			b.note(j)
			return nil
		})
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		for range 50 {
			time.Sleep(time.Second)
			now := time.Now()
			if got, _ := b.store.ClaimJobs(t.Context(), "other", now, now.Add(lease), 10); len(got) > 0 {
				t.Fatalf("another node took it over after %v", time.Since(b.began))
			}
		}
		time.Sleep(11 * time.Second)
		stop()
		if got := b.notes(); got != "a@1m0s" {
			t.Errorf("ran %s", got)
		}
	})
}

func TestClaimWhoseAnswerIsLostIsFreeAgainWhenItsLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Handle("k", func(_ context.Context, j job.Job) error {
			b.note(j)
			return nil
		})
		b.store.lost = true
		stop := b.run(t)
		b.add(t, job.Job{Kind: "k", Payload: "a"})
		time.Sleep(time.Minute)
		stop()
		if got := b.notes(); !strings.HasPrefix(got, "a@") || strings.Count(got, "a@") != 1 {
			t.Errorf("ran %q", got)
		}
	})
}

// Whatever the moment at which the database comes back, nothing stays in the hands of a
// node that has given it up.
func TestNothingIsStrandedByALongOutage(t *testing.T) {
	for ms := range 20 {
		synctest.Test(t, func(t *testing.T) {
			b := newBench()
			b.Handle("k", func(_ context.Context, j job.Job) error {
				b.note(j)
				return nil
			})
			var broke atomic.Bool
			b.Handle("breaks", func(context.Context, job.Job) error {
				if !broke.Swap(true) {
					b.store.setBroken(errors.New("no database"))
				}
				return nil
			})
			stop := b.run(t)
			b.add(t, job.Job{Kind: "breaks"})
			time.Sleep(90*time.Second + time.Duration(ms)*150*time.Millisecond)
			b.store.setBroken(nil)
			time.Sleep(time.Minute)
			stop()
			if n := len(b.store.jobs); n != 0 {
				t.Errorf("%d jobs are left", n)
			}
		})
	}
}

func TestFailedClaimIsNotWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		tries := 0
		q := failingQueue{jobQueue{b.store}, &tries}
		p := NewPump(q, "node", clock.New(time.Now, 1), 4, slog.New(slog.DiscardHandler), func(context.Context, job.Job) { t.Error("work of a claim that failed") })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		for range 100 {
			p.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		cancel()
		<-done
		if tries > 11 {
			t.Errorf("%d tries in ten seconds", tries)
		}
	})
}

// failingQueue hands out work and says that the claim failed, as a database does whose
// commit fails.
type failingQueue struct {
	jobQueue
	tries *int
}

func (q failingQueue) Claim(context.Context, string, time.Time, time.Time, int) ([]job.Job, error) {
	*q.tries++
	return []job.Job{{ID: "a"}}, errors.New("disk full")
}
