package pages

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestEveryPageHasItsWordsInEveryLanguage(t *testing.T) {
	if len(texts) != len(languages) {
		t.Errorf("%d texts in %d languages", len(texts), len(languages))
	}
	for _, l := range languages {
		w := texts[l]
		if w == nil || w.Lang != l {
			t.Fatalf("no texts in %s", l)
		}
		v := reflect.ValueOf(*w)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s: %s is empty", l, v.Type().Field(i).Name)
			}
			if s, ok := v.Field(i).Interface().(saying); ok && (s.Title == "" || s.Text == "") {
				t.Errorf("%s: %s is half", l, v.Type().Field(i).Name)
			}
		}
		if strings.Count(w.KeyHint, "%") != 1 || !strings.Contains(w.KeyHint, "%s") {
			t.Errorf("%s: the hint has no place for the company's name", l)
		}
	}
}

func TestTextOnAnyColourCanBeRead(t *testing.T) {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				colour := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				style := string(colours(colour))
				light, text := luminance(uint8(r), uint8(g), uint8(b)), 1.0
				if strings.Contains(style, "--on-brand:#000") {
					text = 0
				}
				if c := contrast(light, text); c < 4.5 {
					t.Errorf("%s: the contrast of the text is %.2f: %s", colour, c, style)
				}
				if edge := !strings.Contains(style, "--brand-edge:transparent"); !edge && contrast(light, 1) < 3 {
					t.Errorf("%s: the button cannot be told from the page", colour)
				}
			}
		}
	}
}

func TestContrastIsThatOfTheGuidelines(t *testing.T) {
	for _, c := range []struct {
		one, other [3]uint8
		want       float64
	}{
		{[3]uint8{0, 0, 0}, [3]uint8{255, 255, 255}, 21},
		{[3]uint8{255, 255, 255}, [3]uint8{0x76, 0x76, 0x76}, 4.54},
		{[3]uint8{0, 0, 255}, [3]uint8{255, 255, 255}, 8.59},
	} {
		got := contrast(luminance(c.one[0], c.one[1], c.one[2]), luminance(c.other[0], c.other[1], c.other[2]))
		if math.Abs(got-c.want) > 0.01 {
			t.Errorf("%v on %v: %.3f, expected %.2f", c.one, c.other, got, c.want)
		}
	}
}

func TestWhatIsNoColourIsOurs(t *testing.T) {
	for _, s := range []string{"", "#", "#12", "#1234", "red", "#ggg", "#00aa55}body{display:none"} {
		if got := colours(s); got != "" {
			t.Errorf("%q gives %s", s, got)
		}
	}
	if got := colours("#0a5"); got != ":root{--brand:#00aa55;--on-brand:#000;--brand-edge:transparent}" && got != ":root{--brand:#00aa55;--on-brand:#000;--brand-edge:#555}" {
		t.Errorf("#0a5 gives %s", got)
	}
}
