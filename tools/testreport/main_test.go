package main

import (
	"strings"
	"testing"
)

const skipping = `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: no server\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`

func TestSkipIsRefusedOnlyWhenStrictAndNotAllowed(t *testing.T) {
	for _, c := range []struct {
		name    string
		strict  bool
		allowed map[string]bool
		fails   bool
	}{
		{"lenient", false, nil, false},
		{"strict", true, nil, true},
		{"strict and allowed", true, map[string]bool{"p TestA": true}, false},
		{"strict and another allowed", true, map[string]bool{"p TestB": true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := report(strings.NewReader(skipping), &out, c.allowed, c.strict)
			if (err != nil) != c.fails {
				t.Errorf("err = %v, want an error: %v", err, c.fails)
			}
			for _, want := range []string{"p TestA", "no server", "ok  \tp\t0.1s"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not shown in:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestFailureShowsTheTestThatFailedAndNoOther(t *testing.T) {
	const events = `{"Action":"output","Package":"p","Test":"TestA","Output":"fine\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"broken\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`
	var out strings.Builder
	if report(strings.NewReader(events), &out, nil, false) == nil {
		t.Error("a failed test is not reported as an error")
	}
	if got := out.String(); !strings.Contains(got, "broken") || strings.Contains(got, "fine") {
		t.Errorf("shown:\n%s", got)
	}
}

func TestPanicShowsTheTestThatWasRunning(t *testing.T) {
	const events = `{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}
`
	var out strings.Builder
	if report(strings.NewReader(events), &out, nil, false) == nil || !strings.Contains(out.String(), "boom") {
		t.Errorf("shown:\n%s", out.String())
	}
}
