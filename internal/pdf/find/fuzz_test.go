package find

import (
	"testing"
	"time"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// FuzzPlaces sends broken files: whatever they are, the answer is a fault that a company can
// act on, and the next file is read.
func FuzzPlaces(f *testing.F) {
	for _, rotate := range []int{0, 90} {
		f.Add(turned(rotate))
	}
	f.Add(build("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"))
	f.Add([]byte("%PDF-1.7\ntrailer<</Root 1 0 R>>"))
	finder := New(Options{CacheDir: cacheDir, Timeout: 5 * time.Second})
	f.Cleanup(finder.Close)
	want := []esign.Signature{
		at("page", esign.Position{Page: 1}), at("field", esign.Position{AcroField: "group.sign"}), at("text", esign.Position{TextContent: "TEXT"}),
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		spots, err := finder.Places(t.Context(), file, want)
		if err == nil && len(spots) < len(want) {
			t.Errorf("nothing is missing, but these are all: %+v", spots)
		}
		for _, e := range fault.All(err) {
			if e.Kind != fault.Invalid && e.Kind != fault.Precondition || e.Message == "" {
				t.Errorf("%v", e)
			}
		}
	})
}
