package appearance

import (
	"hash/fnv"
	"math"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Point is where a pen was: to the right and down, as screens count.
type Point struct{ X, Y float64 }

// Handwritten is a signature that somebody drew.
type Handwritten struct {
	Width, Height float64   // of the place as displayed, in points
	Strokes       [][]Point // from where the pen came down to where it was lifted, in any unit
}

// maxPoints bounds what is drawn of a signature; the rest is left away.
const maxPoints = 20_000

// Form draws the strokes as large as the place lets them and in its middle, smoothed, with
// a pen that is thinner where it was fast. Strokes with numbers that are none are left away.
func (s Handwritten) Form() *Form {
	c := newCanvas()
	w, h := length(s.Width), length(s.Height)
	strokes, extent := tidy(s.Strokes)
	if len(strokes) == 0 || w == 0 || h == 0 {
		return c.form(w, h)
	}
	pen := min(1.3, h*0.045, w*0.02)
	room := box{2 * pen, 2 * pen, w - 2*pen, h - 2*pen}
	k := min((room.x1-room.x0)/max(extent.x1-extent.x0, 1e-9), (room.y1-room.y0)/max(extent.y1-extent.y0, 1e-9))
	middleX, middleY := (extent.x0+extent.x1)/2, (extent.y0+extent.y1)/2
	c.save()
	c.op("re", 0, 0, w, h)
	c.op("W")
	c.op("n")
	c.op("J", 1)
	c.op("j", 1)
	c.pen(ink, pen)
	for _, stroke := range strokes {
		points := make([]Point, len(stroke))
		for i, p := range stroke {
			points[i] = Point{w/2 + (p.X-middleX)*k, h/2 - (p.Y-middleY)*k}
		}
		c.stroke(points, pen)
	}
	c.restore()
	return c.form(w, h)
}

type box struct{ x0, y0, x1, y1 float64 }

// tidy leaves away what cannot be drawn and points on top of each other, and returns how far
// the rest reaches.
func tidy(strokes [][]Point) (kept [][]Point, extent box) {
	extent = box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	left := maxPoints
	for _, stroke := range strokes {
		var points []Point
		for _, p := range stroke {
			if bad := math.Abs(p.X) + math.Abs(p.Y); !(bad < 1e9) || left == 0 || len(points) > 0 && points[len(points)-1] == p {
				continue
			}
			left--
			points = append(points, p)
			extent = box{min(extent.x0, p.X), min(extent.y0, p.Y), max(extent.x1, p.X), max(extent.y1, p.Y)}
		}
		if len(points) > 0 {
			kept = append(kept, points)
		}
	}
	return kept, extent
}

// stroke draws one line through all points: between two of them a curve that runs through
// each in the direction of its neighbours.
func (c *canvas) stroke(points []Point, pen float64) {
	if len(points) == 1 {
		c.op("w", 1.6*pen)
		c.op("m", points[0].X, points[0].Y)
		c.op("l", points[0].X, points[0].Y)
		c.op("S")
		return
	}
	at := func(i int) Point { return points[min(max(i, 0), len(points)-1)] }
	usual := 0.0
	for i := 1; i < len(points); i++ {
		usual += distance(points[i-1], points[i]) / float64(len(points)-1)
	}
	width := pen
	for i := range len(points) - 1 {
		before, a, b, after := at(i-1), at(i), at(i+1), at(i+2)
		fast := distance(a, b) / max(usual, 1e-9)
		width = 0.75*width + 0.25*pen*min(1.35, max(0.55, 1.3-0.3*fast))
		c.op("w", width)
		c.op("m", a.X, a.Y)
		c.op("c", a.X+(b.X-before.X)/6, a.Y+(b.Y-before.Y)/6, b.X-(after.X-a.X)/6, b.Y-(after.Y-a.Y)/6, b.X, b.Y)
		c.op("S")
	}
}

func distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// Scribble returns strokes that look like somebody's signature under that name: the same
// for the same name. It is what a test robot signs with.
func Scribble(name string) [][]Point {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name)) // a hash takes everything
	h := &hand{seed: sum.Sum64()}
	letters := 0
	first := true
	for _, r := range norm.NFD.String(name) {
		switch {
		case unicode.IsSpace(r) || r == '-':
			h.lift()
			h.x += 0.35
			first = true
		case unicode.IsLetter(r) && letters < 24:
			h.letter(unicode.ToLower(r), first)
			first = false
			letters++
		}
	}
	if letters == 0 {
		h.letter('x', true)
	}
	h.lift()
	end := h.x
	for t := 0.0; t <= 1; t += 0.05 { // the flourish below it
		h.at(end*(0.95-0.75*t), 0.42+0.1*math.Sin(t*math.Pi*1.3)-0.06*t)
	}
	for t := 0.0; t <= 1; t += 0.05 {
		h.at(end*(0.2+0.95*t), 0.44-0.14*t+0.03*math.Sin(t*math.Pi))
	}
	h.lift()
	return h.strokes
}

// hand is a signature in the making. The letters stand on 0 and small ones are 0.4 high,
// down is positive.
type hand struct {
	seed    uint64
	x       float64
	strokes [][]Point
	now     []Point
}

// some returns the next number from 0 to 1 that the name leads to.
func (h *hand) some() float64 {
	h.seed = h.seed*6364136223846793005 + 1442695040888963407
	return float64(h.seed>>40) / float64(1<<24)
}

// at moves the pen. Everything leans to the right.
func (h *hand) at(x, y float64) { h.now = append(h.now, Point{x - 0.32*y, y}) }

func (h *hand) lift() {
	if len(h.now) > 0 {
		h.strokes = append(h.strokes, h.now)
		h.now = nil
	}
}

// letter writes what is left of a letter when one writes fast: a loop, high, low or small,
// or a wave.
func (h *hand) letter(r rune, initial bool) {
	wide, high, low := 0.24+0.08*h.some(), 0.34+0.1*h.some(), 0.0
	loop := 0.6
	switch r {
	case 'b', 'd', 'f', 'h', 'k', 'l', 't', 'ß':
		high, loop = 0.85+0.15*h.some(), 0.75
	case 'g', 'j', 'p', 'q', 'y', 'z':
		low, high = 0.45+0.1*h.some(), 0.36
	case 'i', 'm', 'n', 'r', 'u', 'v', 'w', 'c', 's', 'x':
		high, loop = 0.24+0.1*h.some(), 0.15
	}
	if initial {
		wide, high, loop = 0.55+0.15*h.some(), 1.05+0.2*h.some(), 0.9
		h.at(h.x-0.12, -high*0.55)
	}
	start := h.x
	const steps = 14
	for i := range steps {
		t := 2 * math.Pi * float64(i) / steps
		h.at(start+wide*t/(2*math.Pi)+loop*0.5*wide*math.Sin(t), -high*(1-math.Cos(t))/2)
	}
	h.x = start + wide
	if low > 0 {
		for i := range steps {
			t := 2 * math.Pi * float64(i) / steps
			h.at(h.x-0.34*wide*math.Sin(t), low*(1-math.Cos(t))/2)
		}
		h.x += 0.08
	}
}
