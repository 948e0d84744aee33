package find

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// occurrence is a text on a page.
type occurrence struct {
	box            box     // of the first line of it, in user space
	startX, startY float64 // where its first character stands on the base line
}

// texts calls work with the letters of the page and something that finds out where they are.
func (p *page) texts(work func([]letter, *ruler) error) error {
	loaded, err := p.doc.pdfium.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: p.ref})
	if err != nil {
		return fmt.Errorf("loading the text of page %d: %w", p.number, err)
	}
	ruler := &ruler{doc: p.doc, text: loaded.TextPage}
	letters, err := ruler.letters()
	if err == nil {
		err = work(letters, ruler)
	}
	if _, bad := p.doc.pdfium.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage}); bad != nil && err == nil {
		err = fmt.Errorf("closing the text of page %d: %w", p.number, bad)
	}
	return err
}

// ruler measures the characters of a page.
type ruler struct {
	doc  *document
	text references.FPDF_TEXTPAGE
}

// extent is how far a font reaches above and below the base line, for a size of 1.
type extent struct{ ascent, descent float64 }

func (r *ruler) letters() ([]letter, error) {
	api := r.doc.pdfium
	count, err := api.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: r.text})
	if err != nil {
		return nil, fmt.Errorf("counting characters: %w", err)
	}
	letters := make([]letter, count.Count)
	for i := range letters {
		char, err := api.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: r.text, Index: i})
		if err != nil {
			return nil, fmt.Errorf("reading a character: %w", err)
		}
		letters[i].r = rune(char.Unicode) //nolint:gosec // a character of Unicode
		if letters[i].r == '-' || letters[i].r == '\u2010' {
			hyphen, err := api.FPDFText_IsHyphen(&requests.FPDFText_IsHyphen{TextPage: r.text, Index: i})
			if err != nil {
				return nil, fmt.Errorf("reading a hyphen: %w", err)
			}
			letters[i].hyphen = hyphen.IsHyphen
		}
	}
	return letters, nil
}

// glyph is a character where it stands.
type glyph struct {
	x, y     float64    // its origin on the base line
	along    [2]float64 // of length 1: the way the text runs
	up       [2]float64 // from the base line, for a size of 1
	size     float64
	advance  float64 // how far it reaches along
	extent   extent
	invented bool // no such character is drawn
}

// occurrence measures the part of a match that stands on its first line. False: nothing of
// it is drawn.
func (r *ruler) occurrence(letters []letter, at span) (o occurrence, ok bool, err error) {
	var first glyph
	for i := at.from; i < at.to; i++ {
		g, err := r.glyph(i, letters[i].r)
		if err != nil {
			return o, false, err
		}
		if g.invented {
			continue
		}
		if !ok {
			first, ok = g, true
			o = occurrence{box{g.x, g.y, g.x, g.y}, g.x, g.y}
		}
		if offset := (g.x-first.x)*-first.along[1] + (g.y-first.y)*first.along[0]; math.Abs(offset) > lineHeight(first)/2 {
			break // the next line
		}
		for _, height := range []float64{g.extent.descent, g.extent.ascent} {
			x, y := g.x+g.up[0]*height, g.y+g.up[1]*height
			o.box = o.box.with(x, y).with(x+g.along[0]*g.advance, y+g.along[1]*g.advance)
		}
	}
	return o, ok, nil
}

func lineHeight(g glyph) float64 { return math.Hypot(g.up[0], g.up[1]) }

func (r *ruler) glyph(index int, char rune) (g glyph, err error) {
	api := r.doc.pdfium
	generated, err := api.FPDFText_IsGenerated(&requests.FPDFText_IsGenerated{TextPage: r.text, Index: index})
	if err != nil {
		return g, fmt.Errorf("asking for a character: %w", err)
	}
	if generated.IsGenerated {
		return glyph{invented: true}, nil
	}
	origin, err := api.FPDFText_GetCharOrigin(&requests.FPDFText_GetCharOrigin{TextPage: r.text, Index: index})
	if err != nil {
		return g, fmt.Errorf("reading where a character is: %w", err)
	}
	matrix, err := api.FPDFText_GetMatrix(&requests.FPDFText_GetMatrix{TextPage: r.text, Index: index})
	if err != nil {
		return g, fmt.Errorf("reading how a character is turned: %w", err)
	}
	size, err := api.FPDFText_GetFontSize(&requests.FPDFText_GetFontSize{TextPage: r.text, Index: index})
	if err != nil {
		return g, fmt.Errorf("reading the size of a character: %w", err)
	}
	drawn, err := api.FPDFText_GetCharBox(&requests.FPDFText_GetCharBox{TextPage: r.text, Index: index})
	if err != nil {
		return g, fmt.Errorf("reading the box of a character: %w", err)
	}
	m := matrix.Matrix
	a, b, c, d := float64(m.A), float64(m.B), float64(m.C), float64(m.D)
	g = glyph{x: origin.X, y: origin.Y, size: size.FontSize, along: [2]float64{1, 0}, up: [2]float64{c * size.FontSize, d * size.FontSize}}
	if length := math.Hypot(a, b); length > 0 {
		g.along = [2]float64{a / length, b / length}
	}
	var width float64
	if g.extent, width, err = r.font(index, char); err != nil {
		return g, err
	}
	if g.advance = width * size.FontSize * math.Hypot(a, b); width > 0 {
		return g, nil
	}
	for _, corner := range [][2]float64{{drawn.Left, drawn.Bottom}, {drawn.Left, drawn.Top}, {drawn.Right, drawn.Bottom}, {drawn.Right, drawn.Top}} {
		g.advance = max(g.advance, (corner[0]-g.x)*g.along[0]+(corner[1]-g.y)*g.along[1])
	}
	return g, nil
}

// usual is what a font has that says nothing about itself.
var usual = extent{0.75, -0.25}

// font returns how far the font of a character reaches and how wide the character is, for a
// size of 1. A width of 0 is not known.
func (r *ruler) font(index int, char rune) (e extent, width float64, err error) {
	api := r.doc.pdfium
	object, err := api.FPDFText_GetTextObject(&requests.FPDFText_GetTextObject{TextPage: r.text, Index: index})
	if err != nil {
		return usual, 0, onlyTrap(err)
	}
	font, err := api.FPDFTextObj_GetFont(&requests.FPDFTextObj_GetFont{PageObject: object.TextObject})
	if err != nil {
		return usual, 0, onlyTrap(err)
	}
	ascent, err := api.FPDFFont_GetAscent(&requests.FPDFFont_GetAscent{Font: font.Font, FontSize: 1})
	if err != nil {
		return usual, 0, onlyTrap(err)
	}
	descent, err := api.FPDFFont_GetDescent(&requests.FPDFFont_GetDescent{Font: font.Font, FontSize: 1})
	if err != nil {
		return usual, 0, onlyTrap(err)
	}
	e = reasonable(float64(ascent.Ascent), float64(descent.Descent))
	wide, err := api.FPDFFont_GetGlyphWidth(&requests.FPDFFont_GetGlyphWidth{Font: font.Font, Glyph: uint32(max(char, 0)), FontSize: 1})
	if err != nil {
		return e, 0, onlyTrap(err)
	}
	return e, float64(wide.GlyphWidth), nil
}

// reasonable replaces what cannot be.
func reasonable(ascent, descent float64) extent {
	e := extent{ascent, -math.Abs(descent)}
	if e.ascent <= 0 || e.ascent > 3 || math.IsNaN(e.ascent) {
		e.ascent = usual.ascent
	}
	if e.descent == 0 || e.descent < -2 || math.IsNaN(e.descent) {
		e.descent = usual.descent
	}
	return e
}

// onlyTrap drops what PDFium could not tell, but not that the sandbox broke.
func onlyTrap(err error) error {
	if trapped(err) {
		return err
	}
	return nil
}

// inReadingOrder sorts occurrences of one page as displayed: from the top, and what stands on
// one line from the left.
func (s sheet) inReadingOrder(found []occurrence) {
	type place struct {
		occurrence
		right, up float64
		line      int
	}
	places := make([]place, len(found))
	for i, o := range found {
		right, up := s.displayed(o.startX, o.startY)
		places[i] = place{o, right, up, 0}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.up, a.up) })
	for i := 1; i < len(places); i++ {
		places[i].line = places[i-1].line
		if places[i-1].up-places[i].up > 3 {
			places[i].line++
		}
	}
	slices.SortStableFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.right, b.right))
	})
	for i, p := range places {
		found[i] = p.occurrence
	}
}
