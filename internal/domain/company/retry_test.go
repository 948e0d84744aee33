package company

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClassifyOfEveryStatusByDefault(t *testing.T) {
	for status := -1; status <= 1000; status++ {
		want := Again
		if status >= 200 && status <= 299 {
			want = Delivered
		}
		if got := (Policy{}).Classify(status); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
}

func TestClassifyMoreSpecificWins(t *testing.T) {
	for name, c := range map[string]struct {
		policy Policy
		want   map[int]Outcome
	}{
		"code over class of another list": {
			Policy{Success: []Codes{"2xx", "404"}, Retry: []Codes{"4xx", "204"}, Permanent: []Codes{"5xx", "201"}},
			map[int]Outcome{200: Delivered, 201: Permanent, 204: Again, 404: Delivered, 403: Again, 500: Permanent, 503: Permanent, 302: Again, 100: Again},
		},
		"retry within permanent": {
			Policy{Permanent: []Codes{"4xx"}, Retry: []Codes{"429"}},
			map[int]Outcome{429: Again, 400: Permanent, 499: Permanent, 200: Delivered, 500: Again, 301: Again},
		},
		"permanent within retry": {
			Policy{Permanent: []Codes{"410", "301"}},
			map[int]Outcome{410: Permanent, 301: Permanent, 302: Again, 404: Again, 200: Delivered},
		},
		"permanent within success": {
			Policy{Permanent: []Codes{"202"}},
			map[int]Outcome{202: Permanent, 200: Delivered},
		},
		"a code named by no list": {
			Policy{Success: []Codes{"200"}, Retry: []Codes{"503"}},
			map[int]Outcome{200: Delivered, 201: Again, 299: Again, 404: Again, 503: Again},
		},
		"all classes permanent but success": {
			Policy{Permanent: []Codes{"1xx", "3xx", "4xx", "5xx"}},
			map[int]Outcome{100: Permanent, 200: Delivered, 300: Permanent, 404: Permanent, 599: Permanent, 600: Again, 0: Again, 99: Again},
		},
	} {
		for status, want := range c.want {
			if got := c.policy.Classify(status); got != want {
				t.Errorf("%s: %d: %v, want %v", name, status, got, want)
			}
		}
	}
}

// Every assignment of a code and its class to the lists, against the rule in words.
func TestClassifyOfEveryCombination(t *testing.T) {
	lists := []Outcome{Again, Delivered, Permanent}
	for _, class := range lists {
		for _, single := range append(lists, -1) {
			p := Policy{Success: []Codes{}, Retry: []Codes{}, Permanent: []Codes{}}
			put := func(o Outcome, c Codes) {
				switch o {
				case Again:
					p.Retry = append(p.Retry, c)
				case Delivered:
					p.Success = append(p.Success, c)
				case Permanent:
					p.Permanent = append(p.Permanent, c)
				}
			}
			put(class, "4xx")
			put(single, "404")
			want := single
			if single < 0 {
				want = class
			}
			if got := p.Classify(404); got != want {
				t.Errorf("class %v, code %v: %v", class, single, got)
			}
			if got := p.Classify(403); got != class {
				t.Errorf("class %v, code %v: the neighbour is %v", class, single, got)
			}
		}
	}
}

func TestFilledLeavesNoClassTwice(t *testing.T) {
	day := Policy{MaxTime: 24 * time.Hour, WarnAfter: 10 * time.Second}
	with := func(success, retry, permanent []Codes) Policy {
		p := day
		p.Success, p.Retry, p.Permanent = success, retry, permanent
		return p
	}
	for name, c := range map[string]struct{ in, want Policy }{
		"zero":            {Policy{}, with([]Codes{"2xx"}, []Codes{"3xx", "4xx", "5xx"}, []Codes{})},
		"permanent 4xx":   {Policy{Permanent: []Codes{"4xx"}}, with([]Codes{"2xx"}, []Codes{"3xx", "5xx"}, []Codes{"4xx"})},
		"success 3xx":     {Policy{Success: []Codes{"2xx", "3xx"}}, with([]Codes{"2xx", "3xx"}, []Codes{"4xx", "5xx"}, []Codes{})},
		"empty is empty":  {Policy{Success: []Codes{}, Retry: []Codes{}}, with([]Codes{}, []Codes{}, []Codes{})},
		"no time to warn": {Policy{MaxTime: 10 * time.Second}, Policy{10 * time.Second, 0, []Codes{"2xx"}, []Codes{"3xx", "4xx", "5xx"}, []Codes{}}},
		"time to warn":    {Policy{MaxTime: 11 * time.Second}, Policy{11 * time.Second, 10 * time.Second, []Codes{"2xx"}, []Codes{"3xx", "4xx", "5xx"}, []Codes{}}},
		"times are kept":  {Policy{MaxTime: time.Hour, WarnAfter: time.Minute}, Policy{time.Hour, time.Minute, []Codes{"2xx"}, []Codes{"3xx", "4xx", "5xx"}, []Codes{}}},
	} {
		got := c.in.Filled()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(got, got.Filled()); diff != "" {
			t.Errorf("%s, filled again: %s", name, diff)
		}
	}
}

func TestBackoffDoublesUpToAnHour(t *testing.T) {
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600}
	for i, seconds := range want {
		if got := Backoff(i + 1); got != seconds*time.Second {
			t.Errorf("after %d tries: %v, want %v", i+1, got, seconds*time.Second)
		}
	}
	for _, tries := range []int{-1 << 63, -1, 0} {
		if got := Backoff(tries); got != time.Second {
			t.Errorf("after %d tries: %v", tries, got)
		}
	}
	for _, tries := range []int{63, 64, 65, 1000, 1<<63 - 1} {
		if got := Backoff(tries); got != time.Hour {
			t.Errorf("after %d tries: %v", tries, got)
		}
	}
}

func TestADayHasFewTries(t *testing.T) {
	var at []time.Duration
	for tries, sum := 1, time.Duration(0); sum < DefaultMaxTime; tries++ {
		at = append(at, sum)
		sum += Backoff(tries)
	}
	if len(at) != 35 || !slices.IsSorted(at) {
		t.Errorf("%d tries: %v", len(at), at)
	}
}
