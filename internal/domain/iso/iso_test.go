package iso

import (
	"slices"
	"testing"
)

func TestListsHaveTheirOfficialLength(t *testing.T) {
	for name, c := range map[string]struct {
		codes  []string
		want   int
		member func(string) bool
		sample string
	}{
		"countries": {Countries(), 249, Country, "DE"},
		"languages": {Languages(), 184, Language, "de"},
	} {
		if len(c.codes) != c.want {
			t.Errorf("%s: %d codes, want %d", name, len(c.codes), c.want)
		}
		if !slices.IsSorted(c.codes) || len(slices.Compact(slices.Clone(c.codes))) != len(c.codes) {
			t.Errorf("%s: not sorted, or a code stands twice", name)
		}
		for _, code := range c.codes {
			if !c.member(code) {
				t.Errorf("%s: %q is listed and not accepted", name, code)
			}
		}
		if !slices.Contains(c.codes, c.sample) {
			t.Errorf("%s: %q is missing", name, c.sample)
		}
	}
}

func TestWhatIsNoCodeIsRefused(t *testing.T) {
	for _, s := range []string{"", " ", "  ", "D", "DEU", "de", "ZZ", "XK", "D ", " D", "E ", "UK", "dé"} {
		if Country(s) {
			t.Errorf("%q is taken for a country", s)
		}
	}
	for _, s := range []string{"", " ", "  ", "d", "deu", "DE", "zz", "xx", "sh", "d ", "a d"} {
		if Language(s) {
			t.Errorf("%q is taken for a language", s)
		}
	}
}
