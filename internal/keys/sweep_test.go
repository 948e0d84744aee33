package keys

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func only(used ...ID) func(context.Context, []ID) (map[ID]bool, error) {
	return func(context.Context, []ID) (map[ID]bool, error) {
		m := map[ID]bool{}
		for _, id := range used {
			m[id] = true
		}
		return m, nil
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := newClock()
		crashed, s := open(WithClock(now.Now), WithBatch(8)), open(WithClock(now.Now), WithBatch(8))
		used, k := draw(t, crashed)
		lost, _ := draw(t, crashed)
		sealed := k.Seal([]byte("x"), nil)
		crashed.mu.Lock()
		crashed.pool = nil // what a crash forgets
		crashed.mu.Unlock()
		now.add(3 * time.Hour)
		n, err := s.Sweep(t.Context(), only(used), now.Now())
		if err != nil || n != 7 {
			t.Fatalf("swept %d of 7, %v", n, err)
		}
		if _, err := s.Get(t.Context(), lost); !errors.Is(err, ErrDestroyed) {
			t.Errorf("a key that nothing was sealed under: %v", err)
		}
		again, err := s.Get(t.Context(), used)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Open(sealed, nil); err != nil {
			t.Error(err)
		}
		asked := func(context.Context, []ID) (map[ID]bool, error) {
			t.Error("a settled batch is looked at again")
			return nil, nil
		}
		if n, err := s.Sweep(t.Context(), asked, now.Now()); n != 0 || err != nil {
			t.Errorf("second sweep: %d, %v", n, err)
		}
	})
}

func TestSweepNeverTouchesWhatANodeMayStillHandOut(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := newClock()
		s, other := open(WithClock(now.Now), WithBatch(8)), open(WithClock(now.Now))
		draw(t, s)
		now.add(freshFor) // the last moment at which a key of this batch is handed out
		id, k := draw(t, s)
		for _, at := range []time.Time{now.Now(), now.Now().Add(1000 * time.Hour)} {
			if n, err := other.Sweep(t.Context(), only(), at); n != 0 || err != nil {
				t.Fatalf("swept %d, %v", n, err)
			}
		}
		again, err := other.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Equal(k) {
			t.Error("another key")
		}
	})
}

func TestSweepLooksOnlyAtBatchesThatAreOldEnough(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := newClock()
		s := open(WithClock(now.Now), WithBatch(4))
		first := now.Now()
		draw(t, s)
		now.add(100 * time.Hour)
		if n, err := s.Sweep(t.Context(), only(), first); n != 0 || err != nil {
			t.Fatalf("swept %d keys drawn at that very moment, %v", n, err)
		}
		if n, err := s.Sweep(t.Context(), only(), first.Add(time.Second)); n != 4 || err != nil {
			t.Fatalf("swept %d of 4 keys, %v", n, err)
		}
	})
}

func TestSweepKeepsEverythingWhenItCannotAsk(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := newClock()
		s := open(WithClock(now.Now), WithBatch(4))
		id, _ := draw(t, s)
		now.add(3 * time.Hour)
		down := errors.New("the database is down")
		var asked []ID
		n, err := s.Sweep(t.Context(), func(_ context.Context, ids []ID) (map[ID]bool, error) {
			asked = ids
			return nil, down
		}, now.Now())
		if n != 0 || !errors.Is(err, down) {
			t.Fatalf("swept %d, %v", n, err)
		}
		want := []ID{place(string(id[:batchDigits]), 0), place(string(id[:batchDigits]), 1), place(string(id[:batchDigits]), 2), place(string(id[:batchDigits]), 3)}
		if d := cmp.Diff(want, asked); d != "" {
			t.Errorf("asked about other keys (-want +got):\n%s", d)
		}
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}
