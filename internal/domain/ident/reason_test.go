package ident

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestReasonsAreAsWrittenDown(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Reasons for failure (14.5.3): further attempt or not, caused by whom.\n")
	for _, f := range Failures {
		again, cause := "again", "user"
		if f.Permanent {
			again = "permanent"
		}
		if !f.CausedByUser {
			cause = "other"
		}
		fmt.Fprintf(&b, "%-30s %-9s %-5s %s\n", f.Reason, again, cause, f.Description)
	}
	b.WriteString("# Suspicions of fraud (13.1.1).\n")
	for _, r := range FraudReasons {
		fmt.Fprintf(&b, "%s\n", r)
	}
	golden(t, filepath.Join("testdata", "reasons.golden"), b.String())
}

func TestReasonIsFoundByItsName(t *testing.T) {
	for _, f := range Failures {
		if got, ok := f.Reason.Failure(); !ok || got != f {
			t.Errorf("%s is found as %v, %v", f.Reason, got, ok)
		}
		if f.Reason.Permanent() != f.Permanent {
			t.Errorf("%s permanent: %v", f.Reason, f.Reason.Permanent())
		}
		if f.Reason.Fraud() {
			t.Errorf("%s is a suspicion of fraud", f.Reason)
		}
	}
	for _, r := range FraudReasons {
		if _, ok := r.Failure(); ok || !r.Fraud() || r.Permanent() {
			t.Errorf("%s is taken for a failure", r)
		}
	}
	for _, r := range []Reason{"", "user_language", "UNKNOWN"} {
		if _, ok := r.Failure(); ok || r.Permanent() || r.Fraud() {
			t.Errorf("%q is a reason", r)
		}
	}
}

func TestNoReasonIsListedTwice(t *testing.T) {
	seen := map[Reason]bool{}
	for _, f := range Failures {
		if seen[f.Reason] || f.Description == "" {
			t.Errorf("%s is listed twice or has no words", f.Reason)
		}
		seen[f.Reason] = true
	}
}

func TestOnlyAFailedOneWithAPermanentReasonIsRefused(t *testing.T) {
	for _, s := range States {
		for _, f := range Failures {
			want := (s == Aborted || s == Canceled) && f.Permanent
			if got := (Identification{State: s, Reason: f.Reason}).Refused(); got != want {
				t.Errorf("%s with %s is refused: %v", s, f.Reason, got)
			}
		}
	}
}
