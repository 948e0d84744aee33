package keys

import (
	"testing"
)

func TestMarkNeverGoesBack(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s, other := open(), open()
		if n, hash, err := s.Marked(t.Context()); n != 0 || hash != nil || err != nil {
			t.Errorf("before any: %d, %x, %v", n, hash, err)
		}
		for _, c := range []struct {
			number, want int64
			hash, wanted string
		}{{3, 3, "three", "three"}, {2, 3, "two", "three"}, {3, 3, "another three", "three"}, {4, 4, "four", "four"}} {
			if err := s.Mark(t.Context(), c.number, []byte(c.hash)); err != nil {
				t.Fatal(err)
			}
			if n, hash, err := other.Marked(t.Context()); n != c.want || string(hash) != c.wanted || err != nil {
				t.Errorf("after %d: %d, %s, %v", c.number, n, hash, err)
			}
		}
	})
}

func TestMissingKeysAreNamed(t *testing.T) {
	eachDB(t, func(t *testing.T, open func(...Option) *Store) {
		s := open()
		there, _ := draw(t, s)
		gone, _ := draw(t, s)
		if err := s.Destroy(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		const never = ID("0123456789abcdef0123456789abcdef")
		missing, err := s.Missing(t.Context(), []ID{there, gone, never})
		if err != nil || len(missing) != 2 || !missing[gone] || !missing[never] {
			t.Errorf("%v, %v", missing, err)
		}
	})
}
