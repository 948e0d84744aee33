package specimen

import (
	"image"
	"math"

	"golang.org/x/image/draw"
)

// foil is where the hologram lies on the front: beside and partly over the photo.
var foil = image.Rect(270, 330, 530, 590)

// holograms is the front, tilted so that its foils shine.
func holograms(h *Holder) *canvas {
	c := front(h)
	c.shine(image.Rect(0, 84, CardWidth, CardHeight), 0.16, 0.4, 0.9, false)
	c.shine(foil, 0.62, 0, 0.2, true)
	c.shine(image.Rect(760, 100, 960, 300), 0.5, 0.55, 0.6, true)
	return c
}

// closeUp is the hologram from near, tilted one way (0) or the other (1).
func closeUp(h *Holder, tilt int) *canvas {
	c := front(h)
	phase := 0.1 + 0.45*float64(tilt)
	c.shine(foil, 0.72, phase, 0.3+phase, true)
	at := image.Pt(170, 270)
	if tilt == 1 {
		c.shine(image.Rect(760, 100, 960, 300), 0.55, phase, 0.7, true)
		at = image.Pt(200, 250)
	}
	return c.crop(image.Rect(at.X, at.Y, at.X+560, at.Y+353))
}

// covered is a close-up with a finger over a part of it.
func covered(h *Holder) *canvas {
	c := closeUp(h, 0)
	tip := []pt{{420, 560}, {395, 380}, {380, 270}, {410, 195}, {470, 178}, {530, 200}, {552, 270}, {590, 380}, {680, 560}}
	dark := make([]pt, len(tip))
	for i, p := range tip {
		dark[i] = pt{p.x + 14, p.y + 12}
	}
	l := h.look()
	c.paint(shape{curve(dark...)}, ink(0x000000, 0.28))
	c.paint(shape{curve(tip...)}, ink(l.skin, 1))
	c.paint(shape{curve(tip...), reversed(curve(shifted(tip, -22, 0)...))}, ink(l.shade, 0.5))
	c.paint(shape{curve(pt{420, 300}, pt{425, 215}, pt{467, 200}, pt{508, 215}, pt{518, 300}, pt{470, 320})}, ink(mix(l.skin, 0xf6d8d0, 0.7), 1))
	c.paint(shape{ribbon(3, arc(480, 392, 60, 9))}, ink(l.shade, 0.8))
	c.paint(shape{ribbon(3, arc(484, 410, 54, 8))}, ink(l.shade, 0.6))
	return c
}

func shifted(line []pt, dx, dy float64) []pt {
	moved := make([]pt, len(line))
	for i, p := range line {
		moved[i] = pt{p.x + dx, p.y + dy}
	}
	return moved
}

// ultraviolet is the front under a black light: dark paper, glowing lines and fibres.
func ultraviolet(h *Holder) *canvas {
	f := front(h)
	for i := 0; i < len(f.img.Pix); i += 4 {
		p := f.img.Pix[i : i+3 : i+3]
		y := (int(p[0])*3 + int(p[1])*6 + int(p[2])) / 10
		p[0], p[1], p[2] = uint8(y/9+14), uint8(y/10+10), uint8(y/4+42)
	}
	f.paint(rosette(420, 430, 190, 12, 0.4), ink(0x7dff9a, 0.75))
	f.paint(rosette(420, 430, 100, 6, 0.55), ink(0xffd24a, 0.7))
	s := h.seed()
	for i := range 46 {
		s = s*6364136223846793005 + 1442695040888963407
		x, y, a := float64(s>>20%CardWidth), float64(s>>33%CardHeight), float64(s>>50%628)/100
		sin, cos := math.Sincos(a)
		glow := []uint32{0xff5a5a, 0x6ad4ff, 0xf6ff6a}[i%3]
		f.paint(shape{ribbon(2.4, []pt{{x, y}, {x + 12*cos, y + 12*sin}, {x + 22*cos - 5*sin, y + 22*sin + 5*cos}})}, ink(glow, 0.9))
	}
	f.text("SPECIMEN", 212, 455, 420, 76, bold, ink(0xc9ffd4, 0.85))
	return f.crop(image.Rect(140, 252, 700, 605))
}

// crop enlarges a part of the card to the size of a close-up.
func (c *canvas) crop(part image.Rectangle) *canvas {
	near := newCanvas(CloseUpWidth, CloseUpHeight)
	draw.ApproxBiLinear.Scale(near.img, near.img.Rect, c.img, part, draw.Src, nil)
	return near
}

// shine lays a foil over a part of the card: colours that run with the tilt, and where
// figured, a round figure of rings and rays that fades to its edge.
func (c *canvas) shine(part image.Rectangle, strength, hue, tilt float64, figured bool) {
	part = part.Intersect(c.img.Rect)
	mx, my := float64(part.Min.X+part.Max.X)/2, float64(part.Min.Y+part.Max.Y)/2
	radius := float64(part.Dx()) / 2
	dx, dy := math.Cos(tilt*math.Pi), math.Sin(tilt*math.Pi)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			fx, fy := float64(x)-mx, float64(y)-my
			along := (fx*dx + fy*dy) / radius
			a, turn := strength, along*0.6+hue
			if figured {
				r := math.Sqrt(fx*fx+fy*fy) / radius
				if r >= 1 {
					continue
				}
				a, turn = strength*figure(r, fx, fy, tilt), along*0.5+r*0.9+hue
			} else {
				a *= band(along - 0.25)
			}
			if a > 0.01 {
				c.blend(x, y, rainbow[int((turn-math.Floor(turn))*float64(len(rainbow)))%len(rainbow)], a)
			}
		}
	}
}

// figure is how bright a foil is at the distance r (0 to 1) from its centre.
func figure(r, fx, fy, tilt float64) float64 {
	edge := math.Min(1, (1-r)*14)
	ring := wave(r * 9)
	ray := wave(math.Atan2(fy, fx)/math.Pi*8 + tilt*2 + r*1.5)
	switch {
	case r < 0.24:
		return edge * (0.55 + 0.45*ray)
	case r < 0.62:
		return edge * (0.3 + 0.6*ring*ray)
	}
	return edge * (0.35 + 0.65*math.Max(ring, 0.6*ray))
}

// band is a stripe of light around 0.
func band(t float64) float64 { return math.Max(0, 1-t*t*1.6) }

// wave swings between 0 and 1 once per unit, without a sine for each pixel.
func wave(t float64) float64 {
	t -= math.Floor(t)
	t = math.Abs(2*t - 1)
	return t * t * (3 - 2*t)
}

// rainbow is a circle of light colours.
var rainbow = func() [256]uint32 {
	var all [256]uint32
	for i := range all {
		part := func(shift float64) uint32 {
			return uint32(150 + 105*math.Cos(2*math.Pi*(float64(i)/256-shift)))
		}
		all[i] = part(0)<<16 | part(1.0/3)<<8 | part(2.0/3)
	}
	return all
}()
