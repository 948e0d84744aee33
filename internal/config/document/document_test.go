package document

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "1d12h": 36 * time.Hour, "24h": 24 * time.Hour, "10s": 10 * time.Second, "1h30m": 90 * time.Minute,
		"0d": 0, "1.5h": 90 * time.Minute, "1d1ms": 24*time.Hour + time.Millisecond, "99999d": 99999 * 24 * time.Hour,
	} {
		if got, ok := ParseDuration(s); !ok || got != want {
			t.Errorf("%s: %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "0", "90", "d", "-1d", "+1h", "-1h", "1d-1h", "1h1d", "1 d", "1dd", "1.5d", "1w", "100000d", "99999d999999h", "9999999999h", "1d0", "24H"} {
		if got, ok := ParseDuration(s); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1d12h")
	f.Add("99999d9999h")
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := ParseDuration(s); ok && d < 0 {
			t.Errorf("%q is negative: %v", s, d)
		}
	})
}

func TestMistakesComeInTheOrderOfLines(t *testing.T) {
	d, err := Parse("f", []byte("a: x\nb: {c: 1, d: [2]}\ne: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(Value) {}
	d.Root().Fields(map[string]func(Value){
		"a": nothing, "e": func(v Value) { v.Expect("E") },
		"b": func(v Value) {
			v.Fields(map[string]func(Value){"c": func(v Value) { v.Each(nil) }, "d": func(v Value) { v.Each(func(int, Value) {}) }})
		},
	})
	d.Add("b.d[0].deep", "deeper")
	d.Add("none", "N")
	want := "f:1: none: N\nf:2: b.c: a list is expected\nf:2: b.d[0].deep: deeper\nf:3: e: E"
	if diff := cmp.Diff(want, d.Err().Error()); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]bool{"b": true, "b.c": true, "b.c.x": true, "b.c[1]": true, "b.cc": false, "b.d[0]": true, "a": false, "e": true, "": false} {
		if got := d.Wrong(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestMistakesAreBounded(t *testing.T) {
	d, err := Parse("f", []byte(strings.Repeat("\"\\n\": 1\n", 500)))
	if err != nil {
		t.Fatal(err)
	}
	d.Root().Fields(nil)
	lines := strings.Split(d.Err().Error(), "\n")
	if len(lines) != maxMistakes+1 || lines[maxMistakes] != "f: there are 400 more mistakes" {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
}

func TestWhatIsNoYAMLIsRefusedWithItsLine(t *testing.T) {
	for data, line := range map[string]int{
		"a: 1\nb: [1\nc: 2\n":  2,
		"a: 1\n\tb: 2\n":       2,
		"a: 1\nb: 2: 3\n":      2,
		"a: 1\nb: 2\n- c\n":    3,
		"a: 1\nb: \"x\\y\"\n":  2,
		"a: ]":                 1,
		"a: 1\nb: *nobody\n":   1,
		"a: 1\n---\nb: 1\n":    2,
		"a: 1\n---\nb: [\n":    4,
		"a: 1\nb: &x {c: 1}\n": 2,
	} {
		var e Error
		if _, err := Parse("f", []byte(data)); !errors.As(err, &e) || len(e) != 1 || e[0].Line != line || strings.Contains(err.Error(), "nobody") {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestNoMistakeIsNoError(t *testing.T) {
	d, err := Parse("f", []byte("a: 1"))
	if err != nil || d.Err() != nil {
		t.Error(err, d.Err())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: {b: [c, 1, true, null]}\n"))
	f.Add([]byte("a: &a *a\n"))
	f.Add([]byte("? [x]\n: !!binary y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("f", data)
		if err != nil {
			var e Error
			if !errors.As(err, &e) || len(e) == 0 {
				t.Fatalf("%v is no Error", err)
			}
			return
		}
		var walk func(Value)
		walk = func(v Value) {
			v.Entries(func(_ string, v Value) { walk(v) })
			v.Each(func(_ int, v Value) { walk(v) })
			v.Scalar()
			v.Bool()
			v.Duration()
		}
		walk(d.Root())
		if err := d.Err(); err == nil || strings.ContainsAny(strings.ReplaceAll(err.Error(), "\n", ""), "\r\x00\x1b") {
			t.Errorf("%v", err)
		}
	})
}
