package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas is a picture being drawn. It keeps the font faces it has used, which are not
// safe for concurrent use and so cannot be shared between pictures.
type canvas struct {
	img   *image.RGBA
	faces map[faceKey]font.Face
}

type faceKey struct {
	font style
	size int
}

// style is one of the three fonts.
type style int

const (
	regular style = iota
	bold
	mono
)

var fonts = sync.OnceValue(func() [3]*opentype.Font {
	var all [3]*opentype.Font
	for i, ttf := range [3][]byte{dejavusans.TTF, dejavusansbold.TTF, dejavusansmono.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("specimen: a built-in font cannot be read: " + err.Error())
		}
		all[i] = f
	}
	return all
})

func newCanvas(width, height int) *canvas {
	return &canvas{image.NewRGBA(image.Rect(0, 0, width, height)), map[faceKey]font.Face{}}
}

func (c *canvas) face(s style, size int) font.Face {
	k := faceKey{s, size}
	if f, known := c.faces[k]; known {
		return f
	}
	f, err := opentype.NewFace(fonts()[s], &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("specimen: a built-in font has no size: " + err.Error())
	}
	c.faces[k] = f
	return f
}

// text draws one line with its baseline at y. What is wider than width is drawn smaller,
// down to 13 pixels, and then cut.
func (c *canvas) text(s string, x, y float64, width, size int, st style, ink color.Color) {
	const smallest = 13
	room := fixed.I(width)
	f := c.face(st, size)
	if w := font.MeasureString(f, s); w > room {
		size = max(smallest, size*width/max(w.Ceil(), 1))
		f = c.face(st, size)
	}
	for r := []rune(s); font.MeasureString(f, s) > room && len(r) > 0; {
		r = r[:len(r)-1]
		s = string(r) + "…"
	}
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(ink), Face: f, Dot: point(x, y)}
	d.DrawString(s)
}

// spaced draws each character at a pitch of its own, as a machine-readable zone needs.
func (c *canvas) spaced(s string, x, y, pitch float64, size int, st style, ink color.Color) {
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(ink), Face: c.face(st, size)}
	for i, r := range s {
		d.Dot = point(x+float64(i)*pitch, y)
		d.DrawString(string(r))
	}
}

func point(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
}

// pt is a point in pixels.
type pt struct{ x, y float64 }

// shape is a set of closed outlines that are filled together.
type shape [][]pt

// fill draws a shape. Outlines of opposite direction cut holes into each other.
func (c *canvas) fill(s shape, src image.Image) {
	lo, hi := pt{math.Inf(1), math.Inf(1)}, pt{math.Inf(-1), math.Inf(-1)}
	for _, line := range s {
		for _, p := range line {
			lo = pt{min(lo.x, p.x), min(lo.y, p.y)}
			hi = pt{max(hi.x, p.x), max(hi.y, p.y)}
		}
	}
	b := image.Rect(int(lo.x)-1, int(lo.y)-1, int(hi.x)+2, int(hi.y)+2)
	b = b.Intersect(c.img.Rect)
	if b.Empty() {
		return
	}
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, line := range s {
		for i, p := range line {
			x, y := float32(p.x-float64(b.Min.X)), float32(p.y-float64(b.Min.Y))
			if i == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	r.Draw(c.img, b, src, b.Min)
}

func (c *canvas) paint(s shape, ink color.Color) { c.fill(s, image.NewUniform(ink)) }

// rect fills a rectangle.
func (c *canvas) rect(x, y, w, h int, ink color.Color) {
	draw.Draw(c.img, image.Rect(x, y, x+w, y+h), image.NewUniform(ink), image.Point{}, draw.Over)
}

// ink is a colour with an opacity of 0 to 1.
func ink(rgb uint32, opacity float64) color.NRGBA {
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), uint8(math.Round(opacity * 255))}
}

// ellipse is an outline of 64 points.
func ellipse(x, y, rx, ry float64) []pt {
	line := make([]pt, 64)
	for i := range line {
		sin, cos := math.Sincos(float64(i) / 64 * 2 * math.Pi)
		line[i] = pt{x + rx*cos, y + ry*sin}
	}
	return line
}

// curve is a closed outline through quadratic curves: the given points are the control
// points, the curve passes half-way between them.
func curve(points ...pt) []pt {
	const steps = 12
	var line []pt
	n := len(points)
	for i, p := range points {
		before, after := points[(i+n-1)%n], points[(i+1)%n]
		a := pt{(before.x + p.x) / 2, (before.y + p.y) / 2}
		b := pt{(p.x + after.x) / 2, (p.y + after.y) / 2}
		for s := range steps {
			t := float64(s) / steps
			u := 1 - t
			line = append(line, pt{u*u*a.x + 2*u*t*p.x + t*t*b.x, u*u*a.y + 2*u*t*p.y + t*t*b.y})
		}
	}
	return line
}

// rounded is a rectangle with round corners.
func rounded(x, y, w, h, r float64) []pt {
	var line []pt
	for corner, m := range []pt{{x + w - r, y + h - r}, {x + r, y + h - r}, {x + r, y + r}, {x + w - r, y + r}} {
		for s := range 9 {
			sin, cos := math.Sincos((float64(corner) + float64(s)/8) * math.Pi / 2)
			line = append(line, pt{m.x + r*cos, m.y + r*sin})
		}
	}
	return line
}

// ribbon is the outline of a line of that width through the points.
func ribbon(width float64, line []pt) []pt {
	n := len(line)
	both := make([]pt, 2*n)
	for i, p := range line {
		a, b := line[max(i-1, 0)], line[min(i+1, n-1)]
		dx, dy := b.x-a.x, b.y-a.y
		l := math.Hypot(dx, dy)
		if l == 0 {
			l = 1
		}
		ox, oy := -dy/l*width/2, dx/l*width/2
		both[i] = pt{p.x + ox, p.y + oy}
		both[2*n-1-i] = pt{p.x - ox, p.y - oy}
	}
	return both
}

// arc is an open line bent like a smile (bend above 0) or a brow (below 0).
func arc(x, y, half, bend float64) []pt {
	line := make([]pt, 13)
	for i := range line {
		t := float64(i)/6 - 1
		line[i] = pt{x + half*t, y + bend*(1-t*t)}
	}
	return line
}
