package file

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// tree is a PDF whose pages are so many objects with the same text, followed by padding; its
// table is left out, so that it is searched for its objects.
func tree(pages int, text, padding string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[")
	for i := range pages {
		fmt.Fprintf(&b, "%d 0 R ", i+10)
	}
	b.WriteString("]>>endobj\ntrailer<</Root 1 0 R>>\n")
	for i := range pages {
		fmt.Fprintf(&b, "%d 0 obj%s\n", i+10, text)
	}
	b.WriteString(padding)
	return b.Bytes()
}

// TestHostileFilesAreReadInBoundedTime opens files whose objects overlap: each of them goes on
// to the end of the file.
func TestHostileFilesAreReadInBoundedTime(t *testing.T) {
	padding := strings.Repeat("a ", 4<<20)
	for name, content := range map[string][]byte{
		"streams without an end": tree(20_000, "<<>>stream", padding),
		"strings without an end": tree(20_000, "(", padding),
		"arrays without an end":  tree(20_000, "[", strings.Repeat("1 ", 4<<20)),
		"streams with one end":   tree(20_000, "<<>>stream", padding+"endstream"),
		"words without an end":   tree(20_000, " ", strings.Repeat("a", 8<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			_, err := Open(content)
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("%v: %v", took, err)
			}
			t.Log(time.Since(begin), err)
		})
	}
}

// TestHybridFilesShowWhatTheStreamHolds opens a table that calls free what the stream beside
// it holds.
func TestHybridFilesShowWhatTheStreamHolds(t *testing.T) {
	var b bytes.Buffer
	at := map[int]int{}
	object := func(num int, text string) {
		at[num] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj%s\nendobj\n", num, text)
	}
	b.WriteString("%PDF-1.5\n")
	object(1, "<</Type/Catalog/Pages 2 0 R/Hidden 4 0 R>>")
	object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
	object(5, "<</Type/ObjStm/N 1/First 4/Length 13>>stream\n4 0 (hidden)x \nendstream")
	entry := []byte{2, 0, 0, 0, 5, 0, 0}
	object(6, fmt.Sprintf("<</Type/XRef/Size 7/W[1 4 2]/Index[4 1]/Root 1 0 R/Length 7>>stream\n%s\nendstream", entry))
	begin := b.Len()
	b.WriteString("xref\n0 7\n0000000000 65535 f\r\n")
	for num := 1; num < 7; num++ {
		kind := "n"
		if num == 4 {
			kind = "f"
		}
		fmt.Fprintf(&b, "%010d 00000 %s\r\n", at[num], kind)
	}
	fmt.Fprintf(&b, "trailer<</Size 7/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", at[6], begin)
	f, err := Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := f.Get(f.Catalog()["Hidden"]).(String); string(s) != "hidden" || f.Repaired() {
		t.Errorf("%q, repaired: %v", s, f.Repaired())
	}
}

// TestARootThatIsNoObjectIsRefused: it could not be replaced by an update.
func TestARootThatIsNoObjectIsRefused(t *testing.T) {
	content := "%PDF-1.7\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\ntrailer<</Root<</Type/Catalog/Pages 2 0 R>>>>\n"
	if _, err := Open([]byte(content)); err == nil {
		t.Error("no error")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(tree(3, "<</Type/Page>>endobj", ""))
	f.Add(tree(2, "<<>>stream", "endstream"))
	f.Fuzz(func(_ *testing.T, content []byte) {
		p, err := Open(content)
		if err != nil {
			return
		}
		u := p.Update()
		u.Put(u.New(), Dict{})
		_, _ = p.Fields()
		u.AppendTo(bytes.Clone(content), Ref{})
	})
}
