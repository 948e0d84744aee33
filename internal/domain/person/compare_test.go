package person

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestPrintedExamplesOfComparison(t *testing.T) {
	tests := []struct {
		name                       string
		sent, identified, reviewed string
		want                       Value
	}{
		{"1 matching firstname", "Armin", "ARMIN", "ARMIN",
			Value{Value: "ARMIN", Status: Match, ReviewStatus: Match}},
		{"2 new nationality", "", "DE", "DE",
			Value{Value: "DE", Status: New, ReviewStatus: Match}},
		{"3 and 4 changed birthday", "1982-05-22", "1983-05-22", "1983-05-22",
			Value{Value: "1983-05-22", Status: Change, ReviewStatus: Match, Original: "1982-05-22"}},
		{"6 changed twice", "1981-07-02", "1983-05-21", "1983-05-22",
			Value{Value: "1983-05-22", Status: Change, ReviewStatus: Change, Original: "1981-07-02", Identification: "1983-05-21"}},
		{"7 title by the reviewer only", "", "", "Dr.",
			Value{Value: "Dr.", Status: Match, ReviewStatus: New}},
		{"changed by the reviewer only", "Armin", "ARMIN", "OTTO",
			Value{Value: "OTTO", Status: Match, ReviewStatus: Change, Identification: "ARMIN"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Compare(tt.sent, tt.identified, tt.reviewed, true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBeforeTheReviewNothingOfItShows(t *testing.T) {
	got := Compare("Armin", "OTTO", "IGNORED", false)
	want := Value{Value: "OTTO", Status: Change, Original: "Armin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLetterCaseSpacesAndCompositionMatch(t *testing.T) {
	for _, pair := range [][2]string{
		{"Strauß", "STRAUSS"}, {" Hans  Peter ", "HANS PETER"}, {"Mu\u0308ller", "MÜLLER"}, {"Hans\u00a0Peter", "HANS PETER"},
	} {
		if got := Compare(pair[0], pair[1], pair[1], true); got.Status != Match {
			t.Errorf("Compare(%q, %q) = %v, want MATCH", pair[0], pair[1], got)
		}
	}
	if got := Compare("Müller", "MUELLER", "MUELLER", true); got.Status != Change {
		t.Errorf("ü and ue: %v, want CHANGE", got)
	}
}

// TestEveryCombination writes every combination of what was sent, identified and reviewed
// down, so that a person can read what each becomes.
func TestEveryCombination(t *testing.T) {
	var b strings.Builder
	show := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	line := func(cells ...string) {
		var row strings.Builder
		for _, c := range cells {
			fmt.Fprintf(&row, "%-11s", c)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	for _, final := range []bool{false, true} {
		if final {
			b.WriteString("\nfinal\n")
		} else {
			b.WriteString("preliminary\n")
		}
		line("sent", "agent", "reviewer", "value", "status", "review", "original", "ident")
		for _, sent := range []string{"", "Anna"} {
			for _, agent := range []string{"", "ANNA", "BEA"} {
				for _, reviewer := range []string{"", "ANNA", "BEA", "CLEA"} {
					if !final && reviewer != "" {
						continue
					}
					v := Compare(sent, agent, reviewer, final)
					if v == (Value{}) {
						line(show(sent), show(agent), show(reviewer), "(left out)")
						continue
					}
					line(show(sent), show(agent), show(reviewer), show(v.Value), string(v.Status),
						show(string(v.ReviewStatus)), show(v.Original), show(v.Identification))
				}
			}
		}
	}
	golden(t, "compare.golden", b.String())
}

func TestChangeAllCharactersHoldTheSupportedRanges(t *testing.T) {
	texts := ChangeAllCharacters()
	all := strings.Join(texts, "")
	for i, s := range texts {
		if !plainText(s) {
			t.Errorf("text %d is no value of a field", i)
		}
		if Upper(s) != s || Fold(s) != s || Firstname.Show(s) != s {
			t.Errorf("text %d does not stay as it is", i)
		}
	}
	for _, r := range "AZ09 <>&\"'ÄÖÜÀÿŒŠŽĀƁȘẀẞỸ~¡" {
		want := Upper(string(r)) == string(r)
		if got := strings.ContainsRune(all, r); got != want {
			t.Errorf("holds %q: %v, want %v", r, got, want)
		}
	}
	for _, r := range "\u00a0\u00ad\u007f\u0085ß" {
		if strings.ContainsRune(all, r) {
			t.Errorf("holds %U", r)
		}
	}
	golden(t, "changeall.golden", strings.Join(texts, "\n")+"\n")
}

func TestShowUppercasesTextOnly(t *testing.T) {
	for f, want := range map[Field]string{
		Firstname: "GROSS", Lastname: "GROSS", Birthplace: "GROSS", Birthname: "GROSS", Street: "GROSS", StreetNumber: "GROSS",
		City: "GROSS", Zipcode: "GROSS", Title: "groß", Birthday: "groß", Gender: "groß", Nationality: "groß", Country: "groß",
	} {
		if got := f.Show("groß"); got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
	if got := IssuedBy.Show("Stadt Weiß"); got != "STADT WEISS" {
		t.Errorf("issuedby: %q", got)
	}
	if got := DocumentNumber.Show("l01x"); got != "l01x" {
		t.Errorf("number: %q", got)
	}
}
