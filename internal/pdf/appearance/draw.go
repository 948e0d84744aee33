package appearance

import (
	"bytes"
	"fmt"
	"strings"
)

// colour is one of the screen, each part from 0 to 1.
type colour struct{ r, g, b float64 }

// The colours of the seal that is built in, and of ink.
var (
	bright = colour{1, 1, 1}
	navy   = colour{0.106, 0.212, 0.365}
	pale   = colour{0.965, 0.976, 0.988}
	line   = colour{0.835, 0.878, 0.929}
	dark   = colour{0.094, 0.125, 0.180}
	ink    = colour{0.067, 0.118, 0.353}
)

// canvas is a content stream in the making, and what it uses.
type canvas struct {
	out     bytes.Buffer
	fonts   map[string]*subset
	sources map[*typeface]string
	images  map[string]*Image
}

func newCanvas() *canvas {
	return &canvas{fonts: map[string]*subset{}, sources: map[*typeface]string{}, images: map[string]*Image{}}
}

// op writes an operator with its numbers before it.
func (c *canvas) op(operator string, numbers ...float64) {
	for _, n := range numbers {
		c.out.WriteString(num(n))
		c.out.WriteByte(' ')
	}
	c.out.WriteString(operator)
	c.out.WriteByte('\n')
}

func (c *canvas) save()         { c.op("q") }
func (c *canvas) restore()      { c.op("Q") }
func (c *canvas) fill(k colour) { c.op("rg", k.r, k.g, k.b) }
func (c *canvas) pen(k colour, width float64) {
	c.op("RG", k.r, k.g, k.b)
	c.op("w", width)
}

// bend is how far the control points of a quarter of a circle are from its ends.
const bend = 0.5523

// rounded adds a rectangle with round corners to the path; each corner has its own radius:
// lower left, lower right, upper right, upper left.
func (c *canvas) rounded(x, y, w, h float64, r [4]float64) {
	k := 1 - bend
	c.op("m", x+r[0], y)
	c.op("l", x+w-r[1], y)
	c.op("c", x+w-k*r[1], y, x+w, y+k*r[1], x+w, y+r[1])
	c.op("l", x+w, y+h-r[2])
	c.op("c", x+w, y+h-k*r[2], x+w-k*r[2], y+h, x+w-r[2], y+h)
	c.op("l", x+r[3], y+h)
	c.op("c", x+k*r[3], y+h, x, y+h-k*r[3], x, y+h-r[3])
	c.op("l", x, y+r[0])
	c.op("c", x, y+k*r[0], x+k*r[0], y, x+r[0], y)
	c.op("h")
}

// text shows a clean text on its base line, with so much space between letters.
func (c *canvas) text(f *typeface, size, x, y, space float64, k colour, text string) {
	if text == "" || size <= 0 {
		return
	}
	name, known := c.sources[f]
	if !known {
		name = fmt.Sprintf("F%d", len(c.sources))
		c.sources[f], c.fonts[name] = name, newSubset(f)
	}
	c.op("BT")
	c.fill(k)
	c.op("Tc", space)
	c.op("/" + name + " " + num(size) + " Tf")
	c.op("Td", x, y)
	c.op("<" + c.fonts[name].encode(text) + "> Tj")
	c.op("ET")
}

// image draws a picture over a rectangle.
func (c *canvas) image(i *Image, x, y, w, h float64) {
	name := fmt.Sprintf("I%d", len(c.images))
	c.images[name] = i
	c.save()
	c.op("cm", w, 0, 0, h, x, y)
	c.op("/" + name + " Do")
	c.restore()
}

// form ends the drawing.
func (c *canvas) form(width, height float64) *Form {
	f := &Form{Width: width, Height: height, Content: []byte(strings.TrimSpace(c.out.String())), Images: c.images, Fonts: map[string]*Font{}}
	for name, s := range c.fonts {
		f.Fonts[name] = s.font()
	}
	return f
}
