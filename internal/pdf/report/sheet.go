package report

import (
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// The sheet is A4. Measures are millimetres, sizes of type are points.
const (
	sheetWidth  = 210.0
	sheetHeight = 297.0
	left        = 20.0
	right       = 190.0
	body        = right - left
	first       = 18.0  // where a first page begins
	next        = 28.0  // where the others begin, below their heading
	last        = 272.0 // where they end, above the footer
)

type colour [3]int

var (
	ink    = colour{24, 32, 46}
	soft   = colour{92, 102, 117}
	rule   = colour{203, 209, 217}
	paper  = colour{244, 246, 249}
	white  = colour{255, 255, 255}
	navy   = colour{27, 54, 93}
	green  = colour{24, 98, 58}
	amber  = colour{140, 84, 0}
	red    = colour{150, 28, 32}
	tinted = colour{255, 244, 219} // behind what was changed
)

// sheet draws a document from top to bottom. y is where the next thing goes.
type sheet struct {
	doc      *fpdf.Fpdf
	fonts    *fontSet
	words    *words
	y        float64
	heading  string // of the pages after the first
	caution  string // beside it; empty: none
	lost     bool   // a character could not be drawn
	pictures []picture
}

// clean is fontSet.clean, and remembers what was lost.
func (s *sheet) clean(text string) string {
	out, lost := s.fonts.clean(text)
	s.lost = s.lost || lost
	return out
}

// text draws one line of clean text; y is its base line.
func (s *sheet) text(f face, size float64, c colour, x, y float64, text string) {
	if text == "" {
		return
	}
	s.doc.SetFont(string(f), "", size)
	s.doc.SetTextColor(c[0], c[1], c[2])
	s.doc.Text(x, y, text)
}

// textRight draws one line of clean text that ends at x.
func (s *sheet) textRight(f face, size float64, c colour, x, y float64, text string) {
	s.text(f, size, c, x-s.fonts.width(f, size, text), y, text)
}

func (s *sheet) box(c colour, x, y, width, height float64) {
	s.doc.SetFillColor(c[0], c[1], c[2])
	s.doc.Rect(x, y, width, height, "F")
}

// line draws a line over the whole width.
func (s *sheet) line(c colour, y float64) {
	s.doc.SetDrawColor(c[0], c[1], c[2])
	s.doc.SetLineWidth(0.2)
	s.doc.Line(left, y, right, y)
}

// room begins a new page unless that much of this one is left. It says whether it did.
func (s *sheet) room(height float64) bool {
	if s.y+height <= last {
		return false
	}
	s.newPage()
	return true
}

func (s *sheet) newPage() {
	s.doc.AddPage()
	if s.doc.PageCount() == 1 {
		s.y = first
		return
	}
	width := body
	if s.caution != "" {
		s.textRight(bold, 7.5, amber, right, 17.5, s.caution)
		width -= s.fonts.width(bold, 7.5, s.caution) + 6
	}
	s.text(sans, 7.5, soft, left, 17.5, s.fonts.fit(sans, 7.5, s.heading, width))
	s.line(rule, 20)
	s.y = next
}

// paragraph draws text over the whole width.
func (s *sheet) paragraph(size float64, c colour, text string) {
	step := size * 0.5
	for _, l := range s.fonts.wrap(sans, size, text, body) {
		s.room(step)
		s.y += step
		s.text(sans, size, c, left, s.y-step*0.25, l)
	}
}

// section draws a heading; at least that much of what follows it stands on the same page.
func (s *sheet) section(title string, following float64) {
	const height = 13
	if s.y > next && !s.room(height+following) {
		s.y += 5
	}
	s.text(bold, 11.5, navy, left, s.y+4.5, title)
	s.line(navy, s.y+6.6)
	s.y += 8
}

// footers draws the foot of every page, when their number is known.
func (s *sheet) footers(about, made string) {
	count := s.doc.PageCount()
	for n := 1; n <= count; n++ {
		s.doc.SetPage(n)
		// What is current is that of the last page, not of this one.
		s.doc.SetFillColor(white[0], white[1], white[2])
		s.line(rule, 278)
		pages := fmt.Sprintf(s.words.page, n, count)
		width := body - 6 - s.fonts.width(sans, 7.5, pages)
		s.text(sans, 7.5, soft, left, 282, s.fonts.fit(sans, 7.5, about, width))
		s.textRight(sans, 7.5, soft, right, 282, pages)
		s.text(sans, 7.5, soft, left, 286, s.fonts.fit(sans, 7.5, made, body))
	}
}
