package person

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// maxRunes is the longest value of a field, in characters (3.2.8).
const maxRunes = 255

// Upper returns s in upper case by Unicode's full rules, whatever the language: ß becomes
// SS.
func Upper(s string) string {
	// A Caser may keep state, so it is never shared.
	return cases.Upper(language.Und).String(s)
}

// Fold returns the form in which two values are compared: upper case, composed, one
// space between words and none around them.
func Fold(s string) string {
	return strings.Join(strings.Fields(norm.NFC.String(Upper(s))), " ")
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// supported are the ranges whose characters results carry: Basic Latin, Latin-1 Supplement,
// Latin Extended-A and -B, Latin Extended Additional.
var supported = [][2]rune{{0x20, 0x7E}, {0xA0, 0xFF}, {0x100, 0x17F}, {0x180, 0x24F}, {0x1E00, 0x1EFF}}

// ChangeAllCharacters returns texts of 255 characters at most which hold, between them,
// every printable Latin character that upper-casing leaves as it is (15.1, CHANGEALL). No
// text begins or ends with a space; Show and Fold leave each of them unchanged.
func ChangeAllCharacters() []string {
	all := []rune{'!', ' '} // the space stands inside
	for _, span := range supported {
		for r := span[0]; r <= span[1]; r++ {
			if r != '!' && r != ' ' && unicode.IsPrint(r) && Fold(string(r)) == string(r) && Upper(string(r)) == string(r) {
				all = append(all, r)
			}
		}
	}
	var texts []string
	for len(all) > 0 {
		n := min(maxRunes, len(all))
		texts = append(texts, string(all[:n]))
		all = all[n:]
	}
	return texts
}
