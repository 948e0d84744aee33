// Left out of fuzzing, which would compile the database anew.
//go:build !fuzz

package sftpd_test

import (
	"errors"
	"io"
	"testing"
)

// BenchmarkSmallFile opens, reads and closes a file, as a company does that fetches many.
func BenchmarkSmallFile(b *testing.B) {
	p := newPlatform(b, settings{})
	p.finished(bank, "one", 10)
	c := p.client()
	buffer := make([]byte, 64<<10)
	b.ResetTimer()
	for range b.N {
		f, err := c.Open("one.zip")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.ReadAt(buffer, 0); !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
