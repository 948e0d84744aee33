package clock

import (
	"testing"
	"time"
)

func TestNowIsUTCAndCutToMicroseconds(t *testing.T) {
	zone := time.FixedZone("elsewhere", 7200)
	c := New(func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 123_456_789, zone) }, 1)
	want := time.Date(2024, 5, 6, 5, 8, 9, 123_456_000, time.UTC)
	if got := c.Now(); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSpeedupDividesDurations(t *testing.T) {
	for _, c := range []struct {
		speedup  int
		in, want time.Duration
	}{
		{1, time.Hour, time.Hour}, {60, time.Hour, time.Minute}, {0, time.Hour, time.Hour}, {-3, time.Hour, time.Hour},
		{1000, 10 * time.Millisecond, time.Millisecond}, {60, 0, 0}, {60, -time.Second, -time.Second}, {3, time.Second, time.Second / 3},
	} {
		if got := New(time.Now, c.speedup).Scale(c.in); got != c.want {
			t.Errorf("%v at %d times is %v, want %v", c.in, c.speedup, got, c.want)
		}
	}
}

func TestSpeedupIsNeverBelowOne(t *testing.T) {
	if New(time.Now, -1).Speedup() != 1 || New(time.Now, 60).Speedup() != 60 || (Clock{}).Speedup() != 1 {
		t.Error("a speedup below one is kept")
	}
}
