package find

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letter is one character of a page as PDFium reads it.
type letter struct {
	r      rune
	hyphen bool // it was drawn because a line ends there
}

// The characters that stand for a hyphen at the end of a line.
const (
	softHyphen   = '\u00AD'
	hyphenAtEnd  = '\u0002' // what PDFium makes of a hyphen at the end of a line
	noncharacter = '\uFFFE' // what it makes of one elsewhere
)

// maxMatches is how often a text may occur. One that occurs more often is not a place.
const maxMatches = 200

// span is a range of letters: from the first to before the last.
type span struct{ from, to int }

// unit is what is compared: a part of a letter, or white space between two.
type unit struct {
	r        rune
	from, to int  // the letters that it stands for
	optional bool // a hyphen at the end of a line, which may belong to the word or not
}

// matches returns where needle stands among the letters, in their order and without
// overlap: the same characters in the same case. Any white space, also a new line, is one
// space; a ligature is its letters, composed characters equal decomposed ones, soft hyphens
// are nothing, and a word may be divided by a hyphen at the end of a line. At most limit are
// returned.
func matches(letters []letter, needle string, limit int) (found []span) {
	want := units(textOf(needle))
	for len(want) > 0 && want[0].r == ' ' {
		want = want[1:]
	}
	for len(want) > 0 && want[len(want)-1].r == ' ' {
		want = want[:len(want)-1]
	}
	if len(want) == 0 {
		return nil
	}
	have := units(letters)
	for i := 0; i < len(have) && len(found) < limit; {
		n := prefix(have[i:], want)
		if n == 0 || i > 0 && have[i].from < have[i-1].to || i+n < len(have) && unicode.Is(unicode.Mn, have[i+n].r) {
			i++ // not here, or it begins or ends within a character
			continue
		}
		found = append(found, span{have[i].from, have[i+n-1].to})
		i += n
	}
	return found
}

func textOf(s string) []letter {
	var letters []letter
	for _, r := range s {
		letters = append(letters, letter{r: r})
	}
	return letters
}

// units takes letters apart into what is compared.
func units(letters []letter) []unit {
	out := make([]unit, 0, len(letters))
	for i, l := range letters {
		switch {
		case l.r == softHyphen || l.r == 0 || l.r == '\uFEFF' || l.r == '\u200B':
		case l.r == hyphenAtEnd || l.r == noncharacter || l.hyphen:
			out = append(out, unit{'-', i, i + 1, true})
		case unicode.IsSpace(l.r):
			if n := len(out); n > 0 && out[n-1].r == ' ' {
				out[n-1].to = i + 1
				continue
			}
			out = append(out, unit{r: ' ', from: i, to: i + 1})
		default:
			for _, r := range apart(l.r) {
				out = append(out, unit{r: r, from: i, to: i + 1})
			}
		}
	}
	return out
}

// apart takes a ligature or a composed character apart.
func apart(r rune) []rune {
	if r < 0x80 {
		return []rune{r}
	}
	if 0xFB00 <= r && r <= 0xFB06 {
		return []rune(norm.NFKD.String(string(r)))
	}
	return []rune(norm.NFD.String(string(r)))
}

// prefix returns how many units of have are needed to read want from their start; 0: they do
// not begin with it.
func prefix(have, want []unit) int {
	i := 0
	for j := 0; j < len(want); j++ {
		if i >= len(have) {
			return 0
		}
		if have[i].r == want[j].r {
			i++
			continue
		}
		// A word that is divided: the hyphen, if it is none of the word, and the new line.
		k := i
		if k > 0 && have[k].optional {
			k++
		}
		if k > 0 && k < len(have) && have[k].r == ' ' && have[k-1].optional {
			k++
		}
		if k == i || k >= len(have) || have[k].r != want[j].r {
			return 0
		}
		i = k + 1
	}
	return i
}
