package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/job"
)

// Store keeps the jobs.
type Store interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	AfterCommit(ctx context.Context, f func())
	// Late says that a job is not this node's any more: withdrawn, or taken over.
	Late(err error) bool
	AddJob(ctx context.Context, j job.Job) error
	// AddJobOnce says false when there is a job of that ID.
	AddJobOnce(ctx context.Context, j job.Job) (bool, error)
	ClaimJobs(ctx context.Context, node string, now, until time.Time, most int) ([]job.Job, error)
	ExtendJobs(ctx context.Context, node string, ids []string, until time.Time) error
	NextJob(ctx context.Context, now time.Time) (time.Time, error)
	FinishJob(ctx context.Context, id, node string) error
	RetryJob(ctx context.Context, id, node string, due time.Time) error
}

// Handler carries a job out. An error has it called again, later each time.
type Handler func(ctx context.Context, j job.Job) error

// Runner knows the handlers and runs the jobs.
type Runner struct {
	store    Store
	node     string
	clock    clock.Clock
	log      *slog.Logger
	newID    func() string
	handlers map[job.Kind]Handler
	pump     *Pump[job.Job]
}

// jobWorkers is how many jobs a node does at once. They render pictures and PDFs, which
// fill a core each.
const jobWorkers = 8

// NewRunner returns a runner for this node; newID gives ids that sort by time. Handle
// names what it can do, Run does it.
func NewRunner(store Store, node string, c clock.Clock, log *slog.Logger, newID func() string) *Runner {
	r := &Runner{store: store, node: node, clock: c, log: log, newID: newID, handlers: map[job.Kind]Handler{}}
	r.pump = NewPump(jobQueue{store}, node, c, jobWorkers, log, r.carryOut)
	return r
}

// Handle names the handler of a kind of job. Before Run only.
func (r *Runner) Handle(kind job.Kind, h Handler) { r.handlers[kind] = h }

// Run works until ctx ends and what is in hand is done.
func (r *Runner) Run(ctx context.Context) { r.pump.Run(ctx) }

// Add stores a job in the transaction of ctx, and wakes the runner once that is committed.
// ID and CreatedAt are filled in here; a zero DueAt is now.
func (r *Runner) Add(ctx context.Context, j job.Job) error {
	j.ID = r.newID()
	j.CreatedAt = r.clock.Now()
	if j.DueAt.IsZero() {
		j.DueAt = j.CreatedAt
	}
	if err := r.store.AddJob(ctx, j); err != nil {
		return err
	}
	r.store.AfterCommit(ctx, r.pump.Wake)
	return nil
}

// AddOnce is Add for a job that has an ID already: it changes nothing when there is one.
func (r *Runner) AddOnce(ctx context.Context, j job.Job) error {
	j.CreatedAt = r.clock.Now()
	if j.DueAt.IsZero() {
		j.DueAt = j.CreatedAt
	}
	added, err := r.store.AddJobOnce(ctx, j)
	if err != nil || !added {
		return err
	}
	r.store.AfterCommit(ctx, r.pump.Wake)
	return nil
}

// carryOut calls the handler and removes the job, or puts it back.
func (r *Runner) carryOut(ctx context.Context, j job.Job) {
	err := r.call(ctx, j)
	if err == nil {
		err = r.write(ctx, func(ctx context.Context) error { return r.store.FinishJob(ctx, j.ID, r.node) })
		if err != nil && !r.store.Late(err) {
			r.log.LogAttrs(ctx, slog.LevelError, "finishing a job", slog.String("job", j.ID), slog.String("kind", string(j.Kind)), slog.Any("error", err))
		}
		return
	}
	due := r.clock.Now().Add(wait(j.Tries))
	back := r.write(ctx, func(ctx context.Context) error { return r.store.RetryJob(ctx, j.ID, r.node, due) })
	if r.store.Late(back) {
		return // its identification was deleted meanwhile: no wonder that it failed
	}
	r.log.LogAttrs(ctx, slog.LevelError, "job", slog.String("job", j.ID), slog.String("kind", string(j.Kind)),
		slog.String("identification", string(j.Identification)), slog.Int("tries", j.Tries), slog.Any("error", errors.Join(err, back)))
}

// write writes how a job ended. A database that cannot be written to for a while must not
// leave the job in the hands of nobody, so it is tried for a minute.
func (r *Runner) write(ctx context.Context, do func(ctx context.Context) error) error {
	return Persist(ctx, r.store.Late, func() error { return r.store.InTx(ctx, do) })
}

// Persist calls do until it succeeds, late says that it is of no use any more, or a minute
// is over: every second, and at once the first time.
func Persist(ctx context.Context, late func(error) bool, do func() error) error {
	const times, pause = 60, time.Second
	var err error
	for range times {
		if err = do(); err == nil || late(err) {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
	return err
}

// call runs the handler; a panic of its is an error like any other.
func (r *Runner) call(ctx context.Context, j job.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	h, ok := r.handlers[j.Kind]
	if !ok {
		return errors.New("no handler for this kind of job: is an older program running?")
	}
	return h(ctx, j)
}

// wait is how long a failed job rests: 1, 2, 4, 8 … s, five minutes at most.
func wait(tries int) time.Duration {
	return min(5*time.Minute, time.Second<<min(max(0, tries-1), 10))
}

type jobQueue struct{ Store }

func (q jobQueue) Claim(ctx context.Context, node string, now, until time.Time, most int) ([]job.Job, error) {
	return q.ClaimJobs(ctx, node, now, until, most)
}

func (q jobQueue) ID(j job.Job) string { return j.ID }

func (q jobQueue) Extend(ctx context.Context, node string, ids []string, until time.Time) error {
	return q.ExtendJobs(ctx, node, ids, until)
}

func (q jobQueue) Next(ctx context.Context, now time.Time) (time.Time, error) {
	return q.NextJob(ctx, now)
}
