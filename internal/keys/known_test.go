package keys

import (
	"context"
	"testing"
	"time"
)

// TestOnlyKeysUpToTheNewestBatchAtOpenAreKnown: what another node, or a later process, draws
// afterwards is not known, whatever this one draws itself.
func TestOnlyKeysUpToTheNewestBatchAtOpenAreKnown(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		now := time.Now()
		clock := WithClock(func() time.Time { return now })
		first := open(clock)
		early, _ := draw(t, first)
		if first.Known(early) {
			t.Error("a store that was empty knows a key")
		}
		now = now.Add(time.Second)
		second := open(clock)
		late, _ := draw(t, second)
		if !second.Known(early) || second.Known(late) {
			t.Errorf("early %t, late %t", second.Known(early), second.Known(late))
		}
		// Nothing of the batches is left.
		now = now.Add(24 * time.Hour)
		if _, err := second.Sweep(t.Context(), func(context.Context, []ID) (map[ID]bool, error) { return nil, nil }, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
		third := open(clock)
		if !third.Known(early) || !third.Known(late) || third.Known("nonsense") {
			t.Errorf("after all were swept: early %t, late %t", third.Known(early), third.Known(late))
		}
		const lost = ID("00f00000000000000000000000000000")
		now = time.UnixMilli(0xf0_0000_0000 + 1)
		if err := third.AcceptMissing(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !open(clock).Known(lost) {
			t.Error("what was accepted is not known")
		}
	})
}
