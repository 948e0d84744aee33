package esign

import (
	"encoding/json"
	"math"
	"testing"
)

// FuzzSignature looks that whatever a company says of a place, what is taken is within
// bounds.
func FuzzSignature(f *testing.F) {
	f.Add("a", "page", "1", "10", "1e3", true)
	f.Add("b", "acrofield", "x", "-0.5", "14400", false)
	f.Add("c", "textcontent", "Sign", "NaN", "1e999", false)
	f.Fuzz(func(t *testing.T, name, to, value, left, width string, text bool) {
		s, err := (Rules{}).NewSent(name)
		if err != nil {
			return
		}
		as := func(s string) any {
			if text {
				return s
			}
			return json.Number(s)
		}
		for _, m := range []struct {
			field string
			value any
		}{{to, value}, {"left", as(left)}, {"bottom", as(left)}, {"width", as(width)}, {"height", as(width)}} {
			if s.SetPosition(m.field, m.value) != nil {
				return
			}
		}
		got, err := s.Done()
		if err != nil {
			return
		}
		p := got.Position
		for _, n := range []float64{p.Left, p.Bottom, p.Width, p.Height} {
			if math.IsNaN(n) || math.Abs(n) > 14400 {
				t.Fatalf("%v is out of bounds", n)
			}
		}
		if p.Width <= 0 || p.Height <= 0 || p.Page < 0 || p.Page > 0 && (p.Left < 0 || p.Bottom < 0) {
			t.Fatalf("%+v", p)
		}
	})
}
