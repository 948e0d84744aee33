package keys

import (
	"errors"
	"slices"
	"testing"
)

// BenchmarkDrawWarm is a Draw that finds a key in memory: whenever the pool is empty it is
// filled again without the database.
func BenchmarkDrawWarm(b *testing.B) {
	s, _ := openFile(b)
	drawn, err := s.makeBatch(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s.refill = &refill{} // as if one were under way
	for b.Loop() {
		if len(s.pool) == 0 {
			again := *drawn
			again.keys = slices.Clone(drawn.keys)
			s.pool = append(s.pool, &again)
		}
		if _, _, err := s.Draw(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDrawSustained draws without pause, so that it waits for the database.
func BenchmarkDrawSustained(b *testing.B) {
	s, _ := openFile(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, _, err := s.Draw(b.Context()); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	s, _ := openFile(b)
	id, _ := draw(b, s)
	for b.Loop() {
		if _, err := s.Get(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDestroy(b *testing.B) {
	s, _ := openFile(b)
	for b.Loop() {
		id, _ := draw(b, s)
		if err := s.Destroy(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Get(b.Context(), id); !errors.Is(err, ErrDestroyed) {
			b.Fatal(err)
		}
	}
}
