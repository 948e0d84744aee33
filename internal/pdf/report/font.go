package report

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// face is one of the fonts; it is the name of the font in the PDF.
type face string

const (
	sans face = "vidimussans"
	bold face = "vidimusbold"
	mono face = "vidimusmono"
)

var faces = map[face][]byte{sans: dejavusans.TTF, bold: dejavusansbold.TTF, mono: dejavusansmono.TTF}

// scripts are the blocks of Unicode that are set without shaping and from left to right. A
// script that runs the other way would come out in the wrong order, which is worse than not
// at all.
var scripts = [][2]rune{
	{0x20, 0x7E}, {0xA0, 0xAC}, {0xAE, 0x36F}, {0x370, 0x52F}, {0x1E00, 0x1FFF}, {0x2010, 0x2027}, {0x2030, 0x205E},
	{0x2070, 0x20CF}, {0x2100, 0x21FF}, {0x2200, 0x22FF}, {0x25A0, 0x27BF}, {0xFB00, 0xFB06}, {replacement, replacement},
}

// replacement stands for every character that the fonts lack.
const replacement = '\uFFFD'

// fontSet are the fonts, cut down to scripts, and what is known about their characters. The
// library reads the whole font for every document, so it gets a small one.
type fontSet struct {
	files  map[face][]byte
	widths map[face]map[rune]int // in thousandths of the size; the keys are the same in each
}

// loadFonts cuts the fonts once. It panics where the embedded fonts are no fonts.
var loadFonts = sync.OnceValue(func() *fontSet {
	covered := coverage()
	set := &fontSet{files: map[face][]byte{}, widths: map[face]map[rune]int{}}
	doc := fpdf.New("P", "mm", "A4", "")
	for f, ttf := range faces {
		set.files[f] = fpdf.UTF8CutFont(append([]byte(nil), ttf...), string(covered))
		set.widths[f] = make(map[rune]int, len(covered))
		doc.AddUTF8FontFromBytes(string(f), "", set.files[f])
		doc.SetFont(string(f), "", 10)
		for _, r := range covered {
			set.widths[f][r] = doc.GetStringSymbolWidth(string(r))
		}
	}
	if err := doc.Error(); err != nil {
		panic(err)
	}
	return set
})

// coverage returns the characters of scripts that the fonts of values have. Only sums and
// codes of the specification are set in mono, which has fewer.
func coverage() []rune {
	var parsed []*sfnt.Font
	for _, f := range []face{sans, bold} {
		p, err := sfnt.Parse(faces[f])
		if err != nil {
			panic(fmt.Sprintf("reading the font %s: %v", f, err))
		}
		parsed = append(parsed, p)
	}
	var covered []rune
	var buf sfnt.Buffer
	for _, s := range scripts {
		for r := s[0]; r <= s[1]; r++ {
			all := true
			for _, p := range parsed {
				glyph, err := p.GlyphIndex(&buf, r)
				all = all && err == nil && glyph != 0
			}
			if all {
				covered = append(covered, r)
			}
		}
	}
	return covered
}

// maxRunes bounds one value. The specification's longest have 255 characters.
const maxRunes = 4000

// clean returns s as it can be drawn: composed, on one line, without characters that the
// fonts lack. lost says whether there were any.
func (s *fontSet) clean(text string) (out string, lost bool) {
	if len(text) > 4*maxRunes { // bytes; composing makes it shorter, and must not take long
		text = text[:4*maxRunes] + "…"
	}
	var b strings.Builder
	count := 0
	for _, r := range norm.NFC.String(text) {
		if count++; count > maxRunes {
			b.WriteRune('…')
			break
		}
		switch _, ok := s.widths[sans][r]; {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case ok:
			lost = lost || r == replacement
			b.WriteRune(r)
		default:
			lost = true
			b.WriteRune(replacement)
		}
	}
	return b.String(), lost
}

// width returns the length in mm of clean text at a size in points.
func (s *fontSet) width(f face, size float64, text string) float64 {
	sum := 0
	for _, r := range text {
		sum += s.widths[f][r]
	}
	return float64(sum) / 1000 * size * mmPerPoint
}

const mmPerPoint = 25.4 / 72

// wrap breaks clean text into lines of at most width mm: after spaces and hyphens, and
// inside a word that is longer than a line. There is always one line.
func (s *fontSet) wrap(f face, size float64, text string, width float64) []string {
	limit := int(math.Floor(width / mmPerPoint / size * 1000))
	var lines []string
	runes := []rune(text)
	start, sum, after := 0, 0, -1 // after: where the line may be broken
	for i := 0; i < len(runes); i++ {
		w := s.widths[f][runes[i]]
		if sum+w > limit && i > start && runes[i] != ' ' {
			if after <= start {
				after = i
			}
			lines = append(lines, strings.TrimRight(string(runes[start:after]), " "))
			start, i, sum, after = after, after-1, 0, -1
			continue
		}
		sum += w
		if r := runes[i]; r == ' ' || r == '-' {
			after = i + 1
		}
	}
	return append(lines, strings.TrimRight(string(runes[start:]), " "))
}

// fit shortens clean text to one line of at most width mm.
func (s *fontSet) fit(f face, size float64, text string, width float64) string {
	if s.width(f, size, text) <= width {
		return text
	}
	width -= s.width(f, size, "…")
	for i, r := range text {
		if width -= s.width(f, size, string(r)); width < 0 {
			return text[:i] + "…"
		}
	}
	return text
}
