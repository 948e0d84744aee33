package fault

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := Internal; k <= Unavailable; k++ {
		name := k.String()
		if name == "" || strings.HasPrefix(name, "fault.Kind(") || seen[name] {
			t.Errorf("kind %d is called %q", int(k), name)
		}
		seen[name] = true
	}
	if len(names) != int(Unavailable)+1 {
		t.Errorf("%d names for %d kinds", len(names), int(Unavailable)+1)
	}
	for _, k := range []Kind{-1, Unavailable + 1} {
		if !strings.HasPrefix(k.String(), "fault.Kind(") {
			t.Errorf("%d has the name %q", int(k), k.String())
		}
	}
}

func TestValueIsWordedAsTheSpecificationPrintsIt(t *testing.T) {
	e := Value("birthday")
	if e.Kind != Invalid || e.Key != "birthday" || e.Message != "Please provide a correct value for 'birthday'" {
		t.Errorf("%+v", e)
	}
}

func TestTheCauseIsForTheLogOnly(t *testing.T) {
	e := New(Invalid, "a number %d", 7).In("field").Because(io.ErrUnexpectedEOF)
	if e.Key != "field" || e.Message != "a number 7" || strings.Contains(e.Message, "EOF") {
		t.Errorf("%+v", e)
	}
	if !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if got, want := e.Error(), "invalid in field: a number 7: unexpected EOF"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Of(NotFound).Error(); got != "not found" {
		t.Errorf("%q", got)
	}
}

func TestInAndBecauseLeaveTheOriginalAlone(t *testing.T) {
	e := Of(Invalid)
	_, _ = e.In("x"), e.Because(io.EOF)
	if e.Key != "" || errors.Is(e, io.EOF) {
		t.Errorf("%+v", e)
	}
}

func TestAllFindsEveryFaultInOrder(t *testing.T) {
	a, b := Value("a"), Value("b")
	for _, c := range []struct {
		name string
		err  error
		want []*Error
	}{
		{"nil", nil, nil},
		{"one", a, []*Error{a}},
		{"wrapped", fmt.Errorf("doing: %w", a), []*Error{a}},
		{"list", List{b, a}, []*Error{b, a}},
		{"wrapped list", fmt.Errorf("doing: %w", List{a, b}), []*Error{a, b}},
	} {
		got := All(c.err)
		if len(got) != len(c.want) {
			t.Fatalf("%s: %v", c.name, got)
		}
		for n := range got {
			if got[n] != c.want[n] {
				t.Errorf("%s: %v", c.name, got)
			}
		}
	}
}

func TestWhatIsNoFaultIsInternal(t *testing.T) {
	got := All(io.EOF)
	if len(got) != 1 || got[0].Kind != Internal || got[0].Message != "" || !errors.Is(got[0], io.EOF) {
		t.Errorf("%v", got)
	}
	if !Is(io.EOF, Internal) || Is(io.EOF, NotFound) || Is(nil, Internal) {
		t.Error("Is takes it for something else")
	}
}

func TestIsLooksAtEveryFault(t *testing.T) {
	l := List{Value("a"), Of(UnknownField)}
	if !Is(l, UnknownField) || !Is(l, Invalid) || Is(l, NotFound) {
		t.Error("a kind is missed or made up")
	}
	if !errors.Is(l, l[1]) {
		t.Error("errors.Is does not look into the list")
	}
}

func TestEmptyListIsNoError(t *testing.T) {
	if err := (List{}).Err(); err != nil {
		t.Errorf("%v", err)
	}
	if err := (List{Value("a"), Value("b")}).Err(); err == nil || !strings.Contains(err.Error(), "; ") {
		t.Errorf("%v", err)
	}
}
