package find

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// longTime is more than anything here takes on a busy machine.
const longTime = 5 * time.Minute

func at(name string, p esign.Position) esign.Signature {
	p.Left, p.Bottom, p.Width, p.Height = 5, 7, 30, 12
	return esign.Signature{Name: name, Position: p}
}

func TestPlacesOnTurnedPages(t *testing.T) {
	for rotate, want := range map[int][]esign.Spot{
		0:   {{X: 15, Y: 27, W: 30, H: 12}, {X: 55, Y: 107, W: 30, H: 12}, {X: 55, Y: 64.93, W: 30, H: 12}},
		90:  {{X: 191, Y: 25, W: 12, H: 30}, {X: 71, Y: 105, W: 12, H: 30}, {X: 56.5, Y: 62.93, W: 12, H: 30}},
		180: {{X: 175, Y: 301, W: 30, H: 12}, {X: 55, Y: 91, W: 30, H: 12}, {X: 40.5, Y: 50.45, W: 30, H: 12}},
		270: {{X: 17, Y: 285, W: 12, H: 30}, {X: 57, Y: 75, W: 12, H: 30}, {X: 57, Y: 34.45, W: 12, H: 30}},
	} {
		spots, err := shared().Places(t.Context(), turned(rotate-360), []esign.Signature{
			at("page", esign.Position{Page: 1}), at("field", esign.Position{AcroField: "anchor"}), at("text", esign.Position{TextContent: "TEXT"}),
		})
		if err != nil || len(spots) != 3 {
			t.Fatalf("turned by %d: %v, %v", rotate, spots, err)
		}
		for i, s := range spots {
			w := want[i]
			w.Signature, w.Page, w.Rotate = []string{"page", "field", "text"}[i], 1, rotate
			if !isNear(s, w, 0.6) {
				t.Errorf("turned by %d: %+v, want %+v", rotate, s, w)
			}
		}
	}
}

func isNear(a, b esign.Spot, tolerance float64) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) <= tolerance }
	return a.Signature == b.Signature && a.Page == b.Page && a.Rotate == b.Rotate && a.Field == b.Field &&
		near(a.X, b.X) && near(a.Y, b.Y) && near(a.W, b.W) && near(a.H, b.H)
}

func TestAnEmptySignatureFieldIsFilledWhereThePlaceFillsIt(t *testing.T) {
	for name, c := range map[string]struct {
		field                       string
		left, bottom, width, height float64
		want                        string
	}{
		"fills":      {"group.sign", 0.4, -0.4, 100, 30, "group.sign"},
		"inside":     {"group.sign", 10, 10, 20, 10, ""},
		"larger":     {"group.sign", 0, 0, 200, 30, ""},
		"signed":     {"done", 0, 0, 100, 30, ""},
		"text field": {"anchor", 0, 0, 40, 10, ""},
	} {
		spots, err := shared().Places(t.Context(), turned(0), []esign.Signature{{Name: "s", Position: esign.Position{
			AcroField: c.field, Left: c.left, Bottom: c.bottom, Width: c.width, Height: c.height,
		}}})
		if err != nil || len(spots) != 1 || spots[0].Field != c.want {
			t.Errorf("%s: %+v, %v", name, spots, err)
			continue
		}
		if s := spots[0]; c.want != "" && (s.X != 20 || s.Y != 200 || s.W != 100 || s.H != 30) {
			t.Errorf("%s: %+v is not where the field is", name, s)
		}
	}
}

func TestAFieldInTwoObjectsIsFilledWhereNothingIsSigned(t *testing.T) {
	for value, want := range map[string]string{"": "parted", "/V<</Type/Sig/Contents<00>/ByteRange[0 0 0 0]>>": ""} {
		file := build(
			"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>", "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>",
			"<</Type/Page/Parent 2 0 R/Annots[5 0 R]>>", "<</FT/Sig/T(parted)/Kids[5 0 R]"+value+">>",
			"<</Type/Annot/Subtype/Widget/Parent 4 0 R/Rect[20 30 120 60]>>",
		)
		spots, err := shared().Places(t.Context(), file, []esign.Signature{{Name: "s", Position: esign.Position{AcroField: "parted", Width: 100, Height: 30}}})
		if err != nil || len(spots) != 1 || spots[0].Field != want || spots[0].X != 20 || spots[0].Y != 30 {
			t.Errorf("%q: %+v, %v", value, spots, err)
		}
	}
}

func TestWhatIsMissingIsToldForEachSignature(t *testing.T) {
	far := at("far", esign.Position{Page: 1})
	far.Position.Left = 1000
	optional := at("optional", esign.Position{AcroField: "none"})
	optional.Optional = true
	want := []esign.Signature{
		at("page", esign.Position{Page: 2}), at("huge", esign.Position{Page: 1 << 40}), at("field", esign.Position{AcroField: "sign"}), at("good", esign.Position{Page: 1}),
		at("text", esign.Position{TextContent: "text"}), far, optional,
	}
	spots, err := shared().Places(t.Context(), turned(0), want)
	var got []string
	for _, f := range fault.All(err) {
		if f.Kind != fault.Precondition || f.Message == "" {
			t.Errorf("%v", f)
		}
		got = append(got, f.Key)
	}
	if spots != nil || strings.Join(got, " ") != "page huge field text far" {
		t.Errorf("%v missing, %v", got, spots)
	}
	spots, err = shared().Places(t.Context(), turned(0), []esign.Signature{optional, at("good", esign.Position{Page: 1})})
	if err != nil || len(spots) != 1 || spots[0].Signature != "good" {
		t.Errorf("%v, %v", spots, err)
	}
}

func TestTextIsFoundOnEveryPage(t *testing.T) {
	file := written(t, nil, "one sign here\nand sign here", "nothing", "sign\nhere, sign here", "hyphen-\nated Unter-\nschrift office")
	for _, c := range []struct{ text, want string }{
		{"sign here", "1:123,742 1:123,727 3:100,742 3:131,727"},
		{"schrift", "4:100,712"},
		{"Unterschrift", "4:127,727"},
		{"hyphenated", "4:100,742"},
		{"SIGN", ""},
	} {
		spots, err := shared().Places(t.Context(), file, []esign.Signature{{Name: "s", Optional: true, Position: esign.Position{TextContent: c.text, Width: 1, Height: 1}}})
		var got []string
		for _, s := range spots {
			got = append(got, fmt.Sprintf("%d:%.0f,%.0f", s.Page, s.X, s.Y+2.5))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %s, %v; want %s", c.text, got, err, c.want)
		}
	}
}

func TestTextThatOccursTooOftenIsNoPlace(t *testing.T) {
	file := written(t, nil, strings.Repeat("x x x x x x x x x x\n", 15), strings.Repeat("x x x x x x x x x x\n", 6), "x")
	_, err := shared().Places(t.Context(), file, []esign.Signature{at("s", esign.Position{TextContent: "x"})})
	if l := fault.All(err); len(l) != 1 || l[0].Key != "s" || !strings.Contains(l[0].Message, "200") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoUsablePDFIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":    {nil, "no PDF"},
		"text":     {[]byte("hello"), "no PDF"},
		"password": {written(t, func(f *fpdf.Fpdf) { f.SetProtection(0, "secret", "owner") }, "a"), "encrypted"},
		"owner":    {written(t, func(f *fpdf.Fpdf) { f.SetProtection(fpdf.CnProtectPrint, "", "owner") }, "a"), "encrypted"},
		"no pages": {build("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"), "no pages"},
		"circle":   {build("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"), "page 2"},
		"vast":     {build("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 2147483647]>>"), "larger"},
	} {
		err := shared().Check(t.Context(), c.file)
		if l := fault.All(err); len(l) != 1 || l[0].Kind != fault.Invalid || !strings.Contains(l[0].Message, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := shared().Check(t.Context(), turned(0)); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func TestPagesAreDrawn(t *testing.T) {
	picture, err := shared().Render(t.Context(), turned(90), 1, 144)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || c.Width != 600 || c.Height != 400 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := shared().Render(t.Context(), turned(0), 2, 72); !fault.Is(err, fault.NotFound) {
		t.Errorf("a page that is not there: %v", err)
	}
	for _, dpi := range []int{0, -1, 10_000} {
		if _, err := shared().Render(t.Context(), turned(0), 1, dpi); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d dots per inch: %v", dpi, err)
		}
	}
}

// endless is a page that draws a form that draws ten, each of which draws ten, and so on.
func endless() []byte {
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 99 99]>>",
		"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>", stream("", "/X Do"),
	}
	for i := range 12 {
		objects = append(objects, stream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X %d 0 R>>>>", i+6), strings.Repeat("/X Do ", 10)))
	}
	return build(append(objects, stream("/Type/XObject/Subtype/Form/BBox[0 0 99 99]", "0 0 m 9 9 l S"))...)
}

func TestAFileThatTakesTooLongIsEndedAndTheNextIsRead(t *testing.T) {
	f := New(Options{CacheDir: cacheDir, Timeout: time.Second})
	defer f.Close()
	text := []esign.Signature{at("s", esign.Position{TextContent: "x"})}
	began := time.Now()
	_, err := f.Places(t.Context(), endless(), text)
	if !fault.Is(err, fault.Invalid) || !errors.Is(err, errTooLong) {
		t.Errorf("%v", err)
	}
	t.Logf("ended after %v", time.Since(began))
	if f.running() != 0 {
		t.Error("the stuck sandbox is kept")
	}
	f.options.Timeout = longTime
	if err := f.Check(t.Context(), turned(0)); err != nil {
		t.Errorf("after it: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := f.Places(ctx, endless(), text); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("whoever waits goes: %v", err)
	}
}

func TestIdleSandboxesAreGivenBack(t *testing.T) {
	f := New(Options{CacheDir: cacheDir, Idle: 50 * time.Millisecond, Timeout: longTime})
	if f.running() != 0 {
		t.Error("started before it is needed")
	}
	if err := f.Check(t.Context(), turned(0)); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); f.running() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > longTime {
			t.Fatal("never given back")
		}
	}
	f.Close()
	if err := f.Check(t.Context(), turned(0)); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestCallsWaitForEachOtherUpToABound(t *testing.T) {
	f := New(Options{CacheDir: cacheDir, Waiting: 2, Timeout: longTime})
	defer f.Close()
	f.rights <- struct{}{} // somebody reads
	var all sync.WaitGroup
	results := make(chan error, 4)
	for range 4 {
		all.Go(func() { results <- f.Check(t.Context(), turned(0)) })
	}
	if err := <-results; !fault.Is(err, fault.Unavailable) {
		t.Errorf("one too many: %v", err)
	}
	<-f.rights
	all.Wait()
	close(results)
	for err := range results {
		if err != nil {
			t.Errorf("%v", err)
		}
	}
}
