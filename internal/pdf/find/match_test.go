package find

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextIsFoundAsItIsRead(t *testing.T) {
	for _, c := range []struct{ name, page, text, want string }{
		{"once", "sign here, please", "here", "[{5 9}]"},
		{"every time", "ab ab ab", "ab", "[{0 2} {3 5} {6 8}]"},
		{"without overlap", "aaaa", "aa", "[{0 2} {2 4}]"},
		{"case", "Name name", "name", "[{5 9}]"},
		{"part of a word", "Unterschrift", "schrift", "[{5 12}]"},
		{"spaces are folded", "a  \t b", "a b", "[{0 6}]"},
		{"spaces in the text are folded", "a b", "  a \n b ", "[{0 3}]"},
		{"no-break space", "a\u00A0b", "a b", "[{0 3}]"},
		{"over a new line", "place of\r\nsignature", "of signature", "[{6 19}]"},
		{"spaces matter", "signhere", "sign here", "[]"},
		{"ligature on the page", "o\uFB03ce", "office", "[{0 4}]"},
		{"ligature in the text", "office", "o\uFB03ce", "[{0 6}]"},
		{"half a ligature at the end", "o\uFB03ce", "off", "[{0 2}]"},
		{"half a ligature at the start", "o\uFB03ce", "ice", "[]"},
		{"decomposed on the page", "Mu\u0308ller", "M\u00FCller", "[{0 7}]"},
		{"decomposed in the text", "M\u00FCller", "Mu\u0308ller", "[{0 6}]"},
		{"a base is not the character", "M\u00FC", "Mu", "[]"},
		{"soft hyphens are nothing", "Unter\u00ADschrift", "Unterschrift", "[{0 13}]"},
		{"divided", "Unter\u0002\r\nschrift", "Unterschrift", "[{0 15}]"},
		{"divided without a new line", "Unter\u0002schrift", "Unterschrift", "[{0 13}]"},
		{"hyphen at the end", "E-Mail\u0002\r\nAdresse", "E-Mail-Adresse", "[{0 16}]"},
		{"hyphen at the end and a space", "E-Mail\u0002\r\nAdresse", "E-Mail- Adresse", "[{0 16}]"},
		{"hyphen in the line", "E-Mail", "EMail", "[]"},
		{"greek", "Υπογραφή", "γραφή", "[{3 8}]"},
		{"nothing", "abc", " ", "[]"},
		{"longer than the page", "ab", "abc", "[]"},
		{"no page", "", "a", "[]"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if got := fmt.Sprint(matches(textOf(c.page), c.text, maxMatches)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestMatchesAreBounded(t *testing.T) {
	if got := matches(textOf(strings.Repeat("a", 1000)), "a", 7); len(got) != 7 {
		t.Errorf("%d matches, want 7", len(got))
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("Unter\u0002\r\nschrift des Kunden", "Unterschrift")
	f.Add("o\uFB03ce \u00AD", "office")
	f.Add("Mu\u0308ller", "M\u00FCller")
	f.Fuzz(func(t *testing.T, page, text string) {
		letters := textOf(page)
		before := 0
		for _, s := range matches(letters, text, maxMatches) {
			if s.from < before || s.to <= s.from || s.to > len(letters) {
				t.Fatalf("%+v after %d of %d letters", s, before, len(letters))
			}
			before = s.to
		}
		// What stands on the page is found there.
		if word := strings.TrimSpace(page); utf8.ValidString(page) && len(units(textOf(word))) > 0 && plain(word) && len(matches(letters, word, 1)) == 0 {
			t.Fatalf("%q is not found in %q", word, page)
		}
	})
}

// plain says whether a text has nothing that is read in more than one way.
func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7E || r < 0x20 }) < 0
}
