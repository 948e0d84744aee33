package mrz

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters is the table of Doc 9303 part 3, section 6: what does not simply lose its
// diacritic. Where the standard leaves a choice it is the first one it names, but Ñ is N
// as all issuers print it. Cyrillic is the Russian column.
var letters = map[rune]string{
	'Ä': "AE", 'Å': "AA", 'Æ': "AE", 'Ö': "OE", 'Ø': "OE", 'Œ': "OE", 'Ü': "UE", 'ẞ': "SS",
	'Ð': "D", 'Đ': "D", 'Þ': "TH", 'Ħ': "H", 'İ': "I", 'I': "I", 'Ĳ': "IJ", 'ĸ': "Q", 'Ł': "L",
	'Ŋ': "N", 'Ŧ': "T", 'Ŀ': "L", 'Ə': "E",
	'А': "A", 'Б': "B", 'В': "V", 'Г': "G", 'Д': "D", 'Е': "E", 'Ё': "E", 'Ж': "ZH", 'З': "Z",
	'И': "I", 'І': "I", 'Й': "I", 'К': "K", 'Л': "L", 'М': "M", 'Н': "N", 'О': "O", 'П': "P",
	'Р': "R", 'С': "S", 'Т': "T", 'У': "U", 'Ф': "F", 'Х': "KH", 'Ц': "TS", 'Ч': "CH",
	'Ш': "SH", 'Щ': "SHCH", 'Ъ': "IE", 'Ы': "Y", 'Ь': "", 'Э': "E", 'Ю': "IU", 'Я': "IA",
}

// mostName bounds how much of a name is looked at; no field takes more than 39 letters.
const mostName = 255

// Transliterate returns a name as a zone prints it, not yet shortened: the letters A to
// Z, one "<" between its parts (spaces, hyphens, commas). Apostrophes and full stops go
// without a trace, as do digits and letters of scripts the table does not have; a name
// that has nothing else is empty. Only the first 255 characters count.
func Transliterate(name string) string {
	var b strings.Builder
	gap := false
	put := func(s string) {
		if gap && b.Len() > 0 {
			b.WriteByte('<')
		}
		gap = false
		b.WriteString(s)
	}
	for _, r := range bounded(name) {
		switch {
		case r == '<' || r == ',' || unicode.IsSpace(r) || unicode.Is(unicode.Dash, r):
			gap = true
		default:
			if s := letter(r); s != "" {
				put(s)
			}
		}
	}
	return b.String()
}

// bounded composes the characters first, so that A followed by a combining diaeresis is
// the Ä of the table.
func bounded(name string) []rune {
	runes := []rune(strings.ToValidUTF8(name, ""))
	if len(runes) > mostName {
		runes = runes[:mostName]
	}
	return []rune(norm.NFC.String(string(runes)))
}

// letter returns what stands for one character, or nothing.
func letter(r rune) string {
	switch r {
	case 'ß':
		return "SS"
	case 'ı':
		return "I"
	}
	if r != 'ĸ' {
		r = unicode.ToUpper(r)
	}
	if s, known := letters[r]; known {
		return s
	}
	var b strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		if part = unicode.ToUpper(part); part >= 'A' && part <= 'Z' {
			b.WriteRune(part)
		} else if s, known := letters[part]; known {
			b.WriteString(s)
		}
	}
	return b.String()
}

// symbols returns a code or number as a zone prints it: letters and digits, one "<" for
// each run of anything else inside.
func symbols(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range bounded(text) {
		s := letter(r)
		if r >= '0' && r <= '9' {
			s = string(r)
		}
		if s == "" {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('<')
		}
		gap = false
		b.WriteString(s)
	}
	return b.String()
}

// nameField writes both names into width characters. A name that does not fit is
// shortened as Doc 9303 part 4, 4.2.3 asks: the surname only so far that two fillers and
// one letter of the given names remain, its last parts first and to their initials; then
// the end of the given names; and the last character is a letter, which tells a reader
// that something may be missing.
func nameField(surname, given string, width int) string {
	primary, secondary := Transliterate(surname), Transliterate(given)
	if primary == "" { // the standard: a single name is the primary identifier
		primary, secondary = secondary, ""
	}
	if primary == "" {
		primary = "X" // a name of which nothing remains; the field must not be empty
	}
	if secondary == "" {
		return pad(cut(primary, width), width)
	}
	full := primary + "<<" + secondary
	if len(full) <= width {
		return pad(full, width)
	}
	if room := width - 3; len(primary) > room {
		primary = cut(initials(primary, room), room)
	}
	head := primary + "<<"
	return pad(head+cut(secondary, width-len(head)), width)
}

// initials shortens the last parts of a name to one letter until it fits, or until only
// the first part is whole.
func initials(name string, room int) string {
	parts := strings.Split(name, "<")
	for i := len(parts) - 1; i > 0 && len(strings.Join(parts, "<")) > room; i-- {
		parts[i] = parts[i][:1]
	}
	return strings.Join(parts, "<")
}

// cut shortens a name to width characters of which the last is a letter: where a filler
// would be last, the part before it gives one letter more, so that the next part shows.
// If no part has one to spare the result is one shorter.
func cut(name string, width int) string {
	if len(name) <= width {
		return name
	}
	if name[width-1] != '<' {
		return name[:width]
	}
	for end := width - 1; end > 0; {
		start := strings.LastIndexByte(name[:end], '<') + 1
		if end-start > 1 {
			shorter := name[:end-1] + name[end:]
			return shorter[:width]
		}
		end = start - 1
	}
	return name[:width-1]
}
