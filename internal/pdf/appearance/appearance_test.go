package appearance

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// placed is a form on a page.
type placed struct {
	form   *Form
	x, y   float64
	rotate int
}

// onPage makes a PDF with one page that shows forms.
func onPage(width, height float64, rotate int, forms ...placed) []byte {
	objects := []string{"", "", ""}
	add := func(dictionary string, stream []byte) int {
		o := "<<" + dictionary + ">>"
		if stream != nil {
			o += "\nstream\n" + string(stream) + "\nendstream"
		}
		objects = append(objects, o)
		return len(objects)
	}
	var content, resources strings.Builder
	for i, p := range forms {
		fmt.Fprintf(&resources, "/X%d %d 0 R", i, p.form.Add(p.rotate, add))
		fmt.Fprintf(&content, "q 1 0 0 1 %s %s cm /X%d Do Q\n", num(p.x), num(p.y), i)
	}
	objects[0] = "<</Type/Catalog/Pages 2 0 R>>"
	objects[1] = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	objects[2] = fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s]/Rotate %d/Contents %d 0 R/Resources<</XObject<<%s>>>>>>",
		num(width), num(height), rotate, add(fmt.Sprintf("/Length %d", content.Len()), []byte(content.String())), resources.String())
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, start)
	return b.Bytes()
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func saved(t *testing.T, file []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "form.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadersUnderstandTheTextOfASeal(t *testing.T) {
	const name, detail = "Łukasz Żółć-Nguyễn Þórðarson Ǻß", "Signed 2018-11-15 10:12 UTC, Ελλάδα Щ"
	f := Electronic{Width: 250, Height: 35, Lines: []Line{{name, 8}, {detail, 6}}}.Form()
	file := saved(t, onPage(300, 100, 0, placed{f, 20, 30, 0}))
	run(t, "qpdf", "--check", file)
	text := run(t, "pdftotext", "-layout", file, "-")
	for _, want := range []string{name, detail, "VIDIMUS"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	fonts := run(t, "pdffonts", file)
	if got := strings.Count(fonts, "yes yes yes"); got != 2 || strings.Count(fonts, "CID TrueType") != 2 {
		t.Errorf("%d fonts are embedded subsets with their meaning:\n%s", got, fonts)
	}
}

// TestSealsStandUprightOnTurnedPages has readers show the page and looks where the badge,
// the only dark thing, is.
func TestSealsStandUprightOnTurnedPages(t *testing.T) {
	f := Electronic{Width: 125, Height: 35}.Form()
	for _, rotate := range []int{0, 90, 180, 270} {
		file := saved(t, onPage(200, 200, rotate, placed{f, 30, 40, rotate}))
		run(t, "pdftoppm", "-r", "72", "-png", "-singlefile", file, strings.TrimSuffix(file, ".pdf"))
		b, err := os.ReadFile(strings.TrimSuffix(file, "pdf") + "png")
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		// Where the form is displayed, its lower left corner from the lower left of the page.
		right, up := 30, 40
		switch rotate {
		case 90:
			right, up = 40, 200-30-35
		case 180:
			right, up = 200-30-125, 200-40-35
		case 270:
			right, up = 200-40-125, 30
		}
		at := func(x, y int) bool { // x to the right and y up in the form
			r, _, _, _ := picture.At(right+x, 200-up-y).RGBA()
			return r>>8 < 100
		}
		if !at(3, 17) || at(110, 17) || !at(40, 30) || at(-3, 17) || at(20, 40) {
			t.Errorf("turned by %d: the badge is not at the left", rotate)
		}
	}
}

var shown = regexp.MustCompile(`/F(\d) ([\d.]+) Tf\n([\d.]+) ([\d.]+) Td\n<([0-9A-F]*)> Tj`)

func TestTextStaysInItsPlace(t *testing.T) {
	long := strings.Repeat("Wolfeschlegelsteinhausenbergerdorff ", 5)
	for _, size := range [][2]float64{{250, 35}, {200, 35}, {100, 20}, {60, 60}, {30, 12}, {400, 100}, {5, 5}} {
		for _, lines := range [][]Line{{{"Jo", 8}}, {{long, 8}, {long, 8}}, {{"Jo", 200}, {"An", 0}}, {{long, 30}}, {{long, math.NaN()}}} {
			f := Electronic{Width: size[0], Height: size[1], Seal: &Image{Width: 10, Height: 1}, Lines: lines}.Form()
			found := shown.FindAllStringSubmatch(string(f.Content), -1)
			if len(found) == 0 && size[0] >= 30 {
				t.Errorf("%v %v: no text", size, lines)
			}
			for _, m := range found {
				var v [4]float64
				for i := range v {
					v[i], _ = strconv.ParseFloat(m[1+i], 64)
				}
				font, sum := f.Fonts["F"+m[1]], 0
				for i := 0; i < len(m[5]); i += 4 {
					glyph, _ := strconv.ParseUint(m[5][i:i+4], 16, 16)
					sum += font.Widths[glyph]
				}
				points, x, y := v[1], v[2], v[3]
				if end := x + float64(sum)/1000*points; x < 0 || end > size[0]+0.1 || y < 0.2*points || y+0.7*points > size[1] {
					t.Errorf("%v %v: text of size %v from %v to %v at %v", size, lines, points, x, end, y)
				}
			}
		}
	}
}

func TestTextIsSetSmallerBeforeItIsCut(t *testing.T) {
	text := func(name string) (size float64, meaning string) {
		f := Electronic{Width: 250, Height: 35, Seal: &Image{Width: 250, Height: 35}, Lines: []Line{{name, 10}}}.Form()
		m := shown.FindStringSubmatch(string(f.Content))
		size, _ = strconv.ParseFloat(m[2], 64)
		for i := 0; i < len(m[5]); i += 4 {
			glyph, _ := strconv.ParseUint(m[5][i:i+4], 16, 16)
			meaning += f.Fonts["F0"].Text[glyph]
		}
		return size, meaning
	}
	if size, got := text("Short"); size != 10 || got != "Short" {
		t.Errorf("%v %q", size, got)
	}
	longer := strings.Repeat("longer ", 8) + "end"
	if size, got := text(longer); size >= 10 || size < 6 || got != longer {
		t.Errorf("%v %q", size, got)
	}
	if size, got := text(strings.Repeat("longer ", 40)); size != 6 || !strings.HasSuffix(got, "…") {
		t.Errorf("%v %q", size, got)
	}
	if _, got := text("a\u0000b 漢\n c"); got != "a\uFFFDb \uFFFD c" {
		t.Errorf("%q", got)
	}
}

func TestSealsOfAnAccountAreRead(t *testing.T) {
	clear := image.NewNRGBA(image.Rect(0, 0, 20, 10))
	clear.SetNRGBA(3, 3, color.NRGBA{200, 100, 50, 128})
	gray := image.NewGray(image.Rect(0, 0, 20, 10))
	encode := func(m image.Image, asJPEG bool) company.Image {
		var b bytes.Buffer
		if asJPEG {
			if err := jpeg.Encode(&b, m, nil); err != nil {
				t.Fatal(err)
			}
			return company.Image{Type: company.TypeJPEG, Data: b.Bytes()}
		}
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return company.Image{Type: company.TypePNG, Data: b.Bytes()}
	}
	for _, c := range []struct {
		name                  string
		seal                  company.Image
		width                 int
		alpha, isJPEG, isGray bool
	}{
		{"transparent", encode(clear, false), 20, true, false, false},
		{"opaque", encode(gray, false), 20, false, false, false},
		{"photo", encode(clear, true), 20, false, true, false},
		{"gray photo", encode(gray, true), 20, false, true, true},
		{"large", encode(image.NewNRGBA(image.Rect(0, 0, 4000, 30)), false), 1334, true, false, false},
	} {
		i, err := ReadSeal(c.seal)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if i.Width != c.width || (i.Alpha != nil) != c.alpha || i.JPEG != c.isJPEG || i.Gray != c.isGray {
			t.Errorf("%s: %d wide, alpha %t, JPEG %t, gray %t", c.name, i.Width, i.Alpha != nil, i.JPEG, i.Gray)
		}
		f := Electronic{Width: 100, Height: 30, Seal: i}.Form()
		run(t, "qpdf", "--check", saved(t, onPage(200, 100, 0, placed{f, 0, 0, 0})))
	}
	for _, bad := range [][]byte{nil, []byte("GIF89a"), encode(gray, false).Data[:40], encode(gray, false).Data[:60]} {
		if _, err := ReadSeal(company.Image{Data: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTheRobotSignsAName(t *testing.T) {
	a, again, b := Scribble("Bettina Bäcker"), Scribble("Bettina Bäcker"), Scribble("Anton Meier")
	if !reflect.DeepEqual(a, again) || reflect.DeepEqual(a, b) {
		t.Error("the same name must lead to the same signature, another to another")
	}
	for _, name := range []string{"", "李", "-", strings.Repeat("long name ", 1000)} {
		if s := Scribble(name); len(s) < 2 || len(s) > 40 {
			t.Errorf("%.10q: %d strokes", name, len(s))
		}
	}
}

var moves = regexp.MustCompile(`(?m)^([-\d. ]+) [mlc]$`)

func TestHandwritingStaysInItsPlace(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for name, strokes := range map[string][][]Point{
		"name": Scribble("Bettina Bäcker"), "dot": {{{5, 5}}}, "flat": {{{0, 3}, {1000, 3}}}, "upright": {{{0, -3}, {0, 3000}}},
		"not numbers": {{{nan, 1}, {1, inf}, {1, 1}, {2, 2}}}, "same": {{{1, 1}, {1, 1}, {1, 1}}}, "tiny": {{{0, 0}, {1e-12, 1e-12}}},
	} {
		f := Handwritten{Width: 200, Height: 35, Strokes: strokes}.Form()
		drawn := moves.FindAllStringSubmatch(string(f.Content), -1)
		if len(drawn) == 0 {
			t.Errorf("%s: nothing is drawn", name)
		}
		for _, m := range drawn {
			numbers := strings.Fields(m[1])
			for i := 0; i < len(numbers); i += 2 {
				x, _ := strconv.ParseFloat(numbers[i], 64)
				y, _ := strconv.ParseFloat(numbers[i+1], 64)
				if x < -5 || x > 205 || y < -3 || y > 38 { // control points may stand a little outside
					t.Errorf("%s: at %v, %v", name, x, y)
				}
			}
		}
		run(t, "qpdf", "--check", saved(t, onPage(300, 100, 0, placed{f, 0, 0, 0})))
	}
	if f := (Handwritten{Width: 10, Height: 10, Strokes: [][]Point{nil, {{nan, nan}}}}).Form(); len(f.Content) > 0 {
		t.Errorf("nothing is drawn as %q", f.Content)
	}
}

func TestFormsAreAsWideAsTheirPlaceIsDisplayed(t *testing.T) {
	for rotate, want := range map[int][2]float64{0: {250, 35}, 90: {35, 250}, 180: {250, 35}, 270: {35, 250}} {
		w, h := Upright(esign.Spot{W: 250, H: 35, Rotate: rotate})
		if [2]float64{w, h} != want {
			t.Errorf("turned by %d: %v × %v, want %v", rotate, w, h, want)
		}
		// Turned, the form takes just the place.
		m := (&Form{Width: w, Height: h}).Matrix(rotate)
		x, y := m[0]*w+m[2]*h+m[4], m[1]*w+m[3]*h+m[5]
		if max(x, m[4]) != 250 || min(x, m[4]) != 0 || max(y, m[5]) != 35 || min(y, m[5]) != 0 {
			t.Errorf("turned by %d: from %v, %v to %v, %v", rotate, m[4], m[5], x, y)
		}
	}
}

func TestNumbersAreWrittenAsPDFHasThem(t *testing.T) {
	for v, want := range map[float64]string{0: "0", -0.00001: "0", 1: "1", -2.5: "-2.5", 100: "100", 1e-3: "0.001", 1.0 / 3: "0.3333", 1e7: "10000000"} {
		if got := num(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func FuzzSeal(f *testing.F) {
	f.Add("Bettina Bäcker", "2018", 250.0, 35.0, 8.0)
	f.Add("\xff\x00", "", -1.0, math.Inf(1), math.NaN())
	f.Fuzz(func(t *testing.T, first, second string, w, h, size float64) {
		form := Electronic{Width: w, Height: h, Lines: []Line{{first, size}, {second, size}}}.Form()
		if bytes.Contains(form.Content, []byte("NaN")) || bytes.Contains(form.Content, []byte("Inf")) {
			t.Errorf("%s", form.Content)
		}
		Handwritten{Width: w, Height: h, Strokes: Scribble(first)}.Form()
	})
}

func BenchmarkSeal(b *testing.B) {
	for b.Loop() {
		f := Electronic{Width: 250, Height: 35, Lines: []Line{{"Bettina Bäcker", 8}, {"2018-11-15 10:12:00 UTC", 6}}}.Form()
		f.Add(0, func(string, []byte) int { return 1 })
	}
}
