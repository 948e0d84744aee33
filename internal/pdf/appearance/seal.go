package appearance

// Electronic is a seal: a picture of the account, or ours, with text on it.
type Electronic struct {
	Width, Height float64 // of the place as displayed, in points
	Seal          *Image  // nil: the one that is built in, made for 250 × 35
	Lines         []Line  // one or two; more are not drawn
}

// Line is one line of text. A text that is too long is set smaller, down to three fifths of
// its size, then cut.
type Line struct {
	Text string
	Size float64 // in points; 0: 8
}

const (
	maxLines    = 2
	usualSize   = 8.0
	least       = 0.6  // of a size, before a text is cut
	leading     = 1.4  // from line to line, in sizes
	aboveBase   = 0.76 // how far a line reaches, in sizes: capitals and their accents are in it
	belowBase   = 0.24
	designWidth = 250.0
	design      = 35.0 // the height that the built-in seal is drawn for
	badge       = 42.0 // how wide its dark part is there
)

// Form draws the seal. Nothing leaves the place.
func (e Electronic) Form() *Form {
	c := newCanvas()
	w, h := length(e.Width), length(e.Height)
	c.save()
	c.op("re", 0, 0, w, h)
	c.op("W")
	c.op("n")
	switch {
	case w == 0 || h == 0:
	case e.Seal == nil:
		c.builtIn(w, h, e.Lines)
	default:
		c.custom(e.Seal, w, h, e.Lines)
	}
	c.restore()
	return c.form(w, h)
}

// length returns a length that can be drawn: no more than any page, and none for what is no
// number.
func length(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 100_000)
}

// custom draws the account's picture as large as the place lets it. Beside one that leaves
// most of the place free stands the text, else on it.
func (c *canvas) custom(seal *Image, w, h float64, lines []Line) {
	k := min(w/float64(seal.Width), h/float64(seal.Height))
	sw, sh := k*float64(seal.Width), k*float64(seal.Height)
	pad := min(3, w/20, h/10)
	if sw <= 0.45*w {
		c.image(seal, 0, (h-sh)/2, sw, sh)
		c.lines(lines, area{sw + pad, pad / 2, w - sw - 2*pad, h - pad})
		return
	}
	c.image(seal, (w-sw)/2, (h-sh)/2, sw, sh)
	c.lines(lines, area{pad, pad / 2, w - 2*pad, h - pad})
}

// builtIn draws our seal: a dark badge with a shield at the left, room for text at the
// right. It keeps its proportions but for the room for text, which takes the whole width.
func (c *canvas) builtIn(w, h float64, lines []Line) {
	k := min(h/design, w/(2.4*badge))
	top := (h - k*design) / 2
	c.save()
	c.op("cm", k, 0, 0, k, 0, top)
	width := w / k
	const edge, radius = 0.35, 3.2
	c.fill(pale)
	c.rounded(edge, edge, width-2*edge, design-2*edge, [4]float64{radius, radius, radius, radius})
	c.op("f")
	c.waves(badge, width)
	c.fill(navy)
	c.rounded(edge, edge, badge-edge, design-2*edge, [4]float64{radius, 0, 0, radius})
	c.op("f")
	c.shield(badge/2, 22.2, 19.5)
	const name, size, spacing = "VIDIMUS", 4.3, 0.55
	long := size*bold().width(name) + spacing*float64(len(name)-1)
	c.text(bold(), size, (badge-long)/2, 4.6, spacing, bright, name)
	c.pen(navy, 0.7)
	c.rounded(edge, edge, width-2*edge, design-2*edge, [4]float64{radius, radius, radius, radius})
	c.op("S")
	c.restore()
	c.lines(lines, area{k * (badge + 5), top + k*2.5, w - k*(badge+10), k * (design - 5)})
}

// waves draws the fine lines behind the text, as on paper that is hard to copy.
func (c *canvas) waves(from, to float64) {
	const step, amplitude = 26.0, 15.5
	c.save()
	c.op("re", from, 1, to-from-1.2, design-2)
	c.op("W")
	c.op("n")
	c.pen(line, 0.22)
	for i := range 9 {
		shift := float64(i) * step / 9 * 2
		up := 1.0
		x := from - 2*step + shift
		c.op("m", x, design/2)
		for ; x < to+step; x += step {
			c.op("c", x+step*0.3642, design/2+up*amplitude*1.33, x+step*0.6358, design/2+up*amplitude*1.33, x+step, design/2)
			up = -up
		}
		c.op("S")
	}
	c.restore()
}

// shield draws a shield so high around a point, with a check mark in it.
func (c *canvas) shield(x, y, height float64) {
	outline := func(h float64) {
		w := h * 0.84
		top, bottom, half := y+h/2, y-h/2, w/2
		c.op("m", x, top)
		c.op("c", x+half*0.42, top-h*0.075, x+half*0.74, top-h*0.115, x+half, top-h*0.125)
		c.op("c", x+half*1.04, top-h*0.58, x+half*0.72, bottom+h*0.17, x, bottom)
		c.op("c", x-half*0.72, bottom+h*0.17, x-half*1.04, top-h*0.58, x-half, top-h*0.125)
		c.op("c", x-half*0.74, top-h*0.115, x-half*0.42, top-h*0.075, x, top)
		c.op("h")
	}
	c.fill(bright)
	outline(height)
	c.op("f")
	c.pen(navy, height*0.035)
	outline(height * 0.84)
	c.op("S")
	c.save()
	c.op("J", 1)
	c.op("j", 1)
	c.pen(navy, height*0.125)
	c.op("m", x-height*0.2, y+height*0.01)
	c.op("l", x-height*0.05, y-height*0.15)
	c.op("l", x+height*0.22, y+height*0.17)
	c.op("S")
	c.restore()
}

// area is where text may stand.
type area struct{ x, y, w, h float64 }

// lines sets the lines below each other, in the middle of the height and from the left.
func (c *canvas) lines(lines []Line, a area) {
	if a.w <= 0 || a.h <= 0 {
		return
	}
	type set struct {
		face *typeface
		text string
		size float64
	}
	var all []set
	height := 0.0
	for i, l := range lines[:min(len(lines), maxLines)] {
		s := set{face: regular(), size: l.Size}
		if i == 0 && len(lines) > 1 {
			s.face = bold()
		}
		if s.size = length(s.size); s.size == 0 {
			s.size = usualSize
		}
		if s.text = s.face.clean(l.Text); s.text == "" {
			continue
		}
		if len(all) > 0 {
			height += (leading - 1) * s.size
		}
		height += s.size
		all = append(all, s)
	}
	shrink := min(1, a.h/height)
	y := a.y + a.h - (a.h-height*shrink)/2
	for i, s := range all {
		s.size *= shrink
		if i > 0 {
			y -= (leading - 1) * s.size
		}
		y -= aboveBase * s.size
		size := s.size
		if wide := s.face.width(s.text) * size; wide > a.w {
			size = max(size*a.w/wide, size*least)
			s.text = s.face.fit(s.text, a.w/size+1e-9)
		}
		c.text(s.face, size, a.x, y, 0, dark, s.text)
		y -= belowBase * s.size
	}
}
