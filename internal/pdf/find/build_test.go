package find

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"codeberg.org/go-pdf/fpdf"
)

// cacheDir is shared by all test programs of this checkout: compiling takes seconds, with
// the race detector more.
const cacheDir = "../../../bin/cache/pdfium"

// shared is the one Finder of the tests that do not need their own.
var shared = sync.OnceValue(func() *Finder { return New(Options{CacheDir: cacheDir, Timeout: longTime}) })

// build makes a PDF of its objects, the first of which is the catalog.
func build(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func stream(dictionary, content string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dictionary, len(content), content)
}

// turned is a page of 200 × 300 points whose box begins at 10, 20, turned by so many degrees.
// It shows TEXT upright at 50, 60 in user space, white on white, and has the fields anchor, a text field,
// group.sign, an empty signature field, and done, one that is signed.
func turned(rotate int) []byte {
	return build(
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 7 0 R 9 0 R]/SigFlags 1>>>>",
		fmt.Sprintf("<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 400 500]/CropBox[10 20 210 320]/Rotate %d>>", rotate),
		"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/Annots[6 0 R 8 0 R 9 0 R]>>",
		stream("", "BT 1 g /F 10 Tf 50 60 Td (TEXT) Tj ET"),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(anchor)/Rect[50 100 90 110]/P 3 0 R>>",
		"<</T(group)/Kids[8 0 R]>>",
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(sign)/Parent 7 0 R/Rect[20 200 120 230]/P 3 0 R>>",
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(done)/Rect[20 250 120 280]/P 3 0 R/V<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Contents<00>/ByteRange[0 0 0 0]>>>>",
	)
}

// written is a PDF with a page for each text. Lines are 5 mm apart.
func written(t *testing.T, configure func(*fpdf.Fpdf), pages ...string) []byte {
	t.Helper()
	doc := fpdf.New("P", "pt", "A4", "")
	if configure != nil {
		configure(doc)
	}
	doc.SetFont("Helvetica", "", 12)
	for _, text := range pages {
		doc.AddPage()
		for i, line := range strings.Split(text, "\n") {
			doc.Text(100, 100+15*float64(i), line)
		}
	}
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
