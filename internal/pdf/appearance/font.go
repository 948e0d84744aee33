package appearance

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// typeface is a TrueType font, taken apart once so that cutting it down is quick.
type typeface struct {
	name       string
	parsed     *sfnt.Font
	glyphs     [][]byte // outlines, by number
	advances   []uint16 // in units
	bearings   []int16
	head, hhea []byte
	maxp       []byte
	units      int
	box        [4]int // in thousandths, as the numbers below
	ascent     int
	descent    int
	capHeight  int
}

var (
	regular = sync.OnceValue(func() *typeface { return mustRead("DejaVuSans", dejavusans.TTF) })
	bold    = sync.OnceValue(func() *typeface { return mustRead("DejaVuSans-Bold", dejavusansbold.TTF) })
)

// mustRead takes a font apart that is built in. It panics where it is no font.
func mustRead(name string, ttf []byte) *typeface {
	parsed, err := sfnt.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("reading the font %s: %v", name, err))
	}
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
		entry := ttf[12+16*i:]
		at, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		tables[string(entry[:4])] = ttf[at : at+length]
	}
	f := &typeface{name: name, parsed: parsed, head: tables["head"], hhea: tables["hhea"], maxp: tables["maxp"]}
	f.units = int(binary.BigEndian.Uint16(f.head[18:]))
	for i := range f.box {
		f.box[i] = f.thousandths(int(signed(f.head[36+2*i:])))
	}
	f.ascent, f.descent = f.thousandths(int(signed(f.hhea[4:]))), f.thousandths(int(signed(f.hhea[6:])))
	f.readGlyphs(tables["loca"], tables["glyf"], tables["hmtx"])
	var buffer sfnt.Buffer
	capital, err := parsed.GlyphIndex(&buffer, 'H')
	if err != nil || capital == 0 {
		panic(fmt.Sprintf("the font %s has no H: %v", name, err))
	}
	f.capHeight = f.thousandths(int(signed(f.glyphs[capital][8:])))
	return f
}

func (f *typeface) readGlyphs(loca, glyf, hmtx []byte) {
	count, metrics := int(binary.BigEndian.Uint16(f.maxp[4:])), int(binary.BigEndian.Uint16(f.hhea[34:]))
	offset := func(i int) int {
		if binary.BigEndian.Uint16(f.head[50:]) == 0 {
			return 2 * int(binary.BigEndian.Uint16(loca[2*i:]))
		}
		return int(binary.BigEndian.Uint32(loca[4*i:]))
	}
	for i := range count {
		f.glyphs = append(f.glyphs, glyf[offset(i):offset(i+1)])
		last := min(i, metrics-1)
		f.advances = append(f.advances, binary.BigEndian.Uint16(hmtx[4*last:]))
		if i < metrics {
			f.bearings = append(f.bearings, signed(hmtx[4*i+2:]))
		} else {
			f.bearings = append(f.bearings, signed(hmtx[4*metrics+2*(i-metrics):]))
		}
	}
}

func signed(b []byte) int16 { return int16(binary.BigEndian.Uint16(b)) } //nolint:gosec // that is how fonts store them

func (f *typeface) thousandths(units int) int { return units * 1000 / f.units }

// replacement stands for every character that the font lacks.
const replacement = '\uFFFD'

// maxRunes bounds a line.
const maxRunes = 300

// clean returns a text as it can be drawn: composed, on one line, without what the font
// lacks.
func (f *typeface) clean(text string) string {
	if len(text) > 4*maxRunes {
		text = text[:4*maxRunes]
	}
	var b strings.Builder
	var buffer sfnt.Buffer
	for _, r := range norm.NFC.String(strings.Join(strings.Fields(text), " ")) {
		glyph, err := f.parsed.GlyphIndex(&buffer, r)
		if r < 0x20 || err != nil || glyph == 0 {
			r = replacement
		}
		b.WriteRune(r)
	}
	return b.String()
}

// width is how long a clean text is at a size of 1.
func (f *typeface) width(text string) float64 {
	var buffer sfnt.Buffer
	sum := 0
	for _, r := range text {
		glyph, _ := f.parsed.GlyphIndex(&buffer, r) // it is clean
		sum += int(f.advances[glyph])
	}
	return float64(sum) / float64(f.units)
}

// fit shortens a clean text to so much width at a size of 1.
func (f *typeface) fit(text string, width float64) string {
	if f.width(text) <= width {
		return text
	}
	const dots = "…"
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		if short := strings.TrimRight(string(runes[:n]), " ") + dots; f.width(short) <= width {
			return short
		}
	}
	return ""
}

// subset is a font in the making: the glyphs that are in use get new numbers.
type subset struct {
	face    *typeface
	numbers map[sfnt.GlyphIndex]uint16
	old     []sfnt.GlyphIndex // by new number
	text    []string
}

func newSubset(f *typeface) *subset {
	return &subset{f, map[sfnt.GlyphIndex]uint16{0: 0}, []sfnt.GlyphIndex{0}, []string{""}}
}

// encode returns a clean text as the hexadecimal string that shows it.
func (s *subset) encode(text string) string {
	var buffer sfnt.Buffer
	var b strings.Builder
	for _, r := range text {
		glyph, _ := s.face.parsed.GlyphIndex(&buffer, r) // it is clean
		number := s.number(glyph)
		s.text[number] = string(r)
		fmt.Fprintf(&b, "%04X", number)
	}
	return b.String()
}

func (s *subset) number(glyph sfnt.GlyphIndex) uint16 {
	number, known := s.numbers[glyph]
	if !known {
		number = uint16(len(s.old)) //nolint:gosec // a font has no more
		s.numbers[glyph] = number
		s.old = append(s.old, glyph)
		s.text = append(s.text, "")
	}
	return number
}

// font returns the font with what was encoded.
func (s *subset) font() *Font {
	f := s.face
	var glyf, loca, hmtx []byte
	var widths []int
	for i := 0; i < len(s.old); i++ { // parts of composed glyphs are appended on the way
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf))) //nolint:gosec // far less
		glyf = append(glyf, s.bare(f.glyphs[s.old[i]])...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, f.advances[s.old[i]])
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.bearings[s.old[i]])) //nolint:gosec // that is how fonts store them
		widths = append(widths, f.thousandths(int(f.advances[s.old[i]])))
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf))) //nolint:gosec // far less
	head, hhea, maxp := slices.Clone(f.head), slices.Clone(f.hhea), slices.Clone(f.maxp)
	count := uint16(len(s.old)) //nolint:gosec // a font has no more
	binary.BigEndian.PutUint16(head[50:], 1)
	binary.BigEndian.PutUint16(hhea[34:], count)
	binary.BigEndian.PutUint16(maxp[4:], count)
	binary.BigEndian.PutUint16(maxp[26:], 0) // no instructions
	return &Font{
		Name: tag(s.text) + "+" + f.name, Widths: widths, Text: s.text,
		File: assemble(map[string][]byte{"glyf": glyf, "head": head, "hhea": hhea, "hmtx": hmtx, "loca": loca, "maxp": maxp}),
		Box:  f.box, Ascent: f.ascent, Descent: f.descent, CapHeight: f.capHeight,
	}
}

// The flags of the parts of a composed glyph.
const (
	argsAreWords    = 1 << 0
	haveScale       = 1 << 3
	moreParts       = 1 << 5
	haveTwoScales   = 1 << 6
	haveTwoByTwo    = 1 << 7
	haveInstruction = 1 << 8
)

// bare returns an outline without its instructions, which serve coarse screens only, and
// with the new numbers of its parts.
func (s *subset) bare(outline []byte) []byte {
	if len(outline) < 10 {
		return nil
	}
	out := slices.Clone(outline)
	if contours := int(signed(out)); contours >= 0 {
		at := 10 + 2*contours
		length := int(binary.BigEndian.Uint16(out[at:]))
		binary.BigEndian.PutUint16(out[at:], 0)
		return slices.Delete(out, at+2, at+2+length)
	}
	for at := 10; ; {
		flags := binary.BigEndian.Uint16(out[at:])
		binary.BigEndian.PutUint16(out[at:], flags&^haveInstruction)
		binary.BigEndian.PutUint16(out[at+2:], s.number(sfnt.GlyphIndex(binary.BigEndian.Uint16(out[at+2:]))))
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&haveScale != 0:
			at += 2
		case flags&haveTwoScales != 0:
			at += 4
		case flags&haveTwoByTwo != 0:
			at += 8
		}
		if flags&moreParts == 0 {
			return out[:at]
		}
	}
}

// assemble makes a font of its tables.
func assemble(tables map[string][]byte) []byte {
	names := []string{"glyf", "head", "hhea", "hmtx", "loca", "maxp"}
	out := []byte{0, 1, 0, 0, 0, 6, 0, 64, 0, 2, 0, 96 - 64} // six tables; the rest is for those who look one up by halves
	at, headAt := 12+16*len(names), 0
	var body []byte
	binary.BigEndian.PutUint32(tables["head"][8:], 0)
	for _, name := range names {
		table := tables[name]
		if name == "head" {
			headAt = at + len(body)
		}
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, checksum(table))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body))) //nolint:gosec // far less
		out = binary.BigEndian.AppendUint32(out, uint32(len(table)))   //nolint:gosec // far less
		body = append(body, table...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

func checksum(b []byte) (sum uint32) {
	for len(b) >= 4 {
		sum += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	if len(b) > 0 {
		sum += binary.BigEndian.Uint32(append(slices.Clone(b), 0, 0, 0)[:4])
	}
	return sum
}

// tag returns the six letters that tell subsets apart.
func tag(text []string) string {
	sum := uint64(14695981039346656037)
	for _, b := range []byte(strings.Join(text, "")) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	var letters [6]byte
	for i := range letters {
		letters[i] = byte('A' + sum%26)
		sum /= 26
	}
	return string(letters[:])
}

func utf16BE(text string) (b []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}
