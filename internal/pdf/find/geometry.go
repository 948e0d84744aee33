package find

import "math"

// box is a rectangle with its lower left and upper right corner, in points.
type box struct{ x0, y0, x1, y1 float64 }

// around returns the smallest box that holds two points, whatever corners they are.
func around(x0, y0, x1, y1 float64) box {
	return box{math.Min(x0, x1), math.Min(y0, y1), math.Max(x0, x1), math.Max(y0, y1)}
}

// with returns the smallest box that holds b and the point.
func (b box) with(x, y float64) box {
	return box{math.Min(b.x0, x), math.Min(b.y0, y), math.Max(b.x1, x), math.Max(b.y1, y)}
}

// meets says whether two boxes have more in common than an edge.
func (b box) meets(c box) bool {
	return b.x0 < c.x1 && c.x0 < b.x1 && b.y0 < c.y1 && c.y0 < b.y1
}

// tolerance is how far two edges may be apart, in points, and still be called the same.
const tolerance = 1

// isNearly says whether each edge is where c has it.
func (b box) isNearly(c box) bool {
	near := func(u, v float64) bool { return math.Abs(u-v) <= tolerance }
	return near(b.x0, c.x0) && near(b.y0, c.y0) && near(b.x1, c.x1) && near(b.y1, c.y1)
}

// sheet is what geometry knows of a page.
type sheet struct {
	visible box // the CropBox within the MediaBox, in user space
	rotate  int // by how many degrees it is turned clockwise when displayed: 0, 90, 180, 270
}

// displayed returns where a point of user space is on the page as displayed: from its lower
// left corner, to the right and up.
func (s sheet) displayed(x, y float64) (right, up float64) {
	switch v := s.visible; s.rotate {
	case 90:
		return y - v.y0, v.x1 - x
	case 180:
		return v.x1 - x, v.y1 - y
	case 270:
		return v.y1 - y, x - v.x0
	default:
		return x - v.x0, y - v.y0
	}
}

// user is the way back from displayed.
func (s sheet) user(right, up float64) (x, y float64) {
	switch v := s.visible; s.rotate {
	case 90:
		return v.x1 - up, v.y0 + right
	case 180:
		return v.x1 - right, v.y1 - up
	case 270:
		return v.x0 + up, v.y1 - right
	default:
		return v.x0 + right, v.y0 + up
	}
}

// displayedBox returns how a box of user space is displayed.
func (s sheet) displayedBox(b box) box {
	x0, y0 := s.displayed(b.x0, b.y0)
	x1, y1 := s.displayed(b.x1, b.y1)
	return around(x0, y0, x1, y1)
}

// userBox is the way back from displayedBox.
func (s sheet) userBox(b box) box {
	x0, y0 := s.user(b.x0, b.y0)
	x1, y1 := s.user(b.x1, b.y1)
	return around(x0, y0, x1, y1)
}

// place returns the rectangle, in user space, whose lower left corner is displayed so far to
// the right of and above that of the anchor, which is in user space too. Width and height are
// as displayed.
func (s sheet) place(anchor box, left, bottom, width, height float64) box {
	a := s.displayedBox(anchor)
	return s.userBox(box{a.x0 + left, a.y0 + bottom, a.x0 + left + width, a.y0 + bottom + height})
}
