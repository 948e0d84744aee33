// Package waittime estimates how long a user will wait for an agent. Specification,
// 6.4.1: a sliding window of ten minutes, a bit of buffer on top, and only the rounded
// values 0, 15, 30, 45, 60, 120, 180 …
package waittime

import "time"

// Window is how far back waits count. It is a duration of the specification: scale it.
const Window = 10 * time.Minute

// Estimate returns the time a user has to expect who asks for an agent now. done are the
// waits that ended in the window, waiting those of the people who wait now, so far. With
// nobody waiting it is zero; else the mean of both and a quarter on top, rounded up.
func Estimate(done, waiting []time.Duration) time.Duration {
	if len(waiting) == 0 {
		return 0
	}
	var sum time.Duration
	for _, w := range done {
		sum += max(0, w)
	}
	for _, w := range waiting {
		sum += max(0, w)
	}
	mean := sum / time.Duration(len(done)+len(waiting))
	return Round(mean + mean/4)
}

// Round returns the next of 0, 15, 30, 45, 60, 120, 180 … seconds that is not below d.
// Whatever is under a second counts as nothing.
func Round(d time.Duration) time.Duration {
	step := time.Minute
	switch {
	case d < time.Second:
		return 0
	case d <= time.Minute:
		step = 15 * time.Second
	}
	return (d + step - 1) / step * step
}
