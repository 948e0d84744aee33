package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"vidimus/internal/domain/fault"
	"vidimus/internal/store/storetest"
)

// hold keeps the writer busy until release is called, so that what is asked for meanwhile
// shares one commit.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	began, end, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- db.InTx(context.Background(), func(context.Context) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() {
		close(end)
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
}

// waiting waits until so many closures stand in the queue of the writer.
func waiting(db *DB, n int) {
	for len(db.group.in) < n {
		runtime.Gosched()
	}
}

func TestErrorsAndPanicsDoNotTouchTheNeighbours(t *testing.T) {
	t.Parallel()
	db := open(t, "", t.TempDir())
	release := hold(t, db)
	failed := errors.New("failed")
	const all = 30
	var done sync.WaitGroup
	for n := range all {
		done.Go(func() {
			var panicked any
			err := func() (err error) {
				defer func() { panicked = recover() }()
				return db.InTx(context.Background(), func(ctx context.Context) error {
					if _, err := db.CreateIdentification(ctx, number(n)); err != nil {
						return err
					}
					switch n % 3 {
					case 1:
						return failed
					case 2:
						panic(n)
					}
					return nil
				})
			}()
			switch {
			case n%3 == 0 && (err != nil || panicked != nil),
				n%3 == 1 && (!errors.Is(err, failed) || panicked != nil),
				n%3 == 2 && panicked != n:
				t.Errorf("closure %d: %v, panic %v", n, err, panicked)
			}
		})
	}
	waiting(db, all)
	release()
	done.Wait()
	for n := range all {
		_, err := db.IdentificationByID(t.Context(), "ihrebank", number(n).ID)
		if n%3 == 0 && err != nil || n%3 != 0 && !fault.Is(err, fault.NotFound) {
			t.Errorf("row of closure %d: %v", n, err)
		}
	}
}

func TestRefusedRowDoesNotTouchTheNeighbours(t *testing.T) {
	t.Parallel()
	db := open(t, "", t.TempDir())
	release := hold(t, db)
	var done sync.WaitGroup
	for n := range 10 {
		done.Go(func() {
			err := db.InTx(context.Background(), func(ctx context.Context) error { return db.AddResult(ctx, rendered("IBA-22222", int64(n/2))) })
			if err != nil && !db.Late(err) {
				t.Error(err)
			}
		})
	}
	waiting(db, 10)
	release()
	done.Wait()
	for n := range 5 {
		if _, err := db.Result(t.Context(), "IBA-22222", int64(n)); err != nil {
			t.Errorf("result %d: %v", n, err)
		}
	}
}

func TestWhatWasCanceledBeforeItsTurnIsNotRun(t *testing.T) {
	t.Parallel()
	db := open(t, "", t.TempDir())
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	var ran atomic.Bool
	go func() { over <- db.InTx(ctx, func(context.Context) error { ran.Store(true); return nil }) }()
	waiting(db, 1)
	cancel()
	release()
	if err := <-over; !errors.Is(err, context.Canceled) || ran.Load() {
		t.Errorf("%v, ran %v", err, ran.Load())
	}
}

func TestWhatHasBegunIsNotInterrupted(t *testing.T) {
	t.Parallel()
	db := open(t, "", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	err := db.InTx(ctx, func(ctx context.Context) error {
		cancel()
		_, err := db.CreateIdentification(ctx, number(1))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.IdentificationByID(context.Background(), "ihrebank", number(1).ID); err != nil {
		t.Error(err)
	}
}

func TestCloseLetsTheWaitingOnesFinish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open(t.Context(), "", dir, testKey)
	if err != nil {
		t.Fatal(err)
	}
	release := hold(t, db)
	const all = 40
	var done sync.WaitGroup
	for n := range all {
		done.Go(func() {
			err := db.InTx(context.Background(), func(ctx context.Context) error {
				_, err := db.CreateIdentification(ctx, number(n))
				return err
			})
			if err != nil {
				t.Errorf("closure %d: %v", n, err)
			}
		})
	}
	waiting(db, all)
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	release()
	done.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := db.InTx(context.Background(), func(context.Context) error { return nil }); !errors.Is(err, errClosed) {
		t.Errorf("after the end: %v", err)
	}
	again := open(t, "", dir)
	for n := range all {
		if _, err := again.IdentificationByID(t.Context(), "ihrebank", number(n).ID); err != nil {
			t.Errorf("row of closure %d: %v", n, err)
		}
	}
}

func TestManyTransactionsAtOnceAllCount(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		const writers, rows = 16, 8
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for r := range rows {
					change(t, db, func(ctx context.Context) error {
						_, err := db.CreateIdentification(ctx, number(w*rows+r))
						return err
					})
				}
			})
		}
		all.Wait()
		list, err := db.CompanyIdentifications(t.Context(), "ihrebank", 1000)
		if err != nil || len(list) != writers*rows {
			t.Errorf("%d rows, %v", len(list), err)
		}
	})
}

func TestTransactionSeesItsOwnChangesAndNobodyElseDoes(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		i := number(1)
		change(t, db, func(ctx context.Context) error {
			if _, err := db.CreateIdentification(ctx, i); err != nil {
				return err
			}
			if _, err := db.IdentificationByID(ctx, i.Company, i.ID); err != nil {
				t.Errorf("inside: %v", err)
			}
			if _, err := db.IdentificationByID(context.Background(), i.Company, i.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("outside: %v", err)
			}
			return nil
		})
	})
}

func TestAfterCommitIsCalledOnceAndOnlyAfterACommit(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		var calls []string
		change(t, db, func(ctx context.Context) error {
			db.AfterCommit(ctx, func() {
				if _, err := db.IdentificationByID(context.Background(), "ihrebank", number(1).ID); err != nil {
					t.Errorf("called before the commit: %v", err)
				}
				calls = append(calls, "first")
			})
			db.AfterCommit(ctx, func() { calls = append(calls, "second") })
			_, err := db.CreateIdentification(ctx, number(1))
			return err
		})
		failed := errors.New("failed")
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			db.AfterCommit(ctx, func() { calls = append(calls, "never") })
			return failed
		})
		if !errors.Is(err, failed) || fmt.Sprint(calls) != "[first second]" {
			t.Errorf("%v, %v", err, calls)
		}
	})
}

// panics says what do panicked with; nil: it did not.
func panics(do func()) (p any) {
	defer func() { p = recover() }()
	do()
	return nil
}

func TestMistakesOfProgrammersPanic(t *testing.T) {
	each(t, func(t *testing.T, db *DB) {
		nested := panics(func() {
			_ = db.InTx(t.Context(), func(ctx context.Context) error {
				return db.InTx(ctx, func(context.Context) error { return nil })
			})
		})
		if nested != "store: a transaction inside a transaction" {
			t.Errorf("a transaction inside another: %v", nested)
		}
		outside := panics(func() { _, _ = db.CreateIdentification(t.Context(), number(1)) })
		if outside != "store: a change outside a transaction" {
			t.Errorf("a change outside a transaction: %v", outside)
		}
		if p := panics(func() { db.AfterCommit(t.Context(), func() {}) }); p == nil {
			t.Error("AfterCommit outside a transaction does not panic")
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("the database is of no use afterwards: %v", err)
		}
	})
}

// TestPostgresRunsABrokenOffTransactionAgain makes two transactions lock each other out:
// the database breaks one off, and both succeed in the end.
func TestPostgresRunsABrokenOffTransactionAgain(t *testing.T) {
	t.Parallel()
	db := open(t, storetest.Postgres(t), t.TempDir())
	a, b := number(1), number(2)
	create(t, db, a, b)
	var runs atomic.Int32
	met := make(chan struct{})
	var both sync.WaitGroup
	both.Add(2)
	go func() { both.Wait(); close(met) }()
	var all sync.WaitGroup
	for _, order := range [][2]string{{"x", "y"}, {"y", "x"}} {
		all.Go(func() {
			first := true
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				runs.Add(1)
				for n, name := range order {
					if _, err := db.PutServerKey(ctx, name, []byte{}, "", noon); err != nil {
						return err
					}
					if n == 0 && first {
						first = false
						both.Done()
						<-met
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs.Load() < 3 { // the database may break off both
		t.Errorf("ran %d times: neither was broken off", runs.Load())
	}
}
