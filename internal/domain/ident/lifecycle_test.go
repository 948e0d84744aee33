package ident

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/lifecycle.md")

// golden compares got with a file, or writes it when -update is given.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the code says (-update writes it anew):\n%s", file, diff)
	}
}

func TestLifecycleIsAsWrittenDown(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Every state and every event, and what follows. Of the company's data \"finished\" is\n" +
		"# status 409, \"precondition\" 412.\n")
	for _, s := range States {
		for _, e := range Events {
			to, err := s.Next(e)
			if err == nil {
				fmt.Fprintf(&b, "%-25s %-17s -> %s\n", s, e, to)
				continue
			}
			if to != s {
				t.Errorf("%s %s is refused, but moves to %s", s, e, to)
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Fatalf("%s %s: %v is no fault", s, e, err)
			}
			fmt.Fprintf(&b, "%-25s %-17s refused: %s\n", s, e, f.Kind)
		}
	}
	golden(t, filepath.Join("testdata", "lifecycle.golden"), b.String())
}

func TestMovesNameOnlyStatesAndEventsThatAreListed(t *testing.T) {
	if len(moves) != len(States) {
		t.Errorf("the table has %d states, the list %d", len(moves), len(States))
	}
	for from, events := range moves {
		if !slices.Contains(States, from) {
			t.Errorf("%s is not in States", from)
		}
		for e, to := range events {
			if !slices.Contains(Events, e) || !slices.Contains(States, to) {
				t.Errorf("%s -%s-> %s is not listed", from, e, to)
			}
		}
	}
}

// reached returns the states that may follow from s, by whatever events but deletion.
func reached(s State) map[State]bool {
	seen := map[State]bool{s: true}
	for again := true; again; {
		again = false
		for from := range seen {
			for _, e := range Events {
				if to, err := from.Next(e); err == nil && e != DeletionDemanded && !seen[to] {
					seen[to], again = true, true
				}
			}
		}
	}
	return seen
}

func TestEveryStateCanBeReachedFromTheFirst(t *testing.T) {
	from := reached(Created)
	for _, s := range States {
		if s != Deleted && !from[s] {
			t.Errorf("no way leads to %s", s)
		}
	}
}

func TestNothingLeadsOutOfAFinalState(t *testing.T) {
	for _, s := range States {
		if !s.Final() {
			continue
		}
		for to := range reached(s) {
			if !to.Final() {
				t.Errorf("%s leads to %s", s, to)
			}
		}
	}
}

func TestEveryStateCanBeDeletedOnce(t *testing.T) {
	for _, s := range States {
		to, err := s.Next(DeletionDemanded)
		if s == Deleted {
			if err == nil {
				t.Error("a deleted one can be deleted again")
			}
			continue
		}
		if to != Deleted || err != nil {
			t.Errorf("deleting %s: %s, %v", s, to, err)
		}
	}
}

func TestUnknownStatesAndEventsAreRefused(t *testing.T) {
	if _, err := State("ELSEWHERE").Next(AgentTook); !fault.Is(err, fault.Precondition) {
		t.Errorf("an unknown state: %v", err)
	}
	if _, err := Created.Next("ELSEWHAT"); !fault.Is(err, fault.Precondition) {
		t.Errorf("an unknown event: %v", err)
	}
	if s := State("ELSEWHERE"); s.Valid() || s.List() != "" || s.Final() || s.Preliminary() || s.Open() {
		t.Error("an unknown state is taken for something")
	}
}

func TestEachStateHasItsProperties(t *testing.T) {
	type properties struct {
		List                           List
		Final, Preliminary, Open, Kept bool
	}
	want := map[State]properties{
		Created:        {ListPending, false, false, false, true},
		Waiting:        {ListPending, false, false, true, true},
		InProcess:      {ListPending, false, false, true, true},
		Aborted:        {ListAborted, false, false, false, true},
		ReviewPending:  {ListPending, false, true, false, true},
		FraudPending:   {ListPending, false, true, false, true},
		Success:        {ListFinished, true, false, false, true},
		SuccessChanged: {ListFinished, true, false, false, true},
		FraudConfirmed: {ListFinished, true, false, false, true},
		Canceled:       {ListCanceled, false, false, false, true},
		Archived:       {ListArchived, true, false, false, true},
		Deleted:        {"", false, false, false, false},
	}
	got := map[State]properties{}
	for _, s := range States {
		got[s] = properties{s.List(), s.Final(), s.Preliminary(), s.Open(), s.Valid()}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOpenMeansThatAnAttemptCanEnd ties the property to the table.
func TestOpenMeansThatAnAttemptCanEnd(t *testing.T) {
	for _, s := range States {
		_, aborts := s.Next(AttemptAborted)
		_, reviews := s.Next(ReviewConfirmed)
		_, archives := s.Next(CompanyArchived)
		if s.Open() != (aborts == nil) || s.Preliminary() != (reviews == nil) || (s.Final() && s != Archived) != (archives == nil) {
			t.Errorf("%s: open %v, preliminary %v, final %v do not fit the table", s, s.Open(), s.Preliminary(), s.Final())
		}
	}
}
