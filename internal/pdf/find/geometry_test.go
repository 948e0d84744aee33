package find

import (
	"fmt"
	"testing"
)

// boxes are visible parts of pages: at the origin, off it, with a negative one, landscape.
var boxes = []box{{0, 0, 200, 300}, {10, 20, 210, 320}, {-100, -300, 100, 0}, {-11.5, 12, 588.5, 412}}

func TestEveryCornerIsDisplayedWhereItIsTurnedTo(t *testing.T) {
	for _, v := range boxes {
		w, h := v.x1-v.x0, v.y1-v.y0
		// The corners in user space, anticlockwise from the lower left, and where a page that
		// is turned clockwise shows them.
		user := [4][2]float64{{v.x0, v.y0}, {v.x1, v.y0}, {v.x1, v.y1}, {v.x0, v.y1}}
		for rotate, want := range map[int][4][2]float64{
			0:   {{0, 0}, {w, 0}, {w, h}, {0, h}},
			90:  {{0, w}, {0, 0}, {h, 0}, {h, w}},
			180: {{w, h}, {0, h}, {0, 0}, {w, 0}},
			270: {{h, 0}, {h, w}, {0, w}, {0, 0}},
		} {
			s := sheet{v, rotate}
			for i := range user {
				right, up := s.displayed(user[i][0], user[i][1])
				if [2]float64{right, up} != want[i] {
					t.Errorf("%v turned by %d: corner %d is displayed at %v, %v; want %v", v, rotate, i, right, up, want[i])
				}
				if x, y := s.user(right, up); x != user[i][0] || y != user[i][1] {
					t.Errorf("%v turned by %d: corner %d comes back as %v, %v; want %v", v, rotate, i, x, y, user[i])
				}
			}
		}
	}
}

func TestPlacesAreMeantAsDisplayed(t *testing.T) {
	page := box{10, 20, 210, 320} // 200 wide, 300 high
	field := box{50, 100, 90, 110}
	for _, c := range []struct {
		name   string
		rotate int
		anchor box
		want   box // for left 5, bottom 7, width 30, height 12
	}{
		{"page", 0, page, box{15, 27, 45, 39}},
		{"page", 90, page, box{210 - 7 - 12, 20 + 5, 210 - 7, 20 + 5 + 30}},
		{"page", 180, page, box{210 - 5 - 30, 320 - 7 - 12, 210 - 5, 320 - 7}},
		{"page", 270, page, box{10 + 7, 320 - 5 - 30, 10 + 7 + 12, 320 - 5}},
		{"field", 0, field, box{55, 107, 85, 119}},
		{"field", 90, field, box{90 - 7 - 12, 100 + 5, 90 - 7, 100 + 5 + 30}},
		{"field", 180, field, box{90 - 5 - 30, 110 - 7 - 12, 90 - 5, 110 - 7}},
		{"field", 270, field, box{50 + 7, 110 - 5 - 30, 50 + 7 + 12, 110 - 5}},
	} {
		t.Run(fmt.Sprintf("%s_%d", c.name, c.rotate), func(t *testing.T) {
			if got := (sheet{page, c.rotate}).place(c.anchor, 5, 7, 30, 12); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestNegativeDistancesLeadOutOfTheAnchor(t *testing.T) {
	if got, want := (sheet{box{0, 0, 100, 100}, 0}).place(box{50, 50, 60, 60}, -10, -20, 5, 5), (box{40, 30, 45, 35}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAnEdgeIsNothingInCommon(t *testing.T) {
	page := box{0, 0, 100, 100}
	for b, want := range map[box]bool{
		{-10, -10, 0, 50}: false, {-10, -10, 1, 1}: true, {100, 0, 120, 20}: false, {99, 99, 200, 200}: true,
		{20, 20, 30, 30}: true, {20, 100, 30, 120}: false,
	} {
		if b.meets(page) != want || page.meets(b) != want {
			t.Errorf("%v: %t", b, !want)
		}
	}
}

func TestReadingOrderIsAsDisplayed(t *testing.T) {
	// In user space: two on one line, one above them, one far below.
	at := func(x, y float64) occurrence { return occurrence{startX: x, startY: y} }
	for rotate, want := range map[int]string{
		0:   "[{20 90} {10 51} {60 50} {5 10}]",
		180: "[{5 10} {60 50} {10 51} {20 90}]",
		90:  "[{5 10} {10 51} {20 90} {60 50}]",
		270: "[{60 50} {20 90} {10 51} {5 10}]",
	} {
		found := []occurrence{at(60, 50), at(5, 10), at(10, 51), at(20, 90)}
		sheet{box{0, 0, 100, 100}, rotate}.inReadingOrder(found)
		var got []struct{ x, y float64 }
		for _, o := range found {
			got = append(got, struct{ x, y float64 }{o.startX, o.startY})
		}
		if fmt.Sprint(got) != want {
			t.Errorf("turned by %d: %v, want %v", rotate, got, want)
		}
	}
}
