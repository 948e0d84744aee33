package specimen

import "strings"

const (
	bandCard     = 0x1f5f66
	bandPassport = 0x6b2f45
	black        = 0x16191d
)

func (h *Holder) band() uint32 {
	if h.passport() {
		return bandPassport
	}
	return bandCard
}

// front is the side with the face; a passport has its machine-readable zone here.
func front(h *Holder) *canvas {
	title, sub := "SPECIMEN IDENTITY CARD", "MUSTERAUSWEIS · NOT A REAL DOCUMENT · KEIN ECHTES DOKUMENT"
	if h.passport() {
		title = "SPECIMEN PASSPORT"
		sub = "MUSTERPASS · NOT A REAL DOCUMENT · KEIN ECHTES DOKUMENT"
	}
	c := card(title, sub, h.band())
	c.text(strings.ToUpper(shown(h.Document.Country)), 700, 55, 70, 42, bold, ink(0xffffff, 0.9))
	c.text(shown(h.Document.Number), 786, 54, 200, 30, mono, ink(0xffffff, 1))
	tall := 460.0
	if h.passport() {
		tall = 380
	}
	c.photo(h, 36, 112, tall*0.7, tall)
	h.faceFields(c, int(36+tall*0.7+36))
	if h.passport() {
		c.zone(MRZ(*h), 560, 21.6, 34)
	} else {
		c.signature(h, 700, 572)
	}
	c.marked()
	return c
}

// faceFields are the captioned values beside the photo.
func (h *Holder) faceFields(c *canvas, x int) {
	name := shown(h.Title, h.LastName)
	if h.BirthName != "" {
		name = shown(name, "(geb.", h.BirthName+")")
	}
	wide := CardWidth - x - 40
	half := wide/2 - 12
	step, y := 92, 118
	if h.passport() {
		step = 80
	}
	c.field(x, y, wide, "Name / Surname", name, 32)
	c.field(x, y+step, wide, "Vornamen / Given names", shown(h.FirstNames), 32)
	c.field(x, y+2*step, half, "Geburtstag / Date of birth", shown(date(h.Birthday)), 28)
	c.field(x+half+24, y+2*step, half, "Staatsangehörigkeit / Nationality", shown(h.Nationality), 28)
	c.field(x, y+3*step, half, "Geburtsort / Place of birth", shown(h.Birthplace), 28)
	c.field(x+half+24, y+3*step, half, "Geschlecht / Sex", sex(h.Gender), 28)
	c.field(x, y+4*step, half, "Gültig bis / Date of expiry", shown(date(h.Document.ValidUntil)), 28)
}

func sex(gender string) string {
	switch {
	case strings.HasPrefix(gender, "M"):
		return "M"
	case strings.HasPrefix(gender, "F"):
		return "F"
	}
	return "X"
}

// back is the side with the address; a card has its machine-readable zone here.
func back(h *Holder) *canvas {
	c := card("SPECIMEN", "MUSTER · NOT A REAL DOCUMENT · KEIN ECHTES DOKUMENT", h.band())
	c.text(shown(h.Document.Number), 786, 54, 200, 30, mono, ink(0xffffff, 1))
	c.field(48, 112, 560, "Anschrift / Address", shown(h.Street, h.StreetNumber), 28)
	c.text(shown(h.Zip, h.City), 48, 204, 560, 28, regular, ink(black, 1))
	c.text(shown(h.Country), 48, 242, 560, 28, regular, ink(black, 1))
	c.field(48, 272, 560, "Behörde / Authority", shown(h.Document.IssuedBy), 28)
	c.field(48, 352, 270, "Ausgestellt am / Date of issue", shown(date(h.Document.DateIssued)), 28)
	c.chip(690, 128)
	c.bars(h.seed(), 690, 300)
	if h.passport() {
		c.text("Seite für Vermerke · Page for observations", 48, 560, 800, 20, regular, ink(0x5a6470, 1))
	} else {
		c.zone(MRZ(*h), 472, 30.6, 47)
	}
	c.marked()
	return c
}

func (c *canvas) field(x, y, width int, caption, value string, size int) {
	c.text(caption, float64(x), float64(y+14), width, 15, regular, ink(0x4c6670, 1))
	c.text(value, float64(x), float64(y+48), width, size, regular, ink(black, 1))
}

// photo is the holder's portrait with a frame, and a second, faint one.
func (c *canvas) photo(h *Holder, x, y, wide, tall float64) {
	b := newCanvas(int(wide), int(tall))
	for i := range int(tall) {
		b.rect(0, i, int(wide), 1, ink(mix(0xdfe7ea, 0xb9c6cc, float64(i)/tall), 1))
	}
	s := tall / FaceHeight * 1.06
	b.portrait(h.look(), pose{x: wide/2 - 240*s, y: tall - 600*s + 8, scale: s})
	for row := range b.img.Rect.Dy() {
		from := b.img.Pix[row*b.img.Stride : row*b.img.Stride+4*b.img.Rect.Dx()]
		copy(c.img.Pix[c.img.PixOffset(int(x), int(y)+row):], from)
	}
	frame := rounded(x-3, y-3, wide+6, tall+6, 8)
	c.paint(shape{frame, reversed(rounded(x+3, y+3, wide-6, tall-6, 6))}, ink(0xf5f3ea, 1))
}

// zone draws the lines of a machine-readable zone on a white strip down to the edge.
func (c *canvas) zone(lines []string, y int, pitch float64, size int) {
	step := (CardHeight - y - 16) / len(lines)
	c.rect(0, y-14, CardWidth, CardHeight-y+14, ink(0xfafaf7, 0.94))
	left := (CardWidth - pitch*float64(len(lines[0]))) / 2
	for i, line := range lines {
		c.spaced(line, left, float64(y+i*step)+float64(step)*0.82, pitch, size, mono, ink(0x0b0c0e, 1))
	}
}

// signature is a line of loops in the rhythm of the name.
func (c *canvas) signature(h *Holder, x, y float64) {
	s := h.seed()
	line := []pt{{x, y}}
	for i := range 9 {
		step := 16 + float64(s>>(uint(i)*6)&15)
		up := 12 + float64(s>>(uint(i)*5+3)&23)
		last := line[len(line)-1]
		for t := 1; t <= 10; t++ {
			f := float64(t) / 10
			line = append(line, pt{last.x + step*f + 10*f*(1-f)*float64(i%3), y - up*4*f*(1-f)*float64(1-2*(i&1)*int(s>>uint(i)&1))})
		}
	}
	c.paint(shape{ribbon(3.2, line)}, ink(0x1d2f6b, 0.9))
	c.text("Unterschrift / Signature", x, y+50, 260, 15, regular, ink(0x4c6670, 1))
}

// chip is a plain contact field.
func (c *canvas) chip(x, y float64) {
	c.paint(shape{rounded(x, y, 150, 118, 16)}, ink(0xcdb26a, 1))
	c.paint(shape{rounded(x+5, y+5, 140, 108, 12)}, ink(0xe2cd8e, 1))
	for _, l := range [][]pt{
		{{x + 5, y + 40}, {x + 50, y + 40}}, {{x + 5, y + 78}, {x + 50, y + 78}},
		{{x + 100, y + 40}, {x + 145, y + 40}}, {{x + 100, y + 78}, {x + 145, y + 78}},
		{{x + 50, y + 5}, {x + 50, y + 113}}, {{x + 100, y + 5}, {x + 100, y + 113}},
	} {
		c.paint(shape{ribbon(3, l)}, ink(0x927a3c, 1))
	}
}

// bars are a pattern like a bar code; they carry nothing.
func (c *canvas) bars(seed uint64, x, y int) {
	c.rect(x, y, 270, 90, ink(0xffffff, 0.8))
	for i, at := 0, 10; at < 255; i++ {
		w := 2 + int(seed>>(uint(i*3)%61)&3)
		c.rect(x+at, y+8, w, 74, ink(black, 1))
		at += w + 2 + int(seed>>(uint(i*5)%61)&3)
	}
}

// custom is the card for an image the specification has no name for.
func custom(h *Holder, key string) *canvas {
	c := card("SPECIMEN", "MUSTER · ADDITIONAL IMAGE · ZUSÄTZLICHES BILD", 0x3c4658)
	c.paint(shape{rounded(60, 150, 892, 400, 24)}, ink(0xffffff, 0.75))
	c.text(shown(key), 100, 290, 812, 64, bold, ink(black, 1))
	c.text(shown(h.FirstNames, h.LastName), 100, 370, 812, 34, regular, ink(0x3c4658, 1))
	c.text(shown(h.Document.Number), 100, 430, 812, 28, mono, ink(0x3c4658, 1))
	c.marked()
	return c
}
