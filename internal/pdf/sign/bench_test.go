package sign_test

import (
	"bytes"
	"testing"
	"time"

	"vidimus/internal/pdf/sign"
)

// pdfOf makes a PDF of one page with a stream of so many bytes.
func pdfOf(size int) []byte {
	var b bytes.Buffer
	var at []int
	object := func(text string) {
		at = append(at, b.Len())
		b.WriteString(itoa(len(at)) + " 0 obj\n" + text + "\nendobj\n")
	}
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>")
	object("<</Length " + itoa(size) + ">>\nstream\n" + string(bytes.Repeat([]byte(" "), size)) + "\nendstream")
	begin := b.Len()
	b.WriteString("xref\n0 " + itoa(len(at)+1) + "\n0000000000 65535 f\r\n")
	for _, n := range at {
		s := itoa(n)
		b.WriteString("0000000000"[:10-len(s)] + s + " 00000 n\r\n")
	}
	b.WriteString("trailer\n<</Size " + itoa(len(at)+1) + "/Root 1 0 R>>\nstartxref\n" + itoa(begin) + "\n%%EOF\n")
	return b.Bytes()
}

func BenchmarkSign(b *testing.B) {
	a := newAuthority(b)
	for _, size := range []int{100_000, 5_000_000} {
		content := pdfOf(size)
		for name, level := range map[string]sign.Level{"B-B": sign.BB, "B-T": sign.BT, "B-LT": sign.BLT} {
			b.Run(name+"/"+itoa(size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := sign.Sign(b.Context(), content, sign.Request{Level: level, Time: time.Now(), Name: "Erika Muster"}, a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
