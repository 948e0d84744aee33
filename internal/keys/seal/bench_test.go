package seal

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkSealRow(b *testing.B) {
	k, plain := newKey(), make([]byte, 1000)
	b.SetBytes(1000)
	for b.Loop() {
		k.Seal(plain, []byte("person/1"))
	}
}

func BenchmarkOpenRow(b *testing.B) {
	k := newKey()
	sealed := k.Seal(make([]byte, 1000), []byte("person/1"))
	b.SetBytes(1000)
	for b.Loop() {
		if _, err := k.Open(sealed, []byte("person/1")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstSeal pays for the setting up of a key that was just drawn.
func BenchmarkFirstSeal(b *testing.B) {
	plain, secret := make([]byte, 1000), newKey()
	for b.Loop() {
		k := &Key{secret: secret.secret, random: secret.random}
		k.Seal(plain, nil)
	}
}

func BenchmarkFile20MB(b *testing.B) {
	k, plain := newKey(), make([]byte, 20<<20)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		w, err := k.Writer(io.Discard, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(plain)); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
