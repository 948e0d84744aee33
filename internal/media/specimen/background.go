package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
)

// paper is the printed background all cards share: 2.6 MB, drawn once.
var paper = sync.OnceValue(func() *image.RGBA {
	c := newCanvas(CardWidth, CardHeight)
	for x := range CardWidth {
		t := float64(x) / CardWidth
		tone := mix(mix(0xe9f1ee, 0xf3efe2, t), 0xe6e3ef, math.Abs(t-0.5))
		draw.Draw(c.img, image.Rect(x, 0, x+1, CardHeight), image.NewUniform(ink(tone, 1)), image.Point{}, draw.Src)
	}
	c.paint(waves(0x00, 24), ink(0x3d8c84, 0.20))
	c.paint(waves(0x01, 24), ink(0x9a6a86, 0.17))
	c.paint(rosette(760, 330, 235, 11, 0.34), ink(0x46728f, 0.20))
	c.paint(rosette(760, 330, 150, 7, 0.5), ink(0xa0764a, 0.20))
	c.paint(rosette(170, 590, 120, 9, 0.42), ink(0x3d8c84, 0.14))
	return c.img
})

// waves are lines that swing across the card, each a little later than the one before.
func waves(family, count int) shape {
	var s shape
	phase := float64(family) * 1.9
	for i := range count {
		f := float64(i) / float64(count)
		var line []pt
		for x := -8.0; x <= CardWidth+8; x += 8 {
			t := x / CardWidth * 2 * math.Pi
			y := f*(CardHeight+120) - 60 + 46*math.Sin(1.5*t+phase+f*5) + 20*math.Sin(3.5*t-phase+f*3)
			line = append(line, pt{x, y})
		}
		s = append(s, ribbon(1.3, line))
	}
	return s
}

// rosette is one line wound many times around a centre.
func rosette(x, y, radius float64, petals int, depth float64) shape {
	var s shape
	for turn := range 9 {
		var line []pt
		for i := range 361 {
			a := float64(i) / 180 * math.Pi
			r := radius * (1 - depth + depth*math.Sin(float64(petals)*a+float64(turn)*0.35)) * (0.62 + 0.045*float64(turn))
			sin, cos := math.Sincos(a)
			line = append(line, pt{x + r*cos, y + r*sin})
		}
		s = append(s, ribbon(1.1, line))
	}
	return s
}

// card is a fresh copy of the paper with a header.
func card(title, subtitle string, band uint32) *canvas {
	c := &canvas{image.NewRGBA(paper().Rect), map[faceKey]font.Face{}}
	copy(c.img.Pix, paper().Pix)
	c.rect(0, 0, CardWidth, 78, ink(band, 0.86))
	c.rect(0, 78, CardWidth, 4, ink(0xc8a85a, 0.9))
	c.text(title, 36, 51, 640, 34, bold, ink(0xffffff, 1))
	c.text(subtitle, 36, 70, 640, 14, regular, ink(0xffffff, 0.85))
	return c
}

// mark is the word SPECIMEN as it lies across every card: 0.6 MB, drawn once.
var mark = sync.OnceValue(func() *image.Alpha {
	line := newCanvas(CardWidth, 130)
	line.text("SPECIMEN · MUSTER", 24, 102, 964, 104, bold, color.White)
	turned := image.NewAlpha(image.Rect(0, 0, CardWidth, CardHeight))
	for y := range CardHeight {
		for x := range CardWidth {
			// the line of text, turned by about twelve degrees
			sx, sy := x+(y-319)/5, y+(x-506)/5-254
			if sy >= 0 && sy < 130 && sx >= 0 && sx < CardWidth {
				turned.Pix[y*turned.Stride+x] = line.img.Pix[line.img.PixOffset(sx, sy)+3]
			}
		}
	}
	return turned
})

// marked writes SPECIMEN across the card, so that no crop of it is taken for real.
func (c *canvas) marked() {
	red := image.NewUniform(ink(0xb03a3a, 0.17))
	draw.DrawMask(c.img, c.img.Rect, red, image.Point{}, mark(), image.Point{}, draw.Over)
}

// blend paints one pixel over what is there.
func (c *canvas) blend(x, y int, rgb uint32, opacity float64) {
	i := c.img.PixOffset(x, y)
	p := c.img.Pix[i : i+3 : i+3]
	a := int(opacity * 256)
	p[0] += uint8((int(rgb>>16&0xff) - int(p[0])) * a >> 8)
	p[1] += uint8((int(rgb>>8&0xff) - int(p[1])) * a >> 8)
	p[2] += uint8((int(rgb&0xff) - int(p[2])) * a >> 8)
}
