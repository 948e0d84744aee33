package waittime

import (
	"testing"
	"time"
)

const second = time.Second

func TestOnlyTheValuesOfTheSpecificationAreAnswered(t *testing.T) {
	for _, c := range []struct{ in, want time.Duration }{
		{-5 * second, 0}, {0, 0}, {999 * time.Millisecond, 0}, {second, 15 * second}, {15 * second, 15 * second}, {15*second + 1, 30 * second},
		{30 * second, 30 * second}, {31 * second, 45 * second}, {45 * second, 45 * second}, {46 * second, 60 * second}, {60 * second, 60 * second},
		{60*second + 1, 120 * second}, {61 * second, 120 * second}, {120 * second, 120 * second}, {121 * second, 180 * second}, {time.Hour, time.Hour},
	} {
		if got := Round(c.in); got != c.want {
			t.Errorf("%v is rounded to %v, want %v", c.in, got, c.want)
		}
	}
}

func TestRoundingNeverShortensAndOnlyGivesAllowedValues(t *testing.T) {
	last := time.Duration(0)
	for d := second; d < 10*time.Minute; d += 777 * time.Millisecond {
		got := Round(d)
		switch {
		case got < d, got < last:
			t.Fatalf("%v is rounded to %v, after %v", d, got, last)
		case got <= time.Minute && got%(15*second) != 0, got > time.Minute && got%time.Minute != 0:
			t.Fatalf("%v is rounded to %v", d, got)
		case Round(got) != got:
			t.Fatalf("%v is not a fixed point", got)
		}
		last = got
	}
}

func TestNobodyWaitingMeansNoWait(t *testing.T) {
	if got := Estimate([]time.Duration{time.Hour, time.Hour}, nil); got != 0 {
		t.Errorf("got %v", got)
	}
}

func TestEstimateIsTheMeanAndABuffer(t *testing.T) {
	for _, c := range []struct {
		name          string
		done, waiting []time.Duration
		want          time.Duration
	}{
		{"one who just came", nil, []time.Duration{0}, 0},
		{"buffer lifts over a step", nil, []time.Duration{13 * second}, 30 * second}, // 16.25
		{"buffer stays under a step", nil, []time.Duration{12 * second}, 15 * second},
		{"mean of both", []time.Duration{100 * second, 80 * second}, []time.Duration{12 * second}, 120 * second}, // 64 + 16
		{"a clock that was set back", []time.Duration{-time.Hour}, []time.Duration{24 * second}, 15 * second},
	} {
		if got := Estimate(c.done, c.waiting); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
