// Package clock is the one clock of the platform. Times come from a function that is
// passed in, so that tests decide what time it is; durations that the specification names
// go through Scale, so that a test installation can run them faster (chapter 15).
package clock

import "time"

// Clock tells the time and bends the durations of the specification.
type Clock struct {
	now     func() time.Time
	speedup int
}

// New returns a clock that reads now and divides scaled durations by speedup. A speedup
// below one counts as one.
func New(now func() time.Time, speedup int) Clock {
	return Clock{now: now, speedup: max(1, speedup)}
}

// Now returns the present in UTC, cut to the microseconds that the stores keep.
func (c Clock) Now() time.Time { return c.now().UTC().Truncate(time.Microsecond) }

// Scale returns how long a duration of the specification takes on this installation:
// d / speedup, but never less than a millisecond for a positive d.
func (c Clock) Scale(d time.Duration) time.Duration {
	if d <= 0 {
		return d
	}
	return max(time.Millisecond, d/time.Duration(max(1, c.speedup)))
}

// Speedup returns the divisor, one or more.
func (c Clock) Speedup() int { return max(1, c.speedup) }
