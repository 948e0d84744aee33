package specimen

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// paletted reduces a picture to 256 colours by median cut, so that a lossless file is as
// small as a lossy one. Flat drawings lose nothing one would see.
func paletted(img *image.RGBA) *image.Paletted {
	counts := make([]int, 1<<15)
	sums := make([][3]int, 1<<15)
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+3 : i+3]
		c := coarse(p)
		counts[c]++
		s := &sums[c]
		s[0], s[1], s[2] = s[0]+int(p[0]), s[1]+int(p[1]), s[2]+int(p[2])
	}
	var used []uint16
	for c, n := range counts {
		if n > 0 {
			used = append(used, uint16(c))
		}
	}
	boxes := []box{newBox(used, counts)}
	for len(boxes) < 256 {
		at := 0
		for i, b := range boxes {
			if b.spread > boxes[at].spread {
				at = i
			}
		}
		if boxes[at].spread == 0 {
			break // every box is one colour
		}
		low, high := boxes[at].halves(counts)
		boxes[at] = newBox(low, counts)
		boxes = append(boxes, newBox(high, counts))
	}
	var index [1 << 15]uint8
	colours := make(color.Palette, len(boxes))
	for i, b := range boxes {
		colours[i] = b.mean(counts, sums)
		for _, c := range b.colours {
			index[c] = uint8(i)
		}
	}
	small := image.NewPaletted(img.Rect, colours)
	for i := range small.Pix {
		small.Pix[i] = index[coarse(img.Pix[4*i:])]
	}
	return small
}

// coarse is a colour in five bits for each part.
func coarse(p []uint8) uint16 {
	return uint16(p[0]>>3)<<10 | uint16(p[1]>>3)<<5 | uint16(p[2]>>3)
}

func part(c uint16, axis int) int { return int(c >> (10 - 5*axis) & 31) }

// box is a set of colours that are close to each other. It is cut along the axis (red,
// green or blue) in which they differ most; the spread is that difference, weighted so
// that frequent colours are cut first. A spread of 0 cannot be cut.
type box struct {
	colours      []uint16
	axis, spread int
}

func newBox(colours []uint16, counts []int) box {
	b := box{colours: colours}
	lo, hi, n := [3]int{31, 31, 31}, [3]int{}, 0
	for _, c := range colours {
		n += counts[c]
		for a := range 3 {
			lo[a], hi[a] = min(lo[a], part(c, a)), max(hi[a], part(c, a))
		}
	}
	weight := 1
	for m := n; m > 0; m >>= 2 {
		weight++
	}
	for a := range 3 {
		if s := (hi[a] - lo[a]) * weight; s > b.spread {
			b.axis, b.spread = a, s
		}
	}
	return b
}

// halves cuts a box where half of its pixels lie on either side.
func (b box) halves(counts []int) (low, high []uint16) {
	slices.SortFunc(b.colours, func(x, y uint16) int {
		return cmp.Or(cmp.Compare(part(x, b.axis), part(y, b.axis)), cmp.Compare(x, y))
	})
	total := 0
	for _, c := range b.colours {
		total += counts[c]
	}
	at, sum := 1, counts[b.colours[0]]
	for at < len(b.colours)-1 && sum*2 < total {
		sum += counts[b.colours[at]]
		at++
	}
	return b.colours[:at:at], b.colours[at:]
}

// mean is the true average of the pixels in a box, so that a flat area keeps its colour.
func (b box) mean(counts []int, sums [][3]int) color.RGBA {
	var sum [3]int
	n := 0
	for _, c := range b.colours {
		n += counts[c]
		for a := range 3 {
			sum[a] += sums[c][a]
		}
	}
	full := func(a int) uint8 { return uint8((sum[a] + n/2) / max(n, 1)) }
	return color.RGBA{full(0), full(1), full(2), 255}
}
