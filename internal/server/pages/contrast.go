package pages

import "math"

// luminance is how light a colour is to the eye, 0 to 1 (WCAG 2.2, relative luminance).
func luminance(r, g, b uint8) float64 {
	linear := func(c uint8) float64 {
		v := float64(c) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// contrast is how well one can be read on the other, 1 to 21 (WCAG 2.2): 4.5 is enough for
// text, 3 for the edge of what can be pressed.
func contrast(one, other float64) float64 {
	return (max(one, other) + 0.05) / (min(one, other) + 0.05)
}
