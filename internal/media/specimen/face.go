package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
)

// look is one drawn person. Every choice comes from the hash of the name.
type look struct {
	skin, shade, hair, eyes, shirt uint32
	wide, jaw                      float64 // of the face, around 1
	blush                          float64
	style                          int // of the hair
	glasses, beard, female         bool
}

func (h *Holder) look() look {
	s := h.seed()
	pick := func(n uint64) int {
		s ^= s >> 29
		s *= 0xbf58476d1ce4e5b9
		s ^= s >> 32
		return int(s % n)
	}
	skins := [][2]uint32{{0xf2d0b4, 0xdfae8e}, {0xe8bd97, 0xd09a72}, {0xc98f65, 0xab7049}, {0x9a6644, 0x7d4e31}, {0x704730, 0x563321}}
	hairs := []uint32{0x2b2320, 0x4a3325, 0x6e4a2f, 0x9c7142, 0xc9a25e, 0x8d3f22, 0x8a8a88}
	skin := skins[pick(5)]
	l := look{skin: skin[0], shade: skin[1], hair: hairs[pick(7)], blush: 0.16}
	l.eyes = []uint32{0x4c7396, 0x5b7d4f, 0x5a3d26, 0x3a2a1c}[pick(4)]
	if l.skin == skins[3][0] || l.skin == skins[4][0] {
		l.hair, l.eyes, l.blush = hairs[pick(2)], 0x3a2a1c, 0.06
	}
	l.shirt = []uint32{0x35556b, 0x6b3a43, 0x4b5f43, 0x544a70, 0x2f3b45, 0x8a6a3c}[pick(6)]
	l.wide = 0.94 + float64(pick(13))/100
	l.jaw = 0.92 + float64(pick(15))/100
	l.glasses = pick(4) == 0
	l.female = strings.HasPrefix(h.Gender, "F")
	if !l.female && !strings.HasPrefix(h.Gender, "M") {
		l.female = pick(2) == 0
	}
	l.style = pick(3)
	l.beard = !l.female && pick(3) == 0
	return l
}

// pose places a face: the unit is a pixel of the 480 by 600 portrait.
type pose struct {
	x, y, scale float64
	turn        float64 // -1 to 1: to the left or right of the picture
	smile       float64
}

// portrait draws head and shoulders.
func (c *canvas) portrait(l look, p pose) {
	at := func(x, y, depth float64) pt {
		return pt{p.x + p.scale*(x+p.turn*depth), p.y + p.scale*y}
	}
	oval := func(x, y, rx, ry, depth float64) []pt {
		m := at(x, y, depth)
		return ellipse(m.x, m.y, rx*p.scale, ry*p.scale)
	}
	blob := func(depth float64, xy ...float64) []pt {
		points := make([]pt, len(xy)/2)
		for i := range points {
			points[i] = at(xy[2*i], xy[2*i+1], depth)
		}
		return curve(points...)
	}
	line := func(x, y, half, bend, width, depth float64) []pt {
		m := at(x, y, depth)
		return ribbon(width*p.scale, arc(m.x, m.y, half*p.scale, bend*p.scale))
	}
	w, j := 112*l.wide, l.jaw
	if l.female { // the hair behind the head
		long := []float64{250, 330, 200}[l.style]
		c.paint(shape{blob(-6, 240-w-40, 150, 240, 50, 240+w+40, 150, 240+w+46, 150+long, 240+w-20, 210+long, 240-w+20, 210+long, 240-w-46, 150+long)}, ink(mix(l.hair, 0, 0.18), 1))
	}
	c.paint(shape{blob(0, 10, 660, 20, 540, 90, 470, 200, 455, 280, 455, 390, 470, 460, 540, 470, 660)}, ink(l.shirt, 1))
	c.paint(shape{blob(0, 185, 395, 295, 395, 310, 470, 240, 530, 170, 470)}, ink(l.shade, 1))
	c.paint(shape{blob(0, 150, 465, 190, 445, 240, 540, 290, 445, 330, 465, 240, 620)}, ink(mix(l.shirt, 0xffffff, 0.25), 1))
	c.paint(shape{blob(0, 187, 440, 240, 470, 293, 440, 285, 480, 240, 520, 195, 480)}, ink(mix(l.skin, l.shade, 0.5), 1))
	c.paint(shape{oval(240-w-1, 268, 19, 34, -4), oval(240+w+1, 268, 19, 34, -4)}, ink(l.shade, 1))
	// the face, its shaded side, cheeks
	head := []float64{240 - w, 110, 240, 88, 240 + w, 110, 240 + w + 6, 270, 240 + 86*j, 372, 240 + 40*j, 424, 240 - 40*j, 424, 240 - 86*j, 372, 240 - w - 6, 270}
	c.paint(shape{blob(4, head...)}, ink(l.skin, 1))
	side := append([]float64{}, head...)
	for i := 0; i < len(side); i += 2 {
		side[i] = 240 + (side[i]-240)*0.93 - 7
	}
	c.paint(shape{blob(4, head...), reversed(blob(4, side...))}, ink(l.shade, 0.45))
	c.paint(shape{oval(170, 318, 28, 20, 16), oval(310, 318, 28, 20, 16)}, ink(0xd8705a, l.blush))
	if l.beard {
		c.paint(shape{blob(10, 240-w+2, 300, 190, 345, 240, 330, 290, 345, 240+w-2, 300, 240+90*j, 385, 240+42*j, 434, 240-42*j, 434, 240-90*j, 385)}, ink(l.hair, 0.85))
	}
	c.features(l, p, oval, line)
	c.hair(l, blob, w)
}

// features draws eyes, brows, nose, mouth and glasses.
func (c *canvas) features(l look, p pose, oval func(x, y, rx, ry, depth float64) []pt, line func(x, y, half, bend, width, depth float64) []pt) {
	dark := ink(mix(l.hair, 0x201510, 0.5), 1)
	for _, side := range []float64{-1, 1} {
		x := 240 + 52*side*l.wide
		c.paint(shape{oval(x, 256, 24, 13, 18)}, ink(0xfaf7f2, 1))
		c.paint(shape{oval(x+p.turn*5, 256, 12, 12.5, 18)}, ink(l.eyes, 1))
		c.paint(shape{oval(x+p.turn*5, 256, 6, 6, 18)}, ink(0x140f0c, 1))
		c.paint(shape{oval(x+p.turn*5+4, 251, 2.6, 2.6, 18)}, ink(0xffffff, 0.9))
		c.paint(shape{line(x, 254, 26, -13, 4.5, 18)}, ink(0x2a1d17, 0.9))
		c.paint(shape{line(x, 222, 30, -9, 8.5, 18)}, dark)
		if l.glasses {
			rim := oval(x, 257, 42, 34, 20)
			c.paint(shape{rim, reversed(oval(x, 257, 37.5, 29.5, 20))}, ink(0x24262b, 1))
			c.paint(shape{rim}, ink(0xdcecf5, 0.13))
		}
	}
	if l.glasses {
		c.paint(shape{line(240, 252, 12, -5, 5, 22)}, ink(0x24262b, 1))
	}
	c.paint(shape{line(240, 322, 20, 9, 5, 30)}, ink(mix(l.shade, 0x5a2f20, 0.35), 0.9))
	c.paint(shape{oval(232+p.turn*4, 296, 8, 26, 28)}, ink(l.shade, 0.4))
	lips := uint32(0xa85a4e)
	if l.female {
		lips = 0xb8424a
	}
	c.paint(shape{oval(240, 366+p.smile*4, 38, 10+p.smile*3, 20)}, ink(mix(l.skin, lips, 0.75), 1))
	c.paint(shape{line(240, 363, 40, 3+p.smile*8, 3.6, 20)}, ink(mix(lips, 0x200a08, 0.55), 1))
}

// hair draws what lies in front of the head.
func (c *canvas) hair(l look, blob func(depth float64, xy ...float64) []pt, w float64) {
	paint := ink(l.hair, 1)
	switch {
	case l.female && l.style == 1: // parted in the middle
		c.paint(shape{blob(0, 240-w-34, 330, 240-w-38, 120, 240, 34, 240+w+38, 120, 240+w+34, 330, 240+w-4, 230, 300, 150, 240, 100, 180, 150, 240-w+4, 230)}, paint)
	case l.female: // a fringe to one side
		c.paint(shape{blob(0, 240-w-26, 300, 240-w-36, 110, 230, 34, 240+w+36, 110, 240+w+26, 300, 240+w-2, 220, 320, 170, 200, 160, 150, 190, 240-w+2, 230)}, paint)
	case l.style == 0: // short
		c.paint(shape{blob(2, 240-w-8, 250, 240-w-22, 120, 200, 44, 290, 44, 240+w+22, 120, 240+w+8, 250, 240+w-6, 190, 290, 140, 190, 140, 240-w+6, 190)}, paint)
	case l.style == 1: // side parting
		c.paint(shape{blob(2, 240-w-8, 245, 240-w-20, 110, 190, 34, 310, 46, 240+w+24, 110, 240+w+8, 245, 240+w-4, 180, 300, 130, 210, 172, 170, 150, 240-w+4, 195)}, paint)
	default: // receding
		c.paint(shape{blob(2, 240-w-10, 260, 240-w-18, 130, 200, 66, 280, 66, 240+w+18, 130, 240+w+10, 260, 240+w-4, 200, 296, 104, 184, 104, 240-w+4, 200)}, paint)
	}
	c.paint(shape{blob(2, 175, 92, 235, 66, 270, 76, 215, 88, 178, 112)}, ink(0xffffff, 0.12))
}

func reversed(line []pt) []pt {
	back := make([]pt, len(line))
	for i, p := range line {
		back[len(line)-1-i] = p
	}
	return back
}

// mix goes from one colour to another, t of the way.
func mix(a, b uint32, t float64) uint32 {
	part := func(shift uint) uint32 {
		from, to := float64(a>>shift&0xff), float64(b>>shift&0xff)
		return uint32(from+(to-from)*t) << shift
	}
	return part(16) | part(8) | part(0)
}

// selfie is the holder in front of the camera, as the portrait but elsewhere and moved.
func selfie(h *Holder, turn float64) *canvas {
	c := newCanvas(FaceWidth, FaceHeight)
	room(c, h.seed())
	l := h.look()
	l.shirt = mix(l.shirt, 0x20242a, 0.45)
	p := pose{x: -14, y: 34, scale: 1.04, turn: 0.22, smile: 1}
	if turn != 0 {
		p = pose{x: -2, y: 30, scale: 1.02, turn: turn * 1.6, smile: 0.2}
	}
	c.portrait(l, p)
	c.rect(0, FaceHeight-40, FaceWidth, 40, ink(0x101418, 0.55))
	c.text("SPECIMEN · MUSTER", 20, FaceHeight-13, FaceWidth-40, 20, bold, ink(0xffffff, 0.92))
	return c
}

// room is a wall with a window or a shelf behind the user.
func room(c *canvas, seed uint64) {
	wall := []uint32{0xcfd6d2, 0xd9cfc2, 0xc9d2dc, 0xd8d2da}[seed>>8%4]
	for y := range FaceHeight {
		shade := ink(mix(wall, 0x8a8f94, float64(y)/FaceHeight*0.55), 1)
		draw.Draw(c.img, image.Rect(0, y, FaceWidth, y+1), image.NewUniform(shade), image.Point{}, draw.Src)
	}
	if seed>>16&1 == 0 {
		c.rect(26, 20, 130, 190, ink(0xf4f6f5, 1))
		c.rect(36, 30, 110, 170, ink(0xb7d3e6, 1))
		c.rect(88, 30, 6, 170, ink(0xf4f6f5, 1))
		c.paint(shape{curve(pt{36, 200}, pt{60, 150}, pt{110, 170}, pt{146, 140}, pt{146, 200})}, ink(0x7fa06f, 1))
		return
	}
	for row := range 3 {
		y := 60 + row*130
		c.rect(350, y+88, 130, 9, ink(0x7a5c40, 1))
		for book, x := 0, 356; x < 470; book++ {
			w := 10 + int(seed>>(uint(book*3+row)%50)&7)
			tall := 58 + int(seed>>(uint(book*5+row)%50)&15)
			tone := []uint32{0x8c3b3b, 0x3b5f8c, 0x4a7a55, 0xb59a4c, 0x5b4a78, 0xd8d2c4}[(book+row*2+int(seed>>4&7))%6]
			c.rect(x, y+88-tall, w, tall, color.Color(ink(tone, 1)))
			x += w + 2
		}
	}
}
