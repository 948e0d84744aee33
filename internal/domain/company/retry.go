package company

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Codes names HTTP status codes: one, such as 404, or a class, such as 4xx.
type Codes string

var codesPattern = regexp.MustCompile(`^[1-5]([0-9]{2}|xx)$`)

// Policy says when a webhook counts as delivered and how long it is tried (14.6). The zero
// value is the specification's default.
type Policy struct {
	MaxTime   time.Duration // from the first try to giving up; zero: one day
	WarnAfter time.Duration // from the first failure to the first mail; shorter than MaxTime. Zero: 10 s, or no such mail where MaxTime is not longer
	Success   []Codes       // nil: see Filled
	Retry     []Codes
	Permanent []Codes
}

// The defaults of 14.6.
const (
	DefaultMaxTime   = 24 * time.Hour
	DefaultWarnAfter = 10 * time.Second
)

// Filled returns the policy with the defaults in place of what is zero: success 2xx, retry
// 3xx, 4xx and 5xx, as far as no other list names these classes. A WarnAfter that is still
// zero means that no warning is sent.
func (p Policy) Filled() Policy {
	if p.MaxTime == 0 {
		p.MaxTime = DefaultMaxTime
	}
	if p.WarnAfter == 0 && p.MaxTime > DefaultWarnAfter {
		p.WarnAfter = DefaultWarnAfter
	}
	rest := func(others []Codes, classes ...Codes) []Codes {
		return slices.DeleteFunc(classes, func(c Codes) bool { return slices.Contains(others, c) })
	}
	if p.Success == nil {
		p.Success = rest(slices.Concat(p.Retry, p.Permanent), "2xx")
	}
	if p.Retry == nil {
		p.Retry = rest(slices.Concat(p.Success, p.Permanent), "3xx", "4xx", "5xx")
	}
	if p.Permanent == nil {
		p.Permanent = []Codes{}
	}
	return p
}

// Outcome is what an answer to a webhook means.
type Outcome int

// The outcomes. The zero value is Again, so that nothing is lost by mistake.
const (
	Again     Outcome = iota // try again later
	Delivered                // done
	Permanent                // give up at once
)

// Classify says what an answer with that status means. A list that names the code itself
// wins over one that names its class; what no list names, and a status that is none, is
// tried again.
func (p Policy) Classify(status int) Outcome {
	if status < 100 || status > 599 {
		return Again
	}
	p = p.Filled()
	code := Codes(strconv.Itoa(status))
	for _, name := range []Codes{code, code[:1] + "xx"} {
		switch {
		case slices.Contains(p.Success, name):
			return Delivered
		case slices.Contains(p.Permanent, name):
			return Permanent
		case slices.Contains(p.Retry, name):
			return Again
		}
	}
	return Again
}

// maxBackoff is the longest time between two tries.
const maxBackoff = time.Hour

// Backoff returns how long to wait after so many failed tries: 1, 2, 4, 8 … s, one hour at
// most. Fewer than one counts as one.
func Backoff(tries int) time.Duration {
	if tries < 1 {
		tries = 1
	}
	if tries > 12 { // 2^12 s is more than an hour; a larger shift would overflow one day
		return maxBackoff
	}
	return min(maxBackoff, time.Second<<(tries-1))
}
